/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - equality and order over all values, numbers on one line.
 *
 * Comparing is paid from the effort's budget (a unit a value, one for 16 bytes); when it is spent
 * the answer is meaningless and the budget negative: the caller fails. An unknown inside a list or
 * map equals nothing and leaves its bits: "not the same" then means unknown. An int against a
 * double compares as doubles, lossily: the conformance cases want it so. */
#ifndef SP_CEL_COMPARE_H
#define SP_CEL_COMPARE_H
#include "value.h"

typedef struct {
    int64_t *budget;
    uint64_t unknown;
} cel_effort;
bool cel_same(cel_value a, cel_value b, cel_effort *e);

typedef enum { CEL_LESS = -1, CEL_SAME, CEL_MORE, CEL_NO_ORDER, CEL_NOT_A_NUMBER } cel_ordering;
cel_ordering cel_order(cel_value a, cel_value b);

/* The value of a key; CEL_UNBOUND when there is none. Ints, uints and whole doubles are one key. */
cel_value cel_map_get(cel_value map, cel_value key, int64_t *budget);
/* The same by name, the usual case. */
cel_value cel_map_member(cel_value map, str name);
bool cel_key_allowed(cel_value key);
/* The order of cel_map.order: shorter ones first, which is sooner told than the alphabet. */
int cel_compare_keys(str a, str b);

size_t cel_count(cel_value v);                /* of a list or map; else 0 */
cel_value cel_item(cel_value list, size_t i); /* i < cel_count */

/* Goes through a list's items (value; key is the index) or a map's entries. */
typedef struct {
    cel_value over;
    size_t at, count;
    void *object_iter;
} cel_walk;
cel_walk cel_walk_new(cel_value over);
bool cel_walk_next(cel_walk *w, cel_value *key, cel_value *value);
#endif
