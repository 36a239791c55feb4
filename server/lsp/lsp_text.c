/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_text.c - bytes, characters and UTF-16 units. Texts are UTF-8; what is not counts a byte. */
#include "lsp_text.h"
#include "../../base/utf8.h"

static size_t line_start(str text, size_t line)
{
    size_t at = 0;
    for (; line; line--) {
        const char *end = at < text.n ? memchr(text.p + at, '\n', text.n - at) : NULL;
        if (!end) return text.n;
        at = (size_t)(end - text.p) + 1;
    }
    return at;
}

static size_t step(str text, size_t at)
{
    size_t n = utf8_one(str_drop(text, at));
    return n ? n : 1;
}

static bool ends_line(str text, size_t at)
{
    return at >= text.n || text.p[at] == '\n' ||
           (text.p[at] == '\r' && at + 1 < text.n && text.p[at + 1] == '\n');
}

size_t lsp_text_offset(str text, lsp_position at)
{
    size_t offset = line_start(text, at.line);
    for (uint32_t units = 0; units < at.character && !ends_line(text, offset);) {
        size_t n = step(text, offset);
        units += n == 4 ? 2 : 1;
        if (units > at.character) break; /* within the pair */
        offset += n;
    }
    return offset;
}

lsp_position lsp_text_position(str text, size_t offset)
{
    lsp_position p = {0, 0};
    if (offset > text.n) offset = text.n;
    for (size_t at = 0; at < offset;) {
        size_t n = step(text, at);
        if (text.p[at] == '\n')
            p = (lsp_position){p.line + 1, 0};
        else
            p.character += n == 4 ? 2 : 1;
        at += n;
    }
    return p;
}

size_t lsp_text_place(str text, unsigned line, unsigned column)
{
    size_t at = line_start(text, line ? line - 1 : 0);
    for (unsigned c = 1; c < column && !ends_line(text, at); c++) at += step(text, at);
    return at;
}

bool lsp_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

size_t lsp_word_start(str text, size_t at)
{
    while (at && lsp_is_word(text.p[at - 1])) at--;
    return at;
}

size_t lsp_word_end(str text, size_t at)
{
    while (at < text.n && lsp_is_word(text.p[at])) at++;
    return at;
}
