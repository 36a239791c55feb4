/* SPDX-License-Identifier: Apache-2.0 */
/* multipart.h - multipart/form-data read incrementally (RFC 7578, RFC 2046 5.1).
 *
 * Contract: feed any split of the body. `bytes` gets every byte of it once, in order, so that who
 * passes them on passes the form as it came; `value` tells a field's content from what stands
 * around it. `part` comes between a part's head and its content, `part_end` after the content.
 * What two readers could read in two ways is refused: bytes before the first boundary or behind
 * the last, padding behind a boundary, bare CR or LF in a head, folded lines, a part without one
 * plain name, an encoded or a nested part.
 * Failure: ERR_MALFORMED, ERR_TOO_LARGE for a head or a number of parts, for this feed and every
 * later one; the text is for the client. Views live until the callback returns. */
#ifndef SP_MULTIPART_H
#define SP_MULTIPART_H
#include "../base/err.h"

enum { MULTIPART_HEAD = 8 * 1024, MULTIPART_PARTS = 256 };

typedef struct {
    str name;
    bool is_file; /* it has a file name */
} multipart_part;

typedef struct {
    void (*part)(void *ctx, const multipart_part *p);
    void (*bytes)(void *ctx, str bytes, bool value);
    void (*part_end)(void *ctx);
} multipart_events;

typedef struct multipart multipart;

/* The reader of a body with this Content-Type. */
MUST_CHECK const err *multipart_new(arena *a, str content_type, const multipart_events *ev,
                                    void *ctx, multipart **out);
MUST_CHECK const err *multipart_feed(multipart *m, str bytes);
MUST_CHECK const err *multipart_end(multipart *m); /* the body is over: is the form whole? */
#endif
