/* SPDX-License-Identifier: Apache-2.0 */
/* bedrock.c - AWS Bedrock's Converse: what it answers, whole and as frames.
 *
 * A text or a thought begins with its first delta: only tools are announced by a
 * contentBlockStart. Usage comes last, in `metadata`, after the stop. A 200 may lack its output: a
 * guardrail that stepped in is an answer that was filtered, anything else is a failure. */
#include "bedrock.h"
#include "parts.h"
#include "path.h"
#include "schema.h"
#include "usage.h"

/* clang-format off */
#define F(path, member) {path, FIELD_INT, offsetof(llm_usage, member), NULL, false}
static const field_row usage[] = {
    F("inputTokens",           input),
    F("outputTokens",          output),
    F("cacheReadInputTokens",  cache_read),
    F("cacheWriteInputTokens", cache_write),
    {0},
};
#undef F
static const name_row stops[] = {
    {"end_turn", STOP_END},             {"stop_sequence", STOP_SEQUENCE},
    {"max_tokens", STOP_LENGTH},        {"model_context_window_exceeded", STOP_CONTEXT},
    {"tool_use", STOP_TOOLS},           {"guardrail_intervened", STOP_FILTER},
    {"content_filtered", STOP_FILTER},  {"malformed_model_output", STOP_ERROR},
    {"malformed_tool_use", STOP_ERROR}, {0},
};
/* clang-format on */

static const char *const usage_at[] = {"usage", NULL};
static const str family = {"bedrock", 7};

/* A stop reason that is new to us says at least that the model stopped. */
static int stop_of(str reason)
{
    return reason.n ? name_value(stops, reason, STOP_END) : STOP_END;
}

static void read_block(llm_reader *rd, js_value block, llm_part *p)
{
    arena *a = reader_arena(rd);
    js_value use = js_get(block, S("toolUse")), reasoning = js_get(block, S("reasoningContent"));
    js_value thought = js_get(reasoning, S("reasoningText"));
    js_value redacted = js_get(reasoning, S("redactedContent"));
    if (use.kind == JS_OBJECT)
        *p = (llm_part){.kind = PART_TOOL_CALL,
                        .id = js_text(a, js_get(use, S("toolUseId"))),
                        .name = js_text(a, js_get(use, S("name"))),
                        .text = json_compact(a, js_get(use, S("input")).raw)};
    else if (thought.kind == JS_OBJECT)
        *p = (llm_part){.kind = PART_THINKING,
                        .origin = family,
                        .text = js_text(a, js_get(thought, S("text"))),
                        .signature = js_text(a, js_get(thought, S("signature")))};
    else if (redacted.kind == JS_STRING)
        *p = (llm_part){.kind = PART_REDACTED, .origin = family, .text = js_text(a, redacted)};
    else if (js_get(block, S("text")).kind == JS_STRING)
        *p = (llm_part){.kind = PART_TEXT, .text = js_text(a, js_get(block, S("text")))};
    else
        *p = (llm_part){.kind = PART_OTHER, .origin = family, .raw = block};
}

static void read_message(llm_reader *rd, js_value content, llm_choice *choice)
{
    llm_part *parts = NEW_N(reader_arena(rd), llm_part, list_count(content) + 1);
    for (js_iter it = js_elements(content); js_next(&it);)
        read_block(rd, it.value, &parts[choice->count++]);
    choice->parts = parts;
}

static const err *read_reply(llm_reader *rd, js_value body, const header *head, llm_reply *out)
{
    arena *a = reader_arena(rd);
    llm_choice *choice = NEW(a, llm_choice);
    js_value message = js_at(body, "output.message");
    str reason = js_text(a, js_get(body, S("stopReason")));
    choice->stop = stop_of(reason);
    if (choice->stop == STOP_ERROR) choice->stop_detail = arena_dup(a, reason);
    if (message.kind != JS_OBJECT && choice->stop != STOP_FILTER)
        return err_new(a, ERR_UPSTREAM,
                       "Bedrock's answer has no output (stop reason '" STR_FMT "')",
                       STR_ARG(str_take(reason, 80)));
    read_message(rd, js_get(message, S("content")), choice);
    *out = (llm_reply){.id = header_get(head, S("x-amzn-requestid")),
                       .service_tier = js_text(a, js_at(body, "serviceTier.type")),
                       .choices = choice,
                       .count = 1,
                       .usage = usage_of(rd, js_get(body, S("usage")), &bedrock)};
    return NULL;
}

/* Streams */

static void read_delta(llm_stream *s, js_value delta)
{
    js_value text = js_get(delta, S("text")), input = js_at(delta, "toolUse.input");
    js_value reasoning = js_get(delta, S("reasoningContent"));
    js_value thought = js_get(reasoning, S("text")), signature = js_get(reasoning, S("signature"));
    js_value redacted = js_get(reasoning, S("redactedContent"));
    if (text.kind == JS_STRING) stream_text(s, PART_TEXT, js_text(s->scratch, text));
    if (input.kind == JS_STRING) stream_text(s, PART_TOOL_CALL, js_text(s->scratch, input));
    if (thought.kind == JS_STRING) stream_text(s, PART_THINKING, js_text(s->scratch, thought));
    if (signature.kind == JS_STRING)
        stream_signature(s, PART_THINKING, js_text(s->scratch, signature));
    if (redacted.kind == JS_STRING)
        stream_part(s, &(llm_part){.kind = PART_REDACTED,
                                   .origin = family,
                                   .text = js_text(s->scratch, redacted)});
}

