/* SPDX-License-Identifier: Apache-2.0 */
/* world.c - the inventory and the configuration, read once. */
#include "world.h"
#include "../../base/map.h"

enum { DEPTH = 128, TOOLS_MOST = 20000, CLAIMS_MOST = 1000, SERVERS_MOST = 10000 };

static size_t count_of(js_value list)
{
    size_t n = 0;
    for (js_iter it = js_iterate(list); js_next(&it);) n++;
    return n;
}

/* What has no name, or more than fits a rule, is no tool. */
static void read_tool(arena *a, str server, js_value t, policy_world *w, policy_tool *out)
{
    js_value name = js_get(t, S("name"));
    *out = (policy_tool){.server = server,
                         .name = js_text(a, name),
                         .description = js_text(a, js_get(t, S("description"))),
                         .schema = js_get(t, S("inputSchema")),
                         .properties = js_at(t, "inputSchema.properties")};
    if (out->name.n) w->tool_count++;
}

const err *policy_world_read_inventory(arena *a, str text, policy_world *w)
{
    js_value root;
    const err *e = js_check(a, arena_dup(a, text), DEPTH, &root);
    if (e) return e;
    js_value servers = js_get(root, S("servers"));
    if (servers.kind != JS_OBJECT)
        return err_new(a, ERR_MALFORMED, "the inventory has no object `servers`");
    size_t most = 0, count = 0, server_count = count_of(servers);
    if (server_count > SERVERS_MOST)
        return err_new(a, ERR_TOO_LARGE, "over %d servers", SERVERS_MOST);
    for (js_iter s = js_iterate(servers); js_next(&s);)
        most += count_of(js_get(s.value, S("tools")));
    if (most > TOOLS_MOST) return err_new(a, ERR_TOO_LARGE, "over %d tools", TOOLS_MOST);
    policy_tool *tools = NEW_N(a, policy_tool, most + 1);
    str *names = NEW_N(a, str, server_count + 1);
    for (js_iter s = js_iterate(servers); js_next(&s);) {
        js_value list = js_get(s.value, S("tools"));
        names[count] = js_key_text(a, &s);
        for (js_iter t = js_iterate(list); list.kind == JS_ARRAY && js_next(&t);)
            read_tool(a, names[count], t.value, w, &tools[w->tool_count]);
        count += names[count].n > 0;
    }
    w->tools = tools;
    w->inventory = names;
    return NULL;
}

size_t policy_world_tool(const policy_world *w, str server, str name)
{
    size_t i = 0;
    while (i < w->tool_count &&
           !(str_eq(w->tools[i].name, name) && str_eq(w->tools[i].server, server)))
        i++;
    return i;
}

typedef struct {
    arena *a;
    policy_world *w;
    policy_claim *claims;
    map *known;
    str file;
    const err *wrong; /* the first */
} claim_reader;

/* A type that is misspelt would check nothing. */
static str type_name(claim_reader *r, const yaml_node *n)
{
    static const str types[] = {S("string"), S("int"), S("double"), S("bool"),
                                S("list"),   S("map"), S("dyn"),    {0}};
    for (const str *t = types; t->p; t++)
        if (n->kind == YAML_SCALAR && str_eq(*t, n->text)) return *t;
    str near = n->kind == YAML_SCALAR ? yaml_did_you_mean(n->text, types) : (str){0};
    if (!r->wrong)
        r->wrong = err_new(r->a, ERR_MALFORMED,
                           STR_FMT ":%u:%u: a claim is a string, int, double, bool, list, map or "
                                   "dyn, or [one of these]%s" STR_FMT "%s",
                           STR_ARG(r->file), n->line, n->column, near.n ? ", did you mean `" : "",
                           STR_ARG(near), near.n ? "`?" : "");
    return S("dyn");
}

/* string, or [string]: a list of them */
static str type_of(claim_reader *r, const yaml_node *n)
{
    if (n->kind == YAML_MAP) return S("map");
    if (n->kind == YAML_SCALAR) return type_name(r, n);
    if (n->count != 1) return S("list");
    return arena_fmt(r->a, "list(" STR_FMT ")", STR_ARG(type_name(r, n->first)));
}

/* What two issuers say differently may be either. */
static void add_claim(claim_reader *r, policy_claim c)
{
    policy_world *w = r->w;
    policy_claim *had = map_get(r->known, c.name);
    if (had && !str_eq(had->type, c.type)) had->type = S("dyn");
    if (had || !c.name.n || w->claim_count == CLAIMS_MOST) return;
    r->claims[w->claim_count] = c;
    map_put(r->known, c.name, &r->claims[w->claim_count++]);
}

static const err *read_claims(arena *a, str file, const yaml_node *issuers, policy_world *w)
{
    claim_reader r = {.a = a,
                      .w = w,
                      .claims = NEW_N(a, policy_claim, CLAIMS_MOST),
                      .known = map_new(a),
                      .file = file};
    w->claims_open = !issuers || !issuers->first;
    for (const yaml_node *i = issuers ? issuers->first : NULL; i; i = i->next) {
        const yaml_node *c = yaml_get(i, S("claims"));
        if (!c || c->kind != YAML_MAP) w->claims_open = true;
        for (c = c && c->kind == YAML_MAP ? c->first : NULL; c; c = c->next)
            add_claim(&r, (policy_claim){c->key, type_of(&r, c)});
    }
    w->claims = r.claims;
    return r.wrong;
}

static void read_servers(arena *a, const yaml_node *servers, policy_world *w)
{
    size_t most = servers && servers->kind == YAML_MAP ? servers->count : 0;
    policy_server *list = NEW_N(a, policy_server, most + 1);
    for (const yaml_node *s = most ? servers->first : NULL; s; s = s->next) {
        const yaml_node *trusted = yaml_get(s, S("trusted"));
        bool is = trusted && trusted->kind == YAML_SCALAR && str_eq(trusted->text, S("true"));
        list[w->server_count++] = (policy_server){s->key, is};
    }
    w->servers = list;
}

const err *policy_world_read_config(arena *a, str file, str text, policy_world *w)
{
    yaml_node *root;
    const err *e = yaml_parse(a, file, text, &root);
    if (e) return e;
    read_servers(a, yaml_get(yaml_get(root, S("mcp")), S("servers")), w);
    return read_claims(a, file, yaml_get(yaml_get(root, S("identity")), S("jwt")), w);
}

static void put_member(arena *a, buf *b, js_value schema, str name, const char *before)
{
    js_value v = js_get(schema, name);
    if (v.kind == JS_ABSENT) return;
    str text = v.kind == JS_STRING ? js_text(a, v) : v.raw;
    (void)buf_fmt(b, "%s" STR_FMT, before, STR_ARG(str_take(text, 2000)));
}

str policy_schema_text(arena *a, js_value schema)
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
