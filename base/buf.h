/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - growing bytes with a ceiling and a sticky error.
 *
 * The ceiling is given at creation. A put that would pass it changes nothing and marks the
 * buffer; the writer goes on and looks once, at the end, with buf_ok().
 * Ownership: with an arena the bytes belong to the arena (old blocks stay until its reset);
 * with NULL they are on the heap and buf_free() must be called. Threads: one at a time. */
#ifndef SP_BUF_H
#define SP_BUF_H
#include "arena.h"
#include <stdint.h>

typedef struct {
    arena *a;
    char *p;
    size_t n, cap, limit;
    bool over;
} buf;

buf buf_new(arena *a, size_t limit);
void buf_free(buf *b); /* heap buffers only; leaves an empty, usable buffer */
bool buf_put(buf *b, str s);
bool buf_fmt(buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_int(buf *b, int64_t v);
bool buf_json(buf *b,
              str text); /* as a JSON string, quoted and escaped; invalid UTF-8 becomes U+FFFD */
bool buf_json_safe(buf *b, str text); /* buf_json for a person's eyes: DEL, C1, line separators and
                                         bidirectional controls are escaped too */
bool buf_need(buf *b, size_t room);   /* makes room for `room` more bytes at p + n */
void buf_drop(buf *b, size_t n);      /* forgets the first n bytes */
static inline bool buf_ok(const buf *b)
{
    return !b->over;
}
static inline str buf_str(const buf *b)
{
    return (str){b->p, b->n};
}
#endif
