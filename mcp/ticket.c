/* SPDX-License-Identifier: Apache-2.0 */
#include "ticket.h"
#include "../authz/digest.h"
#include "../base/map.h"
#include <pthread.h>
#include <stdlib.h>

enum { PER_CALLER = 16, IN_ALL = 1024, ROOM = 256 };

struct tickets {
    pthread_mutex_t lock;
    map *by_nonce;
    tally *places;
};

typedef struct {
    letter mail; /* first: when it was taken, it is put away by its worker */
    mcp_worker *w;
    arena *a; /* it lives there, and so does its place */
    uint8_t nonce[STATE_NONCE];
    charge paid;
    loop_timer timer;
} ticket;

struct tickets *tickets_new(void)
{
    struct tickets *t = calloc(1, sizeof *t);
    if (!t) abort();
    (void)pthread_mutex_init(&t->lock, NULL);
    t->by_nonce = map_new(NULL);
    t->places = tally_new();
    return t;
}

void tickets_free(struct tickets *t)
{
    if (!t) return;
    map_free(t->by_nonce);
    tally_free(t->places);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

static str name_of(const uint8_t nonce[STATE_NONCE])
{
    return (str){(const char *)nonce, STATE_NONCE};
}

/* NULL: somebody has. */
static ticket *take_out(struct tickets *t, str name)
{
    (void)pthread_mutex_lock(&t->lock);
    ticket *k = map_del(t->by_nonce, name);
    (void)pthread_mutex_unlock(&t->lock);
    return k;
}

static void end(ticket *k)
{
    loop_timer_stop(k->w->loop, &k->timer);
    charge_settle(&k->paid, QUOTA_DONE);
    arena_free(k->a);
}

static void expire(void *k_)
{
    ticket *k = k_;
    if (take_out(k->w->shared->tickets, name_of(k->nonce))) end(k);
}

static void deliver(letter *self, loop *at)
{
    (void)at;
    end((ticket *)self);
}

static void drop(letter *self)
{
    arena_free(((ticket *)self)->a);
}

bool ticket_keep(mcp_worker *w, str caller_id, charge *c, uint8_t nonce[STATE_NONCE])
{
    struct tickets *t = w->shared->tickets;
    if (!c->a || w->draining) return false;
    arena *a = arena_new_of(ROOM);
    if (!tally_take(t->places, caller_id, PER_CALLER, a) ||
        !tally_take(t->places, (str){0}, IN_ALL, a)) {
        arena_free(a);
        return false;
    }
    ticket *k = NEW(a, ticket);
    *k = (ticket){.mail = {.deliver = deliver, .drop = drop}, .w = w, .a = a, .paid = *c};
    *c = (charge){0};
    digest_random(k->nonce, sizeof k->nonce);
    memcpy(nonce, k->nonce, sizeof k->nonce);
    loop_timer_start(w->loop, &k->timer, STATE_LIFE_MS, expire, k);
    (void)pthread_mutex_lock(&t->lock);
    map_put(t->by_nonce, name_of(k->nonce), k);
    (void)pthread_mutex_unlock(&t->lock);
    return true;
}

bool ticket_take(mcp_shared *s, const uint8_t nonce[STATE_NONCE], charge *c)
{
    ticket *k = take_out(s->tickets, name_of(nonce));
    if (!k) return false;
    *c = k->paid;
    k->paid = (charge){0};
    loop_post(k->w->loop, &k->mail);
    return true;
}

static ticket *any_of(const mcp_worker *w)
{
    struct tickets *t = w->shared->tickets;
    size_t at = 0;
    str key;
    void *each;
    ticket *found = NULL;
    (void)pthread_mutex_lock(&t->lock);
    while (!found && map_each(t->by_nonce, &at, &key, &each))
        if (((ticket *)each)->w == w) found = each;
    if (found) (void)map_del(t->by_nonce, name_of(found->nonce));
    (void)pthread_mutex_unlock(&t->lock);
    return found;
}

void tickets_drain(mcp_worker *w)
{
    for (ticket *k; (k = any_of(w));) end(k);
}
