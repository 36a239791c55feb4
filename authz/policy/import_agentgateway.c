/* SPDX-License-Identifier: Apache-2.0 */
/* import_agentgateway.c - mcpAuthorization and authorization of agentgateway's configuration.
 *
 * The decision is ours but for two things: no rule at all allows, as do rules none of which is an
 * `allow`; and what cannot be evaluated is false, so a `deny` there may not deny. `authorization`
 * guards all that comes to a route beside `mcpAuthorization`: its allows become one require.
 *
 * A route's rules are for the targets of its MCP backends. Rules found where this file does not
 * know whom they concern (listeners, gateways, policies with targets) block all permits. */
#include "import_draft.h"

static const import_name names[] = {
    {"mcp.tool.name", "tool.name"},
    {"mcp.tool.target", "tool.server"},
    {"mcp.prompt.name", "prompt.name"},
    {"mcp.prompt.target", "prompt.server"},
    {"mcp.resource.target", "resource.server"},
    {"jwt", "jwt"},
    {"request.method", "http.method"},
    {"request.path", "http.path"},
    {"request.host", "http.host"},
    {"request.headers", "http.headers"},
    {0},
};
static const char *const roots[] =
    {"mcp",           "jwt",         "request",  "apiKey",   "basicAuth",          "source",
     "env",           "destination", "backend",  "extauthz", "metadata",           "proxy",
     "mcpGuardrails", "llm",         "response", "extproc",  "unverifiedWorkload", NULL};
static const import_dialect dialect = {names, roots, false};

enum { RULES_MOST = 256, TARGETS_MOST = 256, MATCHES_MOST = 64 };

typedef struct {
    import_draft *d;
    str name, guard;
    const str *servers; /* ends with {0} */
    const yaml_node *policies;
    bool denied;
} scope;

typedef enum { SAYS_ALLOW, SAYS_DENY, SAYS_REQUIRE } saying;

typedef struct {
    saying says;
    const yaml_node *node;
    str source;
    unsigned number;
} said;

enum { NAMED_TOOLS = 1, NAMED_RESOURCES = 2, NAMED_PROMPTS = 4, NAMED_ALL = 7 };

static const char *const subjects[] = {"mcp.tool", "mcp.resource", "mcp.prompt"};
static const subject_kind kinds[] = {SUBJECT_TOOL, SUBJECT_RESOURCE, SUBJECT_PROMPT};

static void add(scope *s, const yaml_node *from, unsigned named, import_rule rule)
{
    arena *a = s->d->a;
    if (rule.effect == RULE_PERMIT && s->denied) return;
    size_t n = 0;
    while (s->servers[n].p) n++;
    if (!n) return;
    str *patterns = NEW_N(a, str, n + 1);
    for (size_t i = 0; i < n; i++) patterns[i] = arena_fmt(a, STR_FMT "/*", STR_ARG(s->servers[i]));
    for (unsigned k = 0; k < 3; k++)
        if (named & 1U << k) rule.names[kinds[k]] = patterns;
    rule.when = import_guarded(a, rule.effect, s->guard, rule.when);
    import_add(s->d, from, rule);
}

static str id_of(const scope *s, const char *kind, unsigned number)
{
    return number ? arena_fmt(s->d->a, STR_FMT "-%s-%u", STR_ARG(s->name), kind, number)
                  : arena_fmt(s->d->a, STR_FMT "-%s", STR_ARG(s->name), kind);
}

/* What the rule can be about; what it does not name it cannot be evaluated for. */
static unsigned named_by(import_draft *d, str source)
{
    unsigned named = 0;
    for (unsigned k = 0; k < 3; k++)
        if (import_reads(d->a, source, subjects[k], false)) named |= 1U << k;
    return named ? named : NAMED_ALL;
}

static bool asks_kind(import_draft *d, str source)
{
    bool asks = false;
    for (unsigned k = 0; k < 3; k++) asks |= import_reads(d->a, source, subjects[k], true);
    return asks;
}

static bool read_said(scope *s, const yaml_node *n, unsigned number, said *out)
{
    static const str keys[] = {S("allow"), S("deny"), S("require")};
    *out = (said){.node = n, .source = import_text(n), .number = number};
    if (n->kind == YAML_SCALAR) return true;
    for (int i = 0; i < 3; i++) {
        const yaml_node *c = yaml_get(n, keys[i]);
        if (!c || c->kind != YAML_SCALAR) continue;
        *out = (said){.says = (saying)i, .node = c, .source = c->text, .number = number};
        return true;
    }
    import_note(s->d, n, "not a rule: it denies always");
    *out = (said){.says = SAYS_DENY, .node = n, .source = S("true"), .number = number};
    return true;
}

