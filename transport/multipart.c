/* SPDX-License-Identifier: Apache-2.0 */
/* multipart.c - a search for one delimiter, and a small strict head.
 *
 * A delimiter begins with CR, and no other of its bytes is one. So when some of it was matched and
 * the next byte is another, what was matched was content and no shorter match is hidden in it:
 * no byte is looked at twice, and nothing is kept of a feed but how much was matched. */
#include "multipart.h"
#include "../base/buf.h"
#include "../base/header.h"

enum { BOUNDARY_MOST = 70 };

typedef enum { AT_OPENING, AT_LINE_END, AT_HEAD, AT_VALUE, AT_TAIL } place;

struct multipart {
    arena *a;
    const multipart_events *ev;
    void *ctx;
    str delimiter; /* CR LF - - boundary */
    place at;
    size_t matched; /* of the delimiter */
    buf head;
    char two[2]; /* what stands behind a delimiter, or behind the last */
    size_t two_n;
    unsigned parts;
    const err *failed;
};

static const err *wrong(arena *a, const char *what)
{
    return err_new(a, ERR_MALFORMED, "the form cannot be read: %s", what);
}

/* Parameters: `; name=value`, as of Content-Type and Content-Disposition. */

static bool is_token(str s)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && !(c && strchr(others, c))) return false;
    }
    return s.n > 0;
}

static str trimmed(str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t')) s = str_drop(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* A quoted text up to its end. A backslash before a quote ends it for some readers and not for
 * others. */
static bool quoted(str *rest, str *value)
{
    str_pair cut = str_cut(str_drop(*rest, 1), '"');
    if (!cut.ok || (cut.head.n && cut.head.p[cut.head.n - 1] == '\\')) return false;
    *value = cut.head;
    *rest = trimmed(cut.tail);
    return true;
}

/* The next of `rest`; false when there is none (rest is empty then) or it is not well formed. */
static bool parameter(str *rest, str *name, str *value)
{
    *rest = trimmed(*rest);
    if (!rest->n || rest->p[0] != ';') return false;
    str after = trimmed(str_drop(*rest, 1));
    if (!after.n) { /* nothing behind the last semicolon */
        *rest = (str){0};
        return false;
    }
    str_pair cut = str_cut(after, '=');
    *name = cut.head;
    if (!cut.ok || !is_token(*name)) return false;
    *rest = cut.tail;
    if (rest->n && rest->p[0] == '"') return quoted(rest, value);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ';') n++;
    *value = trimmed(str_take(*rest, n));
    if (!is_token(*value)) return false;
    *rest = str_drop(*rest, n);
    return true;
}

static bool is_boundary(str s)
{
    static const char others[] = "'()+_,-./:=? ";
    if (s.n == 0 || s.n > BOUNDARY_MOST || s.p[s.n - 1] == ' ') return false;
    for (size_t i = 0; i < s.n; i++) {
        str one = {s.p + i, 1};
        if (!is_token(one) && !(s.p[i] && strchr(others, s.p[i]))) return false;
    }
    return true;
}

static const err *find_boundary(arena *a, str content_type, str *out)
{
    str_pair cut = str_cut(content_type, ';');
    if (!header_name_is(trimmed(cut.head), S("multipart/form-data")))
        return err_new(a, ERR_MALFORMED, "the body must be multipart/form-data");
    str rest = str_drop(content_type, cut.head.n), name, value;
    while (parameter(&rest, &name, &value)) {
        if (!header_name_is(name, S("boundary"))) continue;
        if (out->p) return wrong(a, "two boundaries in its Content-Type");
        *out = value;
    }
    if (rest.n || !is_boundary(*out)) return wrong(a, "no usable boundary in its Content-Type");
    return NULL;
}

/* A part's head */

static const err *read_disposition(arena *a, str value, multipart_part *out)
{
    str kind = str_cut(value, ';').head, rest = str_drop(value, kind.n), name, text;
    if (!header_name_is(trimmed(kind), S("form-data"))) return wrong(a, "a part is no form-data");
    while (parameter(&rest, &name, &text)) {
        if (header_name_is(name, S("name*"))) return wrong(a, "a part's name is encoded");
        if (header_name_is(name, S("filename")) || header_name_is(name, S("filename*")))
            out->is_file = true;
        if (!header_name_is(name, S("name"))) continue;
        if (out->name.p) return wrong(a, "a part has two names");
        out->name = text;
    }
    if (rest.n) return wrong(a, "a Content-Disposition is not well formed");
    if (!out->name.n || memchr(out->name.p, '\\', out->name.n))
        return wrong(a, "a part has no plain name");
    return NULL;
}

static bool is_plain_coding(str value)
{
    return header_name_is(value, S("binary")) || header_name_is(value, S("8bit")) ||
           header_name_is(value, S("7bit"));
}

static const err *read_line(arena *a, str line, bool *disposed, multipart_part *out)
{
    str_pair cut = str_cut(line, ':');
    if (!cut.ok || !is_token(cut.head)) return wrong(a, "a line of a part's head is no header");
    str value = trimmed(cut.tail);
    if (memchr(line.p, '\r', line.n) || memchr(line.p, '\n', line.n) || memchr(line.p, 0, line.n))
        return wrong(a, "a control character stands in a part's head");
    if (header_name_is(cut.head, S("content-transfer-encoding")) && !is_plain_coding(value))
        return wrong(a, "a part is encoded");
    if (header_name_is(cut.head, S("content-type")) && value.n >= 10 &&
        header_name_is(str_take(value, 10), S("multipart/")))
        return wrong(a, "a part has parts of its own");
    if (!header_name_is(cut.head, S("content-disposition"))) return NULL;
    if (*disposed) return wrong(a, "a part has two Content-Dispositions");
    *disposed = true;
    return read_disposition(a, value, out);
}

