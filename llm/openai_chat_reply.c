/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat_reply.c - whole answers and errors of chat completions, both ways.
 *
 * Thinking is said twice to clients: `reasoning_content`, the text that many read, and
 * `thinking_blocks`, which carry the signatures that a provider wants back. */
#include "openai_chat.h"
#include "usage.h"

/* clang-format off */
const name_row openai_chat_stops[] = {
    {"stop", STOP_END}, {"length", STOP_LENGTH}, {"tool_calls", STOP_TOOLS}, {"function_call", STOP_END},
    {"content_filter", STOP_FILTER}, {"stop", STOP_SEQUENCE}, {"stop", STOP_PAUSE}, {"length", STOP_CONTEXT},
    {0},
};
/* clang-format on */

int openai_stop(str word)
{
    return word.n ? name_value(openai_chat_stops, word, STOP_ERROR) : 0;
}

/* What OpenAI has no word for is said in the provider's own, so that nobody takes it for a stop. */
str openai_stop_word(const llm_choice *c)
{
    const char *word = name_text(openai_chat_stops, c->stop ? c->stop : STOP_END);
    if (word) return (str){word, strlen(word)};
    return c->stop_detail.n ? c->stop_detail : S("error");
}

/* From a provider */

static llm_part *read_thought(arena *a, js_value block, part_list *l)
{
    bool hidden = js_text_is(js_get(block, S("type")), S("redacted_thinking"));
    llm_part *p = part_add(l, hidden ? PART_REDACTED : PART_THINKING);
    js_value text = js_get(block, hidden ? S("data") : S("thinking"));
    if (text.kind != JS_STRING) text = js_get(block, S("text"));
    p->text = text.kind == JS_STRING ? js_text(a, text) : S("");
    p->signature = js_text(a, js_get(block, S("signature")));
    return p;
}

/* `reasoning_content` is text, or an object around it, as some gateways send it. */
static void read_reasoning(arena *a, js_value v, part_list *l)
{
    if (v.kind == JS_OBJECT) {
        js_value inner = js_at(v, "reasoningContent.reasoningText");
        (void)read_thought(a, inner.kind == JS_OBJECT ? inner : v, l);
        return;
    }
    str text = js_text(a, v);
    if (text.n) part_add(l, PART_THINKING)->text = text;
}

static void read_thoughts(arena *a, js_value message, part_list *l)
{
    js_value blocks = js_get(message, S("thinking_blocks"));
    size_t before = l->n;
    js_iter it = js_elements(blocks);
    while (js_next(&it))
        if (it.value.kind == JS_OBJECT) (void)read_thought(a, it.value, l);
    if (l->n > before) return;
    js_value plain = js_get(message, S("reasoning_content"));
    if (plain.kind == JS_ABSENT) plain = js_get(message, S("reasoning"));
    read_reasoning(a, plain, l);
}

static void read_call(arena *a, js_value v, part_list *l)
{
    js_value f = js_get(v, S("function"));
    bool custom = f.kind != JS_OBJECT;
    if (custom) f = js_get(v, S("custom"));
    if (f.kind != JS_OBJECT) return;
    llm_part *p = part_add(l, PART_TOOL_CALL);
    p->custom = custom;
    p->id = js_text(a, js_get(v, S("id")));
    p->name = js_text(a, js_get(f, S("name")));
    p->text = js_text(a, js_get(f, custom ? S("input") : S("arguments")));
}

static void read_message(arena *a, js_value message, llm_choice *c)
{
    js_value calls = js_get(message, S("tool_calls")), content = js_get(message, S("content"));
    part_list l = parts_new(a, list_count(calls) + list_count(content) +
                                   list_count(js_get(message, S("thinking_blocks"))) + 4);
    read_thoughts(a, message, &l);
    str text = js_text(a, content), refusal = js_text(a, js_get(message, S("refusal")));
    if (text.n) {
        llm_part *p = part_add(&l, PART_TEXT);
        p->text = text;
        p->annotations = js_get(message, S("annotations"));
    }
    js_iter it = js_elements(content);
    while (js_next(&it)) {
        str piece = js_text(a, js_get(it.value, S("text")));
        if (piece.n) part_add(&l, PART_TEXT)->text = piece;
    }
    if (refusal.n) part_add(&l, PART_REFUSAL)->text = refusal;
    it = js_elements(calls);
    while (js_next(&it)) read_call(a, it.value, &l);
    c->parts = l.p;
    c->count = l.n;
}