/* The condition in our names; {0} when it is lost, which is noted. */
static str kept(scope *s, const said *r)
{
    static const char *const losses[] = {"is left out, it allows nothing",
                                         "denies whatever the condition says",
                                         "is never fulfilled: it denies"};
    import_draft *d = s->d;
    str text, why;
    import_fate fate = import_expression(d->a, &dialect, r->source, &text, &why);
    bool asks = asks_kind(d, r->source);
    if (asks) why = S("has() of a kind of subject");
    if (fate == IMPORT_KEPT && !asks) {
        if (r->says == SAYS_DENY)
            import_note(d, r->node,
                        "when this cannot be evaluated it does not deny there, and denies here");
        return text;
    }
    import_note(d, r->node, "this rule cannot be kept (" STR_FMT "): it %s", STR_ARG(why),
                losses[r->says]);
    return (str){0};
}

static size_t read_all(scope *s, const yaml_node *rules, said *out)
{
    size_t count = 0;
    s->denied |= !import_bounded(s->d, rules, RULES_MOST);
    for (const yaml_node *n = rules ? rules->first : NULL; n && count < RULES_MOST; n = n->next)
        if (read_said(s, n, (unsigned)count + 1, &out[count])) count++;
    return count;
}

static void add_narrowing(scope *s, const said *r, const char *kind)
{
    str when = kept(s, r);
    unsigned named = when.n ? named_by(s->d, r->source) : NAMED_ALL;
    if (r->says == SAYS_DENY)
        add(s, r->node, named,
            (import_rule){.effect = RULE_FORBID, .id = id_of(s, kind, r->number), .when = when});
    else
        add(s, r->node, NAMED_ALL,
            (import_rule){.effect = RULE_REQUIRE,
                          .id = id_of(s, kind, r->number),
                          .when = when.n ? when : S("false")});
}

/* mcpAuthorization */
static void add_mcp_rules(scope *s, const yaml_node *authorization)
{
    const yaml_node *rules = yaml_get(authorization, S("rules"));
    said *list = NEW_N(s->d->a, said, (rules ? rules->count : 0) + 1);
    size_t count = read_all(s, rules, list), allows = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i].says != SAYS_ALLOW) {
            add_narrowing(s, &list[i], "rule");
            continue;
        }
        allows++;
        str when = kept(s, &list[i]);
        if (when.n)
            add(s, list[i].node, named_by(s->d, list[i].source),
                (import_rule){.effect = RULE_PERMIT,
                              .id = id_of(s, "rule", list[i].number),
                              .when = when});
    }
    if (!allows) {
        import_note(s->d, authorization ? authorization : s->policies,
                    "no rule here allows, so what none denies is allowed: all of it is permitted");
        add(s, authorization ? authorization : s->policies, NAMED_ALL,
            (import_rule){.effect = RULE_PERMIT, .id = id_of(s, "all", 0), .when = (str){0}});
    }
}

/* authorization: allows are one require, since another rule must permit too */
static void add_http_rules(scope *s, const yaml_node *authorization)
{
    const yaml_node *rules = yaml_get(authorization, S("rules"));
    said *list = NEW_N(s->d->a, said, (rules ? rules->count : 0) + 1);
    size_t count = read_all(s, rules, list), allows = 0;
    str any = {0};
    for (size_t i = 0; i < count; i++) {
        if (list[i].says != SAYS_ALLOW) {
            add_narrowing(s, &list[i], "http");
            continue;
        }
        allows++;
        any = import_or(s->d->a, any, kept(s, &list[i]));
    }
    if (allows)
        add(s, authorization, NAMED_ALL,
            (import_rule){.effect = RULE_REQUIRE,
                          .id = id_of(s, "http", 0),
                          .when = any.n ? any : S("false")});
}

static bool is_strict(const yaml_node *login, bool otherwise)
{
    const yaml_node *mode = login ? yaml_get(login, S("mode")) : NULL;
    if (!login) return false;
    return mode ? str_eq(import_text(mode), S("strict")) : otherwise;
}

static void add_login(scope *s)
{
    const yaml_node *p = s->policies, *mcp = yaml_get(p, S("mcpAuthentication")),
                    *jwt = yaml_get(p, S("jwtAuth"));
    if (is_strict(mcp, true) || is_strict(jwt, false))
        add(s, mcp ? mcp : jwt, NAMED_ALL,
            (import_rule){.effect = RULE_REQUIRE,
                          .id = id_of(s, "login", 0),
                          .when = S("caller.kind == \"jwt\"")});
    static const str others[] = {S("apiKey"),        S("basicAuth"),
                                 S("oidc"),          S("extAuthz"),
                                 S("mcpGuardrails"), S("networkAuthorization"),
                                 S("csrf"),          {0}};
    for (const str *o = others; o->p; o++) {
        const yaml_node *n = yaml_get(p, *o);
        if (!n) continue;
        import_note(s->d, n, STR_FMT " decides here too: no permits are written for these targets",
                    STR_ARG(*o));
        s->denied = true;
    }
}

/* Where the rules are */

