/* SPDX-License-Identifier: Apache-2.0 */
/* lease.c - one lock for all leases: it is held for as long as a token takes to be copied. */
#include "lease.h"
#include "../base/clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOR_MS = 1000, AGAIN_MOST_MS = 30000, TEND_MS = 1000 };

typedef struct waiter {
    struct waiter *next;
    loop *at;
    handle who;
} waiter;

struct lease {
    leases *home;
    struct lease *next;
    unsigned refs;
    arena *a; /* of the spec */
    const lease_spec *spec;
    arena *lent; /* of the token; NULL: none yet */
    lease_token token;
    int64_t until_ms, renew_ms; /* of the token: its end, and when the next is asked for */
    int64_t failed_ms;          /* the last failure, 0: none since the last token */
    int64_t pause_ms;           /* after it */
    bool asking;
    waiter *waiting;
};

struct leases {
    pthread_mutex_t lock; /* of all leases */
    lease_world world;
    lease *first;
};

typedef struct {
    errand head;
    lease *l;
} lease_errand;

leases *leases_new(const lease_world *w)
{
    leases *all = calloc(1, sizeof *all);
    if (!all) abort();
    pthread_mutex_init(&all->lock, NULL);
    all->world = *w;
    return all;
}

void leases_free(leases *all)
{
    if (!all) return;
    pthread_mutex_destroy(&all->lock);
    free(all);
}

/* Specs */

static const lease_spec *spec_dup(arena *a, const lease_spec *from)
{
    if (!from) return NULL;
    lease_spec *to = NEW(a, lease_spec);
    to->kind = from->kind;
    for (int i = 0; i < LEASE_PARTS; i++)
        if (from->of[i].p) to->of[i] = arena_dup(a, from->of[i]);
    to->base = spec_dup(a, from->base);
    return to;
}

static bool same_spec(const lease_spec *a, const lease_spec *b)
{
    if (!a || !b) return a == b;
    if (a->kind != b->kind) return false;
    for (int i = 0; i < LEASE_PARTS; i++)
        if (!str_eq(a->of[i], b->of[i])) return false;
    return same_spec(a->base, b->base);
}

lease *lease_of(leases *all, const lease_spec *spec)
{
    pthread_mutex_lock(&all->lock);
    lease *l = all->first;
    while (l && !same_spec(l->spec, spec)) l = l->next;
    if (!l) {
        l = calloc(1, sizeof *l);
        if (!l) abort();
        l->home = all;
        l->a = arena_new();
        l->spec = spec_dup(l->a, spec);
        l->next = all->first;
        all->first = l;
    }
    l->refs++;
    pthread_mutex_unlock(&all->lock);
    return l;
}

/* Tokens */

static void wipe(str s)
{
    union { /* ours, though a str does not say so */
        const char *in;
        char *out;
    } p = {.in = s.p};
    if (s.p) explicit_bzero(p.out, s.n);
}

static lease_token token_dup(arena *a, const lease_token *from)
{
    lease_token to = {.lives_ms = from->lives_ms};
    if (from->token.p) to.token = arena_dup(a, from->token);
    if (from->key_id.p) to.key_id = arena_dup(a, from->key_id);
    if (from->secret.p) to.secret = arena_dup(a, from->secret);
    return to;
}

/* Under the lock. */
static void forget_token(lease *l)
{
    if (!l->lent) return;
    wipe(l->token.token);
    wipe(l->token.secret);
    arena_free(l->lent);
    l->lent = NULL;
    l->token = (lease_token){0};
}

/* Under the lock. Not more often than once a FLOOR_MS, however short it lives. */
static void keep_token(lease *l, const lease_token *got, int64_t now_ms)
{
    int64_t soon_ms = got->lives_ms * 3 / 4;
    forget_token(l);
    l->lent = arena_new();
    l->token = token_dup(l->lent, got);
    l->renew_ms = now_ms + (soon_ms > FLOOR_MS ? soon_ms : FLOOR_MS);
    l->until_ms = now_ms + got->lives_ms;
    l->failed_ms = l->pause_ms = 0;
}

static void lease_free(lease *l)
{
    forget_token(l);
    arena_free(l->a);
    free(l);
}

void lease_drop(lease *l)
{
    leases *all = l->home;
    pthread_mutex_lock(&all->lock);
    bool last = --l->refs == 0;
    lease **at = &all->first;
    while (last && *at != l) at = &(*at)->next;
    if (last) *at = l->next;
    pthread_mutex_unlock(&all->lock);
    if (last) lease_free(l);
}

