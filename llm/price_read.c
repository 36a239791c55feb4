/* SPDX-License-Identifier: Apache-2.0 */
/* price_read.c - a file of prices.
 *
 * Decimals are read as the whole numbers they stand for, never through a float: six places of a
 * price per million tokens are one millionth of a micro-dollar per token. */
#include "../base/embedded.h"
#include "price_table.h"
#include <assert.h>
#include <stddef.h>

extern const embedded_file price_files[];

enum { PLACES = 6, DOLLARS_MOST = 1000000, MICRO = 1000000, TOKENS_MOST = 1000000000 };

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

static bool digits(str s, int64_t most, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        *out = *out * 10 + (s.p[i] - '0');
        if (*out > most) return false;
    }
    return s.n > 0;
}

/* Dollars, in millionths. */
static bool dollars(str s, int64_t *out)
{
    str_pair cut = str_cut(s, '.');
    int64_t whole, part = 0;
    if (!digits(cut.head, DOLLARS_MOST, &whole)) return false;
    if (cut.ok && (cut.tail.n > PLACES || !digits(cut.tail, MICRO, &part))) return false;
    for (size_t i = cut.tail.n; i < PLACES; i++) part *= 10;
    *out = whole * MICRO + part;
    return true;
}

static void read_dollars(const price_reader *r, const yaml_node *n, int64_t *out)
{
    if (n->kind == YAML_SCALAR && dollars(n->text, out)) return;
    problems_add(r->out, n->line, n->column,
                 "`" STR_FMT "` wants dollars: a number from 0 to %d with at most %d decimals",
                 STR_ARG(n->key), DOLLARS_MOST, PLACES);
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

/* What is not written costs what it is a kind of. */
static void fill(price *p, const yaml_node *node)
{
    if (!yaml_get(node, S("cached_input"))) p->cached_input = p->input;
    if (!yaml_get(node, S("cache_write"))) p->cache_write = p->input;
    if (!yaml_get(node, S("cache_write_1h"))) p->cache_write_1h = p->cache_write;
    if (!yaml_get(node, S("reasoning"))) p->reasoning = p->output;
    p->request *= MICRO; /* it is not per million */
}

/* `more`: the one key that it may have beside the prices. */
static price *read_price(const price_reader *r, const yaml_node *node, const char *more)
{
    price *p = NEW(r->a, price);
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
    fill(p, node);
    return p;
}

static const price *read_above(const price_reader *r, const yaml_node *n, price *p)
{
    const price *then = read_price(r, n, "tokens");
    const yaml_node *tokens = yaml_get(n, S("tokens"));
    bool good =
        tokens && tokens->kind == YAML_SCALAR && digits(tokens->text, TOKENS_MOST, &p->above);
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

static bool is_glob(str name)
{
    return memchr(name.p, '*', name.n) || memchr(name.p, '?', name.n);
}

static void read_table(const price_reader *r, const yaml_node *node, price_table *t)
{
    if (node->kind != YAML_MAP) {
        problems_add(r->out, node->line, node->column, "`" STR_FMT "` wants a map of models",
                     STR_ARG(node->key));
        return;
    }
    t->exact = map_new(r->a);
    t->globs = NEW_N(r->a, price_glob, node->count + 1);
    for (const yaml_node *n = node->first; n; n = n->next) {
        price *p = read_row(r, n);
        if (is_glob(n->key))
            t->globs[t->glob_count] = (price_glob){n->key, t->glob_count, p}, t->glob_count++;
        else
            map_put(t->exact, n->key, p);
    }
    price_table_sort(t);
}

static bool is_among(str name, const str *names)
{
    for (; names->p; names++)
        if (str_eq(*names, name)) return true;
    return false;
}

/* `names` NULL: any. */
static void read_tables(const price_reader *r, const yaml_node *node, const str *names, map *to)
{
    if (node->kind != YAML_MAP) {
        problems_add(r->out, node->line, node->column, "`" STR_FMT "` wants a map of names",
                     STR_ARG(node->key));
        return;
    }
    for (const yaml_node *n = node->first; n; n = n->next) {
        price_table *t = NEW(r->a, price_table);
        if (names && !is_among(n->key, names))
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

static void read_built_in(arena *a, prices *p, problems *out)
{
    const embedded_file *file = &price_files[0];
    const price_reader r = {.a = a, .out = out};
    yaml_node *root = NULL;
    const err *e = yaml_parse(a, out->file, (str){(const char *)file->bytes, file->size}, &root);
    assert(!e); /* our own mistake: a test reads it, too */
    read_tables(&r, yaml_get(root, S("sellers")), NULL, p->sellers);
    p->date = yaml_get(root, S("date"))->text;
}

prices *prices_read(arena *a, str file, str text, const str *backends, problems *out)
{
    yaml_node *root = NULL;
    problems found;
    prices *p = NEW(a, prices);
    p->backends = map_new(a);
    p->sellers = map_new(a);
    problems_init(&found, a, S("llm/prices.yaml"));
    read_built_in(a, p, &found);
    assert(!found.count);
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
