/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.c - a small chained table, and the letter that goes round.
 *
 * Entries are intrusive, so that adding and removing costs no allocation: every call of an old
 * client passes here, and hardly one is ever cancelled. */
#include "inflight.h"
#include <stdlib.h>

enum { BUCKETS = 256 };

struct inflight {
    hash_seed seed;
    inflight_entry *bucket[BUCKETS];
};

struct inflight *inflight_new(void)
{
    struct inflight *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->seed = hash_seed_new();
    return t;
}

void inflight_free(struct inflight *t)
{
    free(t);
}

static inflight_entry **bucket_of(struct inflight *t, const uint8_t *sid, str id)
{
    uint64_t h =
        hash_bytes(t->seed, id) ^ hash_bytes(t->seed, (str){(const char *)sid, SESSION_SID});
    return &t->bucket[h % BUCKETS];
}

void inflight_add(struct inflight *t, inflight_entry *e)
{
    inflight_entry **at = bucket_of(t, e->sid, e->id);
    e->next = *at;
    e->at = at;
    if (e->next) e->next->at = &e->next;
    *at = e;
}

void inflight_remove(inflight_entry *e)
{
    if (!e->at) return;
    *e->at = e->next;
    if (e->next) e->next->at = e->at;
    e->at = NULL;
}

static void cancel_here(mcp_worker *w, const uint8_t *sid, str id, str caller_id)
{
    for (inflight_entry *e = *bucket_of(w->calls, sid, id); e; e = e->next) {
        if (memcmp(e->sid, sid, SESSION_SID) == 0 && str_eq(e->id, id) &&
            str_eq(e->caller_id, caller_id))
            flow_wake(loop_flows(w->loop), e->flow, FLOW_STOP);
    }
}

void inflight_end(mcp_worker *w, const session *s)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (inflight_entry *e = w->calls->bucket[i]; e; e = e->next)
            if (memcmp(e->sid, s->sid, SESSION_SID) == 0)
                flow_wake(loop_flows(w->loop), e->flow, FLOW_STOP);
}

typedef struct {
    letter mail; /* first: a letter is found by its address */
    mcp_worker *to;
    arena *a;
    uint8_t sid[SESSION_SID];
    str id, caller_id;
} cancellation;

static void drop(letter *mail)
{
    cancellation *c = (cancellation *)mail;
    arena_free(c->a); /* it lives there too */
}

static void deliver(letter *mail, loop *at)
{
    (void)at;
    cancellation *c = (cancellation *)mail;
    cancel_here(c->to, c->sid, c->id, c->caller_id);
    drop(mail);
}

void inflight_cancel(mcp_worker *w, const session *s, str id, str caller_id)
{
    if (id.n > INFLIGHT_ID_MOST) return;
    for (unsigned i = 0; i < w->shared->workers; i++) {
        mcp_worker *to = w->shared->worker[i];
        if (!to) continue;
        if (to == w) {
            cancel_here(w, s->sid, id, caller_id);
            continue;
        }
        arena *a = arena_new();
        cancellation *c = NEW(a, cancellation);
        c->mail = (letter){.deliver = deliver, .drop = drop};
        c->to = to;
        c->a = a;
        memcpy(c->sid, s->sid, SESSION_SID);
        c->id = arena_dup(a, id);
        c->caller_id = arena_dup(a, caller_id);
        loop_post(to->loop, &c->mail);
    }
}
