/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_stream.c - the events of the messages API, read and written.
 *
 * One block is open at a time and indices have no gaps: Claude Code asks again, and pays again,
 * when they do. The final count stands in message_delta alone, which waits for the provider's
 * usage. */
#include "../transport/sse.h"
#include "anthropic.h"
#include "origin.h"
#include "usage.h"

/* Reading */

static llm_usage read_usage(llm_stream *s, js_value from)
{
    return usage_of(reader_new(s->scratch), js_get(from, S("usage")), &anthropic_messages);
}

static void read_start(llm_stream *s, js_value root)
{
    js_value m = js_get(root, S("message"));
    llm_event ev = {.id = js_text(s->scratch, js_get(m, S("id"))),
                    .model = js_text(s->scratch, js_get(m, S("model"))),
                    .usage = read_usage(s, m)};
    usage_complete(&ev.usage, anthropic_messages.counts);
    stream_start(s, &ev);
}

static void read_block_start(llm_stream *s, js_value root)
{
    arena *a = s->scratch;
    js_value b = js_get(root, S("content_block"));
    int kind = name_value(anthropic_kinds, js_text(a, js_get(b, S("type"))), PART_OTHER);
    llm_part p = {.kind = (part_kind)kind, .origin = S("anthropic")};
    p.id = js_text(a, js_get(b, S("id")));
    p.name = js_text(a, js_get(b, S("name")));
    if (p.kind == PART_REDACTED) p.text = js_text(a, js_get(b, S("data")));
    if (p.kind == PART_OTHER) p.raw = b;
    stream_part(s, &p);
    /* Some servers say all of it at once. */
    str text = js_text(a, js_get(b, p.kind == PART_THINKING ? S("thinking") : S("text")));
    js_value input = js_get(b, S("input"));
    if (text.n && (p.kind == PART_TEXT || p.kind == PART_THINKING)) stream_text(s, p.kind, text);
    js_iter first = js_iterate(input);
    if (p.kind == PART_TOOL_CALL && js_next(&first)) stream_text(s, p.kind, input.raw);
}

static void read_delta(llm_stream *s, js_value root)
{
    static const struct {
        const char *type, *member;
        part_kind kind;
        bool signature;
    } rows[] = {{"text_delta", "text", PART_TEXT, false},
                {"input_json_delta", "partial_json", PART_TOOL_CALL, false},
                {"thinking_delta", "thinking", PART_THINKING, false},
                {"signature_delta", "signature", PART_THINKING, true}};
    arena *a = s->scratch;
    js_value d = js_get(root, S("delta"));
    str type = js_text(a, js_get(d, S("type")));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!str_eq(type, (str){rows[i].type, strlen(rows[i].type)})) continue;
        str text = js_text(a, js_get(d, (str){rows[i].member, strlen(rows[i].member)}));
        if (s->part_open && s->part.kind == PART_OTHER) return; /* of a block nobody else knows */
        if (text.n && rows[i].signature)
            stream_signature(s, rows[i].kind, text);
        else if (text.n)
            stream_text(s, rows[i].kind, text);
    }
}

/* The last count is the one that is paid: what is no number there is not passed over. */
static bool is_count(js_value usage)
{
    js_value in = js_get(usage, S("input_tokens")), out = js_get(usage, S("output_tokens"));
    return (in.kind <= JS_NULL || in.kind == JS_NUMBER) &&
           (out.kind <= JS_NULL || out.kind == JS_NUMBER);
}

static const err *read_message_delta(llm_stream *s, js_value root)
{
    arena *a = s->scratch;
    llm_usage used = read_usage(s, root);
    if (!is_count(js_get(root, S("usage"))))
        return err_new(a, ERR_UPSTREAM, "the usage of a message_delta is no number");
    stream_usage(s, &used);
    js_value d = js_get(root, S("delta"));
    str word = js_text(a, js_get(d, S("stop_reason")));
    if (word.n)
        stream_stop(s, name_value(anthropic_stops, word, STOP_ERROR), word,
                    js_text(a, js_get(d, S("stop_sequence"))));
    return NULL;
}

const err *anthropic_read_event(llm_stream *s, llm_frame f)
{
    js_value root;
    const err *e = js_check(s->scratch, f.data, 128, &root);
    if (e) return e;
    str type = js_text(s->scratch, js_get(root, S("type")));
    if (str_eq(type, S("message_start")))
        read_start(s, root);
    else if (str_eq(type, S("content_block_start")))
        read_block_start(s, root);
    else if (str_eq(type, S("content_block_delta")))
        read_delta(s, root);
    else if (str_eq(type, S("content_block_stop")))
        stream_part_end(s);
    else if (str_eq(type, S("message_delta")))
        return read_message_delta(s, root);
    else if (str_eq(type, S("message_stop")))
        stream_end(s);
    else if (str_eq(type, S("ping")))
        stream_emit(s, &(llm_event){.kind = EVENT_PING});
    else if (str_eq(type, S("error"))) {
        llm_error bad = {.status = 502};
        anthropic_read_error(s->scratch, NULL, f.data, &bad);
        stream_fail(s, &bad);
    }
    return NULL;
}

/* Writing */

typedef struct {
    int stop;
    str sequence;
    unsigned blocks; /* written; those nobody else knows are left out */
    bool open;
} writing;

static jnode *event(const llm_stream *s, const char *type)
{
    return object_of_type(s->scratch, type);
}

