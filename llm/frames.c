/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"
#include "../transport/aws_stream.h"
#include "../transport/sse.h"

enum { EVENT_LIMIT = 4 << 20 };

struct llm_frames {
    sse_reader *sse;
    aws_stream *aws;
    frame_fn *fn;
    void *ctx;
};

static void on_sse(void *ctx, sse_event ev)
{
    llm_frames *t = ctx;
    if (ev.has_data) t->fn(t->ctx, (llm_frame){.type = ev.event, .data = ev.data});
}

static void on_aws(void *ctx, aws_frame f)
{
    llm_frames *t = ctx;
    str data = f.kind == AWS_ERROR ? f.message : f.payload;
    t->fn(t->ctx, (llm_frame){.type = f.name, .data = data, .exception = f.kind != AWS_EVENT});
}

llm_frames *frames_new(arena *a, llm_framing framing, frame_fn *fn, void *ctx)
{
    llm_frames *t = NEW(a, llm_frames);
    t->fn = fn;
    t->ctx = ctx;
    if (framing == FRAMES_AWS)
        t->aws = aws_stream_new(a, EVENT_LIMIT, on_aws, t);
    else
        t->sse = sse_reader_new(a, EVENT_LIMIT, on_sse, t);
    return t;
}

const err *frames_feed(llm_frames *t, str bytes)
{
    return t->aws ? aws_stream_feed(t->aws, bytes) : sse_feed(t->sse, bytes);
}

bool frames_idle(const llm_frames *t)
{
    return t->aws ? aws_stream_idle(t->aws) : sse_idle(t->sse);
}

str frames_content_type(llm_framing framing)
{
    return framing == FRAMES_AWS ? S("application/vnd.amazon.eventstream") : S("text/event-stream");
}
