/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_llm.c - backends and routes as the LLM door wants them. */
#include "../authz/digest.h"
#include "config_edit.h"
#include "snapshot_parts.h"
#include "zones.h"

/* The header in which each provider looks for its key; {0}: authorization. */
static str key_header(const config_backend *b)
{
    switch ((llm_schema)b->schema) {
    case SCHEMA_ANTHROPIC: return S("x-api-key");
    case SCHEMA_AZURE: return S("api-key");
    case SCHEMA_GEMINI: return S("x-goog-api-key");
    default: return (str){0};
    }
}

static const header *provider_auth(arena *a, const config_backend *b)
{
    header *list = NEW_N(a, header, 2);
    str key = b->api_key.value, token = b->gcp_token.value;
    if (!key.p && !token.p) return snapshot_auth(a, &b->auth);
    list[0] = (header){key_header(b), key};
    if (!list[0].name.p)
        list[0] = (header){S("authorization"),
                           arena_fmt(a, "Bearer " STR_FMT, STR_ARG(key.p ? key : token))};
    return list;
}

/* A caller's key goes where the configured one does, or would. */
static llm_own_key own_key(const config_backend *b)
{
    llm_own_key own = {.header = b->own_header,
                       .claim = b->own_claim,
                       .goes_in = key_header(b),
                       .fallback = b->own_fallback};
    if (b->aws) return (llm_own_key){.header = b->own_header, .fallback = b->own_fallback};
    if (b->auth.header) own.goes_in = b->auth.header_name;
    if (b->auth.header || (own.goes_in.p && !b->auth.bearer.node)) return own;
    own.goes_in = S("authorization");
    own.scheme = S("Bearer ");
    return own;
}

static const sigv4_key *signing_key(arena *a, const config_backend *b)
{
    if (!b->aws) return NULL;
    sigv4_key *key = NEW(a, sigv4_key);
    *key = (sigv4_key){.access_key_id = b->aws_key_id.value,
                       .secret_access_key = b->aws_secret.value,
                       .session_token = b->aws_token.value,
                       .region = b->region,
                       .service = S("bedrock")};
    return key;
}

static void drop_lease(void *l)
{
    lease_drop(l);
}

static proxy_at proxy_of(arena *a, const config_backend *b)
{
    net_address at;
    if (!b->proxy.n || !net_address_parse(b->proxy, &at)) return (proxy_at){0};
    proxy_at via = {.host = at.host, .port = at.port};
    if (b->proxy_key.value.n)
        via.authorization =
            arena_fmt(a, "Basic " STR_FMT, STR_ARG(digest_base64(a, b->proxy_key.value)));
    return via;
}

/* A credential is asked for by the way that its requests go, and so is its base. */
static const lease_spec *spec_via(arena *a, const lease_spec *from, const proxy_at *via)
{
    if (!from || !via->host.n) return from;
    lease_spec *to = NEW(a, lease_spec);
    *to = *from;
    to->of[LEASE_PROXY_HOST] = via->host;
    to->of[LEASE_PROXY_PORT] = arena_fmt(a, "%u", via->port);
    to->of[LEASE_PROXY_SHOWN] = via->authorization;
    to->base = spec_via(a, from->base, via);
    return to;
}

static lease *lease_for(snapshot_maker *m, const config_backend *b, const proxy_at *via)
{
    if (!b->lent) return NULL;
    lease *l = lease_of(m->needs->lent, spec_via(m->scratch, b->lent, via));
    arena_own(m->a, drop_lease, l);
    return l;
}

static llm_limit limit_of(const config_limit *l)
{
    return (llm_limit){.limit = l->limit, .window_ms = l->window_ms};
}

static standing_terms terms_of(arena *a, const config_backend *b)
{
    const config_model_limits *from = b->model_limits.items;
    llm_model_limits *models = NEW_N(a, llm_model_limits, b->model_limits.count + 1);
    for (size_t i = 0; i < b->model_limits.count; i++)
        models[i] = (llm_model_limits){.model = from[i].at.name,
                                       .of = {[UNIT_REQUESTS] = limit_of(&from[i].requests),
                                              [UNIT_TOKENS] = limit_of(&from[i].tokens)}};
    return (standing_terms){.of = {[UNIT_REQUESTS] = limit_of(&b->requests),
                                   [UNIT_TOKENS] = limit_of(&b->tokens)},
                            .models = models,
                            .breaker = {.failures = (unsigned)b->break_failures,
                                        .percent = (unsigned)b->break_percent,
                                        .least = (unsigned)b->break_least,
                                        .window_ms = b->break_window_ms,
                                        .pause_ms = b->break_ms,
                                        .pause_most_ms = b->break_most_ms,
                                        .forgets_ms = b->break_most_ms}};
}

