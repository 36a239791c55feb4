/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c - what became of an attempt: tried again, refused, or answered whole or as a stream. */
#include "../base/clock.h"
#include "answer.h"
#include "estimate.h"
#include "hedge.h"
#include "kept.h"
#include "pick.h"
#include "renew.h"
#include "retry.h"

enum { DEPTH = 128 };

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
    if (js_check(r->a, buf_str(&r->answer), DEPTH, &root)) return false;
    js_value error = js_get(root, S("error"));
    if (error.kind == JS_STRING) return r->flat != NULL; /* in a chat, no SDK would find it */
    return js_get(error, S("message")).kind == JS_STRING;
}

static const llm_usage nothing = {.input = {true, 0}, .output = {true, 0}};

/* What a provider refused it did not work on. */
static bool is_refused(const llm_run *r)
{
    return !r->failed && !r->streamed && r->upstream_status >= 400 && r->upstream_status <= 499;
}

static llm_refusal their_error(llm_run *r)
{
    llm_error e = {.status = r->upstream_status};
    str body = r->coded || !buf_ok(&r->answer) ? (str){0} : buf_str(&r->answer);
    r->provider->read_error(r->a, r->upstream_headers, body, &e);
    if (body.n && !e.message.n) /* in words of its own that nobody knows */
        e.message = arena_fmt(r->a, "the provider answered %d", e.status);
    const char *type = r->flat && !e.type.n ? r->flat->error_type : NULL;
    if (type) e.type = (str){type, strlen(type)};
    return refusal_theirs(r->a, &e, r->client, r->provider);
}

/* Google says in the body when to come back. */
static void hear_refusal(llm_run *r)
{
    enum { MOST = 64 };
    header said[MOST + 2] = {{S("retry-after"), r->refusal.said.retry_after}};
    size_t n = said[0].value.n ? 1 : 0;
    for (const header *h = r->upstream_headers; h && h->name.p && n < MOST; h++) said[n++] = *h;
    said[n] = (header){{0}, {0}};
    const standing_answer a = {r->upstream_status, said, clock_wall_ms(),
                               loop_now_ms(r->w->o.loop)};
    standing_heard(&r->hold, &a);
}

static bool is_error(const llm_run *r)
{
    if (r->failed || r->broken) return true;
    return r->streamed ? !is_finished(r) : r->upstream_status >= 400;
}

/* Of a whole answer that says it is well, as far as one byte tells: a proxy's or a login's page is
 * none. What need be no JSON (speech, subtitles) is whatever it is. */
static void look_at_whole(llm_run *r)
{
    if (r->streamed || r->broken || r->failed || r->upstream_status != 200) return;
    if ((r->flat && !r->flat->get) || !buf_ok(&r->answer)) return;
    str body = buf_str(&r->answer);
    while (body.n && (unsigned char)body.p[0] <= ' ') body = str_drop(body, 1);
    str first = str_take(body, 1); /* of null, too: nothing was said */
    bool plain = !str_eq(first, S("{")) && !str_eq(first, S("[")) && !str_eq(first, S("n"));
    if (r->coded || plain)
        r->broken = err_new(r->a, ERR_UPSTREAM, "%s",
                            r->coded ? "the answer is compressed" : "the answer is no JSON object");
}

