/* SPDX-License-Identifier: Apache-2.0 */
/* upstream.c - the table of configured MCP servers.
 *
 * A spec is known by the SHA-256 of its canonical text, so a reload that changes nothing about a
 * server finds the one it had, with its era, its sessions and its catalog. Upstreams are made
 * seldom and on service threads, so making one (resolving its name, reading its trust) happens
 * outside the lock; two that made the same one at once keep the first.
 *
 * Counting: whoever finds an upstream in the table may raise a count that is not zero, nobody
 * may raise one that is. The last to let go takes it out of the table, unless a successor
 * under the same key is there already. Upstreams keep the table itself alive, for the drops that
 * come after mcp_shared_free(). */
#include "upstream.h"
#include "facet.h"
#include "link_token.h"
#include "upstream_state.h"
#include "watch.h"
#include <assert.h>
#include <stdlib.h>

enum { SESSIONS_IN_ALL = 10000, CHILDREN_IN_ALL = 256 };
static const int64_t LEGACY_VERDICT_MS = 24LL * 3600 * 1000;

struct upstream_table {
    mcp_shared *shared;
    hash_seed seed;
    atomic_uint refs; /* one is the process's, one each upstream's */
    atomic_int used[CAPS];
    pthread_mutex_t lock;
    map *by_key;
};

struct upstream_table *upstream_table_new(mcp_shared *s)
{
    struct upstream_table *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->shared = s;
    t->seed = hash_seed_new();
    atomic_init(&t->refs, 1);
    pthread_mutex_init(&t->lock, NULL);
    t->by_key = map_new(NULL);
    return t;
}

void upstream_table_free(struct upstream_table *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) > 1) return;
    map_free(t->by_key);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void find_metrics(upstream *u)
{
    static const char *const names[OUTCOMES] = {[OUTCOME_OK] = "ok",
                                                [OUTCOME_ERROR] = "error",
                                                [OUTCOME_FAILED] = "failed",
                                                [OUTCOME_TIMEOUT] = "timeout",
                                                [OUTCOME_CANCELLED] = "cancelled"};
    metrics *m = u->shared->meters;
    if (!m) return;
    const char *name = arena_dup(u->arena, u->spec.name).p; /* with its NUL */
    for (int i = 0; i < OUTCOMES; i++) {
        u->outcomes[i] = metric_series(m, METRIC_UPSTREAM_REQUESTS, name, names[i]);
    }
    u->seconds = metric_series(m, METRIC_UPSTREAM_SECONDS, name, NULL);
    u->unreachable = metric_series(m, METRIC_UPSTREAM_DOWN, name, NULL);
    u->opened = metric_series(m, METRIC_BREAKER_OPENED, name, NULL);
    u->busy = metric_series(m, METRIC_LIMITED, "server_calls", NULL);
    if (u->spec.kind == UPSTREAM_STDIO) u->children = metric_series(m, METRIC_CHILDREN, name, NULL);
}

static const err *open_token_origin(upstream *u)
{
    url_parts url;
    const err *e = url_parse(u->arena, u->spec.grant.token_url, &url);
    if (e) return e;
    u->token_target = url.path;
    if (url.secure) e = tls_client_new(u->arena, u->spec.ca_pem, &u->token_tls);
    return e ? e : origin_new(u->arena, &url, u->token_tls, &u->token_origin);
}

static const err *open_origin(upstream *u, arena *a)
{
    url_parts url;
    const err *e = url_parse(u->arena, u->spec.url, &url);
    if (e) return err_wrap(a, e, "server " STR_FMT, STR_ARG(u->spec.name));
    u->target = url.path;
    if (url.secure) e = tls_client_new(u->arena, u->spec.ca_pem, &u->tls);
    if (!e) e = origin_new(u->arena, &url, u->tls, &u->origin);
    if (!e && u->spec.grant.token_url.n) e = open_token_origin(u);
    return e ? err_wrap(a, e, "server " STR_FMT, STR_ARG(u->spec.name)) : NULL;
}

