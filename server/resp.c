/* SPDX-License-Identifier: Apache-2.0 */
#include "resp.h"

void resp_put(buf *b, const str *words, size_t n)
{
    buf_fmt(b, "*%zu\r\n", n);
    for (size_t i = 0; i < n; i++) {
        buf_fmt(b, "$%zu\r\n", words[i].n);
        buf_put(b, words[i]);
        buf_put(b, S("\r\n"));
    }
}

bool resp_integer(str text, int64_t *out)
{
    bool minus = text.n && text.p[0] == '-';
    str digits = str_drop(text, minus);
    int64_t v = 0;
    if (!digits.n) return false;
    for (size_t i = 0; i < digits.n; i++) {
        int digit = digits.p[i] - '0';
        if (digit < 0 || digit > 9 || v > (INT64_MAX - digit) / 10) return false;
        v = v * 10 + digit;
    }
    *out = minus ? -v : v;
    return true;
}

typedef struct {
    arena *a;
    str left;
    size_t items; /* how many more there may be */
} reader;

/* Up to CRLF, which is taken, too. */
static resp_state line(reader *r, str *out)
{
    str within = str_take(r->left, RESP_LINE_MOST + 2);
    str_pair cut = str_cut(within, '\n');
    if (!cut.ok) return within.n > RESP_LINE_MOST ? RESP_BAD : RESP_MORE;
    if (!str_ends(cut.head, S("\r"))) return RESP_BAD;
    *out = str_take(cut.head, cut.head.n - 1);
    r->left = str_drop(r->left, cut.head.n + 1);
    return RESP_DONE;
}

static resp_state text(reader *r, int64_t n, resp *out)
{
    if (n == -1) return RESP_DONE; /* nil */
    if (n < 0 || n > RESP_TEXT_MOST) return RESP_BAD;
    size_t size = (size_t)n;
    if (r->left.n < size + 2) return RESP_MORE;
    out->kind = RESP_TEXT;
    out->text = str_take(r->left, size);
    r->left = str_drop(r->left, size);
    if (!str_starts(r->left, S("\r\n"))) return RESP_BAD;
    r->left = str_drop(r->left, 2);
    return RESP_DONE;
}

static resp_state value(reader *r, unsigned depth, resp *out);

static resp_state list(reader *r, int64_t n, unsigned depth, resp *out)
{
    if (n == -1) return RESP_DONE;
    if (n < 0 || (uint64_t)n > r->items || depth == RESP_DEPTH_MOST) return RESP_BAD;
    out->kind = RESP_LIST;
    out->n = (size_t)n;
    out->items = NEW_N(r->a, resp, out->n + 1);
    r->items -= out->n;
    resp_state s = RESP_DONE;
    for (size_t i = 0; i < out->n && s == RESP_DONE; i++) s = value(r, depth + 1, &out->items[i]);
    return s;
}

/* The recursion ends at RESP_DEPTH_MOST. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static resp_state value(reader *r, unsigned depth, resp *out)
{
    str head = {0};
    int64_t n = 0;
    *out = (resp){.kind = RESP_NIL};
    resp_state s = line(r, &head);
    if (s != RESP_DONE) return s;
    if (!head.n) return RESP_BAD;
    str rest = str_drop(head, 1);
    bool counts = resp_integer(rest, &n);
    switch (head.p[0]) {
    case '+': out->kind = RESP_TEXT, out->text = rest; return RESP_DONE;
    case '-': out->kind = RESP_ERROR, out->text = rest; return RESP_DONE;
    case ':': out->kind = RESP_NUMBER, out->number = n; return counts ? RESP_DONE : RESP_BAD;
    case '$': return counts ? text(r, n, out) : RESP_BAD;
    case '*': return counts ? list(r, n, depth, out) : RESP_BAD;
    default: return RESP_BAD;
    }
}

resp_state resp_read(arena *a, str in, resp *out, size_t *used)
{
    reader r = {.a = a, .left = in, .items = RESP_ITEMS_MOST};
    resp_state s = value(&r, 0, out);
    *used = in.n - r.left.n;
    return s;
}
