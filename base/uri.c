/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c - two kinds of wildcards, one way of matching.
 *
 * A glob and a template are both rows of pieces: a byte, or a gap. Matching goes back to the last
 * gap only, which is enough since a later gap can take over whatever an earlier one could have:
 * never exponential. Whether two rows with gaps have a text in common is decided by what stands
 * before their first and behind their last gaps alone: all between fits into the gaps. */
#include "uri.h"

typedef enum { PIECE_END, PIECE_BYTE, PIECE_ONE, PIECE_GAP } piece_kind;
typedef struct {
    piece_kind kind;
    char byte;
    size_t next; /* where the piece behind it begins */
} piece;
typedef piece reader(str text, size_t at);

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Reserved and unreserved characters and encoded bytes stay as they are (RFC 6570 3.1). */
static bool stays(str t, size_t i)
{
    char c = t.p[i];
    if (c == '%') return t.n - i > 2 && is_hex(t.p[i + 1]) && is_hex(t.p[i + 2]);
    return c > ' ' && c < 0x7F && !strchr("\"'<>\\^`{|}", c);
}

/* An expression that is not closed ends with the text. */
static piece read_template(str t, size_t at)
{
    if (at >= t.n) return (piece){.kind = PIECE_END, .next = at};
    if (t.p[at] == '{') {
        const char *end = memchr(t.p + at, '}', t.n - at);
        return (piece){.kind = PIECE_GAP, .next = end ? (size_t)(end - t.p) + 1 : t.n};
    }
    if (!stays(t, at)) return (piece){.kind = PIECE_GAP, .next = at + 1};
    return (piece){.kind = PIECE_BYTE, .byte = t.p[at], .next = at + 1};
}

static piece read_glob(str t, size_t at)
{
    if (at >= t.n) return (piece){.kind = PIECE_END, .next = at};
    char c = t.p[at];
    piece_kind kind = c == '*' ? PIECE_GAP : c == '?' ? PIECE_ONE : PIECE_BYTE;
    return (piece){.kind = kind, .byte = c, .next = at + 1};
}

static piece read_plain(str t, size_t at)
{
    if (at >= t.n) return (piece){.kind = PIECE_END, .next = at};
    return (piece){.kind = PIECE_BYTE, .byte = t.p[at], .next = at + 1};
}

/* A gap in the text is met by a gap of the pattern only; `?` by any byte: a template's bytes are
 * whole characters. */
static bool covers(reader *read_pattern, str pattern, reader *read_text, str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    for (;;) {
        piece want = read_pattern(pattern, p), have = read_text(text, t);
        if (want.kind == PIECE_GAP) {
            star = p = want.next;
            from = t;
            continue;
        }
        if (want.kind == PIECE_END && have.kind == PIECE_END) return true;
        bool same = have.kind == PIECE_BYTE &&
                    (want.kind == PIECE_ONE || (want.kind == PIECE_BYTE && want.byte == have.byte));
        if (same) {
            p = want.next;
            t = have.next;
            continue;
        }
        if (star == SIZE_MAX) return false;
        piece skipped = read_text(text, from);
        if (skipped.kind == PIECE_END) return false;
        p = star;
        t = from = skipped.next;
    }
}

bool uri_is_template(str text)
{
    return text.n && memchr(text.p, '{', text.n);
}

bool uri_fits(str template, str uri)
{
    if (!uri_is_template(template)) return str_eq(template, uri);
    return covers(read_template, template, read_plain, uri);
}

bool uri_within_glob(str template, str glob)
{
    return covers(read_glob, glob, uri_is_template(template) ? read_template : read_plain,
                  template);
}

/* What stands before the first gap and behind the last. */
typedef struct {
    str head, tail;
    bool whole; /* there is no gap: head is all of it */
} ends;

static ends ends_of(reader *read, str text)
{
    ends e = {.head = text, .whole = true};
    size_t at = 0;
    for (piece w = read(text, at); w.kind != PIECE_END; at = w.next, w = read(text, at)) {
        if (w.kind == PIECE_BYTE) continue;
        if (e.whole) e.head = str_take(text, at);
        e.whole = false;
        e.tail = str_drop(text, w.next);
    }
    return e;
}

static bool same_beginning(str a, str b)
{
    return a.n < b.n ? str_starts(b, a) : str_starts(a, b);
}

static bool same_end(str a, str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    return str_eq(str_drop(a, a.n - n), str_drop(b, b.n - n));
}

bool uri_meets_glob(str template, str glob)
{
    ends a = {.head = template, .whole = true}, b = ends_of(read_glob, glob);
    if (uri_is_template(template)) a = ends_of(read_template, template);
    if (a.whole) return covers(read_glob, glob, read_plain, template);
    if (b.whole) return covers(read_template, template, read_plain, glob);
    return same_beginning(a.head, b.head) && same_end(a.tail, b.tail);
}
