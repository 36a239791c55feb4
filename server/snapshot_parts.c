/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_parts.c - servers and endpoints as the MCP door wants them. */
#include "snapshot_parts.h"
#include "process.h"

#include <stdlib.h>

const jwt_alg *snapshot_algorithms(arena *a, const str *names)
{
    static const jwt_alg usual[] = {ALG_RS256, ALG_PS256, ALG_ES256, ALG_EDDSA, ALG_NONE};
    size_t n = 0;
    while (names[n].p) n++;
    if (n == 0) return usual;
    jwt_alg *all = NEW_N(a, jwt_alg, n + 1);
    for (size_t i = 0; i < n; i++) all[i] = jwt_alg_of(names[i]);
    return all;
}

const header *snapshot_auth(arena *a, const config_auth *auth)
{
    header *list = NEW_N(a, header, 2);
    if (auth->bearer.value.p)
        list[0] = (header){S("authorization"),
                           arena_fmt(a, "Bearer " STR_FMT, STR_ARG(auth->bearer.value))};
    else if (auth->header_name.p)
        list[0] = (header){auth->header_name, auth->header_value.value};
    return list;
}

/* MCP */

static const str *argv_of(arena *a, const config_server *s)
{
    size_t n = 0;
    while (s->args[n].p) n++;
    str *argv = NEW_N(a, str, n + 2);
    argv[0] = s->command;
    for (size_t i = 0; i < n; i++) argv[i + 1] = s->args[i];
    return argv;
}

static bool is_given(const config_server *s, const char *name)
{
    const config_pair *pairs = s->env.items;
    for (size_t i = 0; i < s->env.count; i++)
        if (str_eq(pairs[i].name, (str){name, strlen(name)})) return true;
    return false;
}

/* What a program needs to run at all; everything else must be written down. HOME is that of the
 * user it runs as. */
static const str *env_of(arena *a, const config_server *s)
{
    static const char *const always[] = {"PATH", "LANG", "TMPDIR", "HOME"};
    const struct {
        const char *name;
        str value;
    } his[] = {{"HOME", s->runs_as.home}, {"USER", s->runs_as.name}, {"LOGNAME", s->runs_as.name}};
    const config_pair *pairs = s->env.items;
    size_t n = 0, ours = s->runs_as.name.n ? 3 : 4;
    str *env = NEW_N(a, str, s->env.count + 7);
    for (size_t i = 0; i < ours; i++) {
        const char *value = process_variable(always[i]);
        if (value && !is_given(s, always[i])) env[n++] = arena_fmt(a, "%s=%s", always[i], value);
    }
    for (size_t i = 0; s->runs_as.name.n && i < sizeof his / sizeof *his; i++)
        if (!is_given(s, his[i].name))
            env[n++] = arena_fmt(a, "%s=" STR_FMT, his[i].name, STR_ARG(his[i].value));
    for (size_t i = 0; i < s->env.count; i++)
        env[n++] = arena_fmt(a, STR_FMT "=" STR_FMT, STR_ARG(pairs[i].name),
                             STR_ARG(pairs[i].value.value));
    return env;
}

static const struct forward_row *forwards_of(arena *a, const config_server *s)
{
    const config_forward *from = s->forward_headers.items;
    struct forward_row *rows = NEW_N(a, struct forward_row, s->forward_headers.count + 1);
    for (size_t i = 0; i < s->forward_headers.count; i++)
        rows[i] = (struct forward_row){from[i].from, from[i].to.p ? from[i].to : from[i].from};
    return rows;
}

static const struct forward_row *claims_of(arena *a, const config_server *s)
{
    const config_pair *from = s->forward_claims.items;
    struct forward_row *rows = NEW_N(a, struct forward_row, s->forward_claims.count + 1);
    for (size_t i = 0; i < s->forward_claims.count; i++)
        rows[i] = (struct forward_row){from[i].value.value, from[i].name};
    return rows;
}

static str joined(arena *a, const str *words)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    for (; words->p; words++) {
        if (b.n) buf_put(&b, S(" "));
        buf_put(&b, *words);
    }
    return buf_str(&b);
}

static grant grant_of(arena *a, const config_server *s)
{
    const config_auth *auth = &s->auth;
    const config_grant *from = auth->exchange.node ? &auth->exchange
                               : auth->user.node   ? &auth->user
                                                   : &auth->client;
    if (!from->node) return (grant){.kind = auth->passthrough ? GRANT_PASSTHROUGH : GRANT_NONE};
    bool named = from->audience.n || from->resource.n;
    return (grant){.kind = auth->exchange.node ? GRANT_EXCHANGE
                           : auth->user.node   ? GRANT_USER
                                               : GRANT_CLIENT,
                   .token_url = from->token_url,
                   .issuer = from->issuer,
                   .allow_private = from->allow_private,
                   .client_id = from->client_id,
                   .client_secret = from->client_secret.value,
                   .secret_in_body = from->client_auth == CONFIG_SECRET_IN_BODY,
                   .audience = from->audience,
                   .resource = named ? from->resource : s->url,
                   .scope = joined(a, from->scopes)};
}

static str directory_of(snapshot_maker *m, str cwd)
{
    str base = m->s->config->directory;
    if (!cwd.n) return base;
    return cwd.p[0] == '/' ? cwd
                           : arena_fmt(m->a, STR_FMT "/" STR_FMT, STR_ARG(base), STR_ARG(cwd));
}

static upstream_kind kind_of(const config_server *s)
{
    if (!s->url.p) return UPSTREAM_STDIO;
    return s->transport ? UPSTREAM_SSE : UPSTREAM_HTTP;
}