static void destroy(upstream *u)
{
    struct upstream_table *t = u->table;
    facets_free(u);
    if (u->unreachable && atomic_load(&u->down)) metric_add(u->unreachable, -1);
    for (upstream_catalog *c = u->lists; c < u->lists + CATALOG_KINDS; c++) {
        if (c->now) catalog_drop(c->now);
        free(c->waiters);
    }
    map_free(u->sessions);
    watch_free(u);
    if (u->origin) origin_free(u->origin);
    if (u->tls) tls_client_free(u->tls);
    if (u->token_origin) origin_free(u->token_origin);
    if (u->token_tls) tls_client_free(u->token_tls);
    token_box_free(u->tokens);
    arena_free(u->told);
    pthread_mutex_destroy(&u->lock);
    arena_free(u->arena);
    upstream_table_free(t);
}

static const err *make(struct upstream_table *t, arena *a, const upstream_spec *spec, str key,
                       upstream **out)
{
    arena *own = arena_new();
    upstream *u = NEW(own, upstream);
    u->of = u;
    u->arena = own;
    u->table = t;
    u->shared = t->shared;
    u->key = arena_dup(own, key);
    u->owner = (unsigned)(hash_bytes(t->seed, key) % t->shared->workers);
    atomic_init(&u->refs, 1);
    atomic_init(&u->holders, 1);
    pthread_mutex_init(&u->lock, NULL);
    u->sessions = map_new(NULL);
    u->tokens = token_box_new();
    atomic_fetch_add(&t->refs, 1);
    upstream_spec_copy(own, spec, &u->spec);
    u->include = selector_new(own, u->spec.include);
    u->exclude = selector_new(own, u->spec.exclude);
    const err *e = spec->kind != UPSTREAM_STDIO ? open_origin(u, a) : NULL;
    if (!e && spec->kind == UPSTREAM_STDIO && !u->spec.argv[0].p) {
        e = err_new(a, ERR_MALFORMED, "server " STR_FMT ": no command", STR_ARG(spec->name));
    }
    if (e) {
        destroy(u);
        return e;
    }
    find_metrics(u);
    *out = u;
    return NULL;
}

/* One that is being freed by another thread is as good as absent. */
static bool revive(upstream *u)
{
    unsigned n = atomic_load(&u->refs);
    while (n && !atomic_compare_exchange_weak(&u->refs, &n, n + 1)) {
    }
    if (n) atomic_fetch_add(&u->holders, 1);
    return n != 0;
}

static upstream *find(struct upstream_table *t, str key)
{
    upstream *u = map_get(t->by_key, key);
    return u && revive(u) ? u : NULL;
}

const err *upstream_acquire(struct mcp_shared *s, arena *a, const upstream_spec *spec,
                            upstream **out)
{
    struct upstream_table *t = s->upstreams;
    str key = upstream_spec_key(a, spec);
    if (!key.p)
        return err_new(a, ERR_TOO_LARGE, "server " STR_FMT ": too long", STR_ARG(spec->name));
    pthread_mutex_lock(&t->lock);
    upstream *u = find(t, key);
    pthread_mutex_unlock(&t->lock);
    if (!u) {
        upstream *fresh = NULL;
        const err *e = make(t, a, spec, key, &fresh);
        if (e) return e;
        pthread_mutex_lock(&t->lock);
        u = find(t, key);
        if (!u) {
            (void)map_del(t->by_key, key); /* its key lives in the one that dies */
            map_put(t->by_key, fresh->key, fresh);
        }
        pthread_mutex_unlock(&t->lock);
        if (u)
            destroy(fresh);
        else
            u = fresh;
    }
    *out = u;
    return NULL;
}

upstream *upstream_hold(upstream *u)
{
    unsigned before = atomic_fetch_add(&u->refs, 1);
    assert(before > 0 || u->of != u);
    if (!before) (void)upstream_hold(u->of); /* a facet that is used keeps its server */
    return u;
}

void upstream_release(upstream *u)
{
    if (facet_is_one(u)) {
        facet_release(u);
        return;
    }
    if (atomic_fetch_sub(&u->refs, 1) > 1) return;
    struct upstream_table *t = u->table;
    pthread_mutex_lock(&t->lock);
    if (map_get(t->by_key, u->key) == u) (void)map_del(t->by_key, u->key);
    pthread_mutex_unlock(&t->lock);
    destroy(u);
}

void upstream_drop(upstream *u)
{
    atomic_fetch_sub(&u->holders, 1);
    upstream_release(u);
}

