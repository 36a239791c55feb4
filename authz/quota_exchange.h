/* SPDX-License-Identifier: Apache-2.0 */
/* quota_exchange.h - between the files that talk to the ledger; all of it under one lock.
 *
 * quota_exchange.c goes its rounds: wants become asks (quota_lease.c) and slots (quota_slots.c);
 * what lies idle or was left by an earlier process becomes rests (quota_rest.c). */
#ifndef SP_QUOTA_EXCHANGE_H
#define SP_QUOTA_EXCHANGE_H
#include "quota_private.h"

/* A lease to be closed; or, `owed`, units that were spent without one; or, `spare`, units of leases
 * that are closed. */
typedef struct {
    quota_name name;
    quota_kind kind;
    bool owed, spare;
    int64_t window_ms, index;
    uint64_t run, lease;
    int64_t units; /* unused, or owed */
} quota_rest;

struct quota_exchange {
    arena *a;          /* of one round */
    quota_rest *rests; /* the ledger was not told yet */
    size_t rest_count, rest_room;
    uint64_t round;
    int64_t ticked_ms, held_ms; /* held: the last time the ledger heard of our slots */
    bool holds, leases;         /* some slot; it took some lease */
    int64_t living;             /* processes that share the ledger; 0: not heard of yet */
};

typedef struct {
    quota_cell *cell;
    quota_state *state;
} quota_asking;

enum { QUOTA_FULL_MS = 500 /* so long the ledger's "no room" is believed */ };

/* Texts of a round */
ledger_cell quota_ledger_cell(arena *a, quota_name n, quota_kind kind, int64_t window_ms);
str quota_name_text(arena *a, quota_name n);
str quota_lease_text(arena *a, uint64_t run, uint64_t number);
quota_name quota_name_of(quota_cell *c);
bool quota_is_slots(quota_cell *c);
/* Whatever the ledger said: is it there? Gives the error on. */
const err *quota_heard(quotas *q, const err *e);
/* Takes what is not used out of a cell, so that nobody else can; how much it was. */
int64_t quota_withdraw(quota_cell *c);

/* Of these cells, each once: their state says what is wanted. */
void quota_lease_ask(quotas *q, const quota_asking *list, size_t count, int64_t now_ms);
void quota_slots_ask(quotas *q, const quota_asking *list, size_t count, int64_t now_ms);
/* Says that we live; gives back slots that nobody uses (all: none is used any more). */
void quota_slots_tick(quotas *q, int64_t now_ms, bool all);
void quota_rest_add(struct quota_exchange *x, quota_rest r);
bool quota_rest_has(quota_cell *c);             /* would the next give anything back? */
void quota_rest_idle(quotas *q, quota_cell *c); /* closes its lease with what is left */
void quota_rest_flush(quotas *q);
void quota_rest_fold(struct quota_exchange *x, const quota_options *o);
#endif
