/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chunks.h - takes a chunked body apart, cut anywhere (RFC 9112 7.1).
 *
 * The caller pulls: h1_chunks_next() takes bytes off the front of `in`. Pieces of data are views
 * of it. Extensions and trailers are judged, bounded and dropped. Strict: a size is one to sixteen
 * hex digits below 2^60, lines end in CR LF, a trailer is a header like any other.
 * Any split of the bytes gives the same data and the same end. Pure; no memory of its own. */
#ifndef SP_H1_CHUNKS_H
#define SP_H1_CHUNKS_H
#include "../base/str.h"

typedef enum { CHUNKS_MORE, CHUNKS_DATA, CHUNKS_DONE, CHUNKS_BAD } h1_chunks_event;

enum { CHUNKS_LINE_MOST = 256, CHUNKS_TRAILERS_MOST = 128 };

typedef struct {
    uint64_t left; /* of the chunk */
    uint32_t trailer_bytes, trailer_limit;
    uint16_t line_n, trailers; /* line_n: bytes of this size line */
    uint8_t state;
    bool size_seen;
} h1_chunks;

h1_chunks h1_chunks_new(uint32_t trailer_limit); /* in bytes, of all trailers */
h1_chunks_event h1_chunks_next(h1_chunks *c, str *in, str *data);
#endif
