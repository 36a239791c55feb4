/* SPDX-License-Identifier: Apache-2.0 */
/* head.h - the little that the benchmark's two ends want of an HTTP head, read in one pass.
 *
 * They share a core while the proxy has its own: what they waste, the proxy is not asked to do. */
#ifndef SP_LOAD_HEAD_H
#define SP_LOAD_HEAD_H
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    size_t size; /* with the empty line at its end; 0: it is not whole */
    bool sized;  /* it has a Content-Length */
    size_t body;
} load_head;

static inline load_head head_read(const char *p, size_t n)
{
    static const char length[] = "content-length:";
    load_head h = {0};
    for (size_t at = 0; at < n;) {
        const char *line = p + at, *lf = memchr(line, '\n', n - at);
        if (!lf) break;
        at = (size_t)(lf - p) + 1;
        if (lf - line == 1) {
            h.size = at;
            return h;
        }
        if ((*line | 0x20) != 'c' || (size_t)(lf - line) < sizeof length ||
            strncasecmp(line, length, sizeof length - 1) != 0)
            continue;
        h.sized = true;
        h.body = strtoull(line + sizeof length - 1, NULL, 10);
    }
    return h;
}
#endif
