/* SPDX-License-Identifier: Apache-2.0 */
/* lists.c - the extension functions over lists, and over lists as sets.
 *
 * Elements are equal as == says, so 1, 1u and 1.0 are one; looking for one goes over all there
 * are and is paid for as any comparison is. What is built is paid for before it is allocated. */
#include "compare.h"
#include "library.h"

enum { DEEPEST = 64 };

static cel_value list_of(cel_scope *s, const cel_value *items, size_t count)
{
    cel_list *list = NEW(s->scratch, cel_list);
    *list = (cel_list){count, items};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

/* Room for `count` values; NULL when that is not paid for. */
static cel_value *room(cel_scope *s, size_t count)
{
    if (!cel_spend(s, 16 * count)) return NULL;
    return NEW_N(s->scratch, cel_value, count);
}

/* An error, an unknown, or CEL_UNBOUND when the comparisons so far mean something. */
static cel_value doubt(const cel_scope *s, const cel_effort *e)
{
    if (s->budget < 0) return cel_failed(CEL_COST_EXCEEDED);
    if (e->unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = e->unknown};
    return (cel_value){0};
}

static bool holds(cel_value list, cel_value item, cel_effort *e)
{
    size_t count = cel_count(list);
    for (size_t i = 0; i < count && *e->budget >= 0; i++) {
        if (cel_same(cel_item(list, i), item, e)) return true;
    }
    return false;
}

/* Is all of `part` in `list`? */
static bool every(cel_value list, cel_value part, cel_effort *e)
{
    size_t count = cel_count(part);
    for (size_t i = 0; i < count; i++) {
        if (!holds(list, cel_item(part, i), e)) return false;
    }
    return true;
}

cel_value cel_fn_sets_contains(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    cel_effort e = {&s->budget, 0};
    bool all = every(args[0], args[1], &e);
    cel_value d = doubt(s, &e);
    return d.tag ? d : cel_bool(all);
}

cel_value cel_fn_sets_equivalent(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    cel_effort e = {&s->budget, 0};
    bool same = every(args[0], args[1], &e) && every(args[1], args[0], &e);
    cel_value d = doubt(s, &e);
    return d.tag ? d : cel_bool(same);
}

cel_value cel_fn_sets_intersects(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    cel_effort e = {&s->budget, 0};
    size_t count = cel_count(args[1]);
    bool found = false;
    for (size_t i = 0; i < count && !found && s->budget >= 0; i++) {
        found = holds(args[0], cel_item(args[1], i), &e);
    }
    cel_value d = doubt(s, &e);
    return d.tag && !(found && d.tag == CEL_UNKNOWN) ? d : cel_bool(found);
}

cel_value cel_fn_distinct(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    size_t count = cel_count(args[0]), n = 0;
    cel_value *items = room(s, count);
    if (!items) return cel_failed(CEL_COST_EXCEEDED);
    cel_effort e = {&s->budget, 0};
    for (size_t i = 0; i < count && s->budget >= 0; i++) {
        cel_value item = cel_item(args[0], i);
        bool seen = false;
        for (size_t k = 0; k < n && !seen; k++) seen = cel_same(items[k], item, &e);
        if (!seen) items[n++] = item;
    }
    cel_value d = doubt(s, &e);
    return d.tag ? d : list_of(s, items, n);
}

cel_value cel_fn_slice(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    int64_t from = args[1].u.i, to = args[2].u.i;
    if (from < 0 || to < from || (uint64_t)to > cel_count(args[0])) {
        return cel_failed(CEL_OUT_OF_RANGE);
    }
    size_t count = (size_t)(to - from);
    cel_value *items = room(s, count);
    if (!items) return cel_failed(CEL_COST_EXCEEDED);
    for (size_t i = 0; i < count; i++) items[i] = cel_item(args[0], (size_t)from + i);
    return list_of(s, items, count);
}

static size_t flat_count(cel_scope *s, cel_value list, int64_t depth)
{
    size_t count = cel_count(list), n = 0;
    if (!cel_spend(s, 16 * count)) return 0;
    for (size_t i = 0; i < count && s->budget >= 0; i++) {
        cel_value item = cel_item(list, i);
        n += item.tag == CEL_LIST && depth ? flat_count(s, item, depth - 1) : 1;
    }
    return n;
}

static size_t flat_put(cel_value *items, cel_value list, int64_t depth)
{
    size_t count = cel_count(list), n = 0;
    for (size_t i = 0; i < count; i++) {
        cel_value item = cel_item(list, i);
        if (item.tag == CEL_LIST && depth) {
            n += flat_put(items + n, item, depth - 1);
        } else {
            items[n++] = item;
        }
    }
    return n;
}

cel_value cel_fn_flatten(cel_scope *s, const cel_function *f, const cel_value *args)
{
    int64_t depth = f->op == 2 ? args[1].u.i : 1;
    if (depth < 0 || depth > DEEPEST) return cel_failed(CEL_BAD_ARGUMENT);
    size_t count = flat_count(s, args[0], depth);
    cel_value *items = s->budget >= 0 ? room(s, count) : NULL;
    if (!items) return cel_failed(CEL_COST_EXCEEDED);
    return list_of(s, items, flat_put(items, args[0], depth));
}

/* Merges two sorted runs; of equals the first stays first. */
static void merge(const cel_value *from, size_t middle, size_t count, cel_value *to)
{
    size_t left = 0, right = middle;
    for (size_t i = 0; i < count; i++) {
        bool first =
            right >= count || (left < middle && cel_order(from[left], from[right]) != CEL_MORE);
        to[i] = first ? from[left++] : from[right++];
    }
}

/* What can be sorted is of one type that has an order; NaN has none. */
static cel_value unsortable(cel_value list)
{
    size_t count = cel_count(list);
    for (size_t i = 0; i < count; i++) {
        cel_value item = cel_item(list, i), first = cel_item(list, 0);
        if (item.tag == CEL_UNKNOWN) return item;
        cel_ordering o = item.tag == first.tag ? cel_order(item, item) : CEL_NO_ORDER;
        if (o == CEL_NOT_A_NUMBER) return cel_failed(CEL_BAD_ARGUMENT);
        if (o == CEL_NO_ORDER) return cel_failed(CEL_NO_SUCH_OVERLOAD);
    }
    return (cel_value){0};
}

static size_t bytes_in(cel_value list)
{
    size_t count = cel_count(list), n = 0;
    for (size_t i = 0; i < count; i++) n += 16 + cel_text(cel_item(list, i)).n;
    return n;
}

cel_value cel_fn_sort(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    size_t count = cel_count(args[0]), rounds = 1;
    while (rounds < 63 && (size_t)1 << rounds < count) rounds++;
    if (!cel_spend(s, 16 * count)) return cel_failed(CEL_COST_EXCEEDED);
    cel_value bad = unsortable(args[0]);
    if (bad.tag) return bad;
    if (!cel_spend(s, bytes_in(args[0]) * rounds)) return cel_failed(CEL_COST_EXCEEDED);
    cel_value *items = NEW_N(s->scratch, cel_value, count),
              *other = NEW_N(s->scratch, cel_value, count);
    for (size_t i = 0; i < count; i++) items[i] = cel_item(args[0], i);
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t at = 0; at < count; at += 2 * run) {
            size_t left = count - at;
            merge(items + at, run < left ? run : left, 2 * run < left ? 2 * run : left, other + at);
        }
        cel_value *sorted = other;
        other = items;
        items = sorted;
    }
    return list_of(s, items, count);
}

cel_value cel_fn_range(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    if (args[0].u.i < 0) return cel_failed(CEL_BAD_ARGUMENT);
    if (args[0].u.i > UINT32_MAX) return cel_failed(CEL_COST_EXCEEDED);
    size_t count = (size_t)args[0].u.i;
    cel_value *items = room(s, count);
    if (!items) return cel_failed(CEL_COST_EXCEEDED);
    for (size_t i = 0; i < count; i++) items[i] = cel_int((int64_t)i);
    return list_of(s, items, count);
}

/* first and last: an optional, none of an empty list. */
cel_value cel_fn_list_end(cel_scope *s, const cel_function *f, const cel_value *args)
{
    size_t count = cel_count(args[0]);
    if (!count) return cel_optional(s, (cel_value){0});
    cel_value v = cel_item(args[0], f->op ? count - 1 : 0);
    return v.tag == CEL_UNKNOWN ? v : cel_optional(s, v);
}

cel_value cel_fn_list_reverse(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    size_t count = cel_count(args[0]);
    cel_value *items = room(s, count);
    if (!items) return cel_failed(CEL_COST_EXCEEDED);
    for (size_t i = 0; i < count; i++) items[i] = cel_item(args[0], count - 1 - i);
    return list_of(s, items, count);
}
