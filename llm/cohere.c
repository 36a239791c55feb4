/* SPDX-License-Identifier: Apache-2.0 */
/* cohere.c - what Cohere answers: chat (v2), whole and streamed, and what it reranks.
 *
 * The plan of a call (`tool_plan`) is text said before it. A stream names no model; it ends with
 * `message-end`, which says why, and what it cost. Of its two counts `tokens` is the prompt as it
 * was read, `billed_units` what is paid for; the former is taken where it is there. */
#include "cohere.h"
#include "parts.h"
#include "schema.h"
#include "usage.h"

/* clang-format off */
#define F(path, member, alias) {path, FIELD_INT, offsetof(llm_usage, member), NULL, alias}
static const field_row usage[] = {
    F("billed_units.input_tokens",  input,      true),
    F("billed_units.output_tokens", output,     true),
    F("tokens.input_tokens",        input,      false),
    F("tokens.output_tokens",       output,     false),
    F("cached_tokens",              cache_read, false),
    {0},
};
#undef F
static const name_row stops[] = {
    {"COMPLETE", STOP_END}, {"STOP_SEQUENCE", STOP_SEQUENCE}, {"MAX_TOKENS", STOP_LENGTH},
    {"TOOL_CALL", STOP_TOOLS}, {"ERROR_TOXIC", STOP_FILTER}, {"ERROR_LIMIT", STOP_CONTEXT}, {0},
};
/* clang-format on */
static const char *const usage_at[] = {"usage", NULL};
static const char *const meta_at[] = {"meta", NULL};

/* A word we do not know is told in its own spelling, in small letters. */
static str detail_of(arena *a, str word)
{
    char *p = arena_bytes(a, word.n + 1);
    for (size_t i = 0; i < word.n; i++)
        p[i] = (char)(word.p[i] >= 'A' && word.p[i] <= 'Z' ? word.p[i] + 32 : word.p[i]);
    return (str){p, word.n};
}

/* Whole answers */

static void add_text(arena *a, js_value v, part_kind kind, part_list *l)
{
    str text = js_text(a, v);
    if (text.n) part_add(l, kind)->text = text;
}

static void read_message(arena *a, js_value message, part_list *l)
{
    for (js_iter it = js_elements(js_get(message, S("content"))); js_next(&it);) {
        add_text(a, js_get(it.value, S("thinking")), PART_THINKING, l);
        add_text(a, js_get(it.value, S("text")), PART_TEXT, l);
    }
    add_text(a, js_get(message, S("tool_plan")), PART_TEXT, l);
    for (js_iter it = js_elements(js_get(message, S("tool_calls"))); js_next(&it);) {
        llm_part *p = part_add(l, PART_TOOL_CALL);
        p->id = js_text(a, js_get(it.value, S("id")));
        p->name = js_text(a, js_at(it.value, "function.name"));
        p->text = js_text(a, js_at(it.value, "function.arguments"));
    }
}

static const err *read_reply(llm_reader *rd, js_value body, const header *head, llm_reply *out)
{
    (void)head;
    arena *a = reader_arena(rd);
    js_value message = js_get(body, S("message"));
    if (message.kind != JS_OBJECT)
        return err_new(a, ERR_UPSTREAM, "Cohere's answer has no message");
    size_t content = list_count(js_get(message, S("content")));
    size_t calls = list_count(js_get(message, S("tool_calls")));
    part_list l = parts_new(a, 2 * content + calls + 1);
    read_message(a, message, &l);
    str word = js_text(a, js_get(body, S("finish_reason")));
    llm_choice *c = NEW(a, llm_choice);
    *c = (llm_choice){.parts = l.p, .count = l.n, .stop_detail = detail_of(a, word)};
    c->stop = word.n ? name_value(stops, word, STOP_ERROR) : 0;
    *out = (llm_reply){.id = js_text(a, js_get(body, S("id"))), .choices = c, .count = 1};
    out->usage = usage_of(rd, js_get(body, S("usage")), &cohere);
    return NULL;
}

/* Streams */

static void stream_content(llm_stream *s, js_value content)
{
    str thought = js_text(s->scratch, js_get(content, S("thinking")));
    str text = js_text(s->scratch, js_get(content, S("text")));
    if (thought.n) stream_text(s, PART_THINKING, thought);
    if (text.n) stream_text(s, PART_TEXT, text);
}

static void stream_call(llm_stream *s, js_value v, bool begins)
{
    str arguments = js_text(s->scratch, js_at(v, "function.arguments"));
    if (begins)
        stream_part(s, &(llm_part){.kind = PART_TOOL_CALL,
                                   .id = js_text(s->scratch, js_get(v, S("id"))),
                                   .name = js_text(s->scratch, js_at(v, "function.name"))});
    if (arguments.n) stream_text(s, PART_TOOL_CALL, arguments);
}

