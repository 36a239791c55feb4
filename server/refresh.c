/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.c - the service thread behind refresh.h.
 *
 * Each issuer has a due time; the thread sleeps until the first. A worker that meets an unknown key
 * id makes its issuer due now, within the floor, and leaves its name to be woken. The lock guards
 * lists and due times and is never held over the network: what is being fetched is marked instead.
 */
#include "refresh.h"

#include "../base/clock.h"
#include "discover.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { KEYS_EVERY_MS = 600000, KEYS_AGAIN_MS = 30000, ORIGINS_EVERY_MS = 30000 };

typedef struct waiter {
    loop *at;
    handle who;
    struct waiter *next;
} waiter;

typedef struct issuer {
    str name, url; /* url {0} and not from_document: discovered */
    bool from_document, fetching, wanted, failed;
    str document;
    jwks *keys;
    int64_t due_ms;
    waiter *waiting;
    struct issuer *next;
} issuer;

typedef struct place {
    str key;
    origin *to;
    struct place *next;
} place;

struct refresh {
    arena *a; /* names; guarded by the lock */
    logger *log;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    bool stopping, running;
    issuer *issuers;
    place *places;
    tls_client *trust; /* the system's, made when first needed */
    int64_t origins_due_ms;
    void (*also)(void *ctx); /* others' addresses; guarded by the lock */
    void *also_ctx;
};

static void *heap(size_t size)
{
    void *p = calloc(1, size);
    if (!p) abort();
    return p;
}

static void wake_all(waiter *first)
{
    while (first) {
        waiter *next = first->next;
        loop_wake(first->at, first->who);
        free(first);
        first = next;
    }
}

/* One fetch */

static void report(refresh *r, const issuer *one, const err *e, unsigned skipped)
{
    if (e) {
        log_fact facts[] = {{"issuer", one->name}, {"error", e->text}, {0}};
        log_say(r->log, LOG_WARN_LEVEL, "keys could not be fetched", facts);
    } else if (skipped || one->failed) {
        arena *a = arena_new();
        log_fact facts[] = {{"issuer", one->name}, {"skipped", arena_fmt(a, "%u", skipped)}, {0}};
        log_say(r->log, LOG_INFO_LEVEL, "keys were fetched", facts);
        arena_free(a);
    }
}

/* Without the lock: only this thread writes to an issuer that is `fetching`. */
static const err *fetch_keys(arena *a, const issuer *one, unsigned *skipped)
{
    str url = one->url, document = {0};
    bool trusted = url.p != NULL; /* an operator wrote it */
    int status = 0;
    if (!url.p) {
        const err *e = discover_keys_url(a, one->name, &url, &trusted);
        if (e) return e;
    }
    fetch_request rq = {.url = url, .allow_private = trusted};
    const err *e = fetch(a, &rq, &status, &document);
    if (e) return e;
    if (status != 200)
        return err_new(a, ERR_UPSTREAM, STR_FMT " answered %d", STR_ARG(url), status);
    return jwks_replace(a, one->keys, document, clock_mono_ms(), skipped);
}

static void refresh_issuer(refresh *r, issuer *one)
{
    arena *a = arena_new();
    unsigned skipped = 0;
    const err *e = fetch_keys(a, one, &skipped);
    report(r, one, e, skipped);
    pthread_mutex_lock(&r->lock);
    one->fetching = one->wanted = false;
    one->failed = e != NULL;
    one->due_ms = clock_mono_ms() + (e ? KEYS_AGAIN_MS : KEYS_EVERY_MS);
    waiter *waiting = one->waiting;
    one->waiting = NULL;
    pthread_mutex_unlock(&r->lock);
    wake_all(waiting);
    arena_free(a);
}

/* The thread */

/* With the lock: an issuer to fetch now, else NULL and when to look again. */
static issuer *next_due(refresh *r, int64_t now, int64_t *again)
{
    for (issuer *one = r->issuers; one; one = one->next) {
        if (one->from_document) continue;
        bool due = one->wanted || (now >= one->due_ms && jwks_due(one->keys, now));
        if (due) return one;
        int64_t at = one->due_ms > now ? one->due_ms : now + JWKS_FLOOR_MS;
        if (at < *again) *again = at;
    }
    return NULL;
}

/* With the lock held, but not while names are looked up. Places are only ever added, at the front.
 */
static void refresh_places(refresh *r)
{
    place *first = r->places;
    void (*also)(void *) = r->also;
    pthread_mutex_unlock(&r->lock);
    for (place *p = first; p; p = p->next) origin_refresh(p->to);
    if (also) also(r->also_ctx);
    pthread_mutex_lock(&r->lock);
}

static void sleep_until(refresh *r, int64_t at_ms)
{
    struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    pthread_cond_timedwait(&r->changed, &r->lock, &at);
}