static void read_choice(arena *a, js_value v, llm_choice *c)
{
    read_message(a, js_get(v, S("message")), c);
    str word = js_text(a, js_get(v, S("finish_reason")));
    c->stop = openai_stop(word);
    c->stop_detail = word;
    c->logprobs = js_get(v, S("logprobs"));
}

const err *openai_chat_read_reply(llm_reader *rd, js_value body, const header *head, llm_reply *out)
{
    (void)head;
    arena *a = reader_arena(rd);
    js_value choices = js_get(body, S("choices"));
    size_t count = list_count(choices);
    if (body.kind != JS_OBJECT || !count)
        return err_new(a, ERR_UPSTREAM, "a chat completion without choices");
    out->id = js_text(a, js_get(body, S("id")));
    out->model = js_text(a, js_get(body, S("model")));
    out->service_tier = js_text(a, js_get(body, S("service_tier")));
    (void)js_int(js_get(body, S("created")), &out->created);
    llm_choice *all = NEW_N(a, llm_choice, count);
    js_iter it = js_elements(choices);
    for (size_t i = 0; js_next(&it); i++) read_choice(a, it.value, &all[i]);
    out->choices = all;
    out->count = count;
    out->usage = usage_of(rd, js_get(body, S("usage")), &openai_chat);
    return NULL;
}

/* To a client */

/* A part of a count that is known to be none: its place is there, empty. */
static void leave_out_zero(jnode *usage, const char *details, opt_int *n)
{
    if (!n->set || n->v) return;
    (void)jn_open(usage, (str){details, strlen(details)});
    n->set = false;
}

jnode *openai_usage(arena *a, const llm_usage *u)
{
    llm_usage joined = *u;
    usage_join(&joined, openai_chat.counts);
    jnode *j = jn_object(a);
    jn_set(j, "prompt_tokens", jn_int(a, joined.input.v));
    jn_set(j, "completion_tokens", jn_int(a, joined.output.v));
    jn_set(j, "total_tokens", jn_int(a, joined.input.v + joined.output.v));
    leave_out_zero(j, "prompt_tokens_details", &joined.cache_read);
    leave_out_zero(j, "prompt_tokens_details", &joined.cache_write);
    leave_out_zero(j, "completion_tokens_details", &joined.reasoning);
    fields_write(openai_chat_usage, &joined, j, NULL);
    return j;
}

static jnode *thought(arena *a, const llm_part *p)
{
    jnode *j = jn_object(a);
    bool hidden = p->kind == PART_REDACTED;
    jn_set_text(j, "type", hidden ? S("redacted_thinking") : S("thinking"));
    jn_set_text(j, hidden ? "data" : "thinking", p->text);
    jn_set_text(j, "signature", p->signature);
    return j;
}

static jnode *tool_call(arena *a, const llm_part *p)
{
    jnode *j = jn_object(a), *inner = jn_object(a);
    jn_set_text(j, "id", p->id.n ? p->id : made_id(a, "call_"));
    jn_set_text(j, "type", p->custom ? S("custom") : S("function"));
    jn_set_text(inner, "name", p->name);
    jn_set_text(inner, p->custom ? "input" : "arguments",
                p->text.n || p->custom ? p->text : S("{}"));
    jn_set(j, p->custom ? "custom" : "function", inner);
    return j;
}

static str texts(arena *a, const llm_choice *c, part_kind kind)
{
    buf b = buf_new(a, 1 << 30);
    bool any = false;
    for (size_t i = 0; i < c->count; i++) {
        if (c->parts[i].kind != kind) continue;
        any = true;
        buf_put(&b, c->parts[i].text);
    }
    return !any ? (str){0} : b.n ? buf_str(&b) : S("");
}

/* Thoughts that are to come back as they are: signed ones, and all of Converse's. */
static bool is_kept(const llm_part *p)
{
    if (p->kind == PART_REDACTED) return true;
    return p->kind == PART_THINKING && (p->signature.n || str_eq(p->origin, S("bedrock")));
}

/* Gemini signs the first of its calls; chat completions have a place for that on thoughts alone. */
static void sign_thoughts(arena *a, const llm_choice *c, jnode *thoughts)
{
    size_t i = 0;
    while (i < c->count && c->parts[i].kind != PART_TOOL_CALL) i++;
    if (i == c->count || !c->parts[i].signature.n) return;
    if (!jn_count(thoughts)) jn_add(thoughts, object_of_type(a, "thinking"));
    jn_set_text(jn_last(thoughts), "signature", c->parts[i].signature);
}

