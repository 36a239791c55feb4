/* SPDX-License-Identifier: Apache-2.0 */
/* bedrock_request.c - a conversation as Converse wants it.
 *
 * Roles alternate and begin with the user, so neighbours of one role become one message: results
 * of tools, which are user content here, join what the user said next; Claude wants them first,
 * before other models the client's order is kept. A block has exactly one key; a cache mark is a
 * block of its own after what it marks. */
#include "bedrock.h"
#include "origin.h"
#include "parts.h"
#include "thinking.h"

/* clang-format off */
#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
static const field_row params[] = {
    F("inferenceConfig.maxTokens",          FIELD_INT, max_tokens),
    F("inferenceConfig.temperature",        FIELD_NUM, temperature),
    F("inferenceConfig.topP",               FIELD_NUM, top_p),
    F("serviceTier.type",                   FIELD_STR, service_tier),
    F("additionalModelRequestFields.top_k", FIELD_INT, top_k),
    {0},
};
static const field_row params_of_no_sampling[] = {
    F("inferenceConfig.maxTokens",          FIELD_INT, max_tokens),
    F("serviceTier.type",                   FIELD_STR, service_tier),
    {0},
};
#undef F

/* clang-format on */

enum { ARGUMENTS_DEPTH = 200, ID_MOST = 64 };

typedef struct {
    const llm_chat *c;
    llm_loss *l;
    arena *a;
    spoken messages;
    bool results_first; /* of what a user says in one breath */
} writing;

static str lit(const char *s)
{
    return (str){s, strlen(s)};
}

/* {"key": value} */
static jnode *only(arena *a, const char *key, jnode *value)
{
    jnode *o = jn_object(a);
    jn_set(o, key, value);
    return o;
}

static jnode *cache_point(writing *w, const cache_mark *m)
{
    jnode *point = jn_object(w->a);
    jn_set_text(point, "type", S("default"));
    jn_set_text(point, "ttl", m->ttl);
    loss_said(w->l, m);
    return only(w->a, "cachePoint", point);
}

/* Tools */

/* [a-zA-Z0-9_-]{1,64}: other dialects' ids may be longer and hold more; their ends tell them apart.
 */
static str tool_use_id(arena *a, str id)
{
    if (id.n > ID_MOST) id = str_drop(id, id.n - ID_MOST);
    char *out = arena_bytes(a, id.n + 1);
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool fits = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        out[i] = '_';
        if (fits || c == '-') out[i] = c;
    }
    return (str){out, id.n};
}

static const err *call_block(writing *w, const llm_part *p, jnode **out)
{
    jnode *input = NULL;
    js_value v = {0};
    if (p->custom) {
        input = only(w->a, "input", jn_text(w->a, p->text));
    } else if (p->text.n == 0) {
        input = jn_object(w->a);
    } else {
        const err *e = js_check(w->a, p->text, ARGUMENTS_DEPTH, &v);
        if (e || v.kind != JS_OBJECT)
            return err_new(w->a, ERR_MALFORMED,
                           "the arguments of the call of '" STR_FMT "' are not a JSON object",
                           STR_ARG(str_take(p->name, 80)));
        input = jn_raw(w->a, v.raw);
    }
    jnode *use = jn_object(w->a);
    jn_set_text(use, "toolUseId", tool_use_id(w->a, p->id));
    jn_set_text(use, "name", p->name);
    jn_set(use, "input", input);
    *out = only(w->a, "toolUse", use);
    return NULL;
}

static const err *part_block(writing *w, const llm_part *p, jnode **out);

static const err *result_block(writing *w, const llm_part *p, jnode **out)
{
    jnode *content = jn_array(w->a), *result = jn_object(w->a);
    for (size_t i = 0; i < p->inner_count; i++) {
        jnode *block = NULL;
        const err *e = part_block(w, &p->inner[i], &block);
        if (e) return e;
        if (block) jn_add(content, block);
    }
    jn_set_text(result, "toolUseId", tool_use_id(w->a, p->id));
    jn_set(result, "content", content);
    if (p->is_error) jn_set_text(result, "status", S("error"));
    loss_said(w->l, &p->is_error);
    *out = only(w->a, "toolResult", result);
    return NULL;
}

/* Parts */

