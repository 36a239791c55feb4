/* SPDX-License-Identifier: Apache-2.0 */
/* pins.h - which definitions of tools a person has approved.
 *
 * A lock file names tools as `server/tool`, each with the SHA-256 of its definition
 * (definition.h). Where pins are kept, only what is approved exists: a tool that changed, and one
 * that was never approved, is left out of lists and unknown to calls, in the log once and counted.
 * Ownership: pins live in the arena they were read into. Threads: any. */
#ifndef SP_MCP_PINS_H
#define SP_MCP_PINS_H
#include "../base/yaml.h"
#include "catalog.h"

typedef enum { PIN_NEW, PIN_CHANGED, PIN_APPROVED, PIN_STATES } pin_state;
extern const str pin_state_names[PIN_STATES];

typedef struct {
    str server, tool;
    str digest; /* 64 hex digits */
} pin;

typedef struct pins pins;

/* The text of a lock file; empty: nothing is approved. Problems are "file:line:col: what". */
pins *pins_read(arena *a, str file, str text, problems *out);
pin_state pins_state(const pins *p, str server, const catalog_item *t);
/* May it be shown and called? `p` NULL: no pins are kept, so it may. */
bool pins_allow(const pins *p, mcp_shared *s, str server, const catalog_item *t);

/* What `sallyport tools pin` works on. In the order of the file. */
const pin *pins_list(const pins *p, size_t *count);
/* The text of a lock file: one line a tool, sorted, so that a difference of two files is the
 * difference of what they approve. Sorts `all`. */
str pins_write(arena *a, pin *all, size_t count);
#endif
