/* SPDX-License-Identifier: Apache-2.0 */
/* import_envoy.c - the authorization of Envoy AI Gateway's MCPRoutes.
 *
 * There, rules are tried in order; the first that matches decides, a rule that cannot be
 * evaluated does not match, and `defaultAction` is left when none does. Here nothing has an order.
 * So a permit is its condition alone, and a forbid is its condition unless an earlier rule allows:
 *
 *     Deny j   ->   forbid: C(j) && !C(i) for every Allow i before j
 *
 * Of all calls the first rule that matches then decides here too. A Deny that nothing could be
 * allowed after is what happens anyway, and is left out.
 *
 * What stands around the rules narrows them: a route's tool selectors, its login, its hosts and
 * headers, and its path if another route has the same server. */
#include "import_draft.h"

static const import_name names[] = {
    {"request.method", "http.method"},
    {"request.host", "http.host"},
    {"request.path", "http.path"},
    {"request.headers", "http.headers"},
    {"request.mcp.method", "mcp.method"},
    {"request.mcp.backend", "tool.server"},
    {"request.mcp.tool", "tool.name"},
    {"request.mcp.params.arguments", "args"},
    {"request.auth.jwt.claims", "jwt"},
    {"request.auth.jwt.scopes", "caller.scopes"},
    {0},
};
static const char *const roots[] = {"request", NULL};
static const import_dialect dialect = {names, roots, true};

enum { RULES_MOST = 32, LIST_MOST = 64, BACKENDS_MOST = 256 }; /* theirs are no larger */

typedef struct {
    import_draft *d;
    str name;
    str guard;          /* what a request must be to come to this route; {0}: anything */
    const str *servers; /* patterns "server/x" are made of; ends with {0} */
    bool denied;        /* something that narrows the route was lost: it gets no permits */
} route;

/* A rule of the route, when its condition is known. */
typedef struct {
    bool allows;
    const yaml_node *node;
    str id, condition; /* source and cel; {0}: always */
    const str *scopes; /* of an Allow; ends with {0} */
    const str *tools;  /* "server/tool"; NULL: all of the route */
} route_rule;

static const yaml_node *path(const yaml_node *n, const char *dotted)
{
    str rest = {dotted, strlen(dotted)};
    while (n && rest.n) {
        str_pair cut = str_cut(rest, '.');
        n = yaml_get(n, cut.head);
        rest = cut.tail;
    }
    return n && !yaml_is_null(n) ? n : NULL;
}

static const str *all_of(import_draft *d, const str *servers)
{
    size_t n = 0;
    while (servers[n].p) n++;
    str *out = NEW_N(d->a, str, n + 1);
    for (size_t i = 0; i < n; i++) out[i] = arena_fmt(d->a, STR_FMT "/*", STR_ARG(servers[i]));
    return out;
}

static str id_of(const route *r, const char *suffix, unsigned number)
{
    arena *a = r->d->a;
    return number ? arena_fmt(a, STR_FMT "-%s-%u", STR_ARG(r->name), suffix, number)
                  : arena_fmt(a, STR_FMT "-%s", STR_ARG(r->name), suffix);
}

/* `tools`: NULL for all of the route's servers. */
static void add(route *r, const yaml_node *from, const str *tools, import_rule rule)
{
    if (rule.effect == RULE_PERMIT && r->denied) return;
    rule.names[SUBJECT_TOOL] = tools ? tools : all_of(r->d, r->servers);
    if (!rule.names[SUBJECT_TOOL]->p) return;
    rule.when = import_guarded(r->d->a, rule.effect, r->guard, rule.when);
    import_add(r->d, from, rule);
}

/* Conditions */

/* One claim: its path with .? at each step, so that an absent one is no error but no match. */
static str claim_condition(import_draft *d, const yaml_node *claim)
{
    arena *a = d->a;
    str chain = S("jwt"), rest = import_text(yaml_get(claim, S("name")));
    while (rest.n) {
        str_pair cut = str_cut(rest, '.');
        str step = import_quoted(a, cut.head);
        chain = arena_fmt(a, STR_FMT "[?" STR_FMT "]", STR_ARG(chain), STR_ARG(step));
        rest = cut.tail;
    }
    str values = import_list(a, yaml_get(claim, S("values")));
    bool list = str_eq(import_text(yaml_get(claim, S("valueType"))), S("StringArray"));
    if (!list)
        return arena_fmt(a, STR_FMT ".optMap(c, c in " STR_FMT ").orValue(false)", STR_ARG(chain),
                         STR_ARG(values));
    return arena_fmt(a,
                     STR_FMT ".optMap(c, [c].flatten().exists(v, v in " STR_FMT ")).orValue(false)",
                     STR_ARG(chain), STR_ARG(values));
}

