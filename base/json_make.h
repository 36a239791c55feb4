/* SPDX-License-Identifier: Apache-2.0 */
/* json_make.h - JSON that is being written: a tree whose leaves are bytes.
 *
 * For those who translate one shape into another: members may be set in any order, a member set
 * again is replaced, and whatever passes untouched (a tool's arguments, a schema, a number) is a
 * leaf of its own bytes, so that nothing in it is read, rounded or reordered.
 * Ownership: all of the arena given at the root; keys and leaves are views that must live as
 * long. Failure: none; a NULL value is "nothing" and sets nothing. */
#ifndef SP_JSON_MAKE_H
#define SP_JSON_MAKE_H
#include "json.h"

typedef struct jnode jnode;

jnode *jn_object(arena *a);
jnode *jn_array(arena *a);
jnode *jn_raw(arena *a, str json);  /* bytes that are JSON already; NULL when empty */
jnode *jn_text(arena *a, str text); /* NULL when text.p is NULL */
jnode *jn_int(arena *a, int64_t v);
jnode *jn_num(arena *a, double v);
jnode *jn_bool(arena *a, bool v);
jnode *jn_null(arena *a);

void jn_set(jnode *object, const char *key, jnode *value);
void jn_set_text(jnode *object, const char *key, str text); /* text.p NULL: nothing */
void jn_set_key(jnode *object, str key, jnode *value);
void jn_add(jnode *array, jnode *value);
void jn_join(jnode *array, jnode *more); /* moves the elements of `more`, an array, behind */
jnode *jn_get(const jnode *object, const char *key); /* NULL when not there */
/* The object at a dotted path, made where it is missing; "" is `object` itself. */
jnode *jn_open(jnode *object, str dotted);
arena *jn_arena(const jnode *j);
size_t jn_count(const jnode *container);
jnode *jn_last(const jnode *array); /* NULL when empty */

void jn_put(buf *out, const jnode *j);
str jn_dump(arena *a, const jnode *j);
#endif
