/* SPDX-License-Identifier: Apache-2.0 */
/* shape.h - types for the CEL checker, from a tool's input schema and from what claims are.
 *
 * A type made of a schema carries the schema (`about` is a js_value *). What a schema leaves open
 * is dyn: so is a number, which JSON may write as an int or a double. Bounded in depth.
 * Ownership: the arena's. */
#ifndef SP_POLICY_SHAPE_H
#define SP_POLICY_SHAPE_H
#include "../cel/types.h"
#include "world.h"

/* Of `args` for this tool. */
const cel_ctype *policy_shape_of_tool(arena *a, const policy_tool *t);
/* Of `jwt`: the claims the configuration declares, and those every token may have. */
const cel_ctype *policy_shape_of_claims(arena *a, const policy_world *w);
const cel_ctype *policy_shape_named(arena *a, str type); /* "string", "list(int)"; else dyn */

/* The schema a type was made of; JS_ABSENT: of none. */
js_value policy_shape_schema(const cel_ctype *type);
bool policy_schema_requires(js_value schema, str property);
/* Does an object of this schema say which members it has? */
bool policy_schema_lists(js_value schema);
#endif
