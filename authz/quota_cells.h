/* SPDX-License-Identifier: Apache-2.0 */
/* quota_cells.h - the cells of all quotas: a table of atomics, in memory that may be shared.
 *
 * Private to quota*.c. A cell is one window of one (quota, key); its name is a hash of both, its
 * counters are changed by compare-and-swap, and nothing on a request's way takes a lock but making
 * a cell that is not there. A cell that is in use is pinned: it is not given to another key before
 * the last pin is gone.
 *
 * What lies in the memory survives kill -9: what was used and which leases were held; the rest is
 * beside it. What an earlier process left is read by quota_cells_left() alone, as if a stranger
 * had written it. Threads: any. */
#ifndef SP_QUOTA_CELLS_H
#define SP_QUOTA_CELLS_H
#include "../base/arena.h"
#include "policy/quota_rule.h"
#include <stdatomic.h>

typedef struct {
    uint64_t a, b; /* both 0: none */
} quota_name;

/* In the memory. Invariant but for moments of asking: used <= granted, where there is a ledger. */
typedef struct {
    _Atomic uint64_t a, b;     /* its name; a 0: free */
    _Atomic int64_t index;     /* of the window; 0: concurrency */
    _Atomic int64_t used;      /* reserved and settled */
    _Atomic int64_t granted;   /* by the ledger; concurrency: slots held */
    _Atomic uint64_t lease;    /* number of the one that is open; 0: none */
    _Atomic int64_t units;     /* what it was granted */
    _Atomic uint64_t asked;    /* number of the one asked for, not answered yet; 0: none */
    _Atomic int64_t window_ms; /* 0: month or concurrency */
    _Atomic uint32_t kind;     /* quota_kind */
    uint32_t pad;
    _Atomic uint64_t former; /* the lease before, still open: what it had left is in the cell */
    _Atomic int64_t former_units;
    uint32_t rest[8];
} quota_cell;
_Static_assert(sizeof(quota_cell) == 128, "two cache lines");

/* Beside it. */
typedef struct {
    _Atomic uint32_t pins;
    _Atomic bool refilling;        /* asked for in the background already */
    _Atomic int64_t limit;         /* as it was last reserved with */
    _Atomic int64_t others;        /* what the ledger counts beside what is granted here */
    _Atomic int64_t full_until_ms; /* the ledger had no room for `full_cost` */
    _Atomic int64_t full_cost, room_at_ms;
    _Atomic int64_t low;       /* units left at which more is asked for */
    struct quota_share *share; /* of its quota; under the table's lock */
    /* the exchange's own */
    uint64_t batch;
    int64_t want, least;             /* of those who wait, together and the smallest */
    int64_t asked_want, asked_least; /* of the cell's `asked` */
    int64_t asked_cost;              /* the cheapest that waited for it */
    uint64_t owed_number;            /* likewise for what was spent without a lease; 0: none */
    int64_t owed;
    int64_t used_before, since_ms; /* for the rate */
    int64_t used_seen;             /* at the last round */
} quota_state;

typedef struct quota_cells quota_cells;

/* Zeroed memory; NULL: of its own. */
quota_cells *quota_cells_new(void *memory, size_t bytes, str boot);
void quota_cells_free(quota_cells *t);
quota_state *quota_cells_state(const quota_cells *t, const quota_cell *c);
uint64_t quota_cells_run(const quota_cells *t);  /* who we are: a random number, never 0 */
uint64_t quota_cells_next_lease(quota_cells *t); /* a number nobody had in this run */

/* The name of a quota's key. */
quota_name quota_cells_name(arena *scratch, const policy_quota *q, str key);

/* The cell, pinned; NULL: there is none. */
quota_cell *quota_cells_find(const quota_cells *t, quota_name n, int64_t index);
/* The same, made when it is not there. NULL: too many keys. */
quota_cell *quota_cells_make(quota_cells *t, const policy_quota *q, quota_name n, int64_t index,
                             int64_t now_ms);
/* A cell of the same quota and key for another window. */
quota_cell *quota_cells_sibling(quota_cells *t, quota_cell *c, int64_t index, int64_t now_ms);
/* Every cell there is, pinned, i from 0; the one before is let go. NULL: that was all. */
quota_cell *quota_cells_walk(const quota_cells *t, size_t *i, quota_cell *before);
void quota_cells_pin(const quota_cells *t, const quota_cell *c);
void quota_cells_unpin(const quota_cells *t, const quota_cell *c);

/* Windows, by a clock in ms since 1970 */
int64_t quota_window_index(quota_kind kind, int64_t window_ms, int64_t now_ms);
int64_t quota_window_end_ms(quota_kind kind, int64_t window_ms, int64_t index);

/* What an earlier process left: its run (0: nothing that can be trusted, of another boot too), and
 * its cells one by one, i from 0, views that hold only values there can be; false behind the last.
 */
typedef struct {
    quota_name name;
    quota_kind kind;
    int64_t window_ms, index, used, granted, units;
    uint64_t lease, asked, former;
    int64_t former_units;
} quota_left;
uint64_t quota_cells_left_run(const void *memory, size_t bytes, str boot);
bool quota_cells_left(const void *memory, size_t bytes, size_t *i, quota_left *out);
#endif