static jnode *thinking_block(writing *w, const llm_part *p)
{
    if (!origin_is_claude(p->origin)) return NULL;
    jnode *inner = jn_object(w->a);
    if (p->kind == PART_REDACTED) {
        jn_set_text(inner, "redactedContent", p->text);
    } else {
        jnode *text = jn_object(w->a);
        jn_set_text(text, "text", p->text.p ? p->text : S(""));
        jn_set_text(text, "signature", p->signature);
        jn_set(inner, "reasoningText", text);
    }
    return only(w->a, "reasoningContent", inner);
}

/* *out stays NULL for what is empty or cannot be said; the latter is then a loss. */
static const err *part_block(writing *w, const llm_part *p, jnode **out)
{
    const err *e = NULL;
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        if (p->text.n) *out = only(w->a, "text", jn_text(w->a, p->text));
        loss_said(w->l, p);
        return NULL;
    case PART_IMAGE:
    case PART_AUDIO:
    case PART_VIDEO:
    case PART_DOCUMENT:
        e = bedrock_media(w->a, p, out);
        loss_said(w->l, &p->name);
        break;
    case PART_TOOL_CALL: e = call_block(w, p, out); break;
    case PART_TOOL_RESULT: e = result_block(w, p, out); break;
    case PART_THINKING:
    case PART_REDACTED: *out = thinking_block(w, p); break;
    case PART_OTHER: break;
    }
    if (!e && *out) loss_said(w->l, p);
    return e;
}

static void add_system(writing *w, jnode *out, const llm_turn *t)
{
    if (!jn_get(out, "system")) jn_set(out, "system", jn_array(w->a));
    jnode *system = jn_get(out, "system");
    for (size_t i = 0; i < t->count; i++) {
        const llm_part *p = &t->parts[i];
        if (p->kind != PART_TEXT) continue;
        if (p->text.n) jn_add(system, only(w->a, "text", jn_text(w->a, p->text)));
        loss_said(w->l, p);
        if (p->cache.set) jn_add(system, cache_point(w, &p->cache));
    }
}

/* Of a turn, what stands before the results that it follows, or the rest. */
static const err *add_parts(writing *w, const llm_turn *t, bool ahead)
{
    const char *role = t->role == ROLE_ASSISTANT ? "assistant" : "user";
    for (size_t i = 0; i < t->count; i++) {
        jnode *block = NULL;
        if (ahead != (t->parts[i].ahead && !w->results_first)) continue;
        const err *e = part_block(w, &t->parts[i], &block);
        if (e) return e;
        if (block) spoken_add(&w->messages, role, block);
        if (block && t->parts[i].cache.set)
            spoken_add(&w->messages, role, cache_point(w, &t->parts[i].cache));
    }
    return NULL;
}

static const err *add_turn(writing *w, const llm_turn *t, const llm_turn *next)
{
    const err *e = NULL;
    if (t->role == ROLE_SYSTEM || t->role == ROLE_DEVELOPER) return NULL;
    if (t->role == ROLE_TOOL && next) e = add_parts(w, next, true);
    return e ? e : add_parts(w, t, false);
}

/* The rest of the request */

static void add_tool(writing *w, jnode *tools, const llm_tool *t)
{
    if (t->kind != TOOL_FUNCTION) return;
    jnode *spec = jn_object(w->a), *schema = jn_raw(w->a, t->schema.raw);
    jn_set_text(spec, "name", t->name);
    if (t->description.n) jn_set_text(spec, "description", t->description);
    jn_set(spec, "inputSchema", only(w->a, "json", schema ? schema : jn_object(w->a)));
    if (t->strict.set && t->strict.v) jn_set(spec, "strict", jn_bool(w->a, true));
    jn_add(tools, only(w->a, "toolSpec", spec));
    loss_said(w->l, t);
    loss_said(w->l, &t->strict);
    if (t->cache.set) jn_add(tools, cache_point(w, &t->cache));
}

static bool history_calls(const llm_chat *c)
{
    for (size_t i = 0; i < c->turn_count; i++)
        for (size_t k = 0; k < c->turns[i].count; k++)
            if (c->turns[i].parts[k].kind == PART_TOOL_CALL) return true;
    return false;
}

/* There is no way to forbid tools but to send none; where the history calls some, the list must
 * stay, and the wish is lost. */
