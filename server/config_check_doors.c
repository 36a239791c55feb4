/* SPDX-License-Identifier: Apache-2.0 */
/* config_check_doors.c - MCP endpoints and servers, LLM backends and routes. */
#include "../llm/llm.h"
#include "../mcp/selector.h"
#include "../mcp/upstream.h"
#include "config_check.h"
#include "config_edit.h"

/* Mcp servers */

static void only_with(config_reader *r, const config_server *s, const char *key, const char *other)
{
    const yaml_node *n = yaml_get(s->at.node, (str){key, strlen(key)});
    if (n) problems_add(r->out, n->key_line, n->key_column, "`%s` goes with `%s` only", key, other);
}

static void check_globs(config_reader *r, const yaml_node *tools, const char *key, const str *globs)
{
    const yaml_node *n = config_place(tools, key);
    for (; globs->p; globs++) {
        str why = selector_problem(r->a, *globs);
        if (why.n)
            problems_add(r->out, n->line, n->column, "`" STR_FMT "`: " STR_FMT, STR_ARG(*globs),
                         STR_ARG(why));
    }
}

/* Headers that frame the message, or that are the gateway's own to write. */
static bool may_forward(str name)
{
    static const str never[] = {S("host"),
                                S("connection"),
                                S("content-length"),
                                S("content-type"),
                                S("authorization"),
                                S("accept"),
                                S("te"),
                                S("transfer-encoding"),
                                S("upgrade"),
                                S("keep-alive"),
                                S("trailer"),
                                S("accept-encoding"),
                                S("cookie"),
                                S("x-api-key"),
                                S("api-key"),
                                {0}};
    for (const str *n = never; n->p; n++)
        if (header_name_is(name, *n)) return false;
    return !header_name_is(str_take(name, 4), S("mcp-")) &&
           !header_name_is(str_take(name, 6), S("proxy-"));
}

static void check_header_name(config_reader *r, const yaml_node *n, str name)
{
    if (!name.p) return;
    if (!config_is_token(name))
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no header name", STR_ARG(name));
    else if (!may_forward(name))
        problems_add(r->out, n->line, n->column, "header `" STR_FMT "` is never forwarded",
                     STR_ARG(name));
}

static void check_forwards(config_reader *r, const config_server *s)
{
    const config_forward *headers = s->forward_headers.items;
    for (size_t i = 0; i < s->forward_headers.count; i++) {
        check_header_name(r, config_place(headers[i].at.node, "from"), headers[i].from);
        check_header_name(r, config_place(headers[i].at.node, "to"), headers[i].to);
    }
}

static bool is_sent_by_client(const config_server *s, str name)
{
    const config_forward *headers = s->forward_headers.items;
    for (size_t i = 0; i < s->forward_headers.count; i++)
        if (header_name_is(headers[i].to.p ? headers[i].to : headers[i].from, name)) return true;
    return false;
}

static void check_claims(config_reader *r, const config_server *s)
{
    const config_pair *claims = s->forward_claims.items;
    for (size_t i = 0; i < s->forward_claims.count; i++) {
        str path = claims[i].value.value;
        const yaml_node *n = claims[i].value.node;
        check_header_name(r, n, claims[i].name);
        bool known = (str_starts(path, S("jwt.")) && path.n > 4) || str_eq(path, S("caller.id")) ||
                     str_eq(path, S("caller.name"));
        if (!known)
            problems_add(r->out, n->line, n->column,
                         "`" STR_FMT "` is not jwt.CLAIM, caller.id or caller.name", STR_ARG(path));
        if (is_sent_by_client(s, claims[i].name))
            problems_add(r->out, n->line, n->column,
                         "header `" STR_FMT "` would come from the client too, by forward_headers",
                         STR_ARG(claims[i].name));
    }
}

