/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - JSON in the engine's own form, for what many expressions will look into.
 *
 * cel_of_json() wraps a tree as it is, which costs nothing until it is read; but each member read
 * is then a hashed lookup. What is made here costs one pass and a few bytes of arena, and is read
 * at about a third of the price: a few members are compared one by one, many are searched in order.
 * No input makes a lookup slow: there is no hash to collide.
 * Integers keep 64 bits, larger ones become doubles.
 * Ownership: containers live in the arena; strings without escapes are views of the input. */
#ifndef SP_CEL_JSON_H
#define SP_CEL_JSON_H
#include "../../base/json.h"
#include "value.h"

cel_value cel_read_json(arena *a, js_value checked); /* absent gives CEL_NULL */
cel_value cel_own_json(arena *a, const json_t *tree);
#endif
