/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "../base/clock.h"
#include "hedge.h"
#include "kept.h"

enum { ANSWER_LIMIT = 64 << 20, PIECE_LIMIT = 64 << 20, EVENT_LIMIT = 4 << 20 };

/* What a provider says beside the body that a client has use for. */
static bool passes(str name)
{
    static const str kept[] = {{"content-type", 12},         {"retry-after", 11},
                               {"retry-after-ms", 14},       {"x-request-id", 12},
                               {"request-id", 10},           {"x-should-retry", 14},
                               {"openai-processing-ms", 20}, {0}};
    static const str starts[] = {{"x-ratelimit-", 12}, {"anthropic-ratelimit-", 20}, {0}};
    for (const str *k = kept; k->p; k++)
        if (header_name_is(name, *k)) return true;
    for (const str *k = starts; k->p; k++)
        if (name.n > k->n && header_name_is(str_take(name, k->n), *k)) return true;
    return false;
}

/* Where a quota of ours is told, none of the provider's is under the same names. */
static bool is_of_quota(str name)
{
    static const str said[] = {S("x-ratelimit-limit"), S("x-ratelimit-remaining"),
                               S("x-ratelimit-reset")};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (header_name_is(name, said[i])) return true;
    return false;
}

static header *kept_headers(const llm_run *r, const header *all)
{
    size_t n = 0;
    while (all && all[n].name.p) n++;
    header *kept = NEW_N(r->a, header, n + 1), *to = kept;
    for (const header *h = all; h && h->name.p; h++) {
        if (!passes(h->name) || (r->bill.has_view && is_of_quota(h->name))) continue;
        *to++ = (header){arena_dup(r->a, h->name), arena_dup(r->a, h->value)};
    }
    return kept;
}

const header *answer_headers(llm_run *r, str type)
{
    for (header *h = r->reply_headers; h->name.p; h++) {
        if (!header_name_is(h->name, S("content-type"))) continue;
        h->value = type;
        return r->reply_headers;
    }
    size_t n = 0;
    while (r->reply_headers[n].name.p) n++;
    header *more = NEW_N(r->a, header, n + 2);
    for (size_t i = 0; i < n; i++) more[i] = r->reply_headers[i];
    more[n] = (header){S("content-type"), type};
    return more;
}

void answer_say(llm_run *r)
{
    bill_say(r);
    if (!r->loss || r->losses_said) return;
    r->losses_said = true;
    str lost = loss_list(r->a, r->chat.reader, r->loss);
    if (!lost.n) return;
    record_text(exchange_record(r->x), FACT_DROPPED, lost);
    if (str_eq(exchange_header(r->x, S("x-sallyport-explain")), S("1")))
        exchange_add_header(r->x, S("x-sallyport-dropped"), lost);
}

/* Streams */

static void drained(void *run)
{
    llm_run *r = run;
    if (r->call) call_resume(r->call);
}

void answer_open(llm_run *r)
{
    answer_say(r);
    const header *headers =
        r->passes ? r->reply_headers : answer_headers(r, S("text/event-stream"));
    r->out = exchange_stream(r->x, 200, headers);
    sink_source(r->out, drained, r);
    flow_wake(loop_flows(r->w->o.loop), r->flow.self, FLOW_WOKEN);
}

static bool has_content(const llm_run *r)
{
    if (r->tap) {
        frame_sense seen = usage_tap_sense(r->tap);
        return seen >= FRAME_CONTENT && seen != FRAME_ERROR;
    }
    return r->stream.has_content && !r->stream.failed;
}

void answer_keep(llm_run *r)
{
    if (!r->passes && r->chat.kept && r->stream.ended) kept_put_streamed(r, buf_str(&r->piece));
}

/* What has been made so far goes out, unless the answer has not begun. */
static void flush(llm_run *r)
{
    if (!r->out && !has_content(r)) return;
    if (!r->out && !hedge_wins(r)) return;
    if (!r->out) answer_open(r);
    answer_keep(r);
    if (r->piece.n && !sink_write(r->out, buf_str(&r->piece)) && r->call) call_pause(r->call);
    r->piece.n = 0;
}