static void put(const llm_stream *s, const char *type, const jnode *j)
{
    sse_write(s->out, (str){type, strlen(type)}, (str){0}, jn_dump(s->scratch, j));
}

static void put_start(llm_stream *s, const llm_event *ev)
{
    arena *a = s->scratch;
    s->writing = NEW(s->a, writing);
    jnode *j = event(s, "message_start"), *m = jn_open(j, S("message"));
    jn_set_text(m, "id", ev->id.n ? ev->id : made_id(a, "msg_"));
    jn_set_text(m, "type", S("message"));
    jn_set_text(m, "role", S("assistant"));
    jn_set_text(m, "model", ev->model.n ? ev->model : s->model);
    jn_set(m, "content", jn_array(a));
    jn_set(m, "stop_reason", jn_null(a));
    jn_set(m, "stop_sequence", jn_null(a));
    llm_usage first = ev->usage;
    first.output = first.reasoning = (opt_int){0};
    jn_set(m, "usage", anthropic_usage_of(a, &first, false));
    put(s, "message_start", j);
}

static jnode *block(const llm_stream *s, const llm_part *p)
{
    arena *a = s->scratch;
    jnode *j = jn_object(a);
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        jn_set_text(j, "type", S("text"));
        jn_set_text(j, "text", S(""));
        return j;
    case PART_THINKING:
        jn_set_text(j, "type", S("thinking"));
        jn_set_text(j, "thinking", S(""));
        jn_set_text(j, "signature", S(""));
        return j;
    case PART_REDACTED:
        jn_set_text(j, "type", S("redacted_thinking"));
        jn_set_text(j, "data", p->text);
        return j;
    case PART_TOOL_CALL:
        jn_set_text(j, "type", S("tool_use"));
        jn_set_text(j, "id", p->id.n ? p->id : made_id(a, "toolu_"));
        jn_set_text(j, "name", p->name);
        jn_set(j, "input", jn_object(a));
        return j;
    default: return NULL;
    }
}

static void put_part(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing;
    jnode *b = ev->choice ? NULL : block(s, &ev->part);
    w->open = b != NULL;
    if (!b) return;
    jnode *j = event(s, "content_block_start");
    jn_set(j, "index", jn_int(s->scratch, (int64_t)w->blocks));
    jn_set(j, "content_block", b);
    put(s, "content_block_start", j);
}

static void put_piece(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing;
    if (!w->open || (ev->signature && ev->part.kind != PART_THINKING)) return;
    const char *maker = s->provider->family;
    const llm_part sealed = {.kind = PART_THINKING, .signature = ev->delta};
    bool foreign = ev->signature && !origin_is_claude((str){maker, strlen(maker)});
    bool thinks = ev->part.kind == PART_THINKING, calls = ev->part.kind == PART_TOOL_CALL;
    jnode *j = event(s, "content_block_delta"), *d = jn_object(s->scratch);
    jn_set_text(d, "type",
                ev->signature ? S("signature_delta")
                : thinks      ? S("thinking_delta")
                : calls       ? S("input_json_delta")
                              : S("text_delta"));
    jn_set_text(d,
                ev->signature ? "signature"
                : thinks      ? "thinking"
                : calls       ? "partial_json"
                              : "text",
                foreign ? origin_sealed(s->scratch, &sealed, maker) : ev->delta);
    jn_set(j, "index", jn_int(s->scratch, (int64_t)w->blocks));
    jn_set(j, "delta", d);
    put(s, "content_block_delta", j);
}

static void put_part_end(llm_stream *s)
{
    writing *w = s->writing;
    if (!w->open) return;
    w->open = false;
    jnode *j = event(s, "content_block_stop");
    jn_set(j, "index", jn_int(s->scratch, (int64_t)w->blocks++));
    put(s, "content_block_stop", j);
}

static void put_end(llm_stream *s)
{
    const writing *w = s->writing;
    arena *a = s->scratch;
    const char *word = name_text(anthropic_stops, w->stop ? w->stop : STOP_END);
    jnode *j = event(s, "message_delta"), *d = jn_open(j, S("delta"));
    jn_set_text(d, "stop_reason", word ? (str){word, strlen(word)} : S("end_turn"));
    jn_set(d, "stop_sequence", w->sequence.p ? jn_text(a, w->sequence) : jn_null(a));
    jn_set(j, "usage", anthropic_usage_of(a, &s->usage, false));
    put(s, "message_delta", j);
    put(s, "message_stop", event(s, "message_stop"));
}

void anthropic_write_event(llm_stream *s, const llm_event *ev)
{
    writing *w = s->writing;
    switch (ev->kind) {
    case EVENT_START: put_start(s, ev); return;
    case EVENT_PART: put_part(s, ev); return;
    case EVENT_DELTA: put_piece(s, ev); return;
    case EVENT_PART_END: put_part_end(s); return;
    case EVENT_STOP:
        if (ev->choice) return;
        w->stop = ev->stop;
        if (ev->stop_sequence.p) w->sequence = arena_dup(s->a, ev->stop_sequence);
        return;
    case EVENT_END: put_end(s); return;
    case EVENT_ERROR: put(s, "error", anthropic_write_error(s->scratch, ev->error)); return;
    case EVENT_PING: put(s, "ping", event(s, "ping")); return;
    case EVENT_USAGE: return;
    }
}
