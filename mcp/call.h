/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - what call.c and call_answer.c share: one tools/call on its way.
 *
 * call.c has the steps, call_answer.c what the link reports. Events only collect bytes here and
 * wake the flow; steps write them. */
#ifndef SP_MCP_CALL_H
#define SP_MCP_CALL_H
#include "catalog.h"
#include "corridor.h"
#include "inflight.h"
#include "link.h"
#include "parked.h"

struct tool_call {
    upstream *to;         /* NULL: not found */
    const catalog *known; /* counted: the tool's views are in it */
    const catalog_tool *tool;
    size_t asking; /* naming none: the server being asked */
    bool asked, clash;
    str public_name;
    link_call *link; /* NULL: not begun, or over */
    handle self;
    inflight_entry entry;
    int64_t started_us;
    str body; /* the whole answer, once over */
    int status;
    bool over;
    sink *out;           /* NULL: no stream was begun */
    struct round *round; /* an old client's questions; NULL: none yet */
    parked_name parked;
    bool waits;      /* for what a parked call says next */
    unsigned rounds; /* that came before, of a modern client */
    str again;       /* what this one adds */
    buf unsent;      /* heap: events for the stream, from `sent` on */
    size_t sent;
};

extern const link_events call_hears; /* their owner is the visit, */
extern const char call_type;         /* under this type */
#endif