static jnode *message(arena *a, const llm_choice *c)
{
    jnode *j = jn_object(a), *calls = jn_array(a), *thoughts = jn_array(a), *notes = NULL;
    for (size_t i = 0; i < c->count; i++) {
        const llm_part *p = &c->parts[i];
        if (p->kind == PART_TOOL_CALL) jn_add(calls, tool_call(a, p));
        if (is_kept(p)) jn_add(thoughts, thought(a, p));
        if (p->kind == PART_TEXT && p->annotations.kind == JS_ARRAY && !notes)
            notes = jn_raw(a, p->annotations.raw);
    }
    sign_thoughts(a, c, thoughts);
    str text = texts(a, c, PART_TEXT), thinking = texts(a, c, PART_THINKING);
    str refusal = texts(a, c, PART_REFUSAL);
    jn_set_text(j, "role", S("assistant"));
    jn_set(j, "content", text.p ? jn_text(a, text) : jn_null(a));
    jn_set_text(j, "refusal", refusal);
    if (thinking.n) jn_set_text(j, "reasoning_content", thinking);
    if (jn_count(thoughts)) jn_set(j, "thinking_blocks", thoughts);
    if (jn_count(calls)) jn_set(j, "tool_calls", calls);
    jn_set(j, "annotations", notes);
    return j;
}

jnode *openai_chat_write_reply(arena *a, const llm_chat *c, const llm_reply *r)
{
    jnode *j = jn_object(a), *choices = jn_array(a);
    jn_set_text(j, "id", r->id.n ? r->id : made_id(a, "chatcmpl-"));
    jn_set_text(j, "object", S("chat.completion"));
    jn_set(j, "created", jn_int(a, r->created ? r->created : c->now_s));
    jn_set_text(j, "model", r->model.n ? r->model : c->model);
    jn_set_text(j, "service_tier", r->service_tier);
    jn_set(j, "choices", choices);
    for (size_t i = 0; i < r->count; i++) {
        const llm_choice *from = &r->choices[i];
        jnode *to = jn_object(a);
        jn_set(to, "index", jn_int(a, (int64_t)i));
        jn_set(to, "message", message(a, from));
        jn_set(to, "logprobs", jn_raw(a, from->logprobs.raw));
        jn_set_text(to, "finish_reason", openai_stop_word(from));
        jn_add(choices, to);
    }
    if (usage_known(&r->usage)) jn_set(j, "usage", openai_usage(a, &r->usage));
    return j;
}

/* Errors */

static const char *type_of(int status)
{
    switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    default: return status < 500 ? "invalid_request_error" : "server_error";
    }
}

jnode *openai_write_error(arena *a, const llm_error *e)
{
    const char *type = type_of(e->status);
    jnode *j = jn_object(a);
    if (e->theirs) jn_set_text(j, "type", S("error"));
    jnode *inner = jn_open(j, S("error"));
    jn_set_text(inner, "message", e->message.p ? e->message : S(""));
    jn_set_text(inner, "type", e->type.n ? e->type : (str){type, strlen(type)});
    if (e->param.p || !e->theirs)
        jn_set(inner, "param", e->param.p ? jn_text(a, e->param) : jn_null(a));
    jn_set(inner, "code", e->code.p ? jn_text(a, e->code) : jn_null(a));
    return j;
}

/* A code may be a number at some servers. */
static str word(arena *a, js_value v)
{
    return v.kind == JS_NUMBER ? v.raw : js_text(a, v);
}

void openai_read_error(arena *a, const header *head, str body, llm_error *e)
{
    (void)head;
    js_value root, inner = {0};
    if (!js_check(a, body, 64, &root)) inner = js_get(root, S("error"));
    if (inner.kind == JS_STRING) e->message = js_text(a, inner);
    if (inner.kind != JS_OBJECT) {
        if (!e->message.p) e->message = body;
        return;
    }
    e->message = js_text(a, js_get(inner, S("message")));
    e->type = js_text(a, js_get(inner, S("type")));
    e->code = word(a, js_get(inner, S("code")));
    e->param = js_text(a, js_get(inner, S("param")));
}
