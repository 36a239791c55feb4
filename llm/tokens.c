/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.c - counting what a conversation would cost: vLLM's /tokenize and Anthropic's
 * count_tokens at providers that have a count of their own.
 *
 * The question is a conversation, so the dialects write it, as for a chat; each provider wants it
 * wrapped in its own way. AWS counts by base models: the regional part of a name is left out. */
#include "../authz/digest.h"
#include "anthropic.h"
#include "bedrock.h"
#include "flat.h"
#include "gemini.h"
#include "google.h"
#include "openai_chat.h"
#include "path.h"

/* A prompt is what a user says. */
static const err *read_prompt(const flat_ask *q, llm_chat *c)
{
    llm_turn *turn = NEW(q->a, llm_turn);
    llm_part *part = NEW(q->a, llm_part);
    *part = (llm_part){.kind = PART_TEXT, .text = js_text(q->a, js_get(q->body, S("prompt")))};
    *turn = (llm_turn){.role = ROLE_USER, .parts = part, .count = 1};
    c->turns = turn;
    c->turn_count = 1;
    c->model = q->model;
    return NULL;
}

static const err *read_question(const flat_ask *q, llm_chat *c)
{
    bool prompt = js_get(q->body, S("prompt")).kind == JS_STRING;
    bool messages = js_get(q->body, S("messages")).kind == JS_ARRAY;
    bool more = js_bool(js_get(q->body, S("add_generation_prompt")), true);
    *c = (llm_chat){.from = &openai_chat, .reader = reader_new(q->a), .root = q->body};
    if (prompt == messages)
        return flat_wrong(q, "exactly one of 'prompt' and 'messages' must be given");
    if (more && js_bool(js_get(q->body, S("continue_final_message")), false))
        return flat_wrong(q, "'continue_final_message' and 'add_generation_prompt' "
                             "exclude each other");
    return prompt ? read_prompt(q, c) : openai_chat_read_request(c->reader, q->body, c);
}

/* Anthropic's question. */
static const err *read_messages(const flat_ask *q, llm_chat *c)
{
    *c = (llm_chat){.from = &anthropic_messages, .reader = reader_new(q->a), .root = q->body};
    return anthropic_read_request(c->reader, q->body, c);
}

const err *tokens_check(const flat_ask *q)
{
    llm_chat c;
    return read_question(q, &c);
}

static const err *put_count(const flat_ask *q, js_value n, const char *name, jnode *out)
{
    int64_t count = 0;
    if (n.kind != JS_ABSENT && !js_int(n, &count))
        return err_new(q->a, ERR_UPSTREAM, "the count is no number");
    jn_set(out, name, jn_int(q->a, count));
    return NULL;
}

static void count_usage(js_value n, llm_usage *u)
{
    u->input.set = js_int(n, &u->input.v);
}

bool tokens_usage(flat_kind kind, js_value answer, llm_usage *u)
{
    if (kind == FLAT_TOKENIZE) u->input.set = u->output.set = true; /* it costs nothing */
    if (kind == FLAT_COUNT_TOKENS || kind == FLAT_INPUT_TOKENS)
        count_usage(js_get(answer, S("input_tokens")), u);
    return kind == FLAT_TOKENIZE || kind == FLAT_COUNT_TOKENS || kind == FLAT_INPUT_TOKENS;
}

static void copy_member(const jnode *from, const char *name, jnode *to)
{
    const jnode *member = jn_get(from, name);
    if (member) jn_set(to, name, jn_raw(jn_arena(to), jn_dump(jn_arena(to), member)));
}

/* AWS */

str aws_tokens_place(const flat_ask *q)
{
    static const char *const places[] = {"us-gov.", "us.", "eu.",     "apac.", "uk.",
                                         "au.",     "jp.", "global.", NULL};
    str model = q->model;
    for (size_t i = 0; places[i]; i++) {
        str place = {places[i], strlen(places[i])};
        if (!str_starts(model, place)) continue;
        model = str_drop(model, place.n);
        break;
    }
    return arena_fmt(q->a, STR_FMT "/model/" STR_FMT "/count-tokens",
                     STR_ARG(q->to->backend->base_path), STR_ARG(path_segment(q->a, model)));
}

static const err *put_converse(const flat_ask *q, const llm_chat *c, jnode *out)
{
    static const char *const counted[] = {"messages", "system", "toolConfig"};
    jnode *whole = jn_object(q->a), *into = jn_open(out, S("input"));
    const err *e = bedrock_write_request(c, q->to, NULL, whole);
    into = jn_open(into, S("converse"));
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        copy_member(whole, counted[i], into);
    return e;
}

const err *bedrock_put_tokens(const flat_ask *q, jnode *out)
{
    llm_chat c;
    const err *e = read_question(q, &c);
    return e ? e : put_converse(q, &c, out);
}

const err *bedrock_put_count(const flat_ask *q, jnode *out)
{
    llm_chat c;
    const err *e = read_messages(q, &c);
    return e ? e : put_converse(q, &c, out);
}

