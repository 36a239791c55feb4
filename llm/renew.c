/* SPDX-License-Identifier: Apache-2.0 */
#include "renew.h"
#include "../base/clock.h"
#include "upload.h"

/* AWS takes a signature of the last five minutes. */
enum { SKEW_MS = 240000 };

/* The clock of AWS as it says, when ours is too far from it to sign. */
static bool mend_clock(const llm_run *r)
{
    const llm_backend *b = r->target->backend;
    int64_t theirs_ms = 0, now_ms = clock_wall_ms();
    str date = header_get(r->upstream_headers, S("date"));
    if (!b->ahead || !clock_read_http(date, &theirs_ms)) return false;
    int64_t off_ms = theirs_ms - (now_ms + *b->ahead);
    if (off_ms < SKEW_MS && off_ms > -SKEW_MS) return false;
    *b->ahead = theirs_ms - now_ms;
    return true;
}

/* AWS says what it did not like; others say 401. */
static bool is_stale(const llm_run *r)
{
    static const char *const names[] = {"ExpiredToken", "UnrecognizedClient",
                                        "InvalidClientTokenId", NULL};
    str type = header_get(r->upstream_headers, S("x-amzn-errortype"));
    if (!r->target->backend->aws) return r->upstream_status == 401;
    for (size_t i = 0; names[i]; i++)
        if (str_starts(type, (str){names[i], strlen(names[i])})) return true;
    return false;
}

static bool mend_lease(const llm_run *r)
{
    bool lent = r->lent.token.n || r->lent.key_id.n;
    if (!lent || !is_stale(r)) return false;
    lease_refused(r->target->backend->lease, &r->lent);
    return true;
}

bool renew_again(llm_run *r)
{
    if (r->renewed || r->failed || r->streamed || !upload_is_whole(r)) return false;
    if (r->upstream_status != 401 && r->upstream_status != 403) return false;
    bool signs = r->target->backend->aws && r->upstream_status == 403;
    if (!(signs && mend_clock(r)) && !mend_lease(r)) return false;
    r->renewed = true;
    r->tried &= ~((uint64_t)1 << (size_t)(r->target - r->route->to));
    return true;
}
