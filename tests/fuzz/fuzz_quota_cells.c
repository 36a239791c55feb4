/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* What an earlier process left in the memory of quota cells, read as a stranger's: the input is
 * that memory, or, with an odd first byte, only its cells behind a head that is believed. Nothing
 * that cannot be is given to the ledger. */
#include "../../authz/quota.h"
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

static const err *check_take(void *ctx, arena *a, const ledger_ask *asks, size_t n,
                             ledger_grant *grants)
{
    (void)ctx, (void)a;
    for (size_t i = 0; i < n; i++) {
        const ledger_ask *k = &asks[i];
        assert(k->owed && k->want > 0 && k->want <= LEDGER_UNITS_MOST && k->least == k->want);
        assert(k->cell.name.n <= LEDGER_CELL_MOST && k->lease.n <= LEDGER_LEASE_MOST);
        assert(k->cell.window_ms >= 0 &&
               (k->cell.window_ms > 0) == (k->cell.window != LEDGER_MONTH));
        grants[i] = (ledger_grant){.granted = k->want};
    }
    return NULL;
}

static const err *check_give(void *ctx, arena *a, const ledger_rest *rests, size_t n)
{
    (void)ctx, (void)a;
    for (size_t i = 0; i < n; i++) {
        assert(rests[i].unused >= 0 && rests[i].unused <= LEDGER_UNITS_MOST);
        assert(rests[i].index >= 0 && rests[i].lease.n <= LEDGER_LEASE_MOST);
    }
    return NULL;
}

static const err *check_hold(void *ctx, arena *a, str holder, ledger_slots *slots, size_t n,
                             ledger_life *life)
{
    (void)ctx, (void)a, (void)holder, (void)slots, (void)life;
    assert(n == 0); /* slots are lost by silence, never taken over */
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { CELLS = 4, BYTES = (CELLS + 1) * 128 };
    static const ledger books = {check_take, check_give, check_hold, NULL};
    uint64_t *left = calloc(BYTES / 8, 8), *fresh = calloc(BYTES / 8, 8);
    if (!left || !fresh) abort();
    if (size > 0 && data[0] & 1) { /* the head of an empty table, as the code itself writes it */
        quotas *q = quotas_new(&(quota_options){.cells = left, .bytes = BYTES, .boot = S("boot")});
        quotas_free(q);
    }
    size_t from = size > 0 && data[0] & 1 ? 128 : 0;
    for (size_t i = 1; i < size && from + i - 1 < BYTES; i++)
        ((uint8_t *)left)[from + i - 1] = data[i];
    quota_options o = {.cells = fresh, .bytes = BYTES, .left = left, .left_bytes = BYTES};
    o.boot = S("boot");
    o.store = &books;
    quotas *q = quotas_new(&o);
    quotas_exchange(q, 1800000000000);
    (void)quotas_close(q, 1800000001000);
    quotas_free(q);
    free(left);
    free(fresh);
    return 0;
}