static const err *read_head(arena *a, str head, multipart_part *out)
{
    bool disposed = false;
    while (head.n > 2) { /* the empty line ends it */
        const char *end = memmem(head.p, head.n, "\r\n", 2);
        size_t n = end ? (size_t)(end - head.p) : head.n;
        const err *e = read_line(a, str_take(head, n), &disposed, out);
        if (e) return e;
        head = str_drop(head, n + 2);
    }
    return disposed ? NULL : wrong(a, "a part has no Content-Disposition");
}

/* The bytes */

static void say(multipart *m, str bytes, bool value)
{
    if (bytes.n) m->ev->bytes(m->ctx, bytes, value);
}

static void begin_line_end(multipart *m)
{
    str closed = m->at == AT_OPENING ? str_drop(m->delimiter, 2) : m->delimiter;
    if (m->at == AT_VALUE) m->ev->part_end(m->ctx);
    say(m, closed, false);
    m->matched = m->two_n = 0;
    m->at = AT_LINE_END;
}

/* Content, up to the delimiter; or, before the first part, the delimiter alone. */
static str take_value(multipart *m, str in)
{
    if (m->matched == 0) {
        const char *cr = memchr(in.p, '\r', in.n);
        size_t n = cr ? (size_t)(cr - in.p) : in.n;
        say(m, str_take(in, n), true);
        in = str_drop(in, n);
    }
    size_t n = 0;
    while (n < in.n && m->matched < m->delimiter.n && in.p[n] == m->delimiter.p[m->matched])
        n++, m->matched++;
    if (m->matched == m->delimiter.n) {
        begin_line_end(m);
    } else if (n < in.n && m->at == AT_OPENING) {
        m->failed = wrong(m->a, "it does not begin with its boundary");
    } else if (n < in.n) {
        say(m, str_take(m->delimiter, m->matched), true);
        m->matched = 0;
    }
    return str_drop(in, n);
}

static void end_line(multipart *m)
{
    str two = {m->two, 2};
    m->two_n = 0;
    say(m, two, false);
    if (str_eq(two, S("--"))) {
        m->at = AT_TAIL;
    } else if (!str_eq(two, S("\r\n"))) {
        m->failed = wrong(m->a, "something stands behind a boundary");
    } else if (++m->parts > MULTIPART_PARTS) {
        m->failed = err_new(m->a, ERR_TOO_LARGE, "the form has over %d parts", MULTIPART_PARTS);
    } else {
        m->at = AT_HEAD;
        m->head.n = 0;
    }
}

static str take_two(multipart *m, str in)
{
    m->two[m->two_n++] = in.p[0];
    if (m->two_n == 2) end_line(m);
    return str_drop(in, 1);
}

static void end_head(multipart *m)
{
    multipart_part part = {0};
    m->failed = read_head(m->a, buf_str(&m->head), &part);
    if (m->failed) return;
    say(m, buf_str(&m->head), false);
    m->ev->part(m->ctx, &part);
    m->at = AT_VALUE;
}

static str take_head(multipart *m, str in)
{
    size_t n = 0;
    while (n < in.n && m->at == AT_HEAD && !m->failed) {
        if (!buf_put(&m->head, (str){in.p + n++, 1}))
            m->failed =
                err_new(m->a, ERR_TOO_LARGE, "a part's head is over %d bytes", MULTIPART_HEAD);
        else if (str_ends(buf_str(&m->head), S("\r\n\r\n")) || str_eq(buf_str(&m->head), S("\r\n")))
            end_head(m);
    }
    return str_drop(in, n);
}

/* A line end may stand behind the last boundary. */
static str take_tail(multipart *m, str in)
{
    static const char end[] = "\r\n";
    if (m->two_n < 2 && in.p[0] == end[m->two_n]) {
        m->two_n++;
        say(m, str_take(in, 1), false);
    } else {
        m->failed = wrong(m->a, "something stands behind its end");
    }
    return str_drop(in, 1);
}

const err *multipart_new(arena *a, str content_type, const multipart_events *ev, void *ctx,
                         multipart **out)
{
    str boundary = {0};
    const err *e = find_boundary(a, content_type, &boundary);
    if (e) return e;
    multipart *m = NEW(a, multipart);
    *m = (multipart){.a = a, .ev = ev, .ctx = ctx, .matched = 2};
    m->delimiter = arena_fmt(a, "\r\n--" STR_FMT, STR_ARG(boundary));
    m->head = buf_new(a, MULTIPART_HEAD);
    *out = m;
    return NULL;
}

const err *multipart_feed(multipart *m, str bytes)
{
    while (bytes.n && !m->failed) {
        switch (m->at) {
        case AT_OPENING:
        case AT_VALUE: bytes = take_value(m, bytes); break;
        case AT_LINE_END: bytes = take_two(m, bytes); break;
        case AT_HEAD: bytes = take_head(m, bytes); break;
        case AT_TAIL: bytes = take_tail(m, bytes); break;
        }
    }
    return m->failed;
}

const err *multipart_end(multipart *m)
{
    bool whole = m->at == AT_TAIL && m->two_n != 1;
    if (!m->failed && !whole) m->failed = wrong(m->a, "it ends before its last boundary");
    return m->failed;
}
