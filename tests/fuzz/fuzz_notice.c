/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_notice.c - what a provider says of its limits: whatever it says, times and counts stay
 * within their bounds. Each line is a header. */
#include "../../llm/notice.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    enum { LINES = 16 };
    header said[LINES + 1] = {{{0}, {0}}};
    str rest = {(const char *)p, n};
    for (size_t i = 0; i < LINES && rest.n; i++) {
        str_pair line = str_cut(rest, '\n'), field = str_cut(line.head, ':');
        if (!field.head.n) break;
        said[i] = (header){field.head, field.tail};
        rest = line.tail;
    }
    const notice got = notice_read(said, 784111777000);
    demand(got.retry_ms >= -1 && got.retry_ms <= NOTICE_MOST_MS);
    for (size_t u = 0; u < UNITS; u++) {
        demand(got.of[u].left >= 0 && got.of[u].more_in_ms >= 0);
        demand(got.of[u].more_in_ms <= NOTICE_MOST_MS);
    }
    return 0;
}