/* An answer that failed half-way says so where others say why they stopped. */
static void stream_over(llm_stream *s, js_value delta)
{
    str word = js_text(s->scratch, js_get(delta, S("finish_reason")));
    str message = js_text(s->scratch, js_get(delta, S("error")));
    js_value counts = js_get(delta, S("usage"));
    if (counts.kind == JS_OBJECT) {
        llm_usage u = usage_of(reader_new(s->scratch), counts, &cohere);
        stream_usage(s, &u);
    }
    if (message.n || str_eq(word, S("ERROR")) || str_eq(word, S("TIMEOUT"))) {
        llm_error bad = {.status = 502, .message = message, .type = detail_of(s->scratch, word)};
        if (!message.n) bad.message = S("the model provider broke off");
        stream_fail(s, &bad);
        return;
    }
    stream_stop(s, name_value(stops, word, STOP_ERROR), detail_of(s->scratch, word), (str){0});
    stream_end(s);
}

typedef enum {
    ON_OTHER,
    ON_START,
    ON_CONTENT,
    ON_PLAN,
    ON_CALL,
    ON_CALL_MORE,
    ON_CLOSE,
    ON_END
} on;

static const name_row events[] = {
    {"message-start", ON_START},       {"content-start", ON_CONTENT},
    {"content-delta", ON_CONTENT},     {"content-end", ON_CLOSE},
    {"tool-plan-delta", ON_PLAN},      {"tool-call-start", ON_CALL},
    {"tool-call-delta", ON_CALL_MORE}, {"tool-call-end", ON_CLOSE},
    {"message-end", ON_END},           {0},
};

static void read_error(arena *a, const header *head, str body, llm_error *e);

static const err *read_event(llm_stream *s, llm_frame f)
{
    js_value root = {0};
    if (str_eq(f.data, S("[DONE]"))) return NULL; /* message-end was the end */
    const err *e = js_check(s->scratch, f.data, 128, &root);
    if (e) return e;
    js_value delta = js_get(root, S("delta")), message = js_get(delta, S("message"));
    str type = js_text(s->scratch, js_get(root, S("type")));
    str plan;
    llm_event start = {.id = js_text(s->scratch, js_get(root, S("id")))};
    llm_error bad = {.status = 502};
    switch ((on)name_value(events, type.n ? type : f.type, ON_OTHER)) {
    case ON_START: stream_start(s, &start); break;
    case ON_CONTENT: stream_content(s, js_get(message, S("content"))); break;
    case ON_PLAN:
        plan = js_text(s->scratch, js_get(message, S("tool_plan")));
        if (plan.n) stream_text(s, PART_TEXT, plan);
        break;
    case ON_CALL: stream_call(s, js_get(message, S("tool_calls")), true); break;
    case ON_CALL_MORE: stream_call(s, js_get(message, S("tool_calls")), false); break;
    case ON_CLOSE: stream_part_end(s); break;
    case ON_END: stream_over(s, delta); break;
    case ON_OTHER: /* citations; or an error in place of an event */
        if (type.n || js_get(root, S("message")).kind != JS_STRING) break;
        read_error(s->scratch, NULL, f.data, &bad);
        stream_fail(s, &bad);
        break;
    }
    return NULL;
}

/* Errors and the head */

static void read_error(arena *a, const header *head, str body, llm_error *e)
{
    (void)head;
    js_value root = {0};
    if (js_check(a, body, 64, &root)) root = (js_value){0};
    js_value message = js_get(root, S("message"));
    e->message = message.kind == JS_STRING ? js_text(a, message) : body;
}

static jnode *write_error(arena *a, const llm_error *e)
{
    jnode *j = jn_object(a);
    jn_set_text(j, "message", e->message.p ? e->message : S(""));
    return j;
}

str cohere_place(arena *a, const llm_backend *b, const char *end)
{
    str version = b->version.n ? b->version : S("v2");
    return arena_fmt(a, STR_FMT "/" STR_FMT "/%s", STR_ARG(b->base_path), STR_ARG(version), end);
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    (void)c;
    out->target = cohere_place(a, to->backend, "chat");
    return NULL;
}

const llm_dialect cohere = {
    .name = "cohere",
    .family = "cohere",
    .counts = COUNTS_CACHE_IN_INPUT,
    .usage = usage,
    .usage_at = usage_at,
    .error_type = "CohereBackendError",
    .write_request = cohere_write_request,
    .write_head = write_head,
    .read_reply = read_reply,
    .read_event = read_event,
    .read_error = read_error,
};

const llm_dialect cohere_rerank = {
    .name = "cohere_rerank",
    .family = "cohere",
    .counts = COUNTS_CACHE_IN_INPUT,
    .usage = usage,
    .usage_at = meta_at,
    .error_type = "CohereBackendError",
    .write_error = write_error,
    .read_error = read_error,
};
