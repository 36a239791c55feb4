/* SPDX-License-Identifier: Apache-2.0 */
/* fold.c - comprehensions and literals: what makes or goes over many values.
 *
 * all and exists absorb errors like && and ||: one deciding element decides. The others are
 * strict: any error is an error, else any unknown is unknown. What they build is paid for, by
 * its count, before it is allocated. */
#include "compare.h"
#include "eval.h"

static void bind_element(cel_run *r, const cel_node *n, cel_value over, cel_value key,
                         cel_value value)
{
    if (n->two) {
        r->locals[n->slot] = key;
        r->locals[n->slot + 1] = value;
    } else {
        r->locals[n->slot] = over.tag == CEL_MAP ? key : value;
    }
}

static cel_value quantify(cel_run *r, const cel_node *n, cel_value over)
{
    bool decides = n->op == FOLD_EXISTS;
    cel_value seen = {.tag = CEL_UNBOUND}, key, value;
    cel_walk w = cel_walk_new(over);
    while (cel_walk_next(&w, &key, &value) && r->scope.budget >= 0) {
        bind_element(r, n, over, key, value);
        cel_value p = cel_run_node(r, n->kids[1]);
        if (p.tag == CEL_BOOL) {
            if (p.u.b == decides) return p;
            continue;
        }
        if (!cel_special(p)) p = cel_error_at(CEL_NO_SUCH_OVERLOAD, n->kids[1]->offset);
        if (p.tag == CEL_UNKNOWN && seen.tag == CEL_UNKNOWN) p.u.unknown |= seen.u.unknown;
        if (p.tag == CEL_UNKNOWN || seen.tag == CEL_UNBOUND) seen = p;
    }
    return seen.tag == CEL_UNBOUND ? cel_bool(!decides) : seen;
}

/* The predicate of the strict ones: not a bool is an error. */
static cel_value wanted(cel_run *r, const cel_node *n)
{
    cel_value p = cel_run_node(r, n->kids[1]);
    if (p.tag == CEL_BOOL || cel_special(p)) return p;
    return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->kids[1]->offset);
}

static cel_value exactly_one(cel_run *r, const cel_node *n, cel_value over)
{
    size_t count = 0;
    uint64_t unknown = 0;
    cel_value key, value;
    cel_walk w = cel_walk_new(over);
    while (cel_walk_next(&w, &key, &value)) {
        bind_element(r, n, over, key, value);
        cel_value p = wanted(r, n);
        if (p.tag == CEL_ERROR) return p;
        if (p.tag == CEL_UNKNOWN) unknown |= p.u.unknown;
        count += cel_is_true(p);
    }
    if (unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = unknown};
    return cel_bool(count == 1);
}

/* One element of the result: CEL_UNBOUND when the predicate leaves it out. */
static cel_value selected(cel_run *r, const cel_node *n)
{
    cel_value p = wanted(r, n);
    if (cel_special(p)) return p;
    return p.u.b ? cel_run_node(r, n->kids[2]) : (cel_value){0};
}