/* With or without the space that some servers write behind a colon. */
static bool says(str data, str plain, str spaced)
{
    return memmem(data.p, data.n, plain.p, plain.n) || memmem(data.p, data.n, spaced.p, spaced.n);
}

/* A client that did not ask gets neither the chunk of usage nor the member that announces it. */
static bool hide_usage(llm_frame *f)
{
    static const str none = {",\"usage\":null}", 14};
    if (f->data.n > none.n && str_eq(str_drop(f->data, f->data.n - none.n), none))
        f->data.n -= none.n;
    else
        return says(f->data, S("\"choices\":[]"), S("\"choices\": []")) &&
               says(f->data, S("\"usage\":{"), S("\"usage\": {"));
    return false;
}

/* The event inside a frame; an exception stays what it is. */
static bool unwrap(llm_run *r, llm_frame *f)
{
    const err *e = f->exception ? NULL : r->provider->unwrap(r->stream.scratch, f);
    if (e) r->broken = err_new(r->a, ERR_UPSTREAM, "event: " STR_FMT, STR_ARG(e->text));
    return !r->broken;
}

static void on_frame(void *owner, llm_frame f)
{
    llm_run *r = owner;
    if (r->passes) {
        if (r->provider->unwrap && !unwrap(r, &f)) return;
        usage_tap_event(r->tap, f);
        if (f.exception) return;
        str whole = f.data;
        if (r->hides_usage && hide_usage(&f)) return;
        bool cut = f.data.n < whole.n;
        buf_put(&r->piece, f.type.n ? S("event: ") : S(""));
        buf_put(&r->piece, f.type);
        buf_put(&r->piece, f.type.n ? S("\ndata: ") : S("data: "));
        buf_put(&r->piece, f.data);
        buf_put(&r->piece, cut ? S("}\n\n") : S("\n\n"));
        return;
    }
    if (r->stream.ended || r->stream.failed || r->broken) return;
    const err *e = r->provider->read_event(&r->stream, f);
    if (e) r->broken = err_new(r->a, ERR_UPSTREAM, "event: " STR_FMT, STR_ARG(e->text));
    arena_reset(r->stream.scratch);
}

static void drop_arena(void *a)
{
    arena_free(a);
}

/* The stream of this attempt; writers put their events into `piece`. Where bytes pass, the one
 * event that may be written is an error: it needs no arena of its own. */
static void begin_stream(llm_run *r)
{
    bool reads = !r->passes || r->provider->framing != FRAMES_SSE;
    arena *scratch = reads && r->stream.scratch != r->a ? r->stream.scratch : NULL;
    if (!reads) scratch = r->a;
    if (!scratch) {
        scratch = arena_new();
        arena_own(r->a, drop_arena, scratch);
    }
    r->stream = (llm_stream){.a = r->a,
                             .scratch = scratch,
                             .chat = &r->chat,
                             .client = r->client,
                             .provider = r->provider,
                             .model = r->body.model,
                             .out = &r->piece};
}

void answer_begin(llm_run *r)
{
    r->upstream_status = 0;
    r->has_head = r->coded = r->streamed = r->ended = r->failed = r->fresh = r->noted = false;
    r->broken = NULL;
    r->used = (llm_usage){0};
    r->tap = NULL;
    r->frames = NULL;
    r->piece = buf_new(r->a, PIECE_LIMIT);
    begin_stream(r);
}

/* The call's events */

/* Some providers name no type for what they were asked to stream, or a wrong one. */
static bool is_stream(const llm_run *r, const call_head *h)
{
    str type = str_cut(call_head_get(h, S("content-type")), ';').head;
    while (type.n && type.p[type.n - 1] == ' ') type.n--;
    if (header_name_is(type, frames_content_type(r->provider->framing))) return true;
    return r->body.stream && !r->flat && (!type.n || header_name_is(type, S("application/json")));
}

/* We ask for no coding; who sends one anyway would be metered as noise and read as garbage. */
static bool is_coded(const call_head *h)
{
    str coding = call_head_get(h, S("content-encoding"));
    return coding.n && !header_name_is(coding, S("identity"));
}

