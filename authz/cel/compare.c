/* SPDX-License-Identifier: Apache-2.0 */
/* compare.c - equality, order, and looking into lists and maps of both kinds.
 *
 * A list or map is either the evaluator's (an array of values) or a jansson tree that is read
 * as it stands. Everything that looks inside one is here, so the rest need not know which. */
#include "compare.h"
#include "network.h"
#include <math.h>

enum { DEEPEST = 512 }; /* of nested values; a JSON text is bounded well below */

/* cel.md 5: outside the range the double decides alone; inside, the int is made a double. */
static cel_ordering real_order(double a, double b)
{
    if (isnan(a) || isnan(b)) return CEL_NOT_A_NUMBER;
    return a < b ? CEL_LESS : a > b ? CEL_MORE : CEL_SAME;
}

static cel_ordering flip(cel_ordering o)
{
    return o == CEL_LESS ? CEL_MORE : o == CEL_MORE ? CEL_LESS : o;
}

static bool is_number(cel_value v)
{
    return v.tag == CEL_INT || v.tag == CEL_UINT || v.tag == CEL_DOUBLE;
}

static cel_ordering number_order(cel_value a, cel_value b)
{
    if (a.tag == CEL_INT && b.tag == CEL_INT) return a.u.i < b.u.i ? CEL_LESS : a.u.i > b.u.i;
    if (a.tag == CEL_UINT && b.tag == CEL_UINT) return a.u.u < b.u.u ? CEL_LESS : a.u.u > b.u.u;
    if (a.tag == CEL_DOUBLE) {
        double d = b.tag == CEL_DOUBLE ? b.u.d : b.tag == CEL_INT ? (double)b.u.i : (double)b.u.u;
        return real_order(a.u.d, d);
    }
    if (b.tag == CEL_DOUBLE) return flip(number_order(b, a));
    if (a.tag == CEL_UINT) return flip(number_order(b, a));
    if (a.u.i < 0) return CEL_LESS;
    return (uint64_t)a.u.i < b.u.u ? CEL_LESS : (uint64_t)a.u.i > b.u.u;
}

static cel_ordering text_order(cel_value a, cel_value b)
{
    uint32_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.u.s, b.u.s, n) : 0;
    if (c) return c < 0 ? CEL_LESS : CEL_MORE;
    return a.n < b.n ? CEL_LESS : a.n > b.n;
}

cel_ordering cel_order(cel_value a, cel_value b)
{
    if (is_number(a) && is_number(b)) return number_order(a, b);
    if (a.tag != b.tag) return CEL_NO_ORDER;
    switch (a.tag) {
    case CEL_STRING:
    case CEL_BYTES: return text_order(a, b);
    case CEL_BOOL: return (cel_ordering)(a.u.b - b.u.b);
    case CEL_TIMESTAMP:
        if (a.u.i == b.u.i) return a.n < b.n ? CEL_LESS : a.n > b.n;
        return a.u.i < b.u.i ? CEL_LESS : CEL_MORE;
    case CEL_DURATION: return a.u.i < b.u.i ? CEL_LESS : a.u.i > b.u.i;
    default: return CEL_NO_ORDER;
    }
}

size_t cel_count(cel_value v)
{
    if (v.tag == CEL_LIST) return v.json ? json_array_size(v.u.json) : v.u.list->count;
    if (v.tag == CEL_MAP) return v.json ? json_object_size(v.u.json) : v.u.map->count;
    return 0;
}

cel_value cel_item(cel_value list, size_t i)
{
    return list.json ? cel_of_json(json_array_get(list.u.json, i)) : list.u.list->items[i];
}

cel_walk cel_walk_new(cel_value over)
{
    cel_walk w = {.over = over, .count = cel_count(over)};
    /* jansson's iterator functions do not take const; they do not write either. */
    if (over.tag == CEL_MAP && over.json) {
        union {
            const json_t *from;
            json_t *to;
        } object = {over.u.json};
        w.object_iter = json_object_iter(object.to);
    }
    return w;
}

static bool object_next(cel_walk *w, cel_value *key, cel_value *value)
{
    if (!w->object_iter) return false;
    union {
        const json_t *from;
        json_t *to;
    } object = {w->over.u.json};
    *key = cel_string(
        (str){json_object_iter_key(w->object_iter), json_object_iter_key_len(w->object_iter)});
    *value = cel_of_json(json_object_iter_value(w->object_iter));
    w->object_iter = json_object_iter_next(object.to, w->object_iter);
    return true;
}

bool cel_walk_next(cel_walk *w, cel_value *key, cel_value *value)
{
    if (w->over.tag == CEL_MAP && w->over.json) return object_next(w, key, value);
    if (w->at >= w->count) return false;
    size_t i = w->at++;
    if (w->over.tag == CEL_MAP) {
        *key = w->over.u.map->entries[i].key;
        *value = w->over.u.map->entries[i].value;
    } else {
        *key = cel_int((int64_t)i);
        *value = cel_item(w->over, i);
    }
    return true;
}

