/* SPDX-License-Identifier: Apache-2.0 */
/* aws_frame.h - writes what transport/aws_stream.h reads, for tests. */
#ifndef SP_TEST_AWS_FRAME_H
#define SP_TEST_AWS_FRAME_H
#include "../../base/buf.h"

static inline void frame_u32(buf *b, uint32_t v)
{
    char at[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    buf_put(b, (str){at, 4});
}

/* Bit by bit: not the way the reader does it. */
static inline uint32_t frame_crc(str s)
{
    uint32_t crc = ~(uint32_t)0;
    for (size_t i = 0; i < s.n; i++) {
        crc ^= (unsigned char)s.p[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static inline void frame_put(buf *b, str headers, str payload)
{
    size_t from = b->n;
    frame_u32(b, (uint32_t)(16 + headers.n + payload.n));
    frame_u32(b, (uint32_t)headers.n);
    frame_u32(b, frame_crc((str){b->p + from, 8}));
    buf_put(b, headers);
    buf_put(b, payload);
    frame_u32(b, frame_crc((str){b->p + from, b->n - from}));
}

/* A header of type string. */
static inline void frame_header(buf *b, str name, str value)
{
    char before = (char)name.n, type[3] = {7, (char)(value.n >> 8), (char)value.n};
    buf_put(b, (str){&before, 1});
    buf_put(b, name);
    buf_put(b, (str){type, 3});
    buf_put(b, value);
}
#endif