static const err *make_backend(snapshot_maker *m, const config_backend *from, llm_backend *to)
{
    url_parts u;
    const refresh_way way = {.ca_pem = from->ca.value, .proxy = proxy_of(m->a, from)};
    const err *e = url_parse(m->a, from->url, &u);
    if (!e) e = refresh_origin(m->needs->net, m->scratch, &u, &way, &to->to);
    if (e) return err_wrap(m->scratch, e, "backend " STR_FMT, STR_ARG(from->at.name));
    str path = str_cut(u.path, '?').head;
    while (path.n && path.p[path.n - 1] == '/') path.n--;
    to->name = from->at.name;
    to->schema = (llm_schema)from->schema;
    to->base_path = path;
    to->prefix = from->prefix;
    to->version = from->version;
    to->region = from->region;
    to->project = from->project;
    to->authority = u.authority;
    to->auth = provider_auth(m->a, from);
    to->aws = signing_key(m->a, from);
    to->own = own_key(from);
    to->lease = lease_for(m, from, &way.proxy);
    if (from->aws) to->ahead = NEW(m->a, atomic_llong);
    to->terms = terms_of(m->a, from);
    if (!m->needs->standings) return NULL;
    to->standing = standing_of(m->needs->standings, from->at.name, from->url);
    arena_own(m->a, standing_drop, to->standing);
    return NULL;
}

static llm_retry retry_of(const config_route *r)
{
    llm_retry retry = {.attempts = (unsigned)r->attempts,
                       .budget = (unsigned)r->budget,
                       .back_off_ms = r->back_off_ms};
    if (!r->retry) return (llm_retry){0};
    for (const str *s = r->retry_on; s->p; s++) retry.on |= config_retry_bit(*s);
    if (!r->retry_on->p) retry.on = ~0u;
    return retry;
}

static const llm_target *targets_of(snapshot_maker *m, const config_route *r,
                                    const llm_backend *backends, size_t count)
{
    const config_target *from = r->to.items;
    const config_backend *configured = m->s->config->backends.items;
    llm_target *all = NEW_N(m->a, llm_target, r->to.count + 1);
    for (size_t i = 0; i < r->to.count; i++) {
        all[i] = (llm_target){.model = from[i].model,
                              .weight = (unsigned)from[i].weight,
                              .priority = (unsigned)from[i].priority};
        for (size_t k = 0; k < count; k++)
            if (str_eq(backends[k].name, from[i].backend)) {
                all[i].backend = &backends[k];
                all[i].headers = config_header_edits(m->a, &configured[k].edits, &r->edits);
                all[i].edits = config_body_edits(m->a, &configured[k].edits, &r->edits);
            }
    }
    return all;
}

static const header *headers_to_match(arena *a, const config_route *r)
{
    const config_pair *from = r->match.items;
    header *all = NEW_N(a, header, r->match.count + 1);
    for (size_t i = 0; i < r->match.count; i++)
        all[i] = (header){from[i].name, from[i].value.value};
    return all;
}

void snapshot_read_conditions(arena *a, config *c, str text, problems *out)
{
    config_route *routes = c->routes.items;
    const policy_source source = {.name = c->file, .text = text};
    for (size_t i = 0; i < c->routes.count; i++) {
        const yaml_node *n = routes[i].when_node;
        if (!n) continue;
        routes[i].when = policy_when_read(a, &source, n, &zones_of_system, out);
        if (routes[i].when && policy_when_reads_backend(routes[i].when))
            problems_add(out, n->line, n->column,
                         "the route chooses the backend: `when` cannot read it");
        if (routes[i].when && policy_when_reads_quotas(routes[i].when))
            problems_add(out, n->line, n->column,
                         "a route is taken before quotas are asked: `when` cannot read them");
    }
}

const err *snapshot_make_llm(snapshot_maker *m, llm_config *out)
{
    const config *c = m->s->config;
    const config_backend *from = c->backends.items;
    const config_route *routes = c->routes.items;
    llm_backend *backends = NEW_N(m->a, llm_backend, c->backends.count + 1);
    for (size_t i = 0; i < c->backends.count; i++) {
        const err *e = make_backend(m, &from[i], &backends[i]);
        if (e) return e;
    }
    llm_route *all = NEW_N(m->a, llm_route, c->routes.count + 1);
    for (size_t i = 0; i < c->routes.count; i++)
        all[i] =
            (llm_route){.name = routes[i].name,
                        .hosts = routes[i].hosts,
                        .models = routes[i].models,
                        .match = headers_to_match(m->a, &routes[i]),
                        .when = routes[i].when,
                        .to = targets_of(m, &routes[i], backends, c->backends.count),
                        .target_count = routes[i].to.count,
                        .timeout_ms = routes[i].timeout_ms,
                        .stream_idle_ms = routes[i].stream_idle_ms,
                        .retry = retry_of(&routes[i]),
                        .eject_most = (unsigned)routes[i].eject_most,
                        .sticky = routes[i].sticky,
                        .hedge_ms = routes[i].hedge_ms,
                        .owned_by = routes[i].owned_by.p ? routes[i].owned_by : routes[i].name};
    *out = (llm_config){.routes = all,
                        .route_count = c->routes.count,
                        .who = &m->s->who,
                        .rules = m->s->rules,
                        .shadow = m->s->shadow,
                        .redact = snapshot_redact(m->a, c),
                        .prices = m->s->prices,
                        .body_limit = (size_t)c->body,
                        .upload_limit = (size_t)c->upload,
                        .json_depth = (unsigned)c->json_depth,
                        .prefixes = config_prefixes(c),
                        .streams_per_caller = (unsigned)c->streams_per_caller,
                        .keep_s = c->responses_keep_ms / 1000,
                        .keep_most = (size_t)c->responses_size};
    return NULL;
}
