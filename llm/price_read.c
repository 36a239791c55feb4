/* SPDX-License-Identifier: Apache-2.0 */
/* price_read.c - a file of prices.
 *
 * Every problem is told with its place; a price that cannot be read is none. */
#include "price_table.h"
#include <stdatomic.h>
#include <stddef.h>

typedef struct {
    arena *a;
    problems *out;
} price_reader;

/* clang-format off */
static const struct { const char *name; size_t at; } members[] = {
    {"input",          offsetof(price, input)},
    {"output",         offsetof(price, output)},
    {"cached_input",   offsetof(price, cached_input)},
    {"cache_write",    offsetof(price, cache_write)},
    {"cache_write_1h", offsetof(price, cache_write_1h)},
    {"reasoning",      offsetof(price, reasoning)},
    {"request",        offsetof(price, request)},
};
/* clang-format on */
enum { MEMBERS = sizeof members / sizeof *members };

static void read_dollars(const price_reader *r, const yaml_node *n, int64_t *out)
{
    if (n->kind == YAML_SCALAR && price_dollars(n->text, out)) return;
    problems_add(r->out, n->line, n->column,
                 "`" STR_FMT "` wants dollars: a number from 0 to %d with at most %d decimals",
                 STR_ARG(n->key), PRICE_DOLLARS_MOST, PRICE_PLACES);
}

static size_t member_of(str key)
{
    size_t i = 0;
    while (i < MEMBERS && !str_eq(key, (str){members[i].name, strlen(members[i].name)})) i++;
    return i;
}

static void unknown_member(const price_reader *r, const yaml_node *n, const char *other)
{
    str names[MEMBERS + 2] = {{0}};
    for (size_t i = 0; i < MEMBERS; i++) names[i] = (str){members[i].name, strlen(members[i].name)};
    names[MEMBERS] = (str){other, strlen(other)};
    problems_add_word(r->out, n->key_line, n->key_column, "unknown key", n->key, names);
}

/* `more`: the one key that it may have beside the prices. */
static price *read_price(const price_reader *r, const yaml_node *node, const char *more)
{
    price *p = NEW(r->a, price);
    *p = (price){.cached_input = -1, .cache_write = -1, .cache_write_1h = -1, .reasoning = -1};
    if (node->kind != YAML_MAP) {
        problems_add(r->out, node->line, node->column,
                     "a price wants a map: {input: …, output: …}");
        return p;
    }
    for (const yaml_node *n = node->first; n; n = n->next) {
        size_t i = member_of(n->key);
        if (i < MEMBERS)
            read_dollars(r, n, (int64_t *)(void *)((char *)p + members[i].at));
        else if (!str_eq(n->key, (str){more, strlen(more)}))
            unknown_member(r, n, more);
    }
    static const char *const needed[] = {"input", "output"};
    for (size_t i = 0; i < 2; i++)
        if (!yaml_get(node, (str){needed[i], strlen(needed[i])}))
            problems_add(r->out, node->line, node->column, "`%s` is missing", needed[i]);
    price_fill(p);
    return p;
}

static const price *read_above(const price_reader *r, const yaml_node *n, price *p)
{
    const price *then = read_price(r, n, "tokens");
    const yaml_node *tokens = yaml_get(n, S("tokens"));
    bool good = tokens && tokens->kind == YAML_SCALAR &&
                price_digits(tokens->text, PRICE_TOKENS_MOST, &p->above);
    if (!good)
        problems_add(r->out, n->line, n->column,
                     "`above` wants `tokens`: of how many in a prompt on it counts");
    return then;
}

static price *read_row(const price_reader *r, const yaml_node *n)
{
    price *p = read_price(r, n, "above");
    const yaml_node *above = yaml_get(n, S("above"));
    if (above) p->then = read_above(r, above, p);
    return p;
}

static void read_table(const price_reader *r, const yaml_node *node, price_table *t)
{
    if (node->kind != YAML_MAP) {
        problems_add(r->out, node->line, node->column, "`" STR_FMT "` wants a map of models",
                     STR_ARG(node->key));
        return;
    }
    for (const yaml_node *n = node->first; n; n = n->next)
        price_table_put(t, r->a, n->key, read_row(r, n));
    price_table_sort(t);
}

static bool is_among(str name, const str *names)
{
    for (; names->p; names++)
        if (str_eq(*names, name)) return true;
    return false;
}

static void read_tables(const price_reader *r, const yaml_node *node, const str *names, map *to)
{
    if (node->kind != YAML_MAP) {
        problems_add(r->out, node->line, node->column, "`" STR_FMT "` wants a map of names",
                     STR_ARG(node->key));
        return;
    }
    for (const yaml_node *n = node->first; n; n = n->next) {
        price_table *t = NEW(r->a, price_table);
        if (!is_among(n->key, names))
            problems_add_word(r->out, n->key_line, n->key_column, "there is no backend", n->key,
                              names);
        read_table(r, n, t);
        map_put(to, n->key, t);
    }
}

static void read_default(const price_reader *r, const yaml_node *n, prices *p)
{
    if (n->kind == YAML_SCALAR && str_eq(n->text, S("refuse"))) return;
    if (n->kind == YAML_SCALAR)
        problems_add(r->out, n->line, n->column, "`default` is refuse, or a price");
    else
        p->otherwise = read_row(r, n);
}

static const char *const keys[] = {"prices", "date", "default", "models", "backends"};
enum { KEYS = sizeof keys / sizeof *keys };

static void check_keys(const price_reader *r, const yaml_node *root)
{
    str names[KEYS + 1] = {{0}};
    const yaml_node *version = yaml_get(root, S("prices"));
    for (size_t i = 0; i < KEYS; i++) names[i] = (str){keys[i], strlen(keys[i])};
    for (const yaml_node *n = root->first; n; n = n->next)
        if (!is_among(n->key, names))
            problems_add_word(r->out, n->key_line, n->key_column, "unknown key", n->key, names);
    if (!version || !str_eq(version->text, S("v1")))
        problems_add(r->out, root->line, root->column, "a file of prices begins with `prices: v1`");
}

static void read_own(const price_reader *r, const yaml_node *root, const str *backends, prices *p)
{
    const yaml_node *models = yaml_get(root, S("models")), *of = yaml_get(root, S("backends"));
    const yaml_node *otherwise = yaml_get(root, S("default"));
    if (root->kind != YAML_MAP) {
        problems_add(r->out, root->line, root->column, "a file of prices is a map");
        return;
    }
    check_keys(r, root);
    if (models) read_table(r, models, &p->own);
    if (of) read_tables(r, of, backends, p->backends);
    if (otherwise) read_default(r, otherwise, p);
}

prices *prices_read(arena *a, str file, str text, const str *backends, problems *out)
{
    yaml_node *root = NULL;
    problems found;
    static _Atomic uint64_t made;
    prices *p = NEW(a, prices);
    p->serial = atomic_fetch_add(&made, 1) + 1;
    p->backends = map_new(a);
    price_read_built_in(a, p);
    if (!text.p) return p;
    const err *e = yaml_parse(a, file, text, &root);
    if (e) {
        problems_add_text(out, e->text);
        return p;
    }
    problems_init(&found, a, file);
    const price_reader r = {.a = a, .out = &found};
    read_own(&r, root, backends, p);
    for (const problem *one = found.first; one; one = one->next) problems_add_text(out, one->text);
    return p;
}
