/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_read.h"
#include "../base/buf.h"
#include "audit_chain.h"
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, TELL_LINES = 1000000 };

typedef struct {
    arena *a, *scratch;
    const char *name;
    FILE *f;
    buf held; /* what is not a whole line yet */
    uint64_t lines;
    audit_line_fn *fn;
    void *ctx;
} reading;

/* A person who waits sees that it goes on. */
static void tell(const reading *r)
{
    if (r->lines % TELL_LINES == 0 && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%s: %" PRIu64 " lines", r->name, r->lines);
}

static const err *give_lines(reading *r)
{
    str rest = buf_str(&r->held);
    for (str_pair cut = str_cut(rest, '\n'); cut.ok; cut = str_cut(rest, '\n')) {
        r->lines++;
        arena_reset(r->scratch);
        const err *e = r->fn(r->ctx, r->scratch, cut.head, r->lines);
        if (e) return err_wrap(r->a, e, "%s:%" PRIu64, r->name, r->lines);
        tell(r);
        rest = cut.tail;
    }
    buf_drop(&r->held, r->held.n - rest.n);
    return NULL;
}

static const err *give_all(reading *r)
{
    for (size_t n = 1; n;) {
        if (r->held.n > AUDIT_LINE_MOST || !buf_need(&r->held, CHUNK))
            return err_new(r->a, ERR_MALFORMED, "%s:%" PRIu64 ": this is no line of an audit log",
                           r->name, r->lines + 1);
        n = fread(r->held.p + r->held.n, 1, CHUNK, r->f);
        r->held.n += n;
        const err *e = give_lines(r);
        if (e) return e;
    }
    return ferror(r->f) ? err_new(r->a, ERR_NOT_FOUND, "%s: %m", r->name) : NULL;
}

const err *audit_read(arena *a, const char *name, audit_line_fn *fn, void *ctx, bool *torn)
{
    reading r = {.a = a, .name = name, .fn = fn, .ctx = ctx, .f = fopen(name, "re")};
    if (!r.f) return err_new(a, ERR_NOT_FOUND, "%s: %m", name);
    r.scratch = arena_new();
    r.held = buf_new(NULL, 2 * AUDIT_LINE_MOST + CHUNK);
    const err *e = give_all(&r);
    *torn = !e && r.held.n > 0;
    if (r.lines >= TELL_LINES && isatty(STDERR_FILENO)) (void)fputs("\n", stderr);
    (void)fclose(r.f);
    buf_free(&r.held);
    arena_free(r.scratch);
    return e;
}