/* A stream stands for long: it cannot carry what belongs to one request. */
static void check_stream(config_reader *r, const config_server *s)
{
    static const char *const of_requests[] = {"forward_headers", "forward_claims"};
    const yaml_node *map = s->at.node;
    if (!s->transport) return;
    for (size_t i = 0; i < sizeof of_requests / sizeof *of_requests; i++)
        only_with(r, s, of_requests[i], "transport: http");
    const yaml_node *auth = config_place(map, "auth");
    if (s->isolation == ISOLATION_SHARED && (s->auth.exchange.node || s->auth.passthrough))
        problems_add(r->out, auth->line, auth->column,
                     "a stream that callers share cannot carry the token of one of them");
}

static void check_lists(config_reader *r, const config_server *s)
{
    const yaml_node *n = config_place(s->at.node, "lists");
    if (s->lists == LISTS_SHARED || s->isolation != ISOLATION_SHARED) return;
    problems_add(r->out, n->line, n->column,
                 "lists apart need sessions apart: not with `isolation: shared`");
}

static void check_user(config_reader *r, config_server *s)
{
    const yaml_node *n = config_place(s->at.node, "user");
    if (!s->user.n) return;
    if (!r->world->user || !r->world->user(r->world->ctx, r->a, s->user, &s->runs_as))
        problems_add(r->out, n->line, n->column, "there is no user `" STR_FMT "` on this machine",
                     STR_ARG(s->user));
    else if (!s->runs_as.may_become)
        problems_add(r->out, n->line, n->column,
                     "only root can run a program as `" STR_FMT "`, and this process is not root",
                     STR_ARG(s->user));
}

static void check_server(config_reader *r, config_server *s)
{
    const yaml_node *map = s->at.node;
    config_check_name(r, &s->at, "server");
    if (map->kind != YAML_MAP) return;
    bool has_url = yaml_get(map, S("url")) != NULL,
         has_command = yaml_get(map, S("command")) != NULL;
    if (has_url == has_command) {
        problems_add(r->out, map->line, map->column, "a server has %s of `url` and `command`",
                     has_url ? "one, not both," : "one");
        return;
    }
    if (s->url.p) config_check_url(r, config_place(map, "url"), s->url);
    static const char *const of_url[] = {"auth", "ca", "forward_headers", "forward_claims",
                                         "transport"};
    static const char *const of_command[] = {"args", "env", "cwd", "user"};
    for (size_t i = 0; has_command && i < sizeof of_url / sizeof *of_url; i++)
        only_with(r, s, of_url[i], "url");
    for (size_t i = 0; has_url && i < sizeof of_command / sizeof *of_command; i++)
        only_with(r, s, of_command[i], "command");
    check_user(r, s);
    check_lists(r, s);
    check_stream(r, s);
    config_check_auth(r, &s->auth, s->url);
    check_globs(r, config_place(map, "tools"), "include", s->include);
    check_globs(r, config_place(map, "tools"), "exclude", s->exclude);
    check_forwards(r, s);
    check_claims(r, s);
}

/* Mcp endpoints */

static bool hosts_meet(const str *a, const str *b)
{
    if (!a->p && !b->p) return true;
    for (; a->p; a++)
        for (const str *other = b; other->p; other++)
            if (str_eq(*a, *other)) return true;
    return false;
}

static bool path_ok(str path)
{
    if (path.n == 0 || path.p[0] != '/') return false;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c <= ' ' || c == 0x7f || c == '?' || c == '#' || c == '%' || c == '\\') return false;
    }
    return true;
}

static void check_path(config_reader *r, const config *c, const config_endpoint *e)
{
    const yaml_node *n = config_place(e->at.node, "path");
    const llm_prefixes prefixes = config_prefixes(c);
    if (!e->path.p) return;
    if (!path_ok(e->path))
        problems_add(r->out, n->line, n->column,
                     "path `" STR_FMT "` must start with / and be plain", STR_ARG(e->path));
    else if (str_eq(e->path, S("/")) || str_starts(e->path, S("/.well-known/")))
        problems_add(r->out, n->line, n->column, "path `" STR_FMT "` is the gateway's own",
                     STR_ARG(e->path));
    else if (c->backends.count && llm_path(r->a, &prefixes, e->path))
        problems_add(r->out, n->line, n->column, "path `" STR_FMT "` is a path of the LLM door",
                     STR_ARG(e->path));
}

