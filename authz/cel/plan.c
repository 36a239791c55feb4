/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - rewrites nodes in place, kids first.
 *
 * A set of few strings is searched in order, comparing lengths first: that beats hashing. A
 * larger one is an open table; its contents come from the author of the expression, so a plain
 * hash will do. */
#include "plan.h"
#include "compare.h"
#include "library.h"
#include "parse.h"
#include "regex.h"
#include "times.h"

enum { FEW = 8 };

struct cel_set {
    size_t count;
    const str *items;
    const uint32_t *table; /* index of an item + 1, 0 when free; NULL when there are few */
    uint32_t mask;
};

static uint32_t hash(str s)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < s.n; i++) h = (h ^ (unsigned char)s.p[i]) * 16777619U;
    return h;
}

const cel_set *cel_set_new(arena *a, cel_value list)
{
    size_t count = cel_count(list);
    str *items = NEW_N(a, str, count);
    for (size_t i = 0; i < count; i++) {
        cel_value item = cel_item(list, i);
        if (item.tag != CEL_STRING) return NULL;
        items[i] = cel_text(item);
    }
    cel_set *s = NEW(a, cel_set);
    *s = (cel_set){.count = count, .items = items};
    if (count <= FEW) return s;
    uint32_t size = 16;
    while (size < count * 2) size *= 2;
    uint32_t *table = NEW_N(a, uint32_t, size);
    s->mask = size - 1;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = hash(items[i]) & s->mask;
        while (table[at]) at = (at + 1) & s->mask;
        table[at] = (uint32_t)i + 1;
    }
    s->table = table;
    return s;
}

bool cel_set_has(const cel_set *s, str text)
{
    if (!s->table) {
        for (size_t i = 0; i < s->count; i++) {
            if (str_eq(s->items[i], text)) return true;
        }
        return false;
    }
    for (uint32_t at = hash(text) & s->mask; s->table[at]; at = (at + 1) & s->mask) {
        if (str_eq(s->items[s->table[at] - 1], text)) return true;
    }
    return false;
}

static bool all_constant(const cel_node *n)
{
    if (n->flags & NODE_MAYBE) return false;
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->kids[i]->kind != NODE_CONST || n->kids[i]->value.tag == CEL_ERROR) return false;
    }
    return true;
}

static void become_constant(cel_node *n, cel_value v)
{
    n->kind = NODE_CONST;
    n->count = 0;
    n->value = v;
}

static void plan_list(arena *a, cel_node *n)
{
    if (!all_constant(n)) return;
    cel_value *items = NEW_N(a, cel_value, n->count);
    for (uint32_t i = 0; i < n->count; i++) items[i] = n->kids[i]->value;
    cel_list *list = NEW(a, cel_list);
    *list = (cel_list){n->count, items};
    become_constant(n, (cel_value){.tag = CEL_LIST, .u.list = list});
}

/* A repeated key, or one of a wrong type, is an error of the evaluation: left as it is. */
static void plan_map(arena *a, cel_node *n)
{
    if (!all_constant(n)) return;
    cel_map *map = NEW(a, cel_map);
    cel_entry *entries = NEW_N(a, cel_entry, n->count / 2);
    map->entries = entries;
    cel_value v = {.tag = CEL_MAP, .u.map = map};
    int64_t budget = INT32_MAX;
    for (uint32_t i = 0; i < n->count; i += 2) {
        cel_value key = n->kids[i]->value;
        if (!cel_key_allowed(key) || cel_map_get(v, key, &budget).tag != CEL_UNBOUND) return;
        entries[map->count++] = (cel_entry){key, n->kids[i + 1]->value};
    }
    become_constant(n, v);
}

static void plan_path(arena *a, cel_node *n)
{
    cel_node *on = n->kids[0];
    if ((n->flags & NODE_MAYBE) || (on->kind != NODE_VAR && on->kind != NODE_PATH)) return;
    if (n->kind == NODE_INDEX) {
        if (n->kids[1]->kind != NODE_CONST || n->kids[1]->value.tag != CEL_STRING) return;
        n->name = cel_text(n->kids[1]->value);
    }
    uint32_t before = on->kind == NODE_PATH ? on->count : 0;
    cel_key *keys = NEW_N(a, cel_key, (size_t)before + 1);
    for (uint32_t i = 0; i < before; i++) keys[i] = on->x.keys[i];
    keys[before] = (cel_key){.name = n->name, .at = n->at};
    n->kind = NODE_PATH;
    n->slot = on->slot;
    n->kids = NULL;
    n->count = before + 1;
    n->x.keys = keys;
}

typedef struct {
    cel_notes *notes;
    cel_zone_book *zones;
    bool checked;
} planner;

/* A literal that can never do is a mistake of the author, not of a request. */
static void bad_literal(const planner *p, const cel_node *literal, const char *code, str text,
                        str hint)
{
    if (p->checked)
        cel_note(p->notes, (cel_span){literal->offset, literal->length}, code, text, hint);
}

static void plan_matches(const planner *p, cel_node *n)
{
    const cel_node *pattern = n->kids[1];
    str why;
    n->x.regex = cel_regex_new(p->notes->a, cel_text(pattern->value), &why);
    if (n->x.regex) {
        n->kind = NODE_MATCHES;
        n->count = 1;
        return;
    }
    bad_literal(p, pattern, "E007", arena_fmt(p->notes->a, "bad pattern: " STR_FMT, STR_ARG(why)),
                S("patterns are RE2's: no look-around, no back-references"));
    become_constant(n, (cel_value){.tag = CEL_ERROR, .code = CEL_BAD_ARGUMENT, .n = n->at});
}