static str source_condition(import_draft *d, const yaml_node *jwt)
{
    str when = {0};
    const yaml_node *claims = path(jwt, "claims");
    for (const yaml_node *c = claims ? claims->first : NULL; c; c = c->next)
        when = import_and(d->a, when, claim_condition(d, c));
    return when;
}

static const str *texts_of(import_draft *d, const yaml_node *list)
{
    str *out = NEW_N(d->a, str, (list ? list->count : 0) + 1);
    size_t n = 0;
    for (const yaml_node *c = list ? list->first : NULL; c; c = c->next)
        if (import_text(c).n) out[n++] = c->text;
    return out;
}

static str scopes_condition(import_draft *d, const str *scopes)
{
    str when = {0};
    for (; scopes && scopes->p; scopes++) {
        str quoted = import_quoted(d->a, *scopes);
        when =
            import_and(d->a, when, arena_fmt(d->a, STR_FMT " in caller.scopes", STR_ARG(quoted)));
    }
    return when;
}

static bool is_of_route(const route *r, str server)
{
    for (const str *s = r->servers; s->p; s++)
        if (str_eq(*s, server)) return true;
    return false;
}

/* The tools a rule is about; a name that is no exact pattern here widens a Deny, drops an Allow's.
 */
static const str *target_tools(route *r, const yaml_node *rule, bool allows)
{
    const yaml_node *tools = path(rule, "target.tools");
    if (!tools) return NULL;
    str *out = NEW_N(r->d->a, str, tools->count + 1);
    size_t n = 0;
    for (const yaml_node *t = tools->first; t; t = t->next) {
        str server = import_text(yaml_get(t, S("backend"))),
            tool = import_text(yaml_get(t, S("tool")));
        bool exact = import_is_server(server) && import_is_exact(tool);
        if (exact && is_of_route(r, server)) {
            out[n++] = arena_fmt(r->d->a, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(tool));
            continue;
        }
        import_note(r->d, t, "%s: %s",
                    exact ? "the route has no such backend" : "no name of a server and a tool here",
                    allows  ? "not allowed"
                    : exact ? "nothing to deny"
                            : "denied for every server");
        if (!allows && !exact && import_is_exact(tool))
            out[n++] = arena_fmt(r->d->a, "*/" STR_FMT, STR_ARG(tool));
        else if (!allows && !exact)
            out[n++] = S("*");
    }
    return out;
}

/* False: the rule matches nothing, or nothing that could be kept. */
static bool read_rule(route *r, const yaml_node *n, unsigned number, route_rule *out)
{
    import_draft *d = r->d;
    str action = import_text(yaml_get(n, S("action"))), why;
    const yaml_node *cel = path(n, "cel"), *jwt = path(n, "source.jwt");
    if (!import_bounded(d, path(n, "target.tools"), LIST_MOST) ||
        !import_bounded(d, path(jwt, "claims"), LIST_MOST) ||
        !import_bounded(d, path(jwt, "scopes"), LIST_MOST)) {
        r->denied = true;
        return false;
    }
    *out = (route_rule){.allows = !str_eq(action, S("Deny")),
                        .node = n,
                        .id = id_of(r, "rule", number),
                        .condition = source_condition(d, jwt),
                        .scopes = texts_of(d, path(jwt, "scopes"))};
    out->tools = target_tools(r, n, out->allows);
    if (out->tools && !out->tools->p) return false;
    if (!out->allows) {
        out->condition = import_and(d->a, scopes_condition(d, out->scopes), out->condition);
        out->scopes = NULL;
    }
    if (!cel) return true;
    str text = {0};
    switch (import_expression(d->a, &dialect, import_text(cel), &text, &why)) {
    case IMPORT_KEPT:
        out->condition = import_and(d->a, out->condition, text);
        if (!out->allows)
            import_note(d, cel,
                        "when this cannot be evaluated, the rule is skipped there and denies here");
        return true;
    case IMPORT_NEVER:
        import_note(d, cel, "the rule can never match (" STR_FMT "): left out", STR_ARG(why));
        return false;
    case IMPORT_LOST: break;
    }
    import_note(d, cel, "this condition cannot be kept (" STR_FMT "): the rule %s", STR_ARG(why),
                out->allows ? "is left out, it allows nothing"
                            : "denies whatever the condition says");
    return !out->allows;
}

