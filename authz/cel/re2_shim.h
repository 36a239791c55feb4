/* SPDX-License-Identifier: Apache-2.0 */
/* re2_shim.h - RE2 as C: linear time, bounded memory, no exception leaves it.
 *
 * A pattern is immutable and may be matched from many threads. Text is UTF-8; a match is a
 * search anywhere in it. */
#ifndef SP_CEL_RE2_SHIM_H
#define SP_CEL_RE2_SHIM_H
#include <stdbool.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct re2_pattern re2_pattern;

/* NULL when the pattern is bad or too big; why goes to `why`, NUL-terminated. */
re2_pattern *re2_pattern_new(const char *pattern, size_t n, char *why, size_t why_size);
void re2_pattern_free(re2_pattern *p);
/* 1 found, 0 not found, -1 when memory was short: the caller must not take that for "no". */
int re2_pattern_search(const re2_pattern *p, const char *text, size_t n);
/* Likewise, from a place on: what the first one covers. */
int re2_pattern_find(const re2_pattern *p, const char *text, size_t n, size_t from, size_t *begin,
                     size_t *end);

#ifdef __cplusplus
}
#endif
#endif