static void on_head(void *owner, const call_head *h)
{
    llm_run *r = owner;
    r->has_head = true;
    r->upstream_status = h->status;
    r->reply_headers = kept_headers(r, h->headers);
    bool read = !r->passes || h->status != 200; /* what passes well is not looked at */
    r->upstream_headers = read ? headers_copy(r->a, h->headers) : NULL;
    r->stream.head = r->upstream_headers;
    record_number(exchange_record(r->x), FACT_UPSTREAM_STATUS, h->status);
    const standing_answer said = {h->status, h->headers, clock_wall_ms(),
                                  loop_now_ms(r->w->o.loop)};
    if (h->status < 400) standing_heard(&r->hold, &said); /* else its body may say more */
    r->coded = is_coded(h);
    r->streamed = r->fresh = h->status == 200 && is_stream(r, h) && !r->coded;
    if (r->streamed) return;
    r->answer = buf_new(r->a, ANSWER_LIMIT);
    if (h->length > 0 && h->length <= ANSWER_LIMIT) (void)buf_need(&r->answer, (size_t)h->length);
}

/* No event, and no frame, begins like a JSON object or a list: that is a whole answer. */
static void begin_data(llm_run *r, str bytes)
{
    r->fresh = !bytes.n;
    if (r->fresh) return;
    if (bytes.p[0] == '{' || bytes.p[0] == '[') {
        r->streamed = false;
        r->answer = buf_new(r->a, ANSWER_LIMIT);
        return;
    }
    if (r->passes) r->tap = usage_tap_new(r->a, r->provider, EVENT_LIMIT);
    if (!r->passes || r->hides_usage || r->provider->framing != FRAMES_SSE)
        r->frames = frames_new(r->a, r->provider->framing, on_frame, r);
}

static void on_data(void *owner, str bytes)
{
    llm_run *r = owner;
    if (r->fresh) begin_data(r, bytes);
    if (!r->streamed) {
        buf_put(&r->answer, bytes);
        return;
    }
    const err *e = NULL;
    if (r->frames)
        e = frames_feed(r->frames, bytes);
    else
        usage_tap_feed(r->tap, bytes);
    if (e && !r->broken) r->broken = err_new(r->a, e->kind, STR_FMT, STR_ARG(e->text));
    if (!r->frames && r->out) { /* the common way: nothing is copied */
        if (!sink_write(r->out, bytes)) call_pause(r->call);
        return;
    }
    if (!r->frames) buf_put(&r->piece, bytes);
    flush(r);
    if (!r->broken && !buf_ok(&r->piece))
        r->broken = err_new(r->a, ERR_TOO_LARGE, "too much of a stream at once");
    if (r->broken) flow_wake(loop_flows(r->w->o.loop), r->flow.self, FLOW_WOKEN);
}

/* A last event may lack the empty line after it; whether it is whole, its JSON tells. */
static void end_events(llm_run *r)
{
    if (r->tap && !r->frames) usage_tap_end(r->tap);
    if (!r->frames || r->passes || r->broken || r->provider->framing != FRAMES_SSE) return;
    const err *e = frames_feed(r->frames, S("\n\n"));
    if (e && !r->broken) r->broken = err_new(r->a, e->kind, STR_FMT, STR_ARG(e->text));
}

static void on_end(void *owner, const err *why)
{
    llm_run *r = owner;
    if (!why) end_events(r);
    r->bill.sent = !call_unsent(r->call);
    r->call = NULL;
    r->ended = true;
    r->failed = why != NULL;
    if (why) {
        record_text(exchange_record(r->x), FACT_ERROR_TEXT, arena_dup(r->a, why->text));
        r->refusal = refusal_of(why->kind == ERR_TIMEOUT ? why : &(err){.kind = ERR_UPSTREAM});
    }
    flow_wake(loop_flows(r->w->o.loop), r->flow.self, FLOW_WOKEN);
}

const call_events llm_answer_events = {on_head, on_data, on_end};