static void read_start(llm_stream *s, js_value start)
{
    js_value use = js_get(start, S("toolUse"));
    if (use.kind != JS_OBJECT) return;
    stream_part(s, &(llm_part){.kind = PART_TOOL_CALL,
                               .id = js_text(s->scratch, js_get(use, S("toolUseId"))),
                               .name = js_text(s->scratch, js_get(use, S("name")))});
}

static void read_metadata(llm_stream *s, js_value data)
{
    llm_usage u = usage_of(reader_new(s->scratch), js_get(data, S("usage")), &bedrock);
    stream_usage(s, &u);
    stream_end(s);
}

void bedrock_read_exception(llm_stream *s, llm_frame f)
{
    /* clang-format off */
    static const name_row statuses[] = {
        {"throttlingException", 429},         {"validationException", 400},
        {"modelTimeoutException", 408},       {"modelStreamErrorException", 502},
        {"serviceUnavailableException", 503}, {"internalServerException", 500}, {0},
    };
    /* clang-format on */
    js_value data = {0};
    llm_error e = {.status = name_value(statuses, f.type, 502), .type = f.type};
    if (!js_check(s->scratch, f.data, 16, &data))
        e.message = js_text(s->scratch, js_get(data, S("message")));
    if (!e.message.n) e.message = f.type;
    stream_fail(s, &e);
}

static const err *read_event(llm_stream *s, llm_frame f)
{
    js_value data;
    if (f.exception) {
        bedrock_read_exception(s, f);
        return NULL;
    }
    const err *e = js_check(s->scratch, f.data, 64, &data);
    if (e) return err_wrap(s->a, e, "an event of Bedrock's is no JSON");
    stream_start(s, &(llm_event){.id = header_get(s->head, S("x-amzn-requestid"))});
    if (str_eq(f.type, S("contentBlockDelta"))) {
        read_delta(s, js_get(data, S("delta")));
    } else if (str_eq(f.type, S("contentBlockStart"))) {
        read_start(s, js_get(data, S("start")));
    } else if (str_eq(f.type, S("contentBlockStop"))) {
        stream_part_end(s);
    } else if (str_eq(f.type, S("messageStop"))) {
        str reason = js_text(s->scratch, js_get(data, S("stopReason")));
        int stop = stop_of(reason);
        stream_stop(s, stop, stop == STOP_ERROR ? arena_dup(s->scratch, reason) : (str){0},
                    (str){0});
    } else if (str_eq(f.type, S("metadata"))) {
        read_metadata(s, data);
    }
    return NULL; /* messageStart says no more, and what is new may be ignored */
}

static frame_sense sense(llm_frame f)
{
    if (f.exception) return FRAME_ERROR;
    if (str_eq(f.type, S("messageStart"))) return FRAME_PREAMBLE;
    if (str_eq(f.type, S("messageStop"))) return FRAME_STOP;
    return str_eq(f.type, S("metadata")) ? FRAME_END : FRAME_CONTENT;
}

/* Errors and the head */

/* "ThrottlingException:http://…" */
static str error_type(const header *head, js_value body, arena *a)
{
    str type = header_get(head, S("x-amzn-errortype"));
    if (!type.n) type = js_text(a, js_get(body, S("__type")));
    type = str_cut(type, ':').head;
    str_pair cut = str_cut(type, '#');
    return cut.ok ? cut.tail : type;
}

void bedrock_read_error(arena *a, const header *head, str body, llm_error *e)
{
    js_value root = {0};
    bool is_json = !js_check(a, body, 32, &root) && root.kind == JS_OBJECT;
    str message = is_json ? js_text(a, js_get(root, S("message"))) : body;
    if (is_json && !message.n) message = js_text(a, js_get(root, S("Message")));
    e->type = is_json ? error_type(head, root, a) : S("AWSBedrockBackendError");
    e->message = message;
}

void bedrock_head(arena *a, const llm_chat *c, const llm_target *to, const char *const verbs[2],
                  llm_head *out)
{
    bool streams = c->stream.set && c->stream.v;
    out->target = arena_fmt(a, STR_FMT "/model/" STR_FMT "/%s", STR_ARG(to->backend->base_path),
                            STR_ARG(path_segment(a, chat_model(c, to))), verbs[streams]);
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    static const char *const verbs[2] = {"converse", "converse-stream"};
    bedrock_head(a, c, to, verbs, out);
    return NULL;
}

const llm_dialect bedrock = {
    .name = "bedrock",
    .family = "bedrock",
    .framing = FRAMES_AWS,
    .usage = usage,
    .usage_at = usage_at,
    .error_type = "AWSBedrockBackendError",
    .sense = sense,
    .write_request = bedrock_write_request,
    .write_head = write_head,
    .read_reply = read_reply,
    .read_event = read_event,
    .read_error = bedrock_read_error,
};
