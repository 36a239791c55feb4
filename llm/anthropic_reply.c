/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_reply.c - whole answers and errors of the messages API, both ways. */
#include "anthropic.h"
#include "origin.h"
#include "usage.h"

static void read_block(arena *a, js_value v, part_list *l)
{
    if (v.kind != JS_OBJECT) return;
    int kind = name_value(anthropic_kinds, js_text(a, js_get(v, S("type"))), PART_OTHER);
    llm_part *p = part_add(l, (part_kind)kind);
    p->origin = S("anthropic");
    switch (p->kind) {
    case PART_TEXT:
        p->text = js_text(a, js_get(v, S("text")));
        p->annotations = js_get(v, S("citations"));
        return;
    case PART_TOOL_CALL:
        p->id = js_text(a, js_get(v, S("id")));
        p->name = js_text(a, js_get(v, S("name")));
        p->text = js_get(v, S("input")).raw;
        return;
    case PART_THINKING:
        p->text = js_text(a, js_get(v, S("thinking")));
        p->signature = js_text(a, js_get(v, S("signature")));
        return;
    case PART_REDACTED: p->text = js_text(a, js_get(v, S("data"))); return;
    default: p->raw = v; return;
    }
}

const err *anthropic_read_reply(llm_reader *rd, js_value body, const header *head, llm_reply *out)
{
    (void)head;
    arena *a = reader_arena(rd);
    js_value content = js_get(body, S("content"));
    if (content.kind != JS_ARRAY) return err_new(a, ERR_UPSTREAM, "a message without content");
    part_list l = parts_new(a, list_count(content));
    js_iter it = js_elements(content);
    while (js_next(&it)) read_block(a, it.value, &l);
    llm_choice *c = NEW(a, llm_choice);
    str word = js_text(a, js_get(body, S("stop_reason")));
    *c = (llm_choice){.parts = l.p, .count = l.n, .stop_detail = word};
    c->stop = word.n ? name_value(anthropic_stops, word, STOP_ERROR) : 0;
    c->stop_sequence = js_text(a, js_get(body, S("stop_sequence")));
    out->id = js_text(a, js_get(body, S("id")));
    out->model = js_text(a, js_get(body, S("model")));
    out->choices = c;
    out->count = 1;
    out->usage = usage_of(rd, js_get(body, S("usage")), &anthropic_messages);
    usage_complete(&out->usage, anthropic_messages.counts);
    return NULL;
}

/* To a client */

jnode *anthropic_usage_of(arena *a, const llm_usage *u, bool whole)
{
    llm_usage joined = *u;
    usage_join(&joined, anthropic_messages.counts);
    jnode *j = jn_object(a);
    jn_set(j, "input_tokens", jn_int(a, joined.input.v));
    joined.cache_write.set = joined.cache_write.set || whole;
    joined.cache_read.set = joined.cache_read.set || whole;
    jn_set(j, "output_tokens", jn_int(a, joined.output.v));
    fields_write(anthropic_usage, &joined, j, NULL);
    return j;
}

static str signature_of(arena *a, const llm_part *p)
{
    if (!p->signature.n) return S("");
    if (origin_is_claude(p->origin)) return p->signature;
    return origin_sealed(a, p, arena_dup(a, p->origin).p);
}

static jnode *block(arena *a, const llm_part *p)
{
    jnode *j = NULL;
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        j = object_of_type(a, "text");
        jn_set_text(j, "text", p->text.p ? p->text : S(""));
        return j;
    case PART_THINKING:
        j = object_of_type(a, "thinking");
        jn_set_text(j, "thinking", p->text.p ? p->text : S(""));
        jn_set_text(j, "signature", signature_of(a, p));
        return j;
    case PART_REDACTED:
        j = object_of_type(a, "redacted_thinking");
        jn_set_text(j, "data", p->text);
        return j;
    case PART_TOOL_CALL:
        j = object_of_type(a, "tool_use");
        jn_set_text(j, "id", p->id.n ? p->id : made_id(a, "toolu_"));
        jn_set_text(j, "name", p->name);
        /* A model may make up what is no JSON: there is nowhere to put it. */
        jn_set(j, "input",
               p->custom || is_json_object(a, p->text) ? arguments_object(a, p) : jn_object(a));
        return j;
    case PART_OTHER: return str_eq(p->origin, S("anthropic")) ? jn_raw(a, p->raw.raw) : NULL;
    case PART_IMAGE:
    case PART_AUDIO:
    case PART_VIDEO:
    case PART_DOCUMENT:
    case PART_TOOL_RESULT: return NULL;
    }
    return NULL;
}

jnode *anthropic_write_reply(arena *a, const llm_chat *c, const llm_reply *r)
{
    const llm_choice *from = &r->choices[0];
    const char *word = name_text(anthropic_stops, from->stop ? from->stop : STOP_END);
    jnode *j = jn_object(a), *content = jn_array(a);
    jn_set_text(j, "id", r->id.p ? r->id : S(""));
    jn_set_text(j, "type", S("message"));
    jn_set_text(j, "role", S("assistant"));
    jn_set_text(j, "model", r->model.n ? r->model : c->model);
    jn_set(j, "content", content);
    for (size_t i = 0; i < from->count; i++) jn_add(content, block(a, &from->parts[i]));
    jn_set_text(j, "stop_reason", word ? (str){word, strlen(word)} : S("end_turn"));
    jn_set_text(j, "stop_sequence", from->stop_sequence);
    jn_set(j, "usage", anthropic_usage_of(a, &r->usage, true));
    return j;
}

/* Errors */

static const char *type_of(int status)
{
    switch (status) {
    case 401: return "authentication_error";
    case 402: return "billing_error";
    case 403: return "permission_error";
    case 404: return "not_found_error";
    case 413: return "request_too_large";
    case 429: return "rate_limit_error";
    case 503: return "service_unavailable_error";
    case 504: return "timeout_error";
    case 529: return "overloaded_error";
    default: return status < 500 ? "invalid_request_error" : "api_error";
    }
}

/* Other providers' words mean nothing to those who read Anthropic's. */
static bool is_anthropics(str type)
{
    static const str end = {"_error", 6};
    return str_eq(type, S("request_too_large")) ||
           (type.n > end.n && str_eq(str_drop(type, type.n - end.n), end));
}

jnode *anthropic_write_error(arena *a, const llm_error *e)
{
    const char *type = type_of(e->status);
    jnode *j = object_of_type(a, "error"), *inner = jn_open(j, S("error"));
    jn_set_text(inner, "type", is_anthropics(e->type) ? e->type : (str){type, strlen(type)});
    jn_set_text(inner, "message", e->message.p ? e->message : S(""));
    jn_set_text(j, "request_id", S(""));
    return j;
}

void anthropic_read_error(arena *a, const header *head, str body, llm_error *e)
{
    (void)head;
    js_value root, inner = {0};
    if (!js_check(a, body, 64, &root)) inner = js_get(root, S("error"));
    if (inner.kind != JS_OBJECT) {
        e->message = body;
        return;
    }
    e->type = js_text(a, js_get(inner, S("type")));
    e->message = js_text(a, js_get(inner, S("message")));
}
