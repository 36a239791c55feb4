/* SPDX-License-Identifier: Apache-2.0 */
/* config_load.c - walk the file beside the table and fill the structs.
 *
 * Two lists are laid over each other at every map: what stands in the file, in its order, so that
 * problems come in the order a person reads them; then what the table knows and the file left out,
 * for defaults and for what must not be left out. What keys mean together is config_check.c's. */
#include "config_check.h"
#include "config_value.h"

enum { LIST_MOST = 4096 };

static void walk_map(config_reader *r, const char *prefix, const yaml_node *map, char *into);

static void *member(const config_row *row, char *into)
{
    return row->at == (size_t)-1 ? NULL : into + row->at;
}

static bool wants(config_reader *r, const config_row *row, const yaml_node *n, yaml_kind kind,
                  const char *what)
{
    if (n->kind == kind) return true;
    if (yaml_is_null(n)) return false; /* an empty section is no section */
    str key = config_row_key(row);
    problems_add(r->out, n->line, n->column, "`" STR_FMT "` wants %s, not %s", STR_ARG(key), what,
                 config_kind_name(n));
    return false;
}

static void too_many(config_reader *r, const config_row *row, const yaml_node *n)
{
    str key = config_row_key(row);
    problems_add(r->out, n->line, n->column, "`" STR_FMT "` has %zu entries; %d is the most",
                 STR_ARG(key), n->count, LIST_MOST);
}

static void take_map(config_reader *r, const config_row *row, const yaml_node *n, char *into)
{
    if (!wants(r, row, n, YAML_MAP, "a map")) return;
    if (row->at != (size_t)-1) *(const yaml_node **)(void *)(into + row->at) = n;
    walk_map(r, config_row_prefix(r->a, row).p, n, into);
}

/* An item given as plain text: it is the value of one of its members, and the rest are defaults. */
static void take_brief(config_reader *r, const config_row *row, const yaml_node *n, char *item)
{
    yaml_node *value = NEW(r->a, yaml_node), *map = NEW(r->a, yaml_node);
    *value = *n;
    value->key = (str){row->brief, strlen(row->brief)};
    value->next = NULL;
    *map = (yaml_node){.kind = YAML_MAP,
                       .line = n->line,
                       .column = n->column,
                       .first = value,
                       .count = 1};
    ((config_item *)(void *)item)->node = map;
    walk_map(r, config_row_prefix(r->a, row).p, map, item);
}

static void take_item(config_reader *r, const config_row *row, const yaml_node *n, char *item)
{
    config_item *at = (config_item *)(void *)item;
    str key = config_row_key(row);
    *at = (config_item){.name = n->key, .node = n};
    if (n->kind == YAML_SCALAR && row->brief && !yaml_is_null(n)) {
        take_brief(r, row, n, item);
        return;
    }
    if (n->kind != YAML_MAP) {
        problems_add(r->out, n->line, n->column, "an entry of `" STR_FMT "` wants a map, not %s",
                     STR_ARG(key), config_kind_name(n));
        return;
    }
    walk_map(r, config_row_prefix(r->a, row).p, n, item);
}

static void take_items(config_reader *r, const config_row *row, const yaml_node *n, char *into)
{
    bool named = row->type == CONFIG_NAMED;
    config_list *list = member(row, into);
    if (!wants(r, row, n, named ? YAML_MAP : YAML_LIST, named ? "a map of names" : "a list"))
        return;
    if (n->count > LIST_MOST) {
        too_many(r, row, n);
        return;
    }
    char *items = arena_alloc(r->a, row->item, _Alignof(max_align_t), n->count ? n->count : 1);
    *list = (config_list){.items = items, .count = n->count};
    for (const yaml_node *one = n->first; one; one = one->next, items += row->item)
        take_item(r, row, one, items);
}

static bool is_text(config_reader *r, const config_row *row, const yaml_node *n)
{
    if (n->kind == YAML_SCALAR && !yaml_is_null(n)) return true;
    str key = config_row_key(row);
    problems_add(r->out, n->line, n->column, "an entry of `" STR_FMT "` wants text, not %s",
                 STR_ARG(key), config_kind_name(n));
    return false;
}

static void take_texts(config_reader *r, const config_row *row, const yaml_node *n, const str **to)
{
    if (!wants(r, row, n, YAML_LIST, "a list")) return;
    str *all = NEW_N(r->a, str, n->count + 1);
    size_t kept = 0;
    for (const yaml_node *one = n->first; one; one = one->next) {
        str text;
        if (!is_text(r, row, one) || !config_expand(r, one, &text)) continue;
        if (text.p) all[kept++] = text;
    }
    *to = all;
}

