/* SPDX-License-Identifier: Apache-2.0 */
/* sse.c - one pass over each feed, copying only what outlives it.
 *
 * The common case is a whole event in one feed. So lines are views into the feed, and so are an
 * event's fields; what is still unfinished when the feed ends is copied to buffers of the
 * reader's own (`kept` of a field, `line` of a cut line). A frame may be cut by TCP anywhere,
 * also between CR and LF or inside the BOM.
 *
 * A line may end in either of two bytes. The next LF and the next CR are looked for with memchr
 * and remembered until they are passed, so that a stream of many CRs and no LF is not searched
 * to its end again for each line: every byte is looked at twice, never more.
 *
 * The limit holds for the fields plus the line being read. A field is never longer than the
 * line it came in, so nothing else needs a check. */
#include "sse.h"

typedef struct {
    str view; /* in the feed, in reader's `line`, or in `kept` */
    buf kept;
    bool present;
} field;

struct sse_reader {
    arena *a;
    size_t limit;
    sse_fn *fn;
    void *ctx;
    const err *failed;
    buf line; /* a line whose end has not come yet */
    field event, data, id;
    int64_t retry_ms;
    size_t bom_seen; /* bytes of a leading BOM; BOM_OVER when the question is settled */
    bool after_cr, stopped;
};

typedef struct {
    const char *p, *end;
    const char *lf, *cr; /* the next of each at or after p, `end` when there is none */
} cursor;

enum { BOM_OVER = 3 };
static const char bom[] = "\xEF\xBB\xBF";

static void drop(void *r_)
{
    sse_reader *r = r_;
    buf_free(&r->line);
    buf_free(&r->event.kept);
    buf_free(&r->data.kept);
    buf_free(&r->id.kept);
}

sse_reader *sse_reader_new(arena *a, size_t limit, sse_fn *fn, void *ctx)
{
    sse_reader *r = NEW(a, sse_reader);
    *r = (sse_reader){.a = a, .limit = limit, .fn = fn, .ctx = ctx, .retry_ms = -1};
    r->line = r->event.kept = r->data.kept = r->id.kept = buf_new(NULL, limit);
    arena_own(a, drop, r);
    return r;
}

static void keep(field *f)
{
    if (!f->present || f->view.p == f->kept.p) return;
    f->kept.n = 0;
    (void)buf_put(&f->kept, f->view); /* within the limit, like every field */
    f->view = buf_str(&f->kept);
}

static void field_set(field *f, str value)
{
    f->view = value;
    f->present = true;
}

static void field_join(field *f, str value)
{
    if (!f->present) {
        field_set(f, value);
        return;
    }
    keep(f);
    (void)buf_put(&f->kept, S("\n"));
    (void)buf_put(&f->kept, value);
    f->view = buf_str(&f->kept);
}

static void field_clear(field *f)
{
    f->view = (str){0};
    f->kept.n = 0;
    f->present = false;
}

static void dispatch(sse_reader *r)
{
    sse_event ev = {.event = r->event.view,
                    .data = r->data.view,
                    .id = r->id.view,
                    .has_data = r->data.present,
                    .has_id = r->id.present,
                    .retry_ms = r->retry_ms};
    if (ev.has_data || ev.has_id || ev.retry_ms >= 0) r->fn(r->ctx, ev);
    field_clear(&r->event);
    field_clear(&r->data);
    field_clear(&r->id);
    r->retry_ms = -1;
}

/* Digits only, else the field is ignored; so is one that no timer could mean. */
static int64_t retry_of(str s, int64_t otherwise)
{
    int64_t ms = 0;
    if (s.n == 0 || s.n > 12) return otherwise;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return otherwise;
        ms = ms * 10 + (s.p[i] - '0');
    }
    return ms;
}

static size_t held(const sse_reader *r)
{
    return r->event.view.n + r->data.view.n + r->id.view.n;
}

/* False: the event is too long. */
static bool end_of_line(sse_reader *r, str line)
{
    if (line.n > r->limit - held(r)) return false;
    if (line.n == 0) {
        dispatch(r);
        return true;
    }
    str_pair kv = str_cut(line, ':');
    str value = str_starts(kv.tail, S(" ")) ? str_drop(kv.tail, 1) : kv.tail;
    if (str_eq(kv.head, S("data"))) {
        field_join(&r->data, value);
    } else if (str_eq(kv.head, S("event"))) {
        field_set(&r->event, value);
    } else if (str_eq(kv.head, S("id"))) {
        bool has_nul = value.n && memchr(value.p, 0, value.n);
        if (!has_nul) field_set(&r->id, value);
    } else if (str_eq(kv.head, S("retry"))) {
        r->retry_ms = retry_of(value, r->retry_ms);
    }
    return true; /* anything else is a comment or a field nobody knows */
}

