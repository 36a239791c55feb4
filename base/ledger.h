/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - what all replicas together have spent of each quota's cell, kept by the store.
 *
 * An interface like base/store.h: a product is given one and does not know who keeps it. A `cell`
 * is one quota and one key. A process does not ask for each request: it takes a lease of some
 * units, spends them locally and asks again. Units are whole numbers (requests, tokens,
 * micro-dollars). Time is the store's clock: processes need not agree on theirs.
 * - take() has debited durably before it returns. The same lease id asked twice is granted once
 *   (answer lost, asked again): the second answer says what the first did. So an id names one
 *   question and is never used for another.
 * - give() closes a lease with what was not used of it, 0 too: a lease that is never closed stays
 *   spent until its window is over. After a crash: for every lease the process finds it had. What
 *   was set aside for a request may turn out unused after its lease was closed: `spare` gives it.
 * - A lease is good for its window alone. Its end counts from when the question was SENT: so a
 *   slow answer cannot stretch it.
 * - A sliding window counts what it took itself plus what the one before took, times the share of
 *   that one which still slides over it, rounded up.
 * Failure: an error is the store's (away, locked, full) and says nothing about what was debited:
 * ask again with the same lease ids, or let the units go. No room is no error: granted is 0.
 * Threads: any but a worker, all of it blocks: go through transport/errand.h.
 * Ownership: nothing given is kept; answers are filled in. */
#ifndef SP_LEDGER_H
#define SP_LEDGER_H
#include "err.h"
#include <stdint.h>

enum {
    LEDGER_CELL_MOST = 160,     /* bytes of a cell's name */
    LEDGER_LEASE_MOST = 64,     /* bytes of a lease's or holder's id */
    LEDGER_BATCH_MOST = 256,    /* questions in one call; each batch is one trip and one write */
    LEDGER_CELLS_MOST = 200000, /* windows kept in all; when full, a new one is granted nothing */
    LEDGER_LEASES_MOST = 4000,  /* open ones of a cell's window; past them likewise */
    LEDGER_OWED_LIVES_S = 600,  /* so long an owed debit, or a spare, is known by its lease id */
    LEDGER_HOLD_MS = 30000      /* so long a holder's slots outlive its last hold() */
};
#define LEDGER_UNITS_MOST ((int64_t)1 << 53) /* a limit over it is this one */

typedef enum { LEDGER_FIXED, LEDGER_SLIDING, LEDGER_MONTH } ledger_window;

/* Kind and length are part of a cell: with another length it is another cell. */
typedef struct {
    str name; /* opaque; keys of callers hashed before they get here */
    ledger_window window;
    int64_t window_ms; /* whole seconds, up to 30 days; from 1970, UTC. MONTH: the calendar's, 0 */
} ledger_cell;

typedef struct {
    ledger_cell cell;
    int64_t limit;
    int64_t want, least; /* want 0: only look. Between 1 <= least <= want as much as there is */
    str lease;
    bool owed; /* was spent already: all of `want`, past the limit too, closed at once. No room to
                  be had for it (LEDGER_CELLS_MOST) is an error */
} ledger_ask;

typedef struct {
    int64_t granted;    /* 0: no room for `least` */
    int64_t index;      /* of the window; goes back with give() */
    int64_t ends_in_ms; /* of the window */
    int64_t used;       /* of the limit, now, with what was granted; may pass it when owed */
    int64_t room_in_ms; /* when granted 0: asking before makes sense only if someone gives back */
} ledger_grant;

typedef struct {
    ledger_cell cell;
    int64_t index;
    str lease;
    int64_t unused;
    bool spare; /* units of leases that are closed, which came back since: once by this id */
} ledger_rest;

/* Slots of concurrency: how many of the cell's slots this holder has, not how many more. */
typedef struct {
    str cell;
    int64_t limit;
    int64_t want; /* 0: lets them go */
    int64_t held; /* the answer */
} ledger_slots;

typedef struct {
    bool lost; /* it was silent for too long (or is new): all slots it had held before are gone */
    int64_t living; /* holders that were heard of lately, this one too */
} ledger_life;

typedef struct {
    /* Each question by itself: one without room does not stop the others. */
    const err *(*take)(void *ctx, arena *a, const ledger_ask *asks, size_t n, ledger_grant *grants);
    /* Unknown leases and windows that are over are passed by; more than was granted is all of it.
     */
    const err *(*give)(void *ctx, arena *a, const ledger_rest *rests, size_t n);
    /* held: up to want, never less than it had and still wants. A holder is one run of a
     * process; n = 0 only says that it lives, to be done every LEDGER_HOLD_MS / 3. Whoever could
     * not hold() for LEDGER_HOLD_MS takes its slots for lost. */
    const err *(*hold)(void *ctx, arena *a, str holder, ledger_slots *slots, size_t n,
                       ledger_life *life);
    void *ctx;
} ledger;
#endif
