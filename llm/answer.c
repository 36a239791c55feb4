/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "../transport/sse.h"
#include "kept.h"
#include "retry.h"
#include "schema.h"
#include "upload.h"

enum { ANSWER_LIMIT = 64 << 20, PIECE_LIMIT = 64 << 20, EVENT_LIMIT = 4 << 20, ERROR_DEPTH = 128 };

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

static header *kept_headers(arena *a, const header *all)
{
    size_t n = 0;
    for (const header *h = all; h && h->name.p; h++) n += passes(h->name);
    header *kept = NEW_N(a, header, n + 1), *to = kept;
    for (const header *h = all; h && h->name.p; h++)
        if (passes(h->name)) *to++ = (header){arena_dup(a, h->name), arena_dup(a, h->value)};
    return kept;
}

/* What is translated is of another type than what came. */
static const header *typed_headers(llm_run *r, str type)
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

/* Said once, with whatever is answered. */
static void say_losses(llm_run *r)
{
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

static void open_stream(llm_run *r)
{
    say_losses(r);
    const header *headers = r->passes ? r->reply_headers : typed_headers(r, S("text/event-stream"));
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

/* On its way into the store before the client knows its name. */
static void keep_stream(llm_run *r)
{
    if (!r->passes && r->chat.kept && r->stream.ended) kept_put_streamed(r, buf_str(&r->piece));
}

/* What has been made so far goes out, unless the answer has not begun. */
static void flush(llm_run *r)
{
    if (!r->out && !has_content(r)) return;
    if (!r->out) open_stream(r);
    keep_stream(r);
    if (r->piece.n && !sink_write(r->out, buf_str(&r->piece)) && r->call) call_pause(r->call);
    r->piece.n = 0;
}

/* A client that did not ask gets neither the chunk of usage nor the member that announces it. */
static bool hide_usage(llm_frame *f)
{
    static const str none = {",\"usage\":null}", 14};
    if (f->data.n > none.n && str_eq(str_drop(f->data, f->data.n - none.n), none))
        f->data.n -= none.n;
    else
        return memmem(f->data.p, f->data.n, "\"choices\":[]", 12) &&
               memmem(f->data.p, f->data.n, "\"usage\":{", 9);
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
    r->has_head = r->coded = r->streamed = r->ended = r->failed = r->fresh = false;
    r->is_spent = false;
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
    r->reply_headers = kept_headers(r->a, h->headers);
    bool read = !r->passes || h->status != 200; /* what passes well is not looked at */
    r->upstream_headers = read ? headers_copy(r->a, h->headers) : NULL;
    r->stream.head = r->upstream_headers;
    record_number(exchange_record(r->x), FACT_UPSTREAM_STATUS, h->status);
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
    if (!r->frames || r->passes || r->broken || r->provider->framing != FRAMES_SSE) return;
    const err *e = frames_feed(r->frames, S("\n\n"));
    if (e && !r->broken) r->broken = err_new(r->a, e->kind, STR_FMT, STR_ARG(e->text));
}

static void on_end(void *owner, const err *why)
{
    llm_run *r = owner;
    if (!why) end_events(r);
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

/* What became of it */

/* A stream that ended in good order: its terminator came, or at least why it stopped. */
static bool is_finished(const llm_run *r)
{
    if (r->failed || r->broken) return false;
    if (r->tap) {
        frame_sense seen = usage_tap_sense(r->tap);
        return seen == FRAME_STOP || seen == FRAME_END;
    }
    return (r->stream.ended || r->stream.stopped) && !r->stream.failed;
}

static llm_refusal bad_answer(llm_run *r, const char *why)
{
    record_text(exchange_record(r->x), FACT_ERROR_TEXT, (str){why, strlen(why)});
    return refusal_of(&(err){.kind = ERR_UPSTREAM});
}

/* A stream that came to nothing before its first content: by an error of the provider's, or cut. */
static llm_refusal stillborn(llm_run *r)
{
    llm_error e = {.status = 502};
    if (r->failed) return r->refusal;
    if (r->broken) return bad_answer(r, r->broken->text.p);
    if (r->stream.failed) return refusal_theirs(r->a, &r->stream.error, r->client, r->provider);
    str said = r->tap ? usage_tap_error(r->tap) : (str){0};
    if (!said.n) return bad_answer(r, "the stream ended before it began");
    r->provider->read_error(r->a, r->upstream_headers, said, &e);
    return refusal_theirs(r->a, &e, r->client, r->provider);
}

/* The provider's own error goes as it is to a client who reads its shape. */
static bool is_their_shape(llm_run *r)
{
    js_value root;
    if (!r->passes || r->coded || !buf_ok(&r->answer)) return false;
    if (js_check(r->a, buf_str(&r->answer), ERROR_DEPTH, &root)) return false;
    js_kind error = js_get(root, S("error")).kind;
    return error == JS_OBJECT || error == JS_STRING;
}

static const llm_usage nothing = {.input = {true, 0}, .output = {true, 0}};

/* What a provider refused it did not work on. */
static void note_refused(llm_run *r)
{
    if (r->failed || r->streamed || r->upstream_status < 400 || r->upstream_status > 499) return;
    r->used = nothing;
}

static llm_refusal their_error(llm_run *r)
{
    llm_error e = {.status = r->upstream_status};
    str body = r->coded || !buf_ok(&r->answer) ? (str){0} : buf_str(&r->answer);
    r->provider->read_error(r->a, r->upstream_headers, body, &e);
    return refusal_theirs(r->a, &e, r->client, r->provider);
}

static bool is_error(const llm_run *r)
{
    if (r->failed || r->broken) return true;
    return r->streamed ? !is_finished(r) : r->upstream_status >= 400;
}

/* A broken answer is at its end, and no more of it is wanted. */
static bool has_ended(llm_run *r)
{
    if (r->broken && r->call) call_cancel(r->call);
    if (r->broken) r->call = NULL, r->ended = true;
    if (!r->ended) return false;
    record_number(exchange_record(r->x), FACT_UPSTREAM_MS, loop_now_ms(r->w->o.loop) - r->sent_ms);
    return true;
}

/* What this attempt cost, as far as its provider has said. */
static llm_usage used_here(const llm_run *r)
{
    llm_usage used = r->used;
    if (r->streamed) used = r->tap ? *usage_tap_total(r->tap) : r->stream.usage;
    if (r->streamed ? is_finished(r) : usage_known(&used))
        usage_complete(&used, r->provider->counts);
    return used;
}

/* A deployment may have a name of its own: it then costs what was asked for. */
static const price *price_here(const llm_run *r)
{
    const prices *all = r->rq.config->prices;
    const price *p = NULL;
    if (!r->target) return NULL;
    const llm_backend *b = r->target->backend;
    str seller = schema_seller(b->schema);
    if (r->target->model.p) p = price_find(all, b->name, seller, r->target->model);
    return p ? p : price_find(all, b->name, seller, r->body.model);
}

/* This attempt is over. */
static void spend(llm_run *r)
{
    const llm_usage used = used_here(r);
    const price *p = usage_known(&used) ? price_here(r) : NULL;
    if (r->is_spent) return;
    r->is_spent = true;
    usage_add(&r->spent, &used);
    if (!p) return;
    r->cost += price_cost(p, &used);
    r->has_cost = true;
}

flow_go llm_first_content(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (r->out) return FLOW_NEXT;
    if (!has_ended(r)) return FLOW_WAIT;
    if (!is_error(r)) return FLOW_NEXT;
    if (!r->failed) r->refusal = r->streamed || r->broken ? stillborn(r) : their_error(r);
    r->tried_in_vain = true;
    if (retry_again(r)) {
        spend(r);
        return FLOW_AGAIN;
    }
    note_refused(r);
    if (r->failed || r->streamed || !is_their_shape(r)) return FLOW_FAIL;
    record_text(exchange_record(r->x), FACT_ERROR, S("upstream_refused"));
    exchange_reply(r->x, r->upstream_status, r->reply_headers, buf_str(&r->answer));
    return FLOW_DONE;
}

static void write_failure(llm_run *r)
{
    llm_error e = refusal_of(&(err){.kind = ERR_UPSTREAM}).said;
    if (r->failed) e = r->refusal.said;
    if (r->passes && !r->frames) buf_put(&r->piece, S("\n\n")); /* whatever was cut ends here */
    if (r->passes)
        r->client->write_event(&r->stream, &(llm_event){.kind = EVENT_ERROR, .error = &e});
    else
        stream_fail(&r->stream, &e);
}

static flow_go end_stream(llm_run *r)
{
    bool finished = is_finished(r);
    bool told = r->tap ? usage_tap_sense(r->tap) == FRAME_ERROR : r->stream.failed;
    if (finished && !r->tap) stream_end(&r->stream);
    if (!finished && !told) write_failure(r);
    keep_stream(r);
    if (r->piece.n) (void)sink_write(r->out, buf_str(&r->piece));
    r->piece.n = 0;
    if (!finished)
        record_text(exchange_record(r->x), FACT_ERROR,
                    told ? S("upstream_error") : S("upstream_cut"));
    sink_end(r->out, finished ? NULL : err_new(r->a, ERR_UPSTREAM, "the upstream's stream broke"));
    return FLOW_DONE;
}

static flow_go end_passed(llm_run *r, js_value root)
{
    (void)usage_read(r->provider, r->a, root, &r->used);
    if (root.kind == JS_NULL) r->used = nothing;
    say_losses(r);
    exchange_reply(r->x, 200, r->reply_headers, buf_str(&r->answer));
    return FLOW_DONE;
}

/* Who was asked for a stream and answers whole is put into events for the client. */
static flow_go end_as_stream(llm_run *r, const llm_reply *reply)
{
    stream_reply(&r->stream, reply);
    open_stream(r);
    (void)sink_write(r->out, buf_str(&r->piece));
    r->piece.n = 0;
    sink_end(r->out, NULL);
    return FLOW_DONE;
}

static flow_go end_translated(llm_run *r, js_value root)
{
    llm_reply reply = {0};
    llm_reader *rd = reader_new(r->a);
    const err *e = r->provider->read_reply(rd, root, r->upstream_headers, &reply);
    if (e) return llm_fail(r, bad_answer(r, e->text.p));
    reply.maker = r->provider->family;
    r->used = reply.usage;
    if (!reply.model.n) reply.model = chat_model(&r->chat, r->target);
    if (r->body.stream) return end_as_stream(r, &reply);
    str body = jn_dump(r->a, r->client->write_reply(r->a, &r->chat, &reply));
    js_value written;
    if (r->chat.kept && !js_check(r->a, body, ERROR_DEPTH, &written)) kept_put(r, written);
    say_losses(r);
    exchange_reply(r->x, 200, typed_headers(r, S("application/json")), body);
    return FLOW_DONE;
}

/* Speech is no JSON, and a transcript need not be; all else is, and says what it cost. */
static flow_go end_flat(llm_run *r)
{
    js_value root = {0};
    const err *e = js_check(r->a, buf_str(&r->answer), ERROR_DEPTH, &root);
    if (!r->flat->get) {
        bool is_text = flat_is_form(r->endpoint->flat); /* or subtitles */
        if (e && !is_text && r->endpoint->flat != FLAT_SPEECH)
            return llm_fail(r, bad_answer(r, e->text.p));
        bool counts = !e && tokens_usage(r->endpoint->flat, root, &r->used);
        if (!e && !counts) (void)usage_read(r->provider, r->a, root, &r->used);
        exchange_reply(r->x, 200, r->reply_headers, buf_str(&r->answer));
        return FLOW_DONE;
    }
    const flat_ask asked = {.a = r->a,
                            .body = r->body.root,
                            .model = r->target->model.p ? r->target->model : r->body.model,
                            .to = r->target};
    jnode *out = jn_object(r->a);
    if (!e) e = r->flat->get(&asked, root, out, &r->used);
    if (e) return llm_fail(r, bad_answer(r, e->text.p));
    exchange_reply(r->x, 200, typed_headers(r, S("application/json")), jn_dump(r->a, out));
    return FLOW_DONE;
}

static flow_go end_whole(llm_run *r)
{
    if (r->coded) return llm_fail(r, bad_answer(r, "the answer is compressed"));
    if (!buf_ok(&r->answer)) return llm_fail(r, bad_answer(r, "the answer is too large"));
    if (r->flat && r->upstream_status == 200) return end_flat(r);
    js_value root;
    const err *e = js_check(r->a, buf_str(&r->answer), ERROR_DEPTH, &root);
    bool empty = !e && root.kind == JS_NULL && r->passes; /* some say null where nothing was said */
    if (e || (root.kind != JS_OBJECT && !empty) || r->upstream_status != 200)
        return llm_fail(r, bad_answer(r, "the answer is no JSON object"));
    return r->passes ? end_passed(r, root) : end_translated(r, root);
}

flow_go llm_relay(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (!has_ended(r)) return FLOW_WAIT;
    if (!r->streamed) return end_whole(r);
    if (!r->out) open_stream(r); /* a stream without content that nevertheless ended well */
    return end_stream(r);
}

void answer_settle(llm_run *r)
{
    record *facts = exchange_record(r->x);
    spend(r);
    usage_record(&r->spent, facts);
    if (r->has_cost) record_number(facts, FACT_COST, r->cost);
}
