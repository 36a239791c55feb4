/* SPDX-License-Identifier: Apache-2.0 */
/* openai_responses_reply.c - the response object and its items. */
#include "openai_responses.h"

bool responses_is_custom(const llm_chat *c, const llm_part *p)
{
    if (p->custom) return true;
    for (size_t i = 0; i < c->tool_count; i++)
        if (c->tools[i].kind == TOOL_CUSTOM && str_eq(c->tools[i].name, p->name)) return true;
    return false;
}

/* To a provider without free-form tools it was one with a single text, `input`. */
str responses_custom_input(arena *a, const llm_part *p)
{
    js_value v;
    if (p->custom || js_check(a, p->text, 64, &v)) return p->text;
    js_value input = js_get(v, S("input"));
    return input.kind == JS_STRING ? js_text(a, input) : p->text;
}

jnode *responses_message(arena *a, str id, str text, bool refusal, const char *status)
{
    jnode *j = object_of_type(a, "message"), *list = jn_array(a);
    jn_set_text(j, "id", id);
    jn_set_text(j, "status", (str){status, strlen(status)});
    jn_set_text(j, "role", S("assistant"));
    if (text.p) {
        jnode *part = object_of_type(a, refusal ? "refusal" : "output_text");
        jn_set_text(part, refusal ? "refusal" : "text", text);
        if (!refusal) jn_set(part, "annotations", jn_array(a));
        if (!refusal) jn_set(part, "logprobs", jn_array(a));
        jn_add(list, part);
    }
    jn_set(j, "content", list);
    return j;
}

jnode *responses_thought(arena *a, str id, str text, str sealed)
{
    jnode *j = object_of_type(a, "reasoning"), *list = jn_array(a);
    jn_set_text(j, "id", id);
    if (text.n) {
        jnode *part = object_of_type(a, "summary_text");
        jn_set_text(part, "text", text);
        jn_add(list, part);
    }
    jn_set(j, "summary", list);
    jn_set_text(j, "encrypted_content", sealed);
    return j;
}

jnode *responses_call(arena *a, str id, const llm_part *p, const char *status)
{
    jnode *j = object_of_type(a, p->custom ? "custom_tool_call" : "function_call");
    jn_set_text(j, "id", id);
    jn_set_text(j, "call_id", p->id);
    jn_set_text(j, "name", p->name);
    jn_set_text(j, p->custom ? "input" : "arguments", p->text.p ? p->text : S(""));
    jn_set_text(j, "status", (str){status, strlen(status)});
    return j;
}

static jnode *raw_or(arena *a, js_value v, const char *otherwise)
{
    return jn_raw(a, v.raw.n ? v.raw : (str){otherwise, strlen(otherwise)});
}

/* What the client asked for is said again, in its own bytes. */
jnode *responses_object(arena *a, const llm_chat *c, str id, str model)
{
    static const struct {
        const char *member, *otherwise;
    } echoed[] = {{"instructions", "null"},
                  {"max_output_tokens", "null"},
                  {"temperature", "null"},
                  {"top_p", "null"},
                  {"tool_choice", "\"auto\""},
                  {"tools", "[]"},
                  {"parallel_tool_calls", "true"},
                  {"reasoning", "null"},
                  {"metadata", "{}"},
                  {"truncation", "\"disabled\""},
                  {"user", "null"}};
    jnode *j = jn_object(a);
    jn_set_text(j, "id", id);
    jn_set_text(j, "object", S("response"));
    jn_set(j, "created_at", jn_int(a, c->now_s));
    jn_set_text(j, "status", S("in_progress"));
    jn_set(j, "error", jn_null(a));
    jn_set(j, "incomplete_details", jn_null(a));
    jn_set_text(j, "model", model);
    jn_set(j, "output", jn_array(a));
    for (size_t i = 0; i < sizeof echoed / sizeof *echoed; i++) {
        str name = {echoed[i].member, strlen(echoed[i].member)};
        jn_set(j, echoed[i].member, raw_or(a, js_get(c->root, name), echoed[i].otherwise));
    }
    js_value text = js_get(c->root, S("text"));
    jn_set(j, "text", raw_or(a, text, "{\"format\":{\"type\":\"text\"}}"));
    jn_set(j, "previous_response_id", c->previous.n ? jn_text(a, c->previous) : jn_null(a));
    jn_set(j, "store", jn_bool(a, c->kept));
    jn_set(j, "usage", jn_null(a));
    return j;
}

void responses_finish(jnode *response, int stop, const llm_usage *u)
{
    arena *a = jn_arena(response);
    bool cut = stop == STOP_LENGTH || stop == STOP_CONTEXT, filtered = stop == STOP_FILTER;
    const char *status = stop == STOP_ERROR ? "failed"
                         : cut || filtered  ? "incomplete"
                                            : "completed";
    jn_set_text(response, "status", (str){status, strlen(status)});
    if (cut || filtered) {
        jnode *why = jn_object(a);
        jn_set_text(why, "reason", cut ? S("max_output_tokens") : S("content_filter"));
        jn_set(response, "incomplete_details", why);
    }
    if (stop == STOP_ERROR) {
        jnode *error = jn_object(a);
        jn_set_text(error, "code", S("server_error"));
        jn_set_text(error, "message", S("the model stopped because of an error"));
        jn_set(response, "error", error);
    }
    llm_usage joined = *u;
    usage_join(&joined, openai_responses.counts);
    jnode *usage = jn_object(a);
    jn_set(usage, "input_tokens", jn_int(a, joined.input.v));
    jn_set(jn_open(usage, S("input_tokens_details")), "cached_tokens", jn_int(a, 0));
    jn_set(usage, "output_tokens", jn_int(a, joined.output.v));
    jn_set(jn_open(usage, S("output_tokens_details")), "reasoning_tokens", jn_int(a, 0));
    jn_set(usage, "total_tokens", jn_int(a, joined.input.v + joined.output.v));
    fields_write(responses_usage, &joined, usage, NULL);
    jn_set(response, "usage", usage);
}

static jnode *item(arena *a, const llm_chat *c, const llm_part *p, const char *maker)
{
    llm_part as = *p;
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        return responses_message(a, made_id(a, "msg_"), p->text.p ? p->text : S(""),
                                 p->kind == PART_REFUSAL, "completed");
    case PART_THINKING:
    case PART_REDACTED:
        return responses_thought(a, made_id(a, "rs_"),
                                 p->kind == PART_THINKING ? p->text : (str){0},
                                 origin_sealed(a, p, maker));
    case PART_TOOL_CALL:
        if (!as.id.n) as.id = made_id(a, "call_");
        if (responses_is_custom(c, p)) {
            as.text = responses_custom_input(a, p);
            as.custom = true;
        } else if (!as.text.n)
            as.text = S("{}");
        return responses_call(a, made_id(a, as.custom ? "ctc_" : "fc_"), &as, "completed");
    default: return NULL;
    }
}

jnode *responses_write_reply(arena *a, const llm_chat *c, const llm_reply *r)
{
    const llm_choice *from = &r->choices[0];
    str id = arena_fmt(a, "resp_" STR_FMT, STR_ARG(r->id.n ? r->id : made_id(a, "")));
    jnode *j = responses_object(a, c, id, r->model.n ? r->model : c->model);
    jnode *output = jn_array(a);
    const char *maker = r->maker ? r->maker : "";
    for (size_t i = 0; i < from->count; i++) jn_add(output, item(a, c, &from->parts[i], maker));
    jn_set(j, "output", output);
    responses_finish(j, from->stop, &r->usage);
    return j;
}