static void take_pairs(config_reader *r, const config_row *row, const yaml_node *n, config_list *to)
{
    if (!wants(r, row, n, YAML_MAP, "a map")) return;
    config_pair *all = NEW_N(r->a, config_pair, n->count + 1);
    *to = (config_list){.items = all};
    for (const yaml_node *one = n->first; one; one = one->next) {
        config_pair pair = {.name = one->key};
        if (!is_text(r, row, one)) continue;
        if (one->text.n == 0)
            pair.value = (config_text){.value = S(""), .source = S(""), .node = one};
        else if (!config_take_source(r, one, &pair.value))
            continue;
        all[to->count++] = pair;
    }
}

static void take_sources(config_reader *r, const config_row *row, const yaml_node *n,
                         config_list *to)
{
    if (!wants(r, row, n, YAML_LIST, "a list")) return;
    config_text *all = NEW_N(r->a, config_text, n->count + 1);
    *to = (config_list){.items = all};
    for (const yaml_node *one = n->first; one; one = one->next)
        if (is_text(r, row, one) && config_take_source(r, one, &all[to->count])) to->count++;
}

static void take(config_reader *r, const config_row *row, const yaml_node *n, char *into)
{
    str key = config_row_key(row);
    if (row->flags & CONFIG_LATER) {
        problems_add(r->out, n->key_line, n->key_column,
                     "`" STR_FMT "` is not supported by this version", STR_ARG(key));
        return;
    }
    switch (row->type) {
    case CONFIG_ANY:
        if (row->at != (size_t)-1) *(const yaml_node **)member(row, into) = n;
        return;
    case CONFIG_MAP: take_map(r, row, n, into); return;
    case CONFIG_LIST:
    case CONFIG_NAMED: take_items(r, row, n, into); return;
    case CONFIG_TEXTS: take_texts(r, row, n, member(row, into)); return;
    case CONFIG_PAIRS: take_pairs(r, row, n, member(row, into)); return;
    case CONFIG_SOURCES: take_sources(r, row, n, member(row, into)); return;
    default: config_take_scalar(r, row, n, member(row, into));
    }
}

/* A list that is not there is an empty list, never NULL. */
static void fill(config_reader *r, const config_row *row, char *into)
{
    static const str nothing[1];
    if (row->flags & CONFIG_LATER) return;
    if (row->type == CONFIG_MAP)
        walk_map(r, config_row_prefix(r->a, row).p, NULL, into);
    else if (row->type == CONFIG_TEXTS)
        *(const str **)member(row, into) = nothing;
    else if (row->type >= CONFIG_BOOL || row->type == CONFIG_TEXT)
        config_take_fallback(row, member(row, into));
}

static void unknown_key(config_reader *r, const char *prefix, const yaml_node *n)
{
    str names[64] = {{0}};
    size_t count = 0;
    for (const config_row *row = NULL; count < 63 && (row = config_row_under(prefix, row));)
        names[count++] = config_row_key(row);
    problems_add_word(r->out, n->key_line, n->key_column, "unknown key", n->key, names);
}

/* `map` NULL: the section was left out; its members get their defaults. */
static void walk_map(config_reader *r, const char *prefix, const yaml_node *map, char *into)
{
    for (const config_row *row = NULL; (row = config_row_under(prefix, row));) fill(r, row, into);
    if (!map) return;
    for (const yaml_node *n = map->first; n; n = n->next) {
        const config_row *row = NULL;
        while ((row = config_row_under(prefix, row)) && !str_eq(config_row_key(row), n->key))
            continue;
        if (row)
            take(r, row, n, into);
        else
            unknown_key(r, prefix, n);
    }
    for (const config_row *row = NULL; (row = config_row_under(prefix, row));) {
        str key = config_row_key(row);
        if (!(row->flags & CONFIG_NEEDED) || yaml_get(map, key)) continue;
        problems_add(r->out, map->line, map->column, "`" STR_FMT "` is missing", STR_ARG(key));
    }
}

void config_load(arena *a, const config_world *w, str file, str text, problems *out, config **c)
{
    yaml_node *root = NULL;
    *c = NULL;
    const err *e = yaml_parse(a, file, text, &root);
    if (e) {
        problems_add_text(out, e->text); /* it already says where */
        return;
    }
    size_t before = out->count;
    config_reader r = {.a = a, .world = w, .out = out};
    config *made = NEW(a, config);
    made->file = arena_dup(a, file);
    made->directory = arena_dup(a, w->directory);
    made->root = root;
    if (root->kind == YAML_MAP)
        walk_map(&r, "", root, (char *)made);
    else
        problems_add(out, root->line, root->column, "this file wants a map, not %s",
                     config_kind_name(root));
    if (root->kind == YAML_MAP) config_check(&r, made);
    if (out->count == before) *c = made;
}