static upstream_spec spec_of(snapshot_maker *m, const config_server *s)
{
    upstream_spec spec = {.name = s->at.name,
                          .kind = kind_of(s),
                          .isolation = (upstream_isolation)s->isolation,
                          .lists = s->auth.user.node ? LISTS_CALLER : (upstream_lists)s->lists,
                          .include = s->include,
                          .exclude = s->exclude,
                          .timeout_ms = s->timeout_ms,
                          .list_timeout_ms = s->list_timeout_ms,
                          .connect_ms = s->connect_ms,
                          .ttl_ms = s->ttl_ms,
                          .concurrent = (unsigned)s->concurrent,
                          .description_most = (size_t)s->description_most,
                          .result_most = (size_t)s->result_most,
                          .trusted = s->trusted,
                          .instructions = s->instructions};
    if (s->url.p) {
        spec.url = s->url;
        spec.auth = snapshot_auth(m->a, &s->auth);
        spec.grant = grant_of(m->a, s);
        spec.ca_pem = s->ca.value;
        spec.forward_headers = forwards_of(m->a, s);
        spec.forward_claims = claims_of(m->a, s);
    } else {
        spec.argv = argv_of(m->a, s);
        spec.env = env_of(m->a, s);
        spec.cwd = directory_of(m, s->cwd);
        if (!s->runs_as.is_us)
            spec.user = (child_user){s->runs_as.name, s->runs_as.uid, s->runs_as.gid};
    }
    return spec;
}

static void drop_upstream(void *u)
{
    upstream_drop(u);
}

static const err *make_upstreams(snapshot_maker *m, upstream ***out)
{
    const config *c = m->s->config;
    const config_server *servers = c->servers.items;
    upstream **all = NEW_N(m->a, upstream *, c->servers.count + 1);
    for (size_t i = 0; i < c->servers.count; i++) {
        upstream_spec spec = spec_of(m, &servers[i]);
        const err *e = upstream_acquire(m->needs->mcp, m->scratch, &spec, &all[i]);
        if (e) return err_wrap(m->scratch, e, "server " STR_FMT, STR_ARG(spec.name));
        arena_own(m->a, drop_upstream, all[i]);
    }
    *out = all;
    return NULL;
}

static bool is_in(const str *names, str name)
{
    for (; names->p; names++)
        if (str_eq(*names, name)) return true;
    return false;
}

static upstream *const *servers_of(snapshot_maker *m, const config_endpoint *e,
                                   upstream *const *all)
{
    const config *c = m->s->config;
    const config_server *servers = c->servers.items;
    upstream **chosen = NEW_N(m->a, upstream *, c->servers.count + 1);
    size_t n = 0;
    for (size_t i = 0; i < c->servers.count; i++)
        if (!e->servers->p || is_in(e->servers, servers[i].at.name)) chosen[n++] = all[i];
    return chosen;
}

/* The configured names a Host may carry: allowed_hosts, the endpoints' and routes' hosts, public
 * URLs. */
static void make_gate(snapshot_maker *m)
{
    const config *c = m->s->config;
    const config_endpoint *endpoints = c->endpoints.items;
    const config_route *routes = c->routes.items;
    size_t n = 0, most = 1 + c->endpoints.count;
    for (const str *h = c->allowed_hosts; h->p; h++) most++;
    for (size_t i = 0; i < c->endpoints.count; i++)
        for (const str *h = endpoints[i].hosts; h->p; h++) most++;
    for (size_t i = 0; i < c->routes.count; i++)
        for (const str *h = routes[i].hosts; h->p; h++) most++;
    str *hosts = NEW_N(m->a, str, most);
    for (const str *h = c->allowed_hosts; h->p; h++) hosts[n++] = *h;
    for (size_t i = 0; i < c->endpoints.count; i++) {
        url_parts u;
        for (const str *h = endpoints[i].hosts; h->p; h++) hosts[n++] = *h;
        if (endpoints[i].public_url.p && !url_parse(m->a, endpoints[i].public_url, &u))
            hosts[n++] = u.authority;
    }
    for (size_t i = 0; i < c->routes.count; i++)
        for (const str *h = routes[i].hosts; h->p; h++) hosts[n++] = *h;
    m->s->front = (gate){.allowed_origins = c->allowed_origins, .allowed_hosts = hosts};
}

const err *snapshot_make_mcp(snapshot_maker *m, mcp_config *out)
{
    const config *c = m->s->config;
    const config_endpoint *from = c->endpoints.items;
    upstream **all = NULL;
    make_gate(m);
    const err *e = make_upstreams(m, &all);
    if (e) return e;
    m->s->servers = all;
    mcp_endpoint *endpoints = NEW_N(m->a, mcp_endpoint, c->endpoints.count + 1);
    for (size_t i = 0; i < c->endpoints.count; i++)
        endpoints[i] =
            (mcp_endpoint){.path = from[i].path,
                           .hosts = from[i].hosts,
                           .public_url = from[i].public_url,
                           .servers = servers_of(m, &from[i], all),
                           .naming = (mcp_naming)(from[i].naming < 0 ? c->naming : from[i].naming),
                           .search = from[i].discovery == CONFIG_DISCOVERY_SEARCH,
                           .step_up = from[i].step_up,
                           .sse = from[i].sse,
                           .annotate_schema = from[i].annotate_schema};
    *out = (mcp_config){.endpoints = endpoints,
                        .endpoint_count = c->endpoints.count,
                        .who = &m->s->who,
                        .rules = m->s->rules,
                        .shadow = m->s->shadow,
                        .pins = m->s->pins,
                        .redact = snapshot_redact(m->a, c),
                        .body_limit = (size_t)c->body,
                        .json_depth = (unsigned)c->json_depth,
                        .streams_per_caller = (unsigned)c->streams_per_caller,
                        .instance_name = S("sallyport")};
    return NULL;
}