upstream **upstream_all(arena *a, const mcp_shared *s)
{
    struct upstream_table *t = s->upstreams;
    size_t n = 0, at = 0;
    str key;
    void *each;
    pthread_mutex_lock(&t->lock);
    upstream **row = NEW_N(a, upstream *, map_count(t->by_key) + 1);
    while (map_each(t->by_key, &at, &key, &each))
        if (revive(each)) row[n++] = each;
    pthread_mutex_unlock(&t->lock);
    return row;
}

/* One after another, each held meanwhile: the lock is not kept while a name is looked up. */
void upstream_refresh(struct mcp_shared *s)
{
    arena *a = arena_new();
    for (upstream **u = upstream_all(a, s); *u; u++) {
        if ((*u)->origin) origin_refresh((*u)->origin);
        if ((*u)->token_origin) origin_refresh((*u)->token_origin);
        upstream_drop(*u);
    }
    arena_free(a);
}

bool upstream_retired(const upstream *u)
{
    return atomic_load(&u->of->holders) == 0;
}

const upstream_spec *upstream_spec_of(const upstream *u)
{
    return &u->spec;
}

unsigned upstream_worker_of(const upstream *u, str caller_id)
{
    uint64_t h = hash_bytes(u->table->seed, u->of->key) ^ hash_bytes(u->table->seed, caller_id);
    return (unsigned)(h % u->shared->workers);
}

bool upstream_cap_take(const upstream *u, upstream_cap which)
{
    static const int most[CAPS] =
        {[CAP_SESSIONS] = SESSIONS_IN_ALL, [CAP_CHILDREN] = CHILDREN_IN_ALL};
    if (atomic_fetch_add(&u->table->used[which], 1) < most[which]) return true;
    upstream_cap_give(u, which);
    return false;
}

void upstream_cap_give(const upstream *u, upstream_cap which)
{
    atomic_fetch_sub(&u->table->used[which], 1);
}

upstream_era upstream_era_now(const upstream *u, int64_t now_ms)
{
    upstream_era era = atomic_load(&u->of->era);
    if (era == ERA_LEGACY && now_ms >= atomic_load(&u->of->era_until_ms)) return ERA_UNKNOWN;
    return era;
}

void upstream_era_is(upstream *u, upstream_era era, int64_t now_ms)
{
    atomic_store(&u->era_until_ms, now_ms + LEGACY_VERDICT_MS); /* before the verdict it bounds */
    atomic_store(&u->era, era);
}

void upstream_is_up(upstream *u)
{
    if (!atomic_load_explicit(&u->down, memory_order_relaxed) ||
        !atomic_exchange(&u->down, false)) {
        return;
    }
    if (u->unreachable) metric_add(u->unreachable, -1);
    log_say(u->shared->log, LOG_INFO_LEVEL, "upstream is up",
            (log_fact[]){{"server", u->spec.name}, {0}});
}

void upstream_is_down(upstream *u, str why)
{
    if (atomic_exchange(&u->down, true)) return;
    if (u->unreachable) metric_add(u->unreachable, 1);
    log_say(u->shared->log, LOG_WARN_LEVEL, "upstream is down",
            (log_fact[]){{"server", u->spec.name}, {"error", why}, {0}});
}

void upstream_measure(const upstream *u, outcome o, int64_t micros)
{
    if (u->outcomes[o]) metric_add(u->outcomes[o], 1);
    if (u->seconds && o != OUTCOME_CANCELLED) metric_observe(u->seconds, micros);
}

/* 500 and below are answers: a caller can provoke them. */
void upstream_heard(upstream *u, int status, int64_t now_ms)
{
    bool failed = status == 0 || (status >= 502 && status <= 504);
    if (!failed) {
        breaker_worked(&u->breaker, &breaker_usual, now_ms);
    } else if (breaker_failed(&u->breaker, &breaker_usual, now_ms)) {
        if (u->opened) metric_add(u->opened, 1);
        log_say(u->shared->log, LOG_WARN_LEVEL, "upstream is left alone for a while",
                (log_fact[]){{"server", u->spec.name}, {0}});
    }
}

upstream_health upstream_health_of(const upstream *u, int64_t now_ms)
{
    static const char *const names[] =
        {[BREAKER_CLOSED] = "closed", [BREAKER_OPEN] = "open", [BREAKER_TRIAL] = "trial"};
    return (upstream_health){.answers = !atomic_load(&u->down),
                             .breaker = names[breaker_look(&u->breaker, now_ms)],
                             .calls = atomic_load(&u->breaker.calls)};
}