static const char *next_of(const char *p, const char *end, char c)
{
    const char *at = memchr(p, c, (size_t)(end - p));
    return at ? at : end;
}

/* The end of the line that starts at p: its LF or CR, or `end`. */
static const char *line_end(cursor *at)
{
    if (at->lf < at->p) at->lf = next_of(at->p, at->end, '\n');
    if (at->cr < at->p) at->cr = next_of(at->p, at->end, '\r');
    return at->lf < at->cr ? at->lf : at->cr;
}

static bool take_line(sse_reader *r, str piece)
{
    if (r->line.n == 0) return end_of_line(r, piece);
    if (piece.n > r->limit - r->line.n || !buf_put(&r->line, piece)) return false;
    str line = buf_str(&r->line);
    r->line.n = 0; /* the bytes stay: fields may be views of them until the feed ends */
    return end_of_line(r, line);
}

/* What is unfinished must outlive the feed; fields first, since they may lie in `line`. */
static bool keep_rest(sse_reader *r, str rest)
{
    keep(&r->event);
    keep(&r->data);
    keep(&r->id);
    size_t used = held(r) + r->line.n;
    if (rest.n == 0) return true;
    return used <= r->limit && rest.n <= r->limit - used && buf_put(&r->line, rest);
}

static bool read_lines(sse_reader *r, str in)
{
    cursor at = {.p = in.p, .end = in.p + in.n, .lf = NULL, .cr = NULL};
    at.lf = next_of(at.p, at.end, '\n');
    at.cr = next_of(at.p, at.end, '\r');
    while (at.p < at.end && !r->stopped) {
        if (r->after_cr && *at.p == '\n') at.p++;
        r->after_cr = false;
        const char *stop = line_end(&at);
        if (stop == at.end) break;
        if (!take_line(r, (str){at.p, (size_t)(stop - at.p)})) return false;
        r->after_cr = *stop == '\r';
        at.p = stop + 1;
    }
    if (r->stopped) return true;
    return keep_rest(r, (str){at.p, (size_t)(at.end - at.p)});
}

/* Skips a BOM at the very start; what only looked like one belongs to the first line. */
static bool skip_bom(sse_reader *r, str *in)
{
    while (r->bom_seen < BOM_OVER && in->n) {
        if (in->p[0] != bom[r->bom_seen]) {
            str not_a_bom = {bom, r->bom_seen};
            r->bom_seen = BOM_OVER;
            return not_a_bom.n <= r->limit && (not_a_bom.n == 0 || buf_put(&r->line, not_a_bom));
        }
        *in = str_drop(*in, 1);
        r->bom_seen++;
    }
    return true;
}

const err *sse_feed(sse_reader *r, str bytes)
{
    if (r->failed || r->stopped) return r->failed;
    bool ok = skip_bom(r, &bytes);
    if (ok && bytes.n) ok = read_lines(r, bytes);
    if (!ok) r->failed = err_new(r->a, ERR_TOO_LARGE, "server-sent event over %zu bytes", r->limit);
    return r->failed;
}

void sse_stop(sse_reader *r)
{
    r->stopped = true;
}

bool sse_idle(const sse_reader *r)
{
    bool in_bom = r->bom_seen > 0 && r->bom_seen < BOM_OVER;
    return !in_bom && r->line.n == 0 && !r->event.present && !r->data.present && !r->id.present &&
           r->retry_ms < 0;
}

static bool forges(str s)
{
    return memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n) || memchr(s.p, 0, s.n);
}

static void put_field(buf *b, str name, str value)
{
    if (value.n == 0 || forges(value)) return;
    (void)buf_put(b, name);
    (void)buf_put(b, value);
    (void)buf_put(b, S("\n"));
}

static void put_data(buf *b, str line)
{
    (void)buf_put(b, S("data: "));
    (void)buf_put(b, line);
    (void)buf_put(b, S("\n"));
}

void sse_write(buf *b, str event, str id, str data)
{
    put_field(b, S("event: "), event);
    put_field(b, S("id: "), id);
    cursor at = {.p = data.p, .end = data.p + data.n, .lf = NULL, .cr = NULL};
    if (data.n) {
        at.lf = next_of(at.p, at.end, '\n');
        at.cr = next_of(at.p, at.end, '\r');
    }
    while (at.p < at.end) {
        const char *stop = line_end(&at);
        if (stop == at.end) break;
        put_data(b, (str){at.p, (size_t)(stop - at.p)});
        bool crlf = *stop == '\r' && stop + 1 < at.end && stop[1] == '\n';
        at.p = stop + (crlf ? 2 : 1);
    }
    put_data(b, (str){at.p, (size_t)(at.end - at.p)});
    (void)buf_put(b, S("\n"));
}