static void *run(void *ctx)
{
    refresh *r = ctx;
    pthread_mutex_lock(&r->lock);
    while (!r->stopping) {
        int64_t now = clock_mono_ms(), again = r->origins_due_ms;
        issuer *one = next_due(r, now, &again);
        if (one) {
            one->fetching = true;
            pthread_mutex_unlock(&r->lock);
            refresh_issuer(r, one);
            pthread_mutex_lock(&r->lock);
        } else if (now >= r->origins_due_ms) {
            r->origins_due_ms = now + ORIGINS_EVERY_MS;
            refresh_places(r);
        } else
            sleep_until(r, again);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

refresh *refresh_new(logger *log)
{
    refresh *r = heap(sizeof *r);
    r->a = arena_new();
    r->log = log;
    r->origins_due_ms = clock_mono_ms() + ORIGINS_EVERY_MS;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&r->lock, NULL);
    r->running = pthread_create(&r->thread, NULL, run, r) == 0;
    return r;
}

void refresh_also(refresh *r, void (*fn)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&r->lock);
    r->also = fn;
    r->also_ctx = ctx;
    pthread_mutex_unlock(&r->lock);
}

void refresh_stop(refresh *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    if (r->running) pthread_join(r->thread, NULL);
    r->running = false;
}

void refresh_free(refresh *r)
{
    if (!r) return;
    refresh_stop(r);
    for (issuer *one = r->issuers; one; one = one->next) {
        wake_all(one->waiting);
        jwks_free(one->keys);
    }
    for (place *p = r->places; p; p = p->next) origin_free(p->to);
    if (r->trust) tls_client_free(r->trust);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    arena_free(r->a);
    free(r);
}

/* For snapshots */

/* With the lock. */
static issuer *issuer_of(refresh *r, str name, str url, bool from_document)
{
    for (issuer *one = r->issuers; one; one = one->next)
        if (str_eq(one->name, name) && str_eq(one->url, url) && one->from_document == from_document)
            return one;
    issuer *one = NEW(r->a, issuer);
    *one = (issuer){.name = arena_dup(r->a, name),
                    .url = url.p ? arena_dup(r->a, url) : (str){0},
                    .from_document = from_document,
                    .keys = jwks_new(),
                    .next = r->issuers};
    r->issuers = one;
    return one;
}

jwks *refresh_keys_of(refresh *r, str name, str url)
{
    pthread_mutex_lock(&r->lock);
    jwks *keys = issuer_of(r, name, url, false)->keys;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return keys;
}

const err *refresh_keys_from(refresh *r, arena *a, str name, str document, jwks **out)
{
    const err *e = NULL;
    unsigned skipped = 0;
    pthread_mutex_lock(&r->lock);
    issuer *one = issuer_of(r, name, (str){0}, true);
    if (!one->document.p || !str_eq(one->document, document)) {
        e = jwks_replace(a, one->keys, document, clock_mono_ms(), &skipped);
        if (!e) one->document = arena_dup(r->a, document);
    }
    *out = one->keys;
    pthread_mutex_unlock(&r->lock);
    return e;
}

static const err *make_origin(refresh *r, arena *a, const url_parts *u, const refresh_way *way,
                              origin **out)
{
    tls_client *own = NULL;
    const err *e = NULL;
    if (u->secure && way->ca_pem.p)
        e = tls_client_new(a, way->ca_pem, &own);
    else if (u->secure && !r->trust)
        e = tls_client_new(a, (str){0}, &r->trust);
    if (!e) e = origin_new_via(a, u, own ? own : u->secure ? r->trust : NULL, &way->proxy, out);
    if (own) tls_client_free(own); /* the origin keeps what it needs */
    return e;
}

const err *refresh_origin(refresh *r, arena *a, const url_parts *u, const refresh_way *way,
                          origin **out)
{
    const proxy_at *via = &way->proxy;
    str key = arena_fmt(a, "%d " STR_FMT " %u " STR_FMT " %u " STR_FMT " " STR_FMT, u->secure,
                        STR_ARG(u->host), u->port, STR_ARG(via->host), via->port,
                        STR_ARG(via->authorization), STR_ARG(way->ca_pem));
    for (place *p = r->places; p; p = p->next) { /* only snapshots add, one at a time */
        if (!str_eq(p->key, key)) continue;
        *out = p->to;
        return NULL;
    }
    origin *made = NULL;
    const err *e = make_origin(r, a, u, way, &made);
    if (e) return e;
    pthread_mutex_lock(&r->lock);
    place *p = NEW(r->a, place);
    *p = (place){.key = arena_dup(r->a, key), .to = made, .next = r->places};
    r->places = p;
    pthread_mutex_unlock(&r->lock);
    *out = made;
    return NULL;
}

/* For workers */

/* With the lock: must this waiter wait? */
static bool must_wait(refresh *r, issuer *one)
{
    if (one->fetching || one->wanted) return true;
    if (one->from_document || r->stopping || !jwks_due(one->keys, clock_mono_ms())) return false;
    one->wanted = true;
    pthread_cond_signal(&r->changed);
    return true;
}

void refresh_want(refresh *r, const jwks *keys, loop *at, handle who)
{
    waiter *w = NULL;
    pthread_mutex_lock(&r->lock);
    issuer *one = r->issuers;
    while (one && one->keys != keys) one = one->next;
    if (one && must_wait(r, one)) {
        w = heap(sizeof *w);
        *w = (waiter){.at = at, .who = who, .next = one->waiting};
        one->waiting = w;
    }
    pthread_mutex_unlock(&r->lock);
    if (!w) loop_wake(at, who);
}
