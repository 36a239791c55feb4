/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_world.c - the inventory and the configuration, read once. */
#include "lsp_world.h"

enum { DEPTH = 128, TOOLS_MOST = 20000, CLAIMS_MOST = 1000 };

static size_t count_of(js_value list)
{
    size_t n = 0;
    for (js_iter it = js_iterate(list); js_next(&it);) n++;
    return n;
}

const err *lsp_world_read_inventory(arena *a, str text, lsp_world *w)
{
    js_value root;
    const err *e = js_check(a, arena_dup(a, text), DEPTH, &root);
    if (e) return e;
    js_value servers = js_get(root, S("servers"));
    if (servers.kind != JS_OBJECT)
        return err_new(a, ERR_MALFORMED, "the inventory has no object `servers`");
    size_t most = 0;
    for (js_iter s = js_iterate(servers); js_next(&s);)
        most += count_of(js_get(s.value, S("tools")));
    if (most > TOOLS_MOST) return err_new(a, ERR_TOO_LARGE, "over %d tools", TOOLS_MOST);
    lsp_tool *tools = NEW_N(a, lsp_tool, most + 1);
    for (js_iter s = js_iterate(servers); js_next(&s);) {
        js_value list = js_get(s.value, S("tools"));
        for (js_iter t = js_iterate(list); list.kind == JS_ARRAY && js_next(&t);)
            tools[w->tool_count++] =
                (lsp_tool){.server = s.key,
                           .name = js_text(a, js_get(t.value, S("name"))),
                           .description = js_text(a, js_get(t.value, S("description"))),
                           .properties = js_at(t.value, "inputSchema.properties")};
    }
    w->tools = tools;
    return NULL;
}

/* string, or [string]: a list of them */
static str type_of(arena *a, const yaml_node *n)
{
    if (n->kind == YAML_SCALAR) return n->text;
    if (n->kind == YAML_LIST && n->first)
        return arena_fmt(a, "list(" STR_FMT ")", STR_ARG(n->first->text));
    return n->kind == YAML_LIST ? S("list") : S("map");
}

const err *lsp_world_read_config(arena *a, str file, str text, lsp_world *w)
{
    yaml_node *root;
    const err *e = yaml_parse(a, file, text, &root);
    if (e) return e;
    const yaml_node *issuers = yaml_get(yaml_get(root, S("identity")), S("jwt"));
    lsp_claim *claims = NEW_N(a, lsp_claim, CLAIMS_MOST);
    for (const yaml_node *i = issuers ? issuers->first : NULL; i; i = i->next) {
        const yaml_node *c = yaml_get(i, S("claims"));
        for (c = c ? c->first : NULL; c && w->claim_count < CLAIMS_MOST; c = c->next)
            if (c->key.n) claims[w->claim_count++] = (lsp_claim){c->key, type_of(a, c)};
    }
    w->claims = claims;
    return NULL;
}

static void put_member(arena *a, buf *b, js_value schema, str name, const char *before)
{
    js_value v = js_get(schema, name);
    if (v.kind == JS_ABSENT) return;
    str text = v.kind == JS_STRING ? js_text(a, v) : v.raw;
    (void)buf_fmt(b, "%s" STR_FMT, before, STR_ARG(str_take(text, 2000)));
}

str lsp_argument_text(arena *a, js_value schema)
{
    buf b = buf_new(a, 16384);
    put_member(a, &b, schema, S("type"), "");
    put_member(a, &b, schema, S("enum"), ", one of ");
    put_member(a, &b, schema, S("const"), ", always ");
    put_member(a, &b, schema, S("minimum"), ", at least ");
    put_member(a, &b, schema, S("maximum"), ", at most ");
    put_member(a, &b, schema, S("pattern"), ", matching ");
    put_member(a, &b, schema, S("description"), b.n ? ": " : "");
    return buf_str(&b);
}
