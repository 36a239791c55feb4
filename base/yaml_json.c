/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_json.c - a value in YAML, as the JSON a person meant. */
#include "json.h"
#include "yaml.h"

static bool is_bare(const yaml_node *n)
{
    if (n->style != YAML_PLAIN) return false;
    arena *scratch = arena_new();
    js_value v = {0};
    const err *e = js_check(scratch, n->text, 1, &v);
    arena_free(scratch);
    return !e && v.kind <= JS_NUMBER;
}

static void put_children(buf *b, const yaml_node *n)
{
    bool is_map = n->kind == YAML_MAP;
    (void)buf_put(b, is_map ? S("{") : S("["));
    for (const yaml_node *c = n->first; c && buf_ok(b); c = c->next) {
        if (c != n->first) (void)buf_put(b, S(","));
        if (is_map) {
            (void)buf_json(b, c->key);
            (void)buf_put(b, S(":"));
        }
        yaml_put_json(b, c);
    }
    (void)buf_put(b, is_map ? S("}") : S("]"));
}

void yaml_put_json(buf *b, const yaml_node *n)
{
    if (n->kind != YAML_SCALAR)
        put_children(b, n);
    else if (n->style == YAML_PLAIN && yaml_is_null(n))
        (void)buf_put(b, S("null"));
    else
        (void)(is_bare(n) ? buf_put(b, n->text) : buf_json(b, n->text));
}