int cel_compare_keys(str a, str b)
{
    if (a.n != b.n) return a.n < b.n ? -1 : 1;
    return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static cel_value search(const cel_map *m, str name)
{
    size_t from = 0, to = m->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const cel_entry *e = &m->entries[m->order[middle]];
        int order = cel_compare_keys(cel_text(e->key), name);
        if (order == 0) return e->value;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return (cel_value){0};
}

cel_value cel_map_member(cel_value map, str name)
{
    if (map.json) {
        const json_t *found = json_object_getn(map.u.json, name.p, name.n);
        return found ? cel_of_json(found) : (cel_value){0};
    }
    const cel_map *m = map.u.map;
    if (m->order) return search(m, name);
    for (size_t i = 0; i < m->count; i++) {
        const cel_value *key = &m->entries[i].key;
        if (key->tag == CEL_STRING && key->n == name.n && str_same_bytes(key->u.s, name.p, name.n))
            return m->entries[i].value;
    }
    return (cel_value){0};
}

bool cel_key_allowed(cel_value key)
{
    return key.tag == CEL_STRING || key.tag == CEL_INT || key.tag == CEL_UINT ||
           key.tag == CEL_BOOL;
}

cel_value cel_map_get(cel_value map, cel_value key, int64_t *budget)
{
    if (key.tag == CEL_STRING) {
        if (!map.json && !map.u.map->order) *budget -= (int64_t)(map.u.map->count / 8);
        return cel_map_member(map, cel_text(key));
    }
    if (map.json || (!is_number(key) && key.tag != CEL_BOOL)) return (cel_value){0};
    const cel_map *m = map.u.map;
    *budget -= (int64_t)(m->count / 8);
    for (size_t i = 0; i < m->count; i++) {
        cel_value k = m->entries[i].key;
        bool same = is_number(key) ? is_number(k) && number_order(k, key) == CEL_SAME
                                   : k.tag == CEL_BOOL && k.u.b == key.u.b;
        if (same) return m->entries[i].value;
    }
    return (cel_value){0};
}

static bool same(cel_value a, cel_value b, cel_effort *e, unsigned depth);

static bool same_lists(cel_value a, cel_value b, cel_effort *e, unsigned depth)
{
    size_t n = cel_count(a);
    if (n != cel_count(b)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!same(cel_item(a, i), cel_item(b, i), e, depth)) return false;
    }
    return true;
}

static bool same_maps(cel_value a, cel_value b, cel_effort *e, unsigned depth)
{
    if (cel_count(a) != cel_count(b)) return false;
    cel_walk w = cel_walk_new(a);
    cel_value key, value;
    while (cel_walk_next(&w, &key, &value)) {
        cel_value other = cel_map_get(b, key, e->budget);
        if (other.tag == CEL_UNBOUND || !same(value, other, e, depth)) return false;
    }
    return true;
}

static bool same_opaque(cel_value a, cel_value b, cel_effort *e, unsigned depth)
{
    if (a.code != b.code) return false;
    if (a.code != CEL_T_OPTIONAL) return cel_net_same(a.u.net, b.u.net);
    if (!a.u.inner || !b.u.inner) return a.u.inner == b.u.inner;
    return same(*a.u.inner, *b.u.inner, e, depth);
}

static bool same(cel_value a, cel_value b, cel_effort *e, unsigned depth)
{
    if (--*e->budget < 0) return false;
    if (depth > DEEPEST) {
        *e->budget = -1;
        return false;
    }
    if (is_number(a) && is_number(b)) return number_order(a, b) == CEL_SAME;
    if (a.tag == CEL_UNKNOWN) e->unknown |= a.u.unknown;
    if (b.tag == CEL_UNKNOWN) e->unknown |= b.u.unknown;
    if (a.tag != b.tag) return false;
    switch (a.tag) {
    case CEL_NULL: return true;
    case CEL_TYPE: return a.u.type == b.u.type;
    case CEL_LIST: return same_lists(a, b, e, depth + 1);
    case CEL_MAP: return same_maps(a, b, e, depth + 1);
    case CEL_OPAQUE: return same_opaque(a, b, e, depth + 1);
    case CEL_STRING:
    case CEL_BYTES: *e->budget -= a.n / 16; return a.n == b.n && text_order(a, b) == CEL_SAME;
    default: return cel_order(a, b) == CEL_SAME;
    }
}

bool cel_same(cel_value a, cel_value b, cel_effort *e)
{
    return same(a, b, e, 0);
}

bool cel_equal(cel_value a, cel_value b)
{
    int64_t budget = INT32_MAX;
    cel_effort e = {&budget, 0};
    return cel_same(a, b, &e) && budget >= 0;
}
