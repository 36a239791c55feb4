/* SPDX-License-Identifier: Apache-2.0 */
#include "quota_house.h"

#include "../base/clock.h"
#include "quota_file.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { PAUSE_MS = 1000 };

struct quota_house {
    arena *a;
    ledger store;
    quota_file *file;
    quotas *all;
    logger *log;
    bool local_on_loss;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t called;
    bool calls, over;
    bool told;    /* the store knows all that the cells do */
    loop **loops; /* by number of the worker; NULL: not yet */
    size_t loop_count;
};

static void soon(void *ctx, quotas *q)
{
    quota_house *h = ctx;
    (void)q;
    pthread_mutex_lock(&h->lock);
    h->calls = true;
    pthread_cond_signal(&h->called);
    pthread_mutex_unlock(&h->lock);
}

static void wake(void *ctx, handle waiter)
{
    quota_house *h = ctx;
    unsigned worker = handle_worker(waiter);
    if (worker < h->loop_count) loop_wake(h->loops[worker], waiter);
}

/* A lack of leases is told to clients alone; that nothing can be counted somebody must mend. */
static void heard(void *ctx, const err *e)
{
    const quota_house *h = ctx;
    const log_fact facts[] = {{"error", e ? e->text : (str){0}}, {0}};
    const char *alone = "quotas are counted by this gateway alone: the store does not answer";
    const char *refused = "quotas refuse what they cannot count: the store does not answer";
    if (e)
        log_say(h->log, LOG_WARN_LEVEL, h->local_on_loss ? alone : refused, facts);
    else
        log_say(h->log, LOG_INFO_LEVEL, "quotas are counted with the store again", facts + 1);
}

/* False: it is time to end. */
static bool pause(quota_house *h)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PAUSE_MS / 1000;
    pthread_mutex_lock(&h->lock);
    while (!h->calls && !h->over)
        if (pthread_cond_timedwait(&h->called, &h->lock, &until) != 0) break;
    h->calls = false;
    bool over = h->over;
    pthread_mutex_unlock(&h->lock);
    return !over;
}

static void *exchange(void *ctx)
{
    quota_house *h = ctx;
    while (pause(h)) quotas_exchange(h->all, clock_wall_ms());
    return NULL;
}

static void open_file(quota_house *h, const quota_house_options *o, quota_options *to)
{
    const err *e = o->file.p ? quota_file_new(h->a, o->file, &h->file) : NULL;
    if (e) {
        log_fact facts[] = {{"problem", e->text}, {0}};
        log_say(o->log, LOG_WARN_LEVEL, "leases of quotas are not kept over a crash", facts);
    }
    if (!h->file) return;
    to->cells = quota_file_memory(h->file, &to->bytes);
    to->left = quota_file_left(h->file, &to->left_bytes);
    to->boot = quota_file_boot(h->a);
}

quota_house *quota_house_new(const quota_house_options *o)
{
    arena *a = arena_new();
    pthread_condattr_t clock;
    quota_house *h = NEW(a, quota_house);
    *h = (quota_house){.a = a, .store = o->store, .log = o->log, .local_on_loss = o->local_on_loss};
    quota_options to = {.local_on_loss = o->local_on_loss,
                        .soon = soon,
                        .wake = wake,
                        .heard = heard,
                        .ctx = h};
    to.store = &h->store;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&h->called, &clock);
    pthread_condattr_destroy(&clock);
    open_file(h, o, &to);
    h->all = quotas_new(&to);
    if (to.left) {
        quotas_exchange(h->all, clock_wall_ms());
        quota_file_forget_left(h->file);
    }
    if (pthread_create(&h->thread, NULL, exchange, h) != 0) abort();
    return h;
}

quotas *quota_house_quotas(quota_house *h)
{
    return h->all;
}

void quota_house_loops(quota_house *h, loop *const *loops, size_t count)
{
    loop **copy = NEW_N(h->a, loop *, count + 1);
    for (size_t i = 0; i < count; i++) copy[i] = loops[i];
    h->loops = copy;
    h->loop_count = count;
}

void quota_house_stop(quota_house *h)
{
    if (!h) return;
    pthread_mutex_lock(&h->lock);
    h->over = true;
    pthread_cond_signal(&h->called);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    h->told = quotas_close(h->all, clock_wall_ms());
    h->loop_count = 0;
}

void quota_house_free(quota_house *h)
{
    if (!h) return;
    quotas_free(h->all);
    quota_file_free(h->file, h->told);
    pthread_cond_destroy(&h->called);
    pthread_mutex_destroy(&h->lock);
    arena_free(h->a);
}
