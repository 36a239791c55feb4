/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lease.c - what clouds answer: either an error and nothing, or what is fit for a header and
 * lives for a while. The first byte says which answer it is. */
#include "../../llm/lease_google.h"
#include "../../llm/lease_read.h"
#include <stdlib.h>

enum { NOW_S = 1767323045, DAY_MS = 86400000 };

static void demand(bool right)
{
    if (!right) abort();
}

static bool is_plain(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > '~') return false;
    return true;
}

static const err *read_as(arena *a, unsigned kind, str body, lease_token *out)
{
    const int64_t now_ms = (int64_t)NOW_S * 1000;
    switch (kind) {
    case 0: return lease_read_oauth(a, body, out);
    case 1: return lease_read_keys(a, body, now_ms, out);
    case 2: return lease_read_sts(a, body, now_ms, out);
    default: return lease_read_impersonated(a, body, now_ms, out);
    }
}

static void try_answer(arena *a, unsigned kind, str body)
{
    lease_token got = {.token = S("left")};
    const err *e = read_as(a, kind, body, &got);
    bool any = got.token.n || got.key_id.n || got.secret.n;
    demand(e ? !any : any && got.lives_ms >= 1000 && got.lives_ms <= DAY_MS);
    demand(is_plain(got.token) && is_plain(got.key_id) && is_plain(got.secret));
    demand((got.key_id.n > 0) == (got.secret.n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    unsigned kind = n ? p[0] % 7 : 0;
    str body = str_drop((str){(const char *)p, n}, 1), subject = {0};
    if (kind < 4) {
        try_answer(a, kind, body);
    } else if (kind == 4) {
        const err *e = lease_read_subject(a, body, (str){0}, &subject);
        demand(e ? !subject.n : subject.n && is_plain(subject));
        e = lease_read_subject(a, body, S("id_token"), &subject);
        demand(e ? !subject.n : subject.n && is_plain(subject));
    } else if (kind == 5) {
        demand(is_plain(lease_read_refusal(a, body)));
    } else {
        lease_spec spec;
        const err *e = lease_of_google(a, body, &spec);
        demand(e || (spec.of[LEASE_URL].n && spec.of[LEASE_NAME].n));
    }
    arena_free(a);
    return 0;
}