/* First match */

static bool share_a_tool(const route_rule *x, const route_rule *y)
{
    if (!x->tools || !y->tools) return true;
    for (const str *s = x->tools; s->p; s++)
        for (const str *t = y->tools; t->p; t++)
            if (str_eq(*s, *t) || !import_is_exact(*s) || !import_is_exact(*t)) return true;
    return false;
}

/* "tool.server == "b" && tool.name == "t" || …" */
static str tools_condition(import_draft *d, const str *tools)
{
    str when = {0};
    for (; tools && tools->p; tools++) {
        str_pair cut = str_cut(*tools, '/');
        str server = import_quoted(d->a, cut.head), tool = import_quoted(d->a, cut.tail);
        when = import_or(d->a, when,
                         arena_fmt(d->a, "tool.server == " STR_FMT " && tool.name == " STR_FMT,
                                   STR_ARG(server), STR_ARG(tool)));
    }
    return when;
}

/* All that makes the rule match, for use in another rule's condition. */
static str whole_condition(import_draft *d, const route_rule *rule)
{
    str when = import_and(d->a, tools_condition(d, rule->tools), scopes_condition(d, rule->scopes));
    when = import_and(d->a, when, rule->condition);
    return when.n ? when : S("true");
}

static void add_forbid(route *r, const route_rule *rules, size_t at)
{
    import_draft *d = r->d;
    const route_rule *rule = &rules[at];
    str when = rule->condition;
    for (size_t i = 0; i < at; i++) {
        if (!rules[i].allows || !share_a_tool(&rules[i], rule)) continue;
        str earlier = whole_condition(d, &rules[i]);
        when = import_and(d->a, when, arena_fmt(d->a, "!(" STR_FMT ")", STR_ARG(earlier)));
    }
    add(r, rule->node, rule->tools,
        (import_rule){.effect = RULE_FORBID, .id = rule->id, .when = when});
}

static void add_rules(route *r, const yaml_node *authorization)
{
    const yaml_node *list = path(authorization, "rules");
    bool allows = str_eq(import_text(yaml_get(authorization, S("defaultAction"))), S("Allow"));
    route_rule *rules = NEW_N(r->d->a, route_rule, (list ? list->count : 0) + 1);
    size_t count = 0, last_allow = 0;
    unsigned number = 0;
    r->denied |= !import_bounded(r->d, list, RULES_MOST);
    for (const yaml_node *n = list ? list->first : NULL; n && number < RULES_MOST; n = n->next)
        if (read_rule(r, n, ++number, &rules[count])) count++;
    for (size_t i = 0; i < count; i++)
        if (rules[i].allows) last_allow = i + 1;
    for (size_t i = 0; i < count; i++) {
        const route_rule *rule = &rules[i];
        if (rule->allows)
            add(r, rule->node, rule->tools,
                (import_rule){.effect = RULE_PERMIT,
                              .id = rule->id,
                              .when = rule->condition,
                              .scopes = rule->scopes});
        else if (allows || i < last_allow)
            add_forbid(r, rules, i);
    }
    if (allows)
        add(r, authorization, NULL,
            (import_rule){.effect = RULE_PERMIT, .id = id_of(r, "default", 0)});
}

/* What stands around the rules */

static str matches_any(import_draft *d, const yaml_node *patterns)
{
    str when = {0};
    for (const yaml_node *p = patterns ? patterns->first : NULL; p; p = p->next) {
        str quoted = import_quoted(d->a, import_text(p));
        when = import_or(d->a, when,
                         arena_fmt(d->a, "tool.name.matches(" STR_FMT ")", STR_ARG(quoted)));
    }
    return when;
}

static str selected(import_draft *d, const yaml_node *list, const yaml_node *patterns)
{
    str names_in = {0};
    if (list) {
        str items = import_list(d->a, list);
        names_in = arena_fmt(d->a, "tool.name in " STR_FMT, STR_ARG(items));
    }
    return import_or(d->a, names_in, matches_any(d, patterns));
}

