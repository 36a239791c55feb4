/* SPDX-License-Identifier: Apache-2.0 */
/* door_rig.h - the whole MCP door on 127.0.0.1: a real front, real rules, scripted servers.
 *
 * One worker in a thread of its own. Two callers have tokens, alice and bob; without one the
 * caller is anonymous if the test says so. The servers are link_rig.h's. */
#ifndef SP_TEST_DOOR_RIG_H
#define SP_TEST_DOOR_RIG_H
#include "../../authz/jwt_mint.h"
#include "../../transport/server.h"
#include "fake_reply.h"
#include <arpa/inet.h>
#include <sys/socket.h>

#define DOOR   static inline __attribute__((unused))
#define ISSUER S("https://login.example")

typedef struct {
    arena *a;
    loop *l;
    logger *log;
    server *front;
    mcp_shared *shared;
    tally *streams;
    mcp_worker *w;
    client *calls;
    identity_cache *tokens;
    mcp_config config;
    mcp_endpoint endpoint[2];
    identity who;
    jwt_issuer issuer;
    upstream *servers[4];
    size_t server_count;
    pthread_t thread;
    unsigned port;
    atomic_int finished, wanted_keys;
    char last_record[4096]; /* "fact=value;…" of the last request */
    pthread_mutex_t lock;
} door;

static const uint8_t door_seed[JWT_SEED] = {7};

/* The server's part in rotating keys: a new set, then a wake. */
DOOR void door_want_keys(void *ctx, const identity_detail *what, handle waiter)
{
    door *d = ctx;
    unsigned skipped = 0;
    arena *a = arena_new();
    if (atomic_fetch_add(&d->wanted_keys, 1) == 0) {
        const err *e =
            jwks_replace(a, what->issuer->keys, jwt_mint_jwks(a, door_seed, S("k2")), 2, &skipped);
        assert_null(e);
    }
    arena_free(a);
    flow_wake(loop_flows(d->l), waiter, FLOW_WOKEN);
}

DOOR void door_finished(void *ctx, exchange *x)
{
    door *d = ctx;
    record *r = exchange_record(x);
    size_t n = 0;
    pthread_mutex_lock(&d->lock);
    for (int f = 0; f < FACT_COUNT; f++) {
        const fact_value *v = &r->v[f];
        if (!v->set || n > sizeof d->last_record - 600) continue;
        if (v->is_text)
            n += (size_t)snprintf(d->last_record + n, 512, "%s=%.*s;", fact_names[f],
                                  (int)(v->text.n < 200 ? v->text.n : 200), v->text.p);
        else
            n += (size_t)snprintf(d->last_record + n, 512, "%s=%lld;", fact_names[f],
                                  (long long)v->number);
    }
    pthread_mutex_unlock(&d->lock);
    atomic_fetch_add(&d->finished, 1);
}

DOOR void door_identity(door *d, bool anonymous)
{
    static const jwt_alg algorithms[] = {ALG_EDDSA, ALG_NONE};
    static const str scopes[] = {{"tools:read", 10}, {0}};
    static const str none[] = {{0}};
    unsigned skipped = 0;
    d->issuer = (jwt_issuer){.issuer = ISSUER,
                             .audiences = none,
                             .algorithms = algorithms,
                             .keys = jwks_new(),
                             .jwks_url = S("https://login.example/keys")};
    assert_null(
        jwks_replace(d->a, d->issuer.keys, jwt_mint_jwks(d->a, door_seed, S("k1")), 1, &skipped));
    d->who = (identity){.issuers = &d->issuer,
                        .issuer_count = 1,
                        .anonymous = anonymous,
                        .scopes_supported = scopes};
}

DOOR door *door_open(const char *rules, bool anonymous)
{
    static const str nobody[] = {{0}};
    door *d = calloc(1, sizeof *d);
    d->a = arena_new();
    pthread_mutex_init(&d->lock, NULL);
    d->log = log_new(2, LOG_ERROR_LEVEL);
    d->l = loop_new(0);
    d->calls = client_new(d->l, d->log, 8);
    d->tokens = identity_cache_new(64);
    door_identity(d, anonymous);
    sealer *seals = NULL;
    assert_null(sealer_new(d->a, nobody, &seals));
    d->streams = tally_new();
    d->shared = mcp_shared_new(
        &(mcp_shared_options){.log = d->log, .seals = seals, .streams = d->streams, .workers = 1});
    d->w = mcp_worker_new(d->shared, 0,
                          &(mcp_worker_options){.loop = d->l,
                                                .client = d->calls,
                                                .tokens = d->tokens,
                                                .services = {door_want_keys, d}});
    policy *p = NULL;
    problems bad;
    problems_init(&bad, d->a, S("rules.yaml"));
    policy_load(d->a, &(policy_source){S("rules.yaml"), {rules, strlen(rules)}}, 1, NULL, &bad, &p);
    for (problem *b = bad.first; b; b = b->next) print_error("%.*s\n", STR_ARG(b->text));
    assert_non_null(p);
    d->endpoint[0] =
        (mcp_endpoint){.path = S("/mcp"), .hosts = nobody, .servers = d->servers, .step_up = true};
    d->endpoint[1] = (mcp_endpoint){.path = S("/bare"),
                                    .hosts = nobody,
                                    .servers = d->servers,
                                    .naming = NAMING_NONE};
    d->config = (mcp_config){.endpoints = d->endpoint,
                             .endpoint_count = 2,
                             .who = &d->who,
                             .rules = p,
                             .body_limit = 1 << 20,
                             .json_depth = 64,
                             .streams_per_caller = 2,
                             .instance_name = S("door")};
    mcp_worker_take(d->w, &d->config);
    return d;
}

#endif
