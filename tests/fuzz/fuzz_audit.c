/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* A line somebody else wrote: it is refused, or its place in the chain is what it says. */
#include "../../server/audit_chain.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    arena *a = arena_new();
    audit_chain before, after, own = audit_chain_new();
    str line = {(const char *)data, n};
    const err *e = audit_chain_read(a, line, &before, &after);
    if (!e && after.seq != before.seq + 1) abort();
    if (!e && audit_chain_follows(a, &before, &after) == NULL) abort();
    /* the same bytes as members of a line of ours: it reads if and only if they are members */
    buf made = buf_new(a, SIZE_MAX / 2);
    audit_chain_add(&own, a, line, &made);
    if (!audit_chain_read(a, str_take(buf_str(&made), made.n - 1), &before, &after) &&
        memcmp(after.hash, own.hash, AUDIT_HASH) != 0)
        abort();
    arena_free(a);
    return 0;
}
