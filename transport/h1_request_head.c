/* SPDX-License-Identifier: Apache-2.0 */
/* h1_request_head.c - lines first, then what is in them.
 *
 * A server that looked for the empty line alone would wait, for a client that ends its lines in
 * bare LF, until its patience is over; and one that took such lines would read a head that the
 * proxy before it reads in another way. So the ends of lines are judged as they come. */
#include "h1_request_head.h"
#include "h1_text.h"

h1_head_found h1_head_find(h1_head_scan *scan, str bytes, size_t limit, size_t *size)
{
    if (bytes.n && bytes.p[0] != '\r' && !h1_is_token(str_take(bytes, 1))) return H1_HEAD_BAD;
    size_t end = bytes.n < limit ? bytes.n : limit;
    while (scan->seen < end) {
        const char *from = bytes.p + scan->seen;
        const char *lf = memchr(from, '\n', end - scan->seen);
        scan->seen = lf ? (size_t)(lf - bytes.p) + 1 : end;
        if (!lf) break;
        if (scan->seen < 2 || lf[-1] != '\r') return H1_HEAD_BAD;
        if (scan->seen - scan->line_at == 2) {
            *size = scan->seen;
            return H1_HEAD_WHOLE;
        }
        scan->line_at = scan->seen;
        scan->lines++;
    }
    return bytes.n > limit ? H1_HEAD_LONG : H1_HEAD_MORE;
}

/* The next line, without its CR LF. */
static str take_line(str *rest)
{
    str_pair cut = str_cut(*rest, '\n');
    *rest = cut.tail;
    return str_take(cut.head, cut.head.n - 1);
}

static bool read_request_line(str line, h1_request_head *out)
{
    str_pair method = str_cut(line, ' '), target = str_cut(method.tail, ' ');
    out->method = method.head;
    out->target = target.head;
    out->old = str_eq(target.tail, S("HTTP/1.0"));
    return method.head.n <= H1_METHOD_MOST && h1_is_token(method.head) && target.head.n &&
           (out->old || str_eq(target.tail, S("HTTP/1.1")));
}

static h1_head_fault read_header(str line, header *out)
{
    str_pair cut = str_cut(line, ':');
    if (!cut.ok || !h1_is_token(cut.head)) return H1_READ_NAME;
    *out = (header){cut.head, h1_trim(cut.tail)};
    if (!out->value.n) out->value = S(""); /* there, though empty */
    return h1_is_value(out->value) ? H1_READ_OK : H1_READ_VALUE;
}

h1_head_fault h1_head_read(arena *a, str head, size_t lines, h1_request_head *out)
{
    if (lines == 0 || !read_request_line(take_line(&head), out)) return H1_READ_SYNTAX;
    size_t count = lines - 1;
    if (count > H1_REQUEST_HEADERS_MOST) return H1_READ_MANY;
    out->headers = NEW_N(a, header, count + 1);
    for (size_t i = 0; i < count; i++) {
        h1_head_fault fault = read_header(take_line(&head), &out->headers[i]);
        if (fault) return fault;
    }
    return H1_READ_OK;
}