static void add_selector(route *r, const yaml_node *backend, str server)
{
    const yaml_node *selector = path(backend, "toolSelector");
    if (!selector) return;
    import_draft *d = r->d;
    static const import_name ours[] = {{"tool", "tool"}, {0}};
    static const char *const tool[] = {"tool", NULL};
    static const import_dialect own = {ours, tool, false};
    static const char *const lists[] = {"include", "includeRegex", "exclude", "excludeRegex"};
    bool bounded = true;
    for (size_t i = 0; i < 4; i++)
        bounded &= import_bounded(d, path(selector, lists[i]), LIST_MOST);
    r->denied |= !bounded;
    if (!bounded) return;
    str in = selected(d, path(selector, "include"), path(selector, "includeRegex"));
    str out = selected(d, path(selector, "exclude"), path(selector, "excludeRegex"));
    str when = in, kept, why;
    if (out.n) when = import_and(d->a, in, arena_fmt(d->a, "!(" STR_FMT ")", STR_ARG(out)));
    if (!when.n) return;
    if (import_expression(d->a, &own, when, &kept, &why) != IMPORT_KEPT) {
        import_note(d, selector, "this selector cannot be kept (" STR_FMT "): it selects nothing",
                    STR_ARG(why));
        when = S("false");
    }
    str *tools = NEW_N(d->a, str, 2);
    tools[0] = arena_fmt(d->a, STR_FMT "/*", STR_ARG(server));
    str id = arena_fmt(d->a, STR_FMT "-selected-" STR_FMT, STR_ARG(r->name), STR_ARG(server));
    add(r, selector, tools, (import_rule){.effect = RULE_REQUIRE, .id = id, .when = when});
}

/* Which of the route's backends may be used at all: tried in order too, when a session begins. */
static str backend_step(route *r, const yaml_node *rule, str otherwise)
{
    import_draft *d = r->d;
    const yaml_node *cel = path(rule, "cel");
    bool deny = str_eq(import_text(yaml_get(rule, S("action"))), S("Deny"));
    str text = S("true"), why = {0}, source = import_text(cel);
    bool early = import_reads(d->a, source, "request.mcp.tool", false) ||
                 import_reads(d->a, source, "request.mcp.method", false) ||
                 import_reads(d->a, source, "request.mcp.params", false);
    if (early) why = S("it asks about the call that begins a session");
    bool kept =
        !early && (!cel || import_expression(d->a, &dialect, source, &text, &why) == IMPORT_KEPT);
    if (kept)
        return arena_fmt(d->a, "(" STR_FMT ") ? %s : (" STR_FMT ")", STR_ARG(text),
                         deny ? "false" : "true", STR_ARG(otherwise));
    import_note(d, rule, "this rule cannot be kept (" STR_FMT "): it %s", STR_ARG(why),
                deny ? "denies always" : "allows nothing");
    return deny ? S("false") : otherwise;
}

static void add_backend_selector(route *r, const yaml_node *selector)
{
    if (!selector) return;
    bool allows = str_eq(import_text(yaml_get(selector, S("defaultAction"))), S("Allow"));
    str when = allows ? S("true") : S("false");
    const yaml_node *rules = path(selector, "rules"), *order[RULES_MOST];
    size_t n = 0;
    for (const yaml_node *c = rules ? rules->first : NULL; c && n < RULES_MOST; c = c->next)
        order[n++] = c;
    r->denied |= !import_bounded(r->d, rules, RULES_MOST);
    while (n) when = backend_step(r, order[--n], when);
    add(r, selector, NULL,
        (import_rule){.effect = RULE_REQUIRE, .id = id_of(r, "backends", 0), .when = when});
}

static void require_kind(route *r, const yaml_node *from, const char *name, str when)
{
    add(r, from, NULL,
        (import_rule){.effect = RULE_REQUIRE, .id = id_of(r, name, 0), .when = when});
}

static void add_login(route *r, const yaml_node *security)
{
    const yaml_node *oauth = path(security, "oauth"), *key = path(security, "apiKeyAuth"),
                    *external = path(security, "extAuth");
    if (oauth) require_kind(r, oauth, "login", S("caller.kind == \"jwt\""));
    if (key) require_kind(r, key, "key", S("caller.kind == \"key\""));
    if (external) {
        import_note(r->d, external,
                    "another service decides here: the route gets no permits, write them by hand");
        r->denied = true;
    }
}

static str host_condition(import_draft *d, str host)
{
    bool any = str_starts(host, S("*."));
    str quoted = import_quoted(d->a, any ? str_drop(host, 1) : host);
    return any ? arena_fmt(d->a, "http.host.endsWith(" STR_FMT ")", STR_ARG(quoted))
               : arena_fmt(d->a, "http.host == " STR_FMT, STR_ARG(quoted));
}