static void add_tools(writing *w, jnode *out)
{
    const llm_chat *c = w->c;
    static const char *const modes[] =
        {[CHOICE_AUTO] = "auto", [CHOICE_ANY] = "any", [CHOICE_ONE] = "tool"};
    jnode *tools = jn_array(w->a);
    for (size_t i = 0; i < c->tool_count; i++) add_tool(w, tools, &c->tools[i]);
    bool none = c->choice == CHOICE_NONE, keep = none && history_calls(c);
    if (none && !keep) loss_said(w->l, &c->choice);
    if (jn_count(tools) == 0 || (none && !keep)) return;
    jnode *config = jn_open(out, S("toolConfig"));
    jn_set(config, "tools", tools);
    if (!c->choice || none) return;
    jnode *mode = jn_object(w->a);
    if (c->choice == CHOICE_ONE) jn_set_text(mode, "name", c->choice_name);
    jn_set(config, "toolChoice", only(w->a, modes[c->choice], mode));
    loss_said(w->l, &c->choice);
    loss_said(w->l, &c->choice_name);
}

static void add_format(writing *w, jnode *out)
{
    if (w->c->format.kind == FORMAT_TEXT) loss_said(w->l, &w->c->format.kind);
    if (w->c->format.kind != FORMAT_SCHEMA || !w->c->format.schema.raw.n) return;
    jnode *schema = jn_object(w->a), *format = jn_object(w->a);
    jn_set_text(schema, "schema", w->c->format.schema.raw); /* a string that holds JSON */
    jn_set_text(schema, "name", w->c->format.name);
    jn_set_text(schema, "description", w->c->format.description);
    loss_said(w->l, &w->c->format.name);
    loss_said(w->l, &w->c->format.description);
    jn_set_text(format, "type", S("json_schema"));
    jn_set(format, "structure", only(w->a, "jsonSchema", schema));
    jn_set(jn_open(out, S("outputConfig")), "textFormat", format);
    loss_said(w->l, &w->c->format.kind);
}

/* What Converse has no member of its own for. */
static jnode *more(jnode *out)
{
    return jn_open(out, S("additionalModelRequestFields"));
}

/* Effort has a word in each family of models: Claude's own, Nova's, and a plain string. */
static void add_effort(writing *w, str model, jnode *out)
{
    int effort = w->c->effort;
    const char *name = name_text(llm_efforts, effort);
    if (!name) return;
    if (is_claude(model)) {
        if (!(claude_traits(model) & CLAUDE_EFFORT) || effort < EFFORT_LOW) return;
        jn_set_text(jn_open(more(out), S("output_config")), "effort", lit(name));
    } else if (memmem(model.p, model.n, "nova", 4)) {
        jnode *config = jn_open(more(out), S("reasoningConfig"));
        jn_set_text(config, "type", effort == EFFORT_NONE ? S("disabled") : S("enabled"));
        if (effort > EFFORT_NONE) jn_set_text(config, "maxReasoningEffort", lit(name));
    } else {
        jn_set_text(more(out), "reasoning_config", lit(name));
    }
    loss_said(w->l, &w->c->effort);
}

static void add_reasoning(writing *w, str model, jnode *out)
{
    int64_t most = w->c->max_tokens.set ? w->c->max_tokens.v : INT64_MAX;
    jnode *thinking = claude_thinking(w->a, w->c, model, most, w->l);
    if (thinking) jn_set(more(out), "thinking", thinking);
    add_effort(w, model, out);
}

const err *bedrock_write_request(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    writing w = {.c = c,
                 .l = l,
                 .a = jn_arena(out),
                 .messages = {jn_array(jn_arena(out)), "content", NULL}};
    str model = chat_model(c, to);
    w.results_first = is_claude(model);
    jn_set(out, "inferenceConfig", jn_object(w.a));
    jn_set(out, "messages", w.messages.turns);
    for (size_t i = 0; i < c->turn_count; i++) {
        const llm_turn *turn = &c->turns[i];
        if (turn->role == ROLE_SYSTEM || turn->role == ROLE_DEVELOPER) add_system(&w, out, turn);
        const err *e = add_turn(&w, turn, i + 1 < c->turn_count ? turn + 1 : NULL);
        if (e) return e;
    }
    fields_write(claude_traits(model) & CLAUDE_NO_SAMPLING ? params_of_no_sampling : params, c, out,
                 l);
    if (c->stop_count) stops_write(c, "stopSequences", jn_open(out, S("inferenceConfig")), l);
    add_tools(&w, out);
    add_format(&w, out);
    add_reasoning(&w, model, out);
    if (c->parallel_tools.v) loss_said(l, &c->parallel_tools); /* so it works unsaid */
    loss_said(l, &c->stream);                                  /* it is in the path */
    loss_said(l, &c->include_usage);                           /* always sent */
    return NULL;
}