static void check_endpoint(config_reader *r, const config *c, size_t at, const str *server_names)
{
    const config_endpoint *all = c->endpoints.items, *e = &all[at];
    const yaml_node *n = config_place(e->at.node, "path");
    check_path(r, c, e);
    for (size_t i = 0; i < at; i++)
        if (e->path.p && str_eq(e->path, all[i].path) && hosts_meet(e->hosts, all[i].hosts))
            problems_add(r->out, n->line, n->column,
                         "path `" STR_FMT "` is served twice for one host", STR_ARG(e->path));
    if (e->public_url.p) config_check_url(r, config_place(e->at.node, "public_url"), e->public_url);
    if (e->hosts) config_check_hosts(r, config_place(e->at.node, "hosts"), e->hosts);
    n = config_place(e->at.node, "servers");
    for (const str *s = e->servers; s && s->p; s++)
        (void)config_check_known(r, n, "server", *s, server_names);
}

void config_check_mcp(config_reader *r, config *c)
{
    static const str nothing[1];
    config_server *servers = c->servers.items;
    for (size_t i = 0; i < c->servers.count; i++) check_server(r, &servers[i]);
    if (c->servers.count && c->endpoints.count == 0) {
        config_endpoint *one = NEW(r->a, config_endpoint);
        *one = (config_endpoint){.at.node = c->mcp,
                                 .path = S("/mcp"),
                                 .hosts = nothing,
                                 .servers = nothing,
                                 .naming = -1,
                                 .step_up = true};
        c->endpoints = (config_list){.items = one, .count = 1};
    }
    const str *names = config_names(r->a, &c->servers, sizeof(config_server));
    for (size_t i = 0; i < c->endpoints.count; i++) check_endpoint(r, c, i, names);
}

/* LLM */

/* A limit of a glob would be one of no model at all. */
static void check_limited_models(config_reader *r, const config_backend *b)
{
    const config_model_limits *all = b->model_limits.items;
    for (size_t i = 0; i < b->model_limits.count; i++) {
        const config_item *at = &all[i].at;
        if (at->name.n && !memchr(at->name.p, '*', at->name.n)) continue;
        problems_add(r->out, at->node->key_line, at->node->key_column,
                     "`" STR_FMT "` is no model: a limit is of one, by the name it has there",
                     STR_ARG(at->name));
    }
}

static void check_backend(config_reader *r, config_backend *b)
{
    const yaml_node *n = config_place(b->at.node, "prefix");
    config_check_name(r, &b->at, "backend");
    if (b->at.node->kind != YAML_MAP) return;
    config_check_provider(r, b);
    config_check_url(r, config_place(b->at.node, "url"), b->url);
    config_check_auth(r, &b->auth, b->url);
    config_check_edits(r, b->at.node, &b->edits);
    config_check_own_key(r, b);
    check_limited_models(r, b);
    if (b->prefix.n && (b->prefix.p[0] == '/' || b->prefix.p[b->prefix.n - 1] == '/'))
        problems_add(r->out, n->line, n->column,
                     "`prefix` stands without slashes around it, not `" STR_FMT "`",
                     STR_ARG(b->prefix));
}

/* A priority all of whose weights are 0 could never be chosen. */
static void check_weights(config_reader *r, const config_route *route)
{
    const config_target *to = route->to.items;
    for (size_t i = 0; to && i < route->to.count; i++) {
        int64_t sum = 0;
        for (size_t k = 0; k < route->to.count; k++)
            if (to[k].priority == to[i].priority) sum += to[k].weight;
        if (sum > 0 || !to[i].backend.p) continue;
        problems_add(r->out, to[i].at.node->line, to[i].at.node->column,
                     "all weights of priority %lld are 0", (long long)to[i].priority);
        return;
    }
}

