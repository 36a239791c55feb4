/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_frame.c - the length is all that matters of the headers. */
#include "lsp_frame.h"

lsp_frames lsp_frames_new(void)
{
    return (lsp_frames){.in = buf_new(NULL, LSP_HEAD_MOST + 2 * (size_t)LSP_BODY_MOST)};
}

void lsp_frames_free(lsp_frames *f)
{
    buf_free(&f->in);
}

void lsp_frames_feed(lsp_frames *f, str bytes)
{
    buf_drop(&f->in, f->taken);
    f->taken = 0;
    (void)buf_put(&f->in, bytes);
}

/* Digits alone, no sign, no space within; false also when over the limit. */
static bool read_length(str value, size_t *length)
{
    while (value.n && (*value.p == ' ' || *value.p == '\t')) value = str_drop(value, 1);
    while (value.n && (value.p[value.n - 1] == ' ' || value.p[value.n - 1] == '\t')) value.n--;
    *length = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9') return false;
        *length = *length * 10 + (size_t)(value.p[i] - '0');
        if (*length > LSP_BODY_MOST) return false;
    }
    return value.n > 0;
}

static bool is_length(str name)
{
    static const char wanted[] = "content-length";
    if (name.n != sizeof wanted - 1) return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        if (c != wanted[i]) return false;
    }
    return true;
}

static const err *read_head(arena *a, str head, size_t *length)
{
    bool found = false;
    while (head.n) {
        str_pair line = str_cut(head, '\n');
        if (line.head.n && line.head.p[line.head.n - 1] == '\r') line.head.n--;
        str_pair cut = str_cut(line.head, ':');
        if (!cut.ok) return err_new(a, ERR_MALFORMED, "a header without a colon");
        if (is_length(cut.head)) {
            if (found) return err_new(a, ERR_MALFORMED, "two Content-Length headers");
            if (!read_length(cut.tail, length))
                return err_new(a, ERR_TOO_LARGE, "Content-Length is no number up to %d",
                               LSP_BODY_MOST);
            found = true;
        }
        head = line.tail;
    }
    return found ? NULL : err_new(a, ERR_MALFORMED, "no Content-Length header");
}

const err *lsp_frames_next(lsp_frames *f, arena *a, str *body)
{
    buf_drop(&f->in, f->taken);
    f->taken = 0;
    *body = (str){0};
    if (!buf_ok(&f->in)) return err_new(a, ERR_TOO_LARGE, "more than two messages at once");
    str in = buf_str(&f->in);
    const char *end = in.n ? memmem(in.p, str_take(in, LSP_HEAD_MOST).n, "\r\n\r\n", 4) : NULL;
    if (!end && in.n < LSP_HEAD_MOST) return NULL;
    if (!end) return err_new(a, ERR_TOO_LARGE, "headers over %d bytes", LSP_HEAD_MOST);
    size_t head = (size_t)(end - in.p) + 4, length = 0;
    const err *e = read_head(a, str_take(in, head - 2), &length);
    if (e || in.n - head < length) return e;
    *body = (str){in.p + head, length};
    f->taken = head + length;
    if (!length) return err_new(a, ERR_MALFORMED, "an empty message");
    return NULL;
}
