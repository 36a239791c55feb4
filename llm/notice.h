/* SPDX-License-Identifier: Apache-2.0 */
/* notice.h - what a provider's answer says of its limits: how much is left, and when there is more.
 *
 * Read from x-ratelimit-* as OpenAI and those like it say it, anthropic-ratelimit-*, retry-after
 * and retry-after-ms. Peers' bytes: what cannot be read was not said, and no time is longer than
 * NOTICE_MOST_MS. Pure. */
#ifndef SP_LLM_NOTICE_H
#define SP_LLM_NOTICE_H
#include "../base/header.h"

enum { UNIT_REQUESTS, UNIT_TOKENS, UNITS };
enum { NOTICE_MOST_MS = 24 * 3600 * 1000 };

typedef struct {
    struct {
        bool known; /* both are said */
        int64_t left, more_in_ms;
    } of[UNITS];
    int64_t retry_ms; /* -1: not said */
} notice;

notice notice_read(const header *answer, int64_t wall_ms);
#endif
