/* SPDX-License-Identifier: Apache-2.0 */
/* aws_stream.h - application/vnd.amazon.eventstream, read incrementally.
 *
 * Contract: feed any split of the bytes; the callback sees each frame once, whole, in order. A
 * frame is two lengths and their CRC, typed headers, a payload and a CRC of all. A length is
 * believed only after its own CRC was right. A frame longer than `limit` is ERR_TOO_LARGE, a bad
 * CRC or a malformed header ERR_UPSTREAM, for this feed and every later one; what came before
 * must then not be taken for the whole answer.
 * An exception or error frame is no failure of the reader: it is reported like an event, with
 * its kind. Views in a frame live until the callback returns, which may tell the reader to stop. */
#ifndef SP_AWS_STREAM_H
#define SP_AWS_STREAM_H
#include "../base/err.h"
#include <stdint.h>

typedef enum { AWS_EVENT, AWS_EXCEPTION, AWS_ERROR } aws_frame_kind;
typedef struct {
    aws_frame_kind kind;
    str name;    /* :event-type, :exception-type or :error-code; may be empty */
    str message; /* :error-message, of an AWS_ERROR */
    str headers; /* all of them, for aws_header_next() */
    str payload;
} aws_frame;

typedef enum {
    AWS_TRUE,
    AWS_FALSE,
    AWS_BYTE,
    AWS_SHORT,
    AWS_INT,
    AWS_LONG,
    AWS_BYTES,
    AWS_STRING,
    AWS_TIMESTAMP, /* milliseconds since 1970 */
    AWS_UUID,
    AWS_TYPES
} aws_type;
typedef struct {
    str name;
    aws_type type;
    int64_t number; /* BYTE, SHORT, INT, LONG, TIMESTAMP */
    str bytes;      /* BYTES, STRING, UUID */
} aws_header;

typedef struct aws_stream aws_stream;
typedef void aws_stream_fn(void *ctx, aws_frame f);

aws_stream *aws_stream_new(arena *a, size_t limit, aws_stream_fn *fn, void *ctx);
MUST_CHECK const err *aws_stream_feed(aws_stream *s, str bytes);
void aws_stream_stop(aws_stream *s); /* the rest of this feed and all later ones are ignored */
bool aws_stream_idle(const aws_stream *s); /* between frames: the stream may end here */

/* Steps over one header; false at the end, or where what follows is malformed (rest is not {0}
 * then, which a frame of aws_stream never shows). */
bool aws_header_next(str *rest, aws_header *out);
#endif
