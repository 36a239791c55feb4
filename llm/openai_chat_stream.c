/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat_stream.c - chunks of chat completions, read and written.
 *
 * A client that did not ask for usage gets none, though we always ask the provider for it. Tools
 * are counted from 0 over tool calls alone; every choice of a chunk has a `delta`. */
#include "../transport/sse.h"
#include "openai_chat.h"
#include "usage.h"

/* Reading */

typedef struct {
    bool has_tool;
    int64_t tool; /* the provider's index of the open call */
} reading;

static void read_thought(llm_stream *s, js_value block)
{
    arena *a = s->scratch;
    if (js_text_is(js_get(block, S("type")), S("redacted_thinking"))) {
        llm_part p = {.kind = PART_REDACTED, .text = js_text(a, js_get(block, S("data")))};
        stream_part(s, &p);
        return;
    }
    js_value text = js_get(block, S("thinking"));
    str words = js_text(a, text.kind == JS_STRING ? text : js_get(block, S("text")));
    str signature = js_text(a, js_get(block, S("signature")));
    if (words.n) stream_text(s, PART_THINKING, words);
    if (signature.n) stream_signature(s, PART_THINKING, signature);
}

static void read_thoughts(llm_stream *s, js_value delta)
{
    js_value blocks = js_get(delta, S("thinking_blocks"));
    js_value plain = js_get(delta, S("reasoning_content"));
    if (plain.kind == JS_ABSENT) plain = js_get(delta, S("reasoning"));
    js_iter it = js_elements(blocks);
    while (js_next(&it)) {
        bool twice = plain.kind == JS_STRING && js_get(it.value, S("thinking")).kind == JS_STRING;
        if (!twice) read_thought(s, it.value);
    }
    if (plain.kind == JS_OBJECT) read_thought(s, plain);
    str words = js_text(s->scratch, plain);
    if (words.n) stream_text(s, PART_THINKING, words);
}

static void read_call(llm_stream *s, js_value v)
{
    arena *a = s->scratch;
    reading *r = s->reading;
    js_value f = js_get(v, S("function"));
    bool custom = f.kind != JS_OBJECT;
    if (custom) f = js_get(v, S("custom"));
    int64_t index = 0;
    (void)js_int(js_get(v, S("index")), &index);
    str id = js_text(a, js_get(v, S("id"))), name = js_text(a, js_get(f, S("name")));
    bool open = s->part_open && s->part.kind == PART_TOOL_CALL && r->has_tool && r->tool == index;
    if (!open || (id.n && s->part.id.n && !str_eq(id, s->part.id))) {
        stream_part(s,
                    &(llm_part){.kind = PART_TOOL_CALL, .id = id, .name = name, .custom = custom});
        *r = (reading){true, index};
    }
    str piece = js_text(a, js_get(f, s->part.custom ? S("input") : S("arguments")));
    if (piece.n) stream_text(s, PART_TOOL_CALL, piece);
}

static void read_choice(llm_stream *s, js_value choice)
{
    arena *a = s->scratch;
    js_value delta = js_get(choice, S("delta"));
    int64_t index = 0;
    (void)js_int(js_get(choice, S("index")), &index);
    if (index < 0 || index > 127) return;
    if ((unsigned)index != s->choice) stream_part_end(s);
    s->choice = (unsigned)index;
    read_thoughts(s, delta);
    str text = js_text(a, js_get(delta, S("content")));
    str refusal = js_text(a, js_get(delta, S("refusal")));
    if (text.n) stream_text(s, PART_TEXT, text);
    if (refusal.n) stream_text(s, PART_REFUSAL, refusal);
    js_value calls = js_get(delta, S("tool_calls"));
    js_iter it = js_elements(calls);
    while (js_next(&it)) read_call(s, it.value);
    str word = js_text(a, js_get(choice, S("finish_reason")));
    if (word.n) stream_stop(s, openai_stop(word), word, (str){0});
}

static void read_chunk(llm_stream *s, js_value root)
{
    arena *a = s->scratch;
    llm_event start = {.id = js_text(a, js_get(root, S("id"))),
                       .model = js_text(a, js_get(root, S("model"))),
                       .service_tier = js_text(a, js_get(root, S("service_tier")))};
    (void)js_int(js_get(root, S("created")), &start.created);
    js_value choices = js_get(root, S("choices"));
    /* Azure's first chunk has no choices, and neither id nor model yet */
    if (list_count(choices) || start.id.n) stream_start(s, &start);
    js_iter it = js_elements(choices);
    while (js_next(&it)) read_choice(s, it.value);
    js_value counts = js_get(root, S("usage"));
    if (counts.kind != JS_OBJECT) return;
    llm_usage used = usage_of(reader_new(a), counts, &openai_chat);
    stream_usage(s, &used);
}

const err *openai_chat_read_event(llm_stream *s, llm_frame f)
{
    if (!s->reading) s->reading = NEW(s->a, reading);
    if (str_eq(f.data, S("[DONE]"))) {
        stream_end(s);
        return NULL;
    }
    js_value root;
    const err *e = js_check(s->scratch, f.data, 128, &root);
    if (e) return e;
    if (js_get(root, S("error")).kind > JS_NULL) {
        llm_error bad = {.status = 502};
        openai_read_error(s->scratch, NULL, f.data, &bad);
        stream_fail(s, &bad);
        return NULL;
    }
    read_chunk(s, root);
    return NULL;
}

/* Writing */

typedef struct {
    str id, model, service_tier;
    int64_t created;
    unsigned tools, choice; /* calls begun of this choice */
} writing;