static const str *servers_of(scope *s, const yaml_node *targets, const str *before)
{
    size_t n = 0;
    while (before && before[n].p) n++;
    str *out = NEW_N(s->d->a, str, n + (targets ? targets->count : 0) + 1);
    for (size_t i = 0; i < n; i++) out[i] = before[i];
    s->denied |= !import_bounded(s->d, targets, TARGETS_MOST);
    for (const yaml_node *t = targets ? targets->first : NULL; t && n < TARGETS_MOST; t = t->next) {
        str name = import_text(yaml_get(t, S("name")));
        if (import_is_server(name))
            out[n++] = name;
        else if (!s->d->survey)
            import_note(s->d, t,
                        "the target's name cannot be a server's here: nothing is allowed on it");
    }
    return out;
}

/* Exact paths only: else the route gets no permits where it shares a server. */
static void read_guard(scope *s, const yaml_node *route)
{
    import_draft *d = s->d;
    bool shared = false, whole = true;
    for (const str *x = s->servers; x->p; x++) shared |= import_is_shared(d, *x);
    if (!shared) return;
    const yaml_node *matches = route ? yaml_get(route, S("matches")) : NULL;
    str when = {0};
    if (!import_bounded(d, matches, MATCHES_MOST)) matches = NULL;
    for (const yaml_node *m = matches ? matches->first : NULL; m; m = m->next) {
        str exact = import_text(yaml_get(yaml_get(m, S("path")), S("exact")));
        if (str_starts(exact, S("/.well-known/"))) continue; /* no MCP comes there */
        whole &= exact.n && m->count == 1;
        str quoted = import_quoted(d->a, exact);
        when = import_or(d->a, when, arena_fmt(d->a, "http.path == " STR_FMT, STR_ARG(quoted)));
    }
    if (when.n && whole && !yaml_get(route, S("hostnames")) && import_claim_guard(d, when)) {
        s->guard = when;
        return;
    }
    import_note(d, route ? route : s->policies,
                "other routes lead to the same targets, and this one is not told by an exact path: "
                "it gets no permits");
    s->denied = true;
}

static void read_scope(scope *s, const yaml_node *where)
{
    import_draft *d = s->d;
    if (d->survey) {
        for (const str *x = s->servers; x->p; x++) import_count_server(d, *x);
        return;
    }
    read_guard(s, where);
    static const yaml_node none = {.kind = YAML_MAP};
    if (!s->policies) s->policies = &none;
    if (s->policies == &none) {
        yaml_node *here = NEW(d->a, yaml_node);
        *here = (yaml_node){.kind = YAML_MAP, .line = where->line, .column = where->column};
        s->policies = here;
    }
    add_login(s);
    const yaml_node *http = yaml_get(s->policies, S("authorization"));
    if (http) add_http_rules(s, http);
    add_mcp_rules(s, yaml_get(s->policies, S("mcpAuthorization")));
}

/* A route: has backends, of which some are MCP's. */
static bool read_route(import_draft *d, const yaml_node *n)
{
    const yaml_node *backends = yaml_get(n, S("backends")), *name = yaml_get(n, S("name"));
    if (!backends || backends->kind != YAML_LIST) return false;
    scope s = {.d = d, .policies = yaml_get(n, S("policies"))};
    s.name =
        import_text(name).n ? name->text : arena_fmt(d->a, "route-%u", d->lines_before + n->line);
    bool any = false;
    for (const yaml_node *b = backends->first; b; b = b->next) {
        const yaml_node *mcp = yaml_get(b, S("mcp"));
        if (!mcp) continue;
        any = true;
        s.servers = servers_of(&s, yaml_get(mcp, S("targets")), s.servers);
        if (yaml_get(b, S("policies")) && !d->survey) {
            import_note(d, b, "policies of a backend: no permits are written for its targets");
            s.denied = true;
        }
    }
    if (any) read_scope(&s, n);
    return any;
}

static bool is_rule_key(str key)
{
    return str_eq(key, S("mcpAuthorization")) || str_eq(key, S("authorization")) ||
           str_eq(key, S("networkAuthorization"));
}

/* Rules that no scope has read. `known`: the policies of the scope around. */
static void walk(import_draft *d, const yaml_node *n, const yaml_node *known)
{
    bool is_scope = n->kind == YAML_MAP && read_route(d, n);
    for (const yaml_node *c = n->first; c; c = c->next) {
        if (is_rule_key(c->key) && n != known && !d->survey) {
            import_note(d, c,
                        STR_FMT ": whom these rules concern is not known here, so nothing is "
                                "permitted at all",
                        STR_ARG(c->key));
            d->blocked = true;
        }
        walk(d, c, is_scope && str_eq(c->key, S("policies")) ? c : known);
    }
}

void import_agentgateway(import_draft *d, const yaml_node *document)
{
    const yaml_node *mcp = yaml_get(document, S("mcp"));
    scope s = {.d = d, .name = S("mcp"), .policies = yaml_get(mcp, S("policies"))};
    s.servers = servers_of(&s, yaml_get(mcp, S("targets")), NULL);
    if (s.servers->p) read_scope(&s, mcp);
    for (const yaml_node *c = document->first; c; c = c->next) {
        bool models = str_eq(c->key, S("llm"));
        if (models && !d->survey)
            import_note(d, c, "models are not MCP: they are denied until a rule permits them");
        if (!models) walk(d, c, s.policies);
    }
}
