/* SPDX-License-Identifier: Apache-2.0 */
#include "quota_say.h"

enum { MICRO = 1000000 };

str quota_dollars(arena *a, int64_t micro)
{
    str text = arena_fmt(a, "%lld.%06lld", (long long)(micro / MICRO), (long long)(micro % MICRO));
    while (text.p[text.n - 1] == '0') text.n--;
    if (text.p[text.n - 1] == '.') text.n--;
    return text;
}

int64_t quota_seconds(int64_t ms)
{
    return ms / 1000 + (ms % 1000 > 0);
}

static str units(arena *a, const quota_view *v, int64_t n)
{
    return v->money ? quota_dollars(a, n) : arena_fmt(a, "%lld", (long long)n);
}

void quota_headers(arena *a, const quota_view *v, header out[QUOTA_HEADERS])
{
    out[0] = (header){S("x-ratelimit-limit"), units(a, v, v->limit)};
    out[1] = (header){S("x-ratelimit-remaining"), units(a, v, v->remaining)};
    out[2] = (header){S("x-ratelimit-reset"),
                      arena_fmt(a, "%lld", (long long)quota_seconds(v->reset_ms))};
    out[3] = (header){0};
}