static jnode *chunk(const llm_stream *s)
{
    arena *a = s->scratch;
    const writing *w = s->writing;
    jnode *j = jn_object(a);
    jn_set_text(j, "id", w->id);
    jn_set_text(j, "object", S("chat.completion.chunk"));
    jn_set(j, "created", jn_int(a, w->created));
    jn_set_text(j, "model", w->model);
    jn_set_text(j, "service_tier", w->service_tier);
    jn_set(j, "choices", jn_array(a));
    return j;
}

static void put(const llm_stream *s, const jnode *j)
{
    sse_write(s->out, (str){0}, (str){0}, jn_dump(s->scratch, j));
}

/* `stop` {0}: it goes on. */
static void put_delta(const llm_stream *s, jnode *delta, unsigned choice, str stop)
{
    arena *a = s->scratch;
    jnode *j = chunk(s), *c = jn_object(a);
    jn_set(c, "index", jn_int(a, (int64_t)choice));
    jn_set(c, "delta", delta);
    jn_set(c, "finish_reason", stop.p ? jn_text(a, stop) : jn_null(a));
    jn_add(jn_get(j, "choices"), c);
    if (s->chat->include_usage.v) jn_set(j, "usage", jn_null(a));
    put(s, j);
}

static void put_start(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing = NEW(s->a, writing);
    w->id = ev->id.n ? arena_dup(s->a, ev->id) : made_id(s->a, "chatcmpl-");
    w->model = ev->model.n ? arena_dup(s->a, ev->model) : s->model;
    w->service_tier = ev->service_tier.p ? arena_dup(s->a, ev->service_tier) : (str){0};
    w->created = ev->created ? ev->created : s->chat->now_s;
    jnode *delta = jn_object(s->scratch);
    jn_set_text(delta, "role", S("assistant"));
    jn_set_text(delta, "content", S(""));
    put_delta(s, delta, 0, (str){0});
}

static jnode *call_delta(llm_stream *s, const llm_event *ev, bool begins)
{
    arena *a = s->scratch;
    writing *w = s->writing;
    if (begins && ev->choice != w->choice) w->tools = 0;
    if (begins) w->tools++;
    w->choice = ev->choice;
    bool custom = ev->part.custom;
    jnode *delta = jn_object(a), *list = jn_array(a), *one = jn_object(a), *inner = jn_object(a);
    jn_set(one, "index", jn_int(a, (int64_t)w->tools - 1));
    if (begins) {
        jn_set_text(one, "id", ev->part.id.n ? ev->part.id : made_id(a, "call_"));
        jn_set_text(one, "type", custom ? S("custom") : S("function"));
        jn_set_text(inner, "name", ev->part.name);
    }
    jn_set_text(inner, custom ? "input" : "arguments", begins ? S("") : ev->delta);
    jn_set(one, custom ? "custom" : "function", inner);
    jn_add(list, one);
    jn_set(delta, "tool_calls", list);
    return delta;
}

static jnode *block_delta(arena *a, const char *type, const char *member, str text)
{
    jnode *delta = jn_object(a), *list = jn_array(a);
    jnode *block = object_of_type(a, type);
    jn_set_text(block, member, text);
    jn_add(list, block);
    jn_set(delta, "thinking_blocks", list);
    return delta;
}

static void put_part(llm_stream *s, const llm_event *ev)
{
    arena *a = s->scratch;
    if (ev->part.kind == PART_TOOL_CALL)
        put_delta(s, call_delta(s, ev, true), ev->choice, (str){0});
    if (ev->part.kind == PART_REDACTED)
        put_delta(s, block_delta(a, "redacted_thinking", "data", ev->part.text), ev->choice,
                  (str){0});
}

static void put_piece(llm_stream *s, const llm_event *ev)
{
    arena *a = s->scratch;
    jnode *delta = jn_object(a);
    if (ev->signature)
        delta = block_delta(a, "thinking", "signature", ev->delta);
    else if (ev->part.kind == PART_TOOL_CALL)
        delta = call_delta(s, ev, false);
    else if (ev->part.kind == PART_THINKING)
        jn_set_text(delta, "reasoning_content", ev->delta);
    else
        jn_set_text(delta, ev->part.kind == PART_REFUSAL ? "refusal" : "content", ev->delta);
    put_delta(s, delta, ev->choice, (str){0});
}

static void put_end(llm_stream *s)
{
    if (s->chat->include_usage.v && s->writing) {
        jnode *j = chunk(s);
        jn_set(j, "usage", openai_usage(s->scratch, &s->usage));
        put(s, j);
    }
    buf_put(s->out, S("data: [DONE]\n\n"));
}

void openai_chat_write_event(llm_stream *s, const llm_event *ev)
{
    llm_choice stop = {.stop = ev->stop, .stop_detail = ev->stop_detail};
    switch (ev->kind) {
    case EVENT_START: put_start(s, ev); return;
    case EVENT_PART: put_part(s, ev); return;
    case EVENT_DELTA: put_piece(s, ev); return;
    case EVENT_STOP:
        put_delta(s, jn_object(s->scratch), ev->choice, openai_stop_word(&stop));
        return;
    case EVENT_END: put_end(s); return;
    case EVENT_ERROR: put(s, openai_write_error(s->scratch, ev->error)); return;
    case EVENT_PING: buf_put(s->out, S(": ping\n\n")); return;
    case EVENT_PART_END:
    case EVENT_USAGE: return;
    }
}