static cel_value to_list(cel_run *r, const cel_node *n, cel_value over)
{
    if (!cel_spend(&r->scope, 16 * cel_count(over))) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    cel_list *list = NEW(r->scope.scratch, cel_list);
    cel_value *items = NEW_N(r->scope.scratch, cel_value, cel_count(over));
    list->items = items;
    uint64_t unknown = 0;
    cel_value key, value;
    cel_walk w = cel_walk_new(over);
    while (cel_walk_next(&w, &key, &value)) {
        bind_element(r, n, over, key, value);
        cel_value v = selected(r, n);
        if (v.tag == CEL_ERROR) return v;
        if (v.tag == CEL_UNBOUND) continue;
        if (v.tag == CEL_UNKNOWN) unknown |= v.u.unknown;
        items[list->count++] = v;
    }
    if (unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = unknown};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

/* A map being made. Looking for a repeated key goes over all there are: it is paid for. */
typedef struct {
    cel_map *map;
    cel_entry *entries;
    uint64_t unknown;
} maker;

static maker new_map(cel_run *r, size_t most)
{
    maker m = {NEW(r->scope.scratch, cel_map), NEW_N(r->scope.scratch, cel_entry, most), 0};
    m.map->entries = m.entries;
    return m;
}

/* CEL_NULL when all is well, else the error. */
static cel_value put(cel_run *r, const cel_node *at, maker *m, cel_value key, cel_value value)
{
    if (key.tag == CEL_ERROR) return key;
    if (value.tag == CEL_ERROR) return value;
    if (key.tag == CEL_UNKNOWN) m->unknown |= key.u.unknown;
    if (value.tag == CEL_UNKNOWN) m->unknown |= value.u.unknown;
    if (m->unknown) return (cel_value){.tag = CEL_NULL};
    if (!cel_key_allowed(key)) return cel_error_at(CEL_NO_SUCH_OVERLOAD, at->offset);
    cel_value whole = {.tag = CEL_MAP, .u.map = m->map};
    if (cel_map_get(whole, key, &r->scope.budget).tag != CEL_UNBOUND) {
        return cel_error_at(CEL_BAD_ARGUMENT, at->offset);
    }
    m->entries[m->map->count++] = (cel_entry){key, value};
    return (cel_value){.tag = CEL_NULL};
}

static cel_value made(const maker *m)
{
    if (m->unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = m->unknown};
    return (cel_value){.tag = CEL_MAP, .u.map = m->map};
}

static cel_value to_map(cel_run *r, const cel_node *n, cel_value over)
{
    if (!cel_spend(&r->scope, 32 * cel_count(over))) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    maker m = new_map(r, cel_count(over));
    cel_value key, value;
    cel_walk w = cel_walk_new(over);
    while (cel_walk_next(&w, &key, &value)) {
        bind_element(r, n, over, key, value);
        cel_value v = wanted(r, n);
        if (v.tag == CEL_ERROR) return v;
        if (v.tag == CEL_UNKNOWN) m.unknown |= v.u.unknown;
        if (!cel_is_true(v)) continue;
        cel_value new_key = n->op == FOLD_ENTRY ? cel_run_node(r, n->kids[3]) : key;
        v = put(r, n->kids[2], &m, new_key, cel_run_node(r, n->kids[2]));
        if (v.tag == CEL_ERROR) return v;
    }
    return made(&m);
}

static cel_value into_optional(cel_run *r, const cel_node *n, cel_value over)
{
    if (over.tag != CEL_OPAQUE || over.code != CEL_T_OPTIONAL) {
        return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    }
    if (!over.u.inner) return over;
    r->locals[n->slot] = *over.u.inner;
    cel_value v = cel_run_node(r, n->kids[2]);
    if (cel_special(v)) return v;
    if (n->op == FOLD_OPTION) return cel_optional(&r->scope, v);
    bool optional = v.tag == CEL_OPAQUE && v.code == CEL_T_OPTIONAL;
    return optional ? v : cel_error_at(CEL_NO_SUCH_OVERLOAD, n->kids[2]->offset);
}

cel_value cel_run_fold(cel_run *r, const cel_node *n)
{
    cel_value over = cel_run_node(r, n->kids[0]);
    if (cel_special(over)) return over;
    if (n->op == FOLD_OPTION || n->op == FOLD_OPTION_FLAT) return into_optional(r, n, over);
    if (over.tag != CEL_LIST && over.tag != CEL_MAP)
        return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    switch ((cel_fold_kind)n->op) {
    case FOLD_ALL:
    case FOLD_EXISTS: return quantify(r, n, over);
    case FOLD_ONE: return exactly_one(r, n, over);
    case FOLD_LIST: return to_list(r, n, over);
    case FOLD_MAP:
    case FOLD_ENTRY: return to_map(r, n, over);
    case FOLD_OPTION:
    case FOLD_OPTION_FLAT: break;
    }
    return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
}

/* An element written ?e: what the optional holds, CEL_UNBOUND for none. */
static cel_value opened(const cel_node *n, cel_value v)
{
    if (cel_special(v)) return v;
    if (v.tag != CEL_OPAQUE || v.code != CEL_T_OPTIONAL)
        return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->offset);
    return v.u.inner ? *v.u.inner : (cel_value){0};
}

cel_value cel_run_list(cel_run *r, const cel_node *n)
{
    cel_list *list = NEW(r->scope.scratch, cel_list);
    cel_value *items = NEW_N(r->scope.scratch, cel_value, n->count);
    list->items = items;
    uint64_t unknown = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        cel_value v = cel_run_node(r, n->kids[i]);
        if (n->kids[i]->flags & NODE_ELEMENT) v = opened(n->kids[i], v);
        if (v.tag == CEL_UNBOUND) continue;
        if (v.tag == CEL_ERROR) return v;
        if (v.tag == CEL_UNKNOWN) unknown |= v.u.unknown;
        items[list->count++] = v;
    }
    if (unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = unknown};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

cel_value cel_run_map(cel_run *r, const cel_node *n)
{
    if (!cel_spend(&r->scope, 16 * (size_t)n->count)) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    maker m = new_map(r, n->count / 2);
    for (uint32_t i = 0; i < n->count; i += 2) {
        cel_value key = cel_run_node(r, n->kids[i]), value = cel_run_node(r, n->kids[i + 1]);
        if (n->kids[i]->flags & NODE_ELEMENT) value = opened(n->kids[i + 1], value);
        if (value.tag == CEL_UNBOUND) {
            if (key.tag == CEL_ERROR) return key;
            if (key.tag == CEL_UNKNOWN) m.unknown |= key.u.unknown;
            continue;
        }
        cel_value failed = put(r, n->kids[i], &m, key, value);
        if (failed.tag == CEL_ERROR) return failed;
    }
    return made(&m);
}