static str header_condition(route *r, const yaml_node *h)
{
    arena *a = r->d->a;
    str type = import_text(yaml_get(h, S("type"))), name = import_text(yaml_get(h, S("name")));
    if (type.n && !str_eq(type, S("Exact"))) {
        import_note(r->d, h, "a header that is not matched exactly: the route gets no permits");
        r->denied = true;
    }
    char *lower = NEW_N(a, char, name.n);
    for (size_t i = 0; i < name.n; i++) {
        lower[i] = name.p[i];
        if (lower[i] >= 'A' && lower[i] <= 'Z') lower[i] = (char)(lower[i] + ('a' - 'A'));
    }
    str key = import_quoted(a, (str){lower, name.n}),
        value = import_quoted(a, import_text(yaml_get(h, S("value"))));
    return arena_fmt(a, "http.headers[?" STR_FMT "] == optional.of(" STR_FMT ")", STR_ARG(key),
                     STR_ARG(value));
}

/* What a request must be to come to this route. Its path matters when two have one server. */
static void read_guard(route *r, const yaml_node *spec)
{
    import_draft *d = r->d;
    str where = import_text(path(spec, "path"));
    const yaml_node *list = path(spec, "hostnames"), *headers = path(spec, "headers");
    bool shared = false;
    for (const yaml_node *h = list ? list->first : NULL; h; h = h->next)
        r->guard = import_or(d->a, r->guard, host_condition(d, import_text(h)));
    for (const yaml_node *h = headers ? headers->first : NULL; h; h = h->next)
        r->guard = import_and(d->a, r->guard, header_condition(r, h));
    for (const str *s = r->servers; s->p; s++) shared |= import_is_shared(d, *s);
    if (!shared) return;
    str quoted = import_quoted(d->a, where.n ? where : S("/mcp"));
    str here = arena_fmt(d->a, "http.path == " STR_FMT, STR_ARG(quoted));
    r->guard = import_and(d->a, r->guard, here);
    if (!import_claim_guard(d, r->guard)) {
        import_note(d, spec, "another route answers the same requests: this one gets no permits");
        r->denied = true;
    }
}

static void read_servers(route *r, const yaml_node *backends)
{
    bool tell = !r->d->survey;
    str *out = NEW_N(r->d->a, str, (backends ? backends->count : 0) + 1);
    size_t n = 0;
    for (const yaml_node *b = backends ? backends->first : NULL; b; b = b->next) {
        str name = import_text(yaml_get(b, S("name")));
        if (import_is_server(name))
            out[n++] = name;
        else if (tell)
            import_note(r->d, b,
                        "the backend's name cannot be a server's here: nothing is allowed on it");
    }
    r->servers = out;
}

void import_envoy(import_draft *d, const yaml_node *document)
{
    str kind = import_text(yaml_get(document, S("kind")));
    const yaml_node *spec = path(document, "spec"), *name = path(document, "metadata.name");
    if (!spec || !str_eq(kind, S("MCPRoute"))) return;
    route r = {.d = d, .name = import_text(name).n ? name->text : S("route")};
    const yaml_node *backends = path(spec, "backendRefs"),
                    *authorization = path(spec, "securityPolicy.authorization");
    if (!import_bounded(d, backends, BACKENDS_MOST) ||
        !import_bounded(d, path(spec, "hostnames"), LIST_MOST) ||
        !import_bounded(d, path(spec, "headers"), LIST_MOST))
        return;
    read_servers(&r, backends);
    if (d->survey) {
        for (const str *s = r.servers; s->p; s++) import_count_server(d, *s);
        return;
    }
    read_guard(&r, spec);
    add_login(&r, path(spec, "securityPolicy"));
    add_backend_selector(&r, path(spec, "backendSelector"));
    for (const yaml_node *b = backends ? backends->first : NULL; b; b = b->next) {
        str server = import_text(yaml_get(b, S("name")));
        if (import_is_server(server)) add_selector(&r, b, server);
    }
    if (authorization) {
        add_rules(&r, authorization);
    } else if (!r.denied) {
        import_note(d, spec, "the route has no authorization: all its tools are permitted");
        add(&r, spec, NULL, (import_rule){.effect = RULE_PERMIT, .id = id_of(&r, "all", 0)});
    }
    import_note(d, spec,
                "resources and prompts are guarded by nothing there; here they are denied "
                "until a rule permits them");
}
