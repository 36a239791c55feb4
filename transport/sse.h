/* SPDX-License-Identifier: Apache-2.0 */
/* sse.h - server-sent events, read and written incrementally (WHATWG HTML, 9.2).
 *
 * Contract: feed any split of the byte stream; the callback sees each event once, whole,
 * in order. LF, CRLF and CR end a line; the space after the colon is optional; a leading BOM
 * and comments are skipped; several data lines join with '\n'. An event is reported when it
 * has data, an id or a retry (a priming event has an id and empty data). The id is the event's
 * own: whoever wants the last one seen keeps it. An event longer than `limit` (its fields and
 * the line being read) is ERR_TOO_LARGE, for this feed and every later one.
 * Views in an event live until the callback returns.
 * The reader may be told to stop from inside the callback (sse_stop). */
#ifndef SP_SSE_H
#define SP_SSE_H
#include "../base/buf.h"
#include "../base/err.h"

typedef struct {
    str event, data, id;
    bool has_data, has_id;
    int64_t retry_ms; /* -1: none */
} sse_event;
typedef struct sse_reader sse_reader;
typedef void sse_fn(void *ctx, sse_event ev);

sse_reader *sse_reader_new(arena *a, size_t limit, sse_fn *fn, void *ctx);
MUST_CHECK const err *sse_feed(sse_reader *r, str bytes);
void sse_stop(sse_reader *r); /* the rest of this feed and all later ones are ignored */
bool sse_idle(const sse_reader
                  *r); /* nothing of an unfinished event is held: the stream may end here cleanly */

/* "event: E\nid: I\ndata: …\n\n"; event and id are left out when empty, or when a line end or a
 * NUL in them would forge another field; data is split at line ends. */
void sse_write(buf *b, str event, str id, str data);
#endif