/* Asking */

static void settle(lease *l, const lease_token *got)
{
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&l->home->lock);
    if (got) {
        keep_token(l, got, now_ms);
    } else {
        l->failed_ms = now_ms;
        l->pause_ms = l->pause_ms ? l->pause_ms * 2 : FLOOR_MS;
        if (l->pause_ms > AGAIN_MOST_MS) l->pause_ms = AGAIN_MOST_MS;
    }
    l->asking = false;
    waiter *w = l->waiting;
    l->waiting = NULL;
    pthread_mutex_unlock(&l->home->lock);
    while (w) {
        waiter *next = w->next;
        loop_wake(w->at, w->who);
        free(w);
        w = next;
    }
    lease_drop(l);
}

static void run(errand *self)
{
    lease_errand *e = (lease_errand *)(void *)self;
    const lease_spec *spec = e->l->spec;
    const char *kind = lease_kind_name(spec->kind);
    arena *a = arena_new();
    lease_token got = {0};
    const err *why = lease_fetch(a, &e->l->home->world, spec, &got);
    const log_fact facts[] = {{"from", {kind, strlen(kind)}},
                              {"of", spec->of[LEASE_NAME].p ? spec->of[LEASE_NAME] : S("")},
                              {"why", why ? why->text : S("")},
                              {0}};
    if (why) log_say(e->l->home->world.log, LOG_WARN_LEVEL, "no token for a provider", facts);
    settle(e->l, why ? NULL : &got);
    arena_free(a);
    free(e);
}

static void drop(errand *self)
{
    lease_errand *e = (lease_errand *)(void *)self;
    settle(e->l, NULL);
    free(e);
}

/* Under the lock. False: nothing will come of it. */
static bool ask_for_next(lease *l)
{
    if (l->asking) return true;
    if (!l->home->world.web) return false;
    lease_errand *e = calloc(1, sizeof *e);
    if (!e) abort();
    *e = (lease_errand){.head = {.run = run, .drop = drop}, .l = l};
    l->asking = errands_add(l->home->world.web, &e->head);
    if (l->asking)
        l->refs++;
    else
        free(e);
    return l->asking;
}

/* Under the lock. */
static bool is_good(const lease *l, int64_t now_ms)
{
    return l->lent && now_ms < l->until_ms;
}

/* Under the lock. When the next is to be asked for; it goes on when the last one has ended. */
static int64_t due_ms(const lease *l)
{
    int64_t again_ms = l->failed_ms ? l->failed_ms + l->pause_ms : 0;
    return again_ms > l->renew_ms ? again_ms : l->renew_ms;
}

int64_t leases_tend(leases *all)
{
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&all->lock);
    int64_t soon_ms = all->first ? TEND_MS : -1;
    for (lease *l = all->first; l; l = l->next) {
        if (!l->lent || l->asking) continue;
        int64_t left_ms = due_ms(l) - now_ms;
        if (left_ms <= 0)
            (void)ask_for_next(l);
        else if (left_ms < soon_ms)
            soon_ms = left_ms;
    }
    pthread_mutex_unlock(&all->lock);
    return soon_ms;
}

/* Taking */

static void wait_for_it(lease *l, const lease_ask *ask)
{
    waiter *w = calloc(1, sizeof *w);
    if (!w) abort();
    *w = (waiter){.next = l->waiting, .at = ask->at, .who = ask->who};
    l->waiting = w;
}

lease_state lease_take(lease *l, const lease_ask *ask, lease_token *out)
{
    lease_state state = LEASE_NONE;
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&l->home->lock);
    bool hopeless = !l->asking && l->failed_ms && now_ms - l->failed_ms < FLOOR_MS;
    if (is_good(l, now_ms)) {
        *out = token_dup(ask->a, &l->token);
        state = LEASE_READY;
    } else if (!hopeless && ask_for_next(l)) {
        wait_for_it(l, ask);
        state = LEASE_WAIT;
    }
    pthread_mutex_unlock(&l->home->lock);
    return state;
}

void lease_refused(lease *l, const lease_token *what)
{
    pthread_mutex_lock(&l->home->lock);
    if (l->lent && str_eq(l->token.token, what->token) && str_eq(l->token.key_id, what->key_id))
        forget_token(l);
    pthread_mutex_unlock(&l->home->lock);
}
