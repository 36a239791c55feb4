/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - what a tool's inputSchema says for certain about the arguments of a call.
 *
 * Only what nothing beside it can undo: of an object schema in the 2020-12 dialect (or none named)
 * without references, the root's `required`, its closedness, and of root properties `enum`, `const`
 * and bounds of numbers. Never patterns or lengths. A list uses it to hide a tool that no arguments
 * could make callable; so a call that does not keep to what its rules read is denied before they
 * are asked (architecture.md §9.5).
 * Ownership: the arena's, immutable: any thread may read it. */
#ifndef SP_POLICY_SCHEMA_H
#define SP_POLICY_SCHEMA_H
#include "../../base/json.h"
#include "../cel/known.h"

enum { SCHEMA_PROPERTIES = 64, SCHEMA_VALUES = 16 };

typedef struct {
    const cel_value *values; /* what it can be; NULL: anything */
    size_t count;
} policy_values;

typedef struct policy_schema {
    cel_known known;             /* of `args` */
    const policy_values *values; /* by member of `known` */
} policy_schema;

/* NULL: it says nothing of use. */
const policy_schema *policy_schema_read(arena *a, js_value input_schema);
#endif