static void wrap_invoke(const flat_ask *q, str body, jnode *out)
{
    jnode *invoke = jn_open(jn_open(out, S("input")), S("invokeModel"));
    jn_set_text(invoke, "body", digest_base64(q->a, body));
}

const err *aws_anthropic_put_tokens(const flat_ask *q, jnode *out)
{
    llm_chat c;
    jnode *body = jn_object(q->a);
    const err *e = read_question(q, &c);
    if (!e && !c.max_tokens.set) c.max_tokens = (opt_int){true, 1};
    if (!e) e = aws_anthropic.write_request(&c, q->to, NULL, body);
    wrap_invoke(q, jn_dump(q->a, body), out);
    return e;
}

/* Anthropic's own question, as InvokeModel would have it: an answer of at least one token. */
const err *aws_anthropic_put_count(const flat_ask *q, jnode *out)
{
    const llm_chat c = {.headers = q->headers};
    const body_edit *edits = aws_anthropic.edit_request(q->a, &c, q->to);
    body_edit more[8] = {{{0}, {0}}};
    size_t n = 0;
    for (; n < 6 && edits[n].name.p; n++) more[n] = edits[n];
    if (js_get(q->body, S("max_tokens")).kind == JS_ABSENT)
        more[n] = (body_edit){S("max_tokens"), S("1")};
    wrap_invoke(q, body_edited(q->a, q->body, more), out);
    return NULL;
}

const err *aws_get_tokens(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    (void)u;
    return put_count(q, js_get(answer, S("inputTokens")), "count", out);
}

const err *aws_get_count(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    count_usage(js_get(answer, S("inputTokens")), u);
    return put_count(q, js_get(answer, S("inputTokens")), "input_tokens", out);
}

/* Google */

str gcp_anthropic_tokens_place(const flat_ask *q)
{
    return google_place(q->a, q->to->backend, "anthropic", S("count-tokens"), "rawPredict");
}

str google_tokens_place(const flat_ask *q)
{
    return google_place(q->a, q->to->backend, "google", q->model, "countTokens");
}

/* The count knows models by their names alone, or with the date of a version. */
static str counted_model(str model)
{
    static const str tags[] = {{"@default", 8}, {"@latest", 7}};
    for (size_t i = 0; i < 2; i++)
        if (model.n > tags[i].n && str_eq(str_drop(model, model.n - tags[i].n), tags[i]))
            return str_take(model, model.n - tags[i].n);
    return model;
}

const err *gcp_anthropic_put_tokens(const flat_ask *q, jnode *out)
{
    llm_chat c;
    const err *e = read_question(q, &c);
    if (!e) e = gcp_anthropic.write_request(&c, q->to, NULL, out);
    jn_set_text(out, "model", counted_model(q->model));
    return e;
}

const body_edit *gcp_anthropic_count_edits(const flat_ask *q)
{
    const llm_chat c = {.headers = q->headers};
    const body_edit *version = gcp_anthropic.edit_request(q->a, &c, q->to);
    body_edit *edits = NEW_N(q->a, body_edit, 3);
    edits[0] = version[0];
    edits[1] = (body_edit){S("model"), jn_dump(q->a, jn_text(q->a, counted_model(q->model)))};
    return edits;
}

const err *anthropic_get_tokens(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    (void)u;
    return put_count(q, js_get(answer, S("input_tokens")), "count", out);
}

/* AI Studio counts contents alone, or all of a request that names its model once more. */
static jnode *counted_request(const flat_ask *q, jnode *out)
{
    if (q->to->backend->schema != SCHEMA_GEMINI) return out;
    jnode *request = jn_open(out, S("generateContentRequest"));
    jn_set_text(request, "model", arena_fmt(q->a, "models/" STR_FMT, STR_ARG(q->model)));
    return request;
}

static const err *put_contents(const flat_ask *q, const llm_chat *c, jnode *out)
{
    static const char *const counted[] = {"contents", "systemInstruction", "tools",
                                          "generationConfig"};
    jnode *whole = jn_object(q->a), *into = counted_request(q, out);
    js_value resolution = js_get(q->body, S("media_resolution"));
    const err *e = gemini_write_request(c, q->to, NULL, whole);
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        copy_member(whole, counted[i], into);
    if (resolution.kind == JS_STRING)
        jn_set(jn_open(into, S("generationConfig")), "mediaResolution",
               jn_raw(q->a, resolution.raw));
    return e;
}

const err *google_put_tokens(const flat_ask *q, jnode *out)
{
    llm_chat c;
    const err *e = read_question(q, &c);
    return e ? e : put_contents(q, &c, out);
}

const err *google_put_count(const flat_ask *q, jnode *out)
{
    llm_chat c;
    const err *e = read_messages(q, &c);
    return e ? e : put_contents(q, &c, out);
}

const err *google_get_count(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    count_usage(js_get(answer, S("totalTokens")), u);
    return put_count(q, js_get(answer, S("totalTokens")), "input_tokens", out);
}

const err *google_get_tokens(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    (void)u;
    return put_count(q, js_get(answer, S("totalTokens")), "count", out);
}
