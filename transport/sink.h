/* SPDX-License-Identifier: Apache-2.0 */
/* sink.h - where streamed bytes go next, with back-pressure.
 *
 * A sink takes every byte it is given and says whether it wants more. After `false` the source
 * must stop (pause its socket) until the sink calls `drained`; a source that goes on is cut off
 * at the sink's ceiling. Ending with an error must never look like a clean end to the reader. */
#ifndef SP_SINK_H
#define SP_SINK_H
#include "../base/err.h"

typedef struct sink sink;
struct sink {
    bool (*write)(sink *s, str bytes);    /* false: full, wait for drained */
    void (*end)(sink *s, const err *why); /* NULL: clean end; else the peer sees an abort after what
                                             was written. Once. */
    void (*drained)(void *source);        /* set by the source; may be NULL */
    void *source;
};

static inline bool sink_write(sink *s, str bytes)
{
    return s->write(s, bytes);
}
static inline void sink_end(sink *s, const err *why)
{
    s->end(s, why);
}
static inline void sink_source(sink *s, void (*drained)(void *source), void *source)
{
    s->drained = drained;
    s->source = source;
}
#endif