static void check_sticky(config_reader *r, const config_route *route)
{
    const yaml_node *n = config_place(route->at.node, "sticky");
    for (const str *s = route->sticky; s && s->p; s++) {
        str by = S("header:");
        bool named = str_starts(*s, by) && config_is_token(str_drop(*s, by.n));
        if (named || str_eq(*s, S("caller")) || str_eq(*s, S("prompt_cache_key"))) continue;
        problems_add(r->out, n->line, n->column,
                     "`" STR_FMT "` is none of header:NAME, prompt_cache_key and caller",
                     STR_ARG(*s));
    }
}

static void check_match(config_reader *r, const config_route *route)
{
    const config_pair *match = route->match.items;
    for (size_t i = 0; i < route->match.count; i++) {
        const yaml_node *n = match[i].value.node;
        if (!config_is_token(match[i].name))
            problems_add(r->out, n->key_line, n->key_column, "`" STR_FMT "` is no header's name",
                         STR_ARG(match[i].name));
    }
}

static void check_route(config_reader *r, const config *c, size_t at, const str *backend_names)
{
    const config_route *all = c->routes.items, *route = &all[at];
    const yaml_node *n = config_place(route->at.node, "name");
    for (size_t i = 0; i < at; i++)
        if (route->name.p && str_eq(route->name, all[i].name))
            problems_add(r->out, n->line, n->column, "route `" STR_FMT "` is listed twice",
                         STR_ARG(route->name));
    if (route->hosts) config_check_hosts(r, config_place(route->at.node, "hosts"), route->hosts);
    const config_target *to = route->to.items;
    n = config_place(route->at.node, "to");
    if (route->to.items && route->to.count == 0)
        problems_add(r->out, n->line, n->column, "`to` names no backend");
    for (size_t i = 0; to && i < route->to.count; i++) {
        if (!to[i].backend.p) continue;
        (void)config_check_known(r, config_place(to[i].at.node, "backend"), "backend",
                                 to[i].backend, backend_names);
    }
    check_match(r, route);
    check_sticky(r, route);
    check_weights(r, route);
    config_check_edits(r, route->at.node, &route->edits);
    config_check_retry(r, route);
}

static void serve_all_from_one(config_reader *r, config *c)
{
    static const str nothing[1];
    const config_backend *b = c->backends.items;
    config_target *to = NEW(r->a, config_target);
    config_route *route = NEW(r->a, config_route);
    *to = (config_target){.at.node = b->at.node, .backend = b->at.name, .weight = 1};
    *route = (config_route){.at.node = b->at.node,
                            .name = b->at.name,
                            .hosts = nothing,
                            .models = nothing,
                            .to = {.items = to, .count = 1},
                            .eject_most = 100,
                            .timeout_ms = 120000,
                            .stream_idle_ms = 30000};
    c->routes = (config_list){.items = route, .count = 1};
}

static void check_prefix(config_reader *r, const config *c, const char *key, str prefix)
{
    if (!prefix.p || path_ok(prefix)) return;
    const yaml_node *n = config_place(c->prefixes, key);
    problems_add(r->out, n->line, n->column, "prefix `" STR_FMT "` must start with / and be plain",
                 STR_ARG(prefix));
}

void config_check_llm(config_reader *r, config *c)
{
    check_prefix(r, c, "openai", c->openai_prefix);
    check_prefix(r, c, "anthropic", c->anthropic_prefix);
    check_prefix(r, c, "cohere", c->cohere_prefix);
    config_backend *backends = c->backends.items;
    for (size_t i = 0; i < c->backends.count; i++) check_backend(r, &backends[i]);
    const str *names = config_names(r->a, &c->backends, sizeof(config_backend));
    for (size_t i = 0; i < c->routes.count; i++) check_route(r, c, i, names);
    if (c->routes.count || c->backends.count == 0) return;
    if (c->backends.count == 1)
        serve_all_from_one(r, c);
    else
        problems_add(r->out, c->llm->line, c->llm->column,
                     "several backends want `routes` that say which models go where");
}
