/* SPDX-License-Identifier: Apache-2.0 */
/* quota_say.h - what a client is told of a quota, in every protocol the same. Pure. */
#ifndef SP_QUOTA_SAY_H
#define SP_QUOTA_SAY_H
#include "../base/header.h"
#include "quota.h"

/* x-ratelimit-limit, -remaining, -reset (seconds); money in dollars. `out` ends with {0}. */
enum { QUOTA_HEADERS = 4 };
void quota_headers(arena *a, const quota_view *v, header out[QUOTA_HEADERS]);
str quota_dollars(arena *a, int64_t micro); /* "1.25" */
int64_t quota_seconds(int64_t ms);          /* rounded up */
#endif
