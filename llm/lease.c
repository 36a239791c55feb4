/* SPDX-License-Identifier: Apache-2.0 */
#include "lease.h"
#include "../base/clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FLOOR_MS = 1000 }; /* between a failure and the next try */

typedef struct waiter {
    struct waiter *next;
    loop *at;
    handle who;
} waiter;

struct lease {
    pthread_mutex_t lock;
    unsigned refs;
    arena *a; /* of the spec */
    lease_spec spec;
    char *token; /* NULL: none yet */
    size_t n;
    int64_t renew_ms, until_ms, failed_ms; /* failed 0: it did not */
    bool asking;
    waiter *waiting;
};

typedef struct {
    errand head;
    lease *l;
    logger *log;
} lease_errand;

lease *lease_new(const lease_spec *spec)
{
    lease *l = calloc(1, sizeof *l);
    if (!l) abort();
    pthread_mutex_init(&l->lock, NULL);
    l->refs = 1;
    l->a = arena_new();
    l->spec = (lease_spec){.kind = spec->kind,
                           .token_url = arena_dup(l->a, spec->token_url),
                           .name = arena_dup(l->a, spec->name),
                           .secret = arena_dup(l->a, spec->secret),
                           .scope = arena_dup(l->a, spec->scope)};
    return l;
}

static void forget_token(lease *l)
{
    if (l->token) explicit_bzero(l->token, l->n);
    free(l->token);
    l->token = NULL;
}

void lease_drop(lease *l)
{
    pthread_mutex_lock(&l->lock);
    bool last = --l->refs == 0;
    pthread_mutex_unlock(&l->lock);
    if (!last) return;
    forget_token(l);
    pthread_mutex_destroy(&l->lock);
    arena_free(l->a);
    free(l);
}

/* Under the lock. */
static void keep_token(lease *l, const lease_token *got, int64_t now_ms)
{
    forget_token(l);
    l->token = malloc(got->token.n + 1);
    if (!l->token) abort();
    for (size_t i = 0; i < got->token.n; i++) l->token[i] = got->token.p[i];
    l->n = got->token.n;
    l->renew_ms = now_ms + got->lives_ms * 3 / 4;
    l->until_ms = now_ms + got->lives_ms;
    l->failed_ms = 0;
}

static void settle(lease *l, const lease_token *got)
{
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&l->lock);
    if (got)
        keep_token(l, got, now_ms);
    else
        l->failed_ms = now_ms;
    l->asking = false;
    waiter *w = l->waiting;
    l->waiting = NULL;
    pthread_mutex_unlock(&l->lock);
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
    arena *a = arena_new();
    lease_token got = {0};
    const err *why = lease_fetch(a, &e->l->spec, &got);
    const log_fact facts[] = {{"of", e->l->spec.name}, {"why", why ? why->text : S("")}, {0}};
    if (why) log_say(e->log, LOG_WARN_LEVEL, "no token for a provider", facts);
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
static bool renew(lease *l, const lease_ask *ask)
{
    if (l->asking) return true;
    if (!ask->web) return false;
    if (l->failed_ms && clock_mono_ms() - l->failed_ms < FLOOR_MS) return false;
    lease_errand *e = calloc(1, sizeof *e);
    if (!e) abort();
    *e = (lease_errand){.head = {.run = run, .drop = drop}, .l = l, .log = ask->log};
    l->asking = errands_add(ask->web, &e->head);
    if (l->asking)
        l->refs++;
    else
        free(e);
    return l->asking;
}

static void wait_for_it(lease *l, const lease_ask *ask)
{
    waiter *w = calloc(1, sizeof *w);
    if (!w) abort();
    *w = (waiter){.next = l->waiting, .at = ask->at, .who = ask->who};
    l->waiting = w;
}

lease_state lease_take(lease *l, const lease_ask *ask, str *token)
{
    lease_state state = LEASE_NONE;
    int64_t now_ms = clock_mono_ms();
    pthread_mutex_lock(&l->lock);
    if (l->token && now_ms < l->until_ms) {
        if (now_ms >= l->renew_ms) (void)renew(l, ask);
        *token = arena_dup(ask->a, (str){l->token, l->n});
        state = LEASE_READY;
    } else if (renew(l, ask)) {
        wait_for_it(l, ask);
        state = LEASE_WAIT;
    }
    pthread_mutex_unlock(&l->lock);
    return state;
}