static bool is_text(const cel_node *n)
{
    return n->kind == NODE_CONST && n->value.tag == CEL_STRING;
}

/* getHours('Europe/Paris'): the zone is loaded now. */
static void plan_zone(const planner *p, const cel_node *n)
{
    const cel_node *zone = n->kids[1];
    int64_t seconds;
    if (!is_text(zone) || cel_time_offset(cel_text(zone->value), &seconds)) return;
    str name = cel_text(zone->value);
    const char *why = cel_zone_learn(p->zones, p->notes->a, name);
    if (!why) return;
    bad_literal(p, zone, "E009",
                arena_fmt(p->notes->a, "'" STR_FMT "': %s", STR_ARG(str_take(name, 64)), why),
                S("a zone is 'UTC', '+05:30' or a name like 'Europe/Paris'"));
}

/* ip('10.0.0.300') */
static void plan_failed(const planner *p, const cel_node *n, const cel_function *f)
{
    bool address = f->run == cel_fn_ip, range = f->run == cel_fn_cidr;
    if ((!address && !range) || !is_text(n->kids[0])) return;
    str text = str_take(cel_text(n->kids[0]->value), 64);
    bad_literal(p, n->kids[0], "E009",
                arena_fmt(p->notes->a, "'" STR_FMT "' is no %s", STR_ARG(text),
                          address ? "IP address" : "range of addresses"),
                address ? S("like '10.0.0.1' or '2001:db8::1'")
                        : S("like '10.0.0.0/8' or '2001:db8::/32'"));
}

/* A function over constants, when it gives a value; what it makes lives as long as the program. */
static void plan_call(const planner *p, cel_node *n)
{
    const cel_function *rows = n->x.function;
    if (!rows) return;
    bool matches = str_eq(n->name, S("matches")) && n->count == 2;
    if (matches && is_text(n->kids[1])) {
        plan_matches(p, n);
        return;
    }
    if (n->count == 2 && n->rows > 1 && rows[1].run == cel_fn_time_part_zone) plan_zone(p, n);
    if (n->rows == 1 && n->count == 2 && strcmp(rows->signature, "ss>b") == 0) n->op = CALL_TEXTS;
    if (matches || !n->count || n->count > CEL_ARGS || !all_constant(n)) return;
    cel_value args[CEL_ARGS + 1] = {0};
    for (uint32_t i = 0; i < n->count; i++) args[i] = n->kids[i]->value;
    const cel_function *f = cel_function_for(n, args);
    if (!f) return;
    cel_scope scope = {p->notes->a, CEL_COST, p->zones};
    cel_value v = f->run(&scope, f, args);
    if (v.tag != CEL_ERROR && scope.budget >= 0) {
        become_constant(n, v);
    } else {
        plan_failed(p, n, f);
    }
}

/* The height again, as the evaluator will see it: where a name bound by cel.bind is read, what it
 * stands for is worked out. One problem for the place where it gets too high. */
static void measure(const planner *p, cel_node *n)
{
    if (n->kind == NODE_PATH) return;
    bool bound = n->kind == NODE_LOCAL && n->kids;
    bool fits =
        bound ? cel_node_raise(p->notes, n, n->kids[0]->height + 1U) : cel_node_close(p->notes, n);
    if (!fits) n->height = 1;
}

static void plan(const planner *p, cel_node *n)
{
    for (uint32_t i = 0; i < n->count && n->kind != NODE_PATH; i++) plan(p, n->kids[i]);
    measure(p, n);
    switch ((cel_node_kind)n->kind) {
    case NODE_LIST: plan_list(p->notes->a, n); return;
    case NODE_MAP: plan_map(p->notes->a, n); return;
    case NODE_SELECT:
    case NODE_INDEX: plan_path(p->notes->a, n); return;
    case NODE_CALL: plan_call(p, n); return;
    case NODE_IN:
        if (n->kids[1]->kind == NODE_CONST && n->kids[1]->value.tag == CEL_LIST) {
            n->x.set = cel_set_new(p->notes->a, n->kids[1]->value);
        }
        return;
    default: return;
    }
}

void cel_plan(cel_notes *notes, cel_node *root, bool checked, cel_zone_book *zones)
{
    planner p = {notes, zones, checked};
    plan(&p, root);
}

typedef struct {
    arena *a;
    cel_read *items;
    size_t count, cap;
} reads;

static void add_read(reads *r, size_t slot, str member)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->items[i].slot == slot && str_eq(r->items[i].member, member)) return;
    }
    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 8;
        cel_read *grown = NEW_N(r->a, cel_read, r->cap);
        for (size_t i = 0; i < r->count; i++) grown[i] = r->items[i];
        r->items = grown;
    }
    r->items[r->count++] = (cel_read){slot, member};
}

static void collect(reads *r, const cel_node *n)
{
    if (n->kind == NODE_PATH) {
        add_read(r, n->slot, n->x.keys[0].name);
        return;
    }
    if (n->kind == NODE_VAR) add_read(r, n->slot, (str){0});
    bool member = n->kind == NODE_HAS || n->kind == NODE_SELECT;
    if (member && n->kids[0]->kind == NODE_VAR) {
        add_read(r, n->kids[0]->slot, n->name);
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) {
        collect(r, n->kids[i]);
    }
}

const cel_read *cel_collect_reads(arena *a, const cel_node *root, size_t *count)
{
    reads r = {.a = a};
    collect(&r, root);
    *count = r.count;
    return r.items;
}
