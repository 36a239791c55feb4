/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - containers of JSON as lists and maps of values.
 *
 * Values are piled up as they come; what closes takes its own from the top of the pile. So a text
 * is read once, forward, whatever its shape. */
#include "json.h"
#include "compare.h"
#include <stdlib.h>

enum { FEW = 16 }; /* members that are sooner compared one by one than searched */

typedef struct {
    arena *a;
    cel_value *values;
    size_t count, cap;
} pile;

static void push(pile *p, cel_value v)
{
    if (p->count == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 32;
        cel_value *grown = NEW_N(p->a, cel_value, cap);
        for (size_t i = 0; i < p->count; i++) grown[i] = p->values[i];
        p->values = grown;
        p->cap = cap;
    }
    p->values[p->count++] = v;
}

static int by_key(const void *x, const void *y, void *entries)
{
    const cel_entry *all = entries;
    return cel_compare_keys(cel_text(all[*(const uint32_t *)x].key),
                            cel_text(all[*(const uint32_t *)y].key));
}

/* Keys are strings, each but once: js_check and jansson have seen to it. */
static const uint32_t *order_of(arena *a, cel_entry *entries, size_t count)
{
    if (count <= FEW || count > UINT32_MAX) return NULL;
    uint32_t *order = NEW_N(a, uint32_t, count);
    for (size_t i = 0; i < count; i++) order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof *order, by_key, entries);
    return order;
}

/* What lies above `from`: items, or keys and values in turn. */
static cel_value take_container(pile *p, size_t from, bool object)
{
    size_t count = p->count - from;
    const cel_value *own = p->values + from;
    p->count = from;
    if (!object) {
        cel_value *items = NEW_N(p->a, cel_value, count);
        for (size_t i = 0; i < count; i++) items[i] = own[i];
        cel_list *list = NEW(p->a, cel_list);
        *list = (cel_list){count, items};
        return (cel_value){.tag = CEL_LIST, .u.list = list};
    }
    count /= 2;
    cel_entry *entries = NEW_N(p->a, cel_entry, count);
    for (size_t i = 0; i < count; i++) entries[i] = (cel_entry){own[2 * i], own[2 * i + 1]};
    cel_map *map = NEW(p->a, cel_map);
    *map = (cel_map){count, entries, order_of(p->a, entries, count)};
    return (cel_value){.tag = CEL_MAP, .u.map = map};
}

static cel_value scalar(arena *a, js_value v)
{
    int64_t n;
    switch (v.kind) {
    case JS_STRING: return cel_string(js_text(a, v));
    case JS_TRUE: return cel_bool(true);
    case JS_FALSE: return cel_bool(false);
    case JS_NUMBER:
        if (js_int(v, &n)) return cel_int(n);
        return (cel_value){.tag = CEL_DOUBLE, .u.d = js_double(v)};
    default: return (cel_value){.tag = CEL_NULL};
    }
}

static cel_value read_from(pile *p, str *rest, js_token t, unsigned depth)
{
    if (t.kind != JS_OPEN_OBJECT && t.kind != JS_OPEN_ARRAY) return scalar(p->a, t.value);
    size_t from = p->count;
    bool object = t.kind == JS_OPEN_OBJECT;
    while (depth && (t = js_read(rest)).kind != JS_CLOSE && t.kind != JS_END)
        push(p, read_from(p, rest, t, depth - 1));
    return take_container(p, from, object);
}

cel_value cel_read_json(arena *a, js_value checked)
{
    pile p = {.a = a};
    str rest = checked.raw;
    return read_from(&p, &rest, js_read(&rest), JS_DEPTH_MAX);
}

static cel_value own(pile *p, cel_value v, unsigned depth)
{
    if (!v.json || !depth) return v;
    size_t from = p->count;
    bool object = v.tag == CEL_MAP;
    cel_value key, value;
    for (cel_walk w = cel_walk_new(v); cel_walk_next(&w, &key, &value);) {
        if (object) push(p, key);
        push(p, own(p, value, depth - 1));
    }
    return take_container(p, from, object);
}

cel_value cel_own_json(arena *a, const json_t *tree)
{
    pile p = {.a = a};
    return own(&p, cel_of_json(tree), JS_DEPTH_MAX);
}
