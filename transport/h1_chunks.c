/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chunks.c - one byte, one state; only data is taken in pieces.
 *
 * A trailer is judged without being kept: which bytes may follow is known from the state alone. */
#include "h1_chunks.h"
#include "h1_text.h"

enum {
    AT_SIZE,
    AT_EXTENSION,
    AT_SIZE_LF,
    AT_DATA,
    AT_DATA_CR,
    AT_DATA_LF,
    AT_TRAILER, /* at its first byte; or the CR of the last line */
    AT_TRAILER_NAME,
    AT_TRAILER_VALUE,
    AT_TRAILER_LF,
    AT_LAST_LF,
    AT_END,
    AT_BAD
};

h1_chunks h1_chunks_new(uint32_t trailer_limit)
{
    return (h1_chunks){.trailer_limit = trailer_limit};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* One byte of "1a;ext=1\r". */
static unsigned size_byte(h1_chunks *c, char b)
{
    if (++c->line_n > CHUNKS_LINE_MOST) return AT_BAD;
    if (b == '\r') return c->size_seen ? AT_SIZE_LF : AT_BAD;
    if (c->state == AT_EXTENSION) return h1_is_value((str){&b, 1}) ? AT_EXTENSION : AT_BAD;
    if (b == ';') return c->size_seen ? AT_EXTENSION : AT_BAD;
    int digit = hex_value(b);
    if (digit < 0 || c->left >> 56) return AT_BAD;
    c->left = c->left << 4 | (uint64_t)digit;
    c->size_seen = true;
    return AT_SIZE;
}

static unsigned after_data(h1_chunks *c)
{
    c->line_n = 0;
    c->size_seen = false;
    return AT_SIZE;
}

static unsigned trailer_byte(h1_chunks *c, char b)
{
    str byte = {&b, 1};
    if (++c->trailer_bytes > c->trailer_limit) return AT_BAD;
    if (c->state == AT_TRAILER) {
        if (b == '\r') return AT_LAST_LF;
        return h1_is_token(byte) && ++c->trailers <= CHUNKS_TRAILERS_MOST ? AT_TRAILER_NAME
                                                                          : AT_BAD;
    }
    if (c->state == AT_TRAILER_NAME) {
        if (b == ':') return AT_TRAILER_VALUE;
        return h1_is_token(byte) ? AT_TRAILER_NAME : AT_BAD;
    }
    if (b == '\r') return AT_TRAILER_LF;
    return h1_is_value(byte) ? AT_TRAILER_VALUE : AT_BAD;
}

/* The state after one byte that is not data. */
static unsigned after_byte(h1_chunks *c, char b)
{
    switch (c->state) {
    case AT_SIZE:
    case AT_EXTENSION: return size_byte(c, b);
    case AT_SIZE_LF: return b != '\n' ? AT_BAD : c->left ? AT_DATA : AT_TRAILER;
    case AT_DATA_CR: return b == '\r' ? AT_DATA_LF : AT_BAD;
    case AT_DATA_LF: return b == '\n' ? after_data(c) : AT_BAD;
    case AT_TRAILER_LF: return b == '\n' ? AT_TRAILER : AT_BAD;
    case AT_LAST_LF: return b == '\n' ? AT_END : AT_BAD;
    default: return trailer_byte(c, b);
    }
}

static h1_chunks_event take_data(h1_chunks *c, str *in, str *data)
{
    size_t n = in->n < c->left ? in->n : (size_t)c->left;
    *data = str_take(*in, n);
    *in = str_drop(*in, n);
    c->left -= n;
    if (c->left == 0) c->state = AT_DATA_CR;
    return CHUNKS_DATA;
}

h1_chunks_event h1_chunks_next(h1_chunks *c, str *in, str *data)
{
    for (;;) {
        if (c->state == AT_END) return CHUNKS_DONE;
        if (c->state == AT_BAD) return CHUNKS_BAD;
        if (in->n == 0) return CHUNKS_MORE;
        if (c->state == AT_DATA) return take_data(c, in, data);
        char b = in->p[0];
        *in = str_drop(*in, 1);
        c->state = (uint8_t)after_byte(c, b);
    }
}