/* A broken answer is at its end, and no more of it is wanted. */
static bool has_ended(llm_run *r)
{
    if (r->ended) look_at_whole(r);
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

/* Tokens of the answer that came, whoever counted them or not. */
static int64_t seen_here(const llm_run *r)
{
    if (!r->streamed) return estimate_text(buf_str(&r->answer));
    return r->tap ? usage_tap_seen(r->tap) : (r->stream.said + 3) / 4;
}

/* These come from what stands before a provider, and say nothing of what it did. */
static bool is_unsaid(int status)
{
    return status == 408 || status == 502 || status == 504;
}

static bill_basis basis_of(const llm_run *r, const llm_usage *used)
{
    bool answered = r->has_head && !r->failed && !r->broken;
    if (answered && !r->streamed && r->upstream_status >= 400)
        return is_unsaid(r->upstream_status) ? BILL_GUESSED : BILL_REFUSED;
    if (!answered || !usage_known(used)) return BILL_GUESSED;
    return !r->streamed || is_finished(r) ? BILL_SAID : BILL_GUESSED;
}

/* As a provider counts them against its limits; -1: it has not said. */
static int64_t tokens_of(const llm_usage *u)
{
    if (!usage_known(u)) return -1;
    return u->input.v + u->cache_write.v + u->output.v + u->reasoning.v;
}

static void end_with_provider(llm_run *r)
{
    const llm_usage used = used_here(r);
    pick_over(r, is_refused(r) ? 0 : tokens_of(&used));
}

void answer_spend(llm_run *r, bool again)
{
    const llm_usage used = used_here(r);
    if (!r->bill.opened) return;
    if (r->call) r->bill.sent = !call_unsent(r->call);
    end_with_provider(r);
    if (r->bill.sent) usage_add(&r->spent, &used);
    bill_close(r, &(bill_end){used, seen_here(r), basis_of(r, &used), again});
}

typedef enum { ATTEMPT_WAITS, ATTEMPT_ANSWERS, ATTEMPT_FAILED } attempt_state;

/* ANSWERS: it has content, or has ended well. */
static attempt_state state_of(llm_run *r)
{
    if (r->given_up) return ATTEMPT_FAILED;
    if (!r->out && !has_ended(r)) return ATTEMPT_WAITS;
    return r->out || !is_error(r) ? ATTEMPT_ANSWERS : ATTEMPT_FAILED;
}

static void note_failure(llm_run *r)
{
    if (r->noted || r->given_up) return;
    r->noted = true;
    if (!r->failed) r->refusal = r->streamed || r->broken ? stillborn(r) : their_error(r);
    if (!r->failed && r->upstream_status >= 400) hear_refusal(r);
    if (is_refused(r)) r->used = nothing;
    end_with_provider(r);
}

/* Of an attempt and its rival the one that answers; NULL: none yet. */
static llm_run *answering(llm_run *r)
{
    llm_run *h = r->rival;
    if (state_of(r) == ATTEMPT_ANSWERS && hedge_wins(r)) return r;
    return h && state_of(h) == ATTEMPT_ANSWERS && hedge_wins(h) ? h : NULL;
}

static void begin_answer(llm_run *r, llm_run *lead)
{
    if (lead == r) {
        hedge_end(r);
    } else {
        answer_spend(r, true);
        if (r->call) call_cancel(r->call);
        r->call = NULL;
    }
    record_text(exchange_record(r->x), FACT_SERVER, lead->target->backend->name);
    standing_answers(&lead->hold, loop_now_ms(r->w->o.loop));
}

/* Both came to nothing, or the one there was. */
static flow_go end_badly(llm_run *r)
{
    r->tried_in_vain = true;
    bool again = renew_again(r) || retry_again(r);
    answer_spend(r, again);
    if (again) return FLOW_AGAIN;
    if (r->upstream_status == 429 && r->route->target_count > 1 && pick_room_at(r))
        return llm_fail(r, pick_refusal(r));
    if (r->failed || r->streamed || !is_their_shape(r)) return FLOW_FAIL;
    record_text(exchange_record(r->x), FACT_ERROR, S("upstream_refused"));
    bill_say(r);
    exchange_reply(r->x, r->upstream_status, r->reply_headers, buf_str(&r->answer));
    return FLOW_DONE;
}

flow_go llm_first_content(void *run, flow_why why)
{
    llm_run *r = run;
    if (why == FLOW_GONE) return FLOW_FAIL;
    hedge_go(r, why);
    llm_run *lead = answering(r), *h = r->rival;
    if (lead) {
        begin_answer(r, lead);
        return FLOW_NEXT;
    }
    bool waits = false;
    for (llm_run *one = r; one; one = one == r ? h : NULL) {
        attempt_state is = state_of(one);
        if (is == ATTEMPT_FAILED) note_failure(one);
        waits |= is == ATTEMPT_WAITS;
    }
    if (waits) return FLOW_WAIT;
    hedge_end(r);
    return end_badly(r);
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

static const char unsaid[] = "answer.content"; /* of the answer, what its provider alone knows */

static flow_go end_stream(llm_run *r)
{
    bool finished = is_finished(r);
    bool told = r->tap ? usage_tap_sense(r->tap) == FRAME_ERROR : r->stream.failed;
    if (finished && !r->tap) stream_end(&r->stream);
    if (!finished && !told) write_failure(r);
    answer_keep(r);
    if (r->stream.left_out && r->loss) { /* its headers are out, its record is not */
        loss_add(r->loss, unsaid);
        record_text(exchange_record(r->x), FACT_DROPPED, loss_list(r->a, r->chat.reader, r->loss));
    }
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
    answer_say(r);
    exchange_reply(r->x, 200, r->reply_headers, buf_str(&r->answer));
    return FLOW_DONE;
}

/* Who was asked for a stream and answers whole is put into events for the client. */
static flow_go end_as_stream(llm_run *r, const llm_reply *reply)
{
    stream_reply(&r->stream, reply);
    answer_open(r);
    (void)sink_write(r->out, buf_str(&r->piece));
    r->piece.n = 0;
    sink_end(r->out, NULL);
    return FLOW_DONE;
}

static void note_left_out(llm_run *r, const llm_reply *reply)
{
    for (const llm_choice *c = reply->choices; c < reply->choices + reply->count; c++)
        for (const llm_part *p = c->parts; p < c->parts + c->count; p++)
            if (p->kind == PART_OTHER) loss_add(r->loss, unsaid);
}

static flow_go end_translated(llm_run *r, js_value root)
{
    llm_reply reply = {0};
    llm_reader *rd = reader_new(r->a);
    const err *e = r->provider->read_reply(rd, root, r->upstream_headers, &reply);
    if (!e && !reply_calls_are_named(&reply)) e = err_new(r->a, ERR_UPSTREAM, "a call has no name");
    if (e) return llm_fail(r, bad_answer(r, e->text.p));
    reply.maker = r->provider->family;
    note_left_out(r, &reply);
    r->used = reply.usage;
    if (!reply.model.n) reply.model = chat_model(&r->chat, r->target);
    if (r->body.stream) return end_as_stream(r, &reply);
    str body = jn_dump(r->a, r->client->write_reply(r->a, &r->chat, &reply));
    js_value written;
    if (r->chat.kept && !js_check(r->a, body, DEPTH, &written)) kept_put(r, written);
    answer_say(r);
    exchange_reply(r->x, 200, answer_headers(r, S("application/json")), body);
    return FLOW_DONE;
}

/* Speech is no JSON, and a transcript need not be; all else is, and says what it cost. */
static flow_go end_flat(llm_run *r)
{
    js_value root = {0};
    const err *e = js_check(r->a, buf_str(&r->answer), DEPTH, &root);
    if (!r->flat->get) {
        bool is_text = flat_is_form(r->endpoint->flat); /* or subtitles */
        if (e && !is_text && r->endpoint->flat != FLAT_SPEECH)
            return llm_fail(r, bad_answer(r, e->text.p));
        bool counts = !e && tokens_usage(r->endpoint->flat, root, &r->used);
        if (!e && !counts) (void)usage_read(r->provider, r->a, root, &r->used);
        bill_say(r);
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
    bill_say(r);
    exchange_reply(r->x, 200, answer_headers(r, S("application/json")), jn_dump(r->a, out));
    return FLOW_DONE;
}

static flow_go end_whole(llm_run *r)
{
    if (r->coded) return llm_fail(r, bad_answer(r, "the answer is compressed"));
    if (!buf_ok(&r->answer)) return llm_fail(r, bad_answer(r, "the answer is too large"));
    if (r->flat && r->upstream_status == 200) return end_flat(r);
    js_value root;
    const err *e = js_check(r->a, buf_str(&r->answer), DEPTH, &root);
    bool empty = !e && root.kind == JS_NULL && r->passes; /* some say null where nothing was said */
    if (e || (root.kind != JS_OBJECT && !empty) || r->upstream_status != 200)
        return llm_fail(r, bad_answer(r, "the answer is no JSON object"));
    return r->passes ? end_passed(r, root) : end_translated(r, root);
}

static flow_go relay(llm_run *r)
{
    if (!has_ended(r)) return FLOW_WAIT;
    if (!r->streamed) return end_whole(r);
    if (!r->out) answer_open(r); /* a stream without content that nevertheless ended well */
    return end_stream(r);
}

flow_go llm_relay(void *run, flow_why why)
{
    llm_run *r = run, *lead = hedge_lead(r);
    if (why == FLOW_GONE) return FLOW_FAIL;
    flow_go go = relay(lead);
    if (go == FLOW_FAIL) r->refusal = lead->refusal;
    return go;
}

void answer_settle(llm_run *r)
{
    answer_spend(r, false);
    hedge_end(r);
    usage_record(&r->spent, exchange_record(r->x));
    bill_record(r);
}
