/* SPDX-License-Identifier: Apache-2.0 */
/* config_show.c - the config as JSON for an operator, and what a reload could not change.
 *
 * Both walk the file's own nodes beside the table, as the loader does. A secret that was written
 * into the file itself is shown as "(in the file)": where it is, not what it is. */
#include "../base/buf.h"
#include "config_table.h"

enum { SHOW_LIMIT = 4 << 20 };

static void show(arena *a, buf *out, const char *prefix, const config_row *row, const yaml_node *n);

static const config_row *row_of(const char *prefix, str key)
{
    const config_row *row = NULL;
    while (prefix && (row = config_row_under(prefix, row)))
        if (str_eq(config_row_key(row), key)) return row;
    return NULL;
}

/* A URL with a password in it: scheme://user:password@host. One from the environment is a source.
 */
static bool has_password(str text)
{
    const char *at = text.n ? memrchr(text.p, '@', text.n) : NULL;
    const char *scheme = memmem(text.p, text.n, "://", 3);
    if (!at || !scheme || at < scheme + 3) return false;
    str user = {scheme + 3, (size_t)(at - scheme - 3)};
    str password = str_cut(user, ':').tail;
    return password.n && !(str_starts(password, S("${")) && str_ends(password, S("}")) &&
                           !memmem(password.p, password.n, ":-", 2));
}

static void show_scalar(buf *out, const config_row *row, const yaml_node *n)
{
    bool hidden = !row || row->flags & CONFIG_HIDDEN || has_password(n->text);
    bool is_source = str_starts(n->text, S("file:")) || str_starts(n->text, S("${")) ||
                     (row && row->type == CONFIG_FILE);
    /* `${KEY:-literal}` and `prefix${KEY}` hold part of the secret itself */
    if (str_starts(n->text, S("${")))
        is_source = memchr(n->text.p, '}', n->text.n) == n->text.p + n->text.n - 1 &&
                    !memmem(n->text.p, n->text.n, ":-", 2);
    buf_json(out, hidden && !is_source ? S("(in the file)") : n->text);
}

static void show_members(arena *a, buf *out, const char *prefix, const yaml_node *map,
                         const config_row *pairs)
{
    buf_put(out, S("{"));
    for (const yaml_node *n = map->first; n; n = n->next) {
        if (n != map->first) buf_put(out, S(","));
        buf_json(out, n->key);
        buf_put(out, S(":"));
        show(a, out, prefix, pairs ? pairs : row_of(prefix, n->key), n);
    }
    buf_put(out, S("}"));
}

static void show_items(arena *a, buf *out, const char *prefix, const config_row *row,
                       const yaml_node *n)
{
    bool is_map = n->kind == YAML_MAP;
    buf_put(out, is_map ? S("{") : S("["));
    for (const yaml_node *one = n->first; one; one = one->next) {
        if (one != n->first) buf_put(out, S(","));
        if (is_map) buf_json(out, one->key);
        if (is_map) buf_put(out, S(":"));
        if (one->kind == YAML_MAP && prefix)
            show_members(a, out, prefix, one, NULL);
        else
            show(a, out, NULL, row, one);
    }
    buf_put(out, is_map ? S("}") : S("]"));
}

/* `row` says what n is; NULL: not in the table, then its texts are hidden. */
static void show(arena *a, buf *out, const char *prefix, const config_row *row, const yaml_node *n)
{
    (void)prefix;
    if (n->kind == YAML_SCALAR) {
        show_scalar(out, row, n);
        return;
    }
    bool nested = row && (row->type == CONFIG_LIST || row->type == CONFIG_NAMED);
    if (row && row->type == CONFIG_MAP)
        show_members(a, out, config_row_prefix(a, row).p, n, NULL);
    else if (nested)
        show_items(a, out, config_row_prefix(a, row).p, row, n);
    else
        show_items(a, out, NULL, row, n);
}

str config_show(arena *a, const config *c)
{
    buf out = buf_new(a, SHOW_LIMIT);
    show_members(a, &out, "", c->root, NULL);
    buf_put(&out, S("\n"));
    return buf_ok(&out) ? buf_str(&out) : S("{}\n");
}

/* What a reload leaves as it is */

static bool same(const yaml_node *x, const yaml_node *y)
{
    if (!x || !y) return x == y;
    if (x->kind != y->kind || x->count != y->count || !str_eq(x->text, y->text)) return false;
    const yaml_node *q = y->first;
    for (const yaml_node *p = x->first; p; p = p->next, q = q->next)
        if (!str_eq(p->key, q->key) || !same(p, q)) return false;
    return true;
}

/* The node a path without lists names. */
static const yaml_node *node_at(const yaml_node *root, str path)
{
    while (root && path.n) {
        str_pair cut = str_cut(path, '.');
        root = yaml_get(root, cut.head);
        path = cut.tail;
    }
    return root;
}

const str *config_fixed_changes(arena *a, const config *now, const config *next)
{
    size_t rows = 0, found = 0;
    while (config_rows[rows].path) rows++;
    str *names = NEW_N(a, str, rows + 1);
    for (const config_row *r = config_rows; r->path; r++) {
        str path = {r->path, strlen(r->path)};
        if (!(r->flags & CONFIG_FIXED) || same(node_at(now->root, path), node_at(next->root, path)))
            continue;
        bool covered = false; /* by the section it stands in */
        for (size_t i = 0; i < found; i++) covered = covered || str_starts(path, names[i]);
        if (!covered) names[found++] = path;
    }
    return names;
}
