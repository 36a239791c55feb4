/* SPDX-License-Identifier: Apache-2.0 */
/* gemini_request.c - a conversation as Gemini wants it.
 *
 * There are two speakers. What tools answered is the user's, so neighbours of one speaker are one
 * content. A result names its function, not its call: the name is looked up where it was called.
 * Gemini 3 refuses a call of its own that comes back without its signature; one that another
 * provider made has none, and takes the words that Google gives out for that. Members that are
 * absent may be null: Google's JSON reads both alike. */
#include "../base/map.h"
#include "gemini.h"
#include "parts.h"

/* clang-format off */
#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
static const field_row params[] = {
    F("generationConfig.temperature",      FIELD_NUM,  temperature),
    F("generationConfig.topP",             FIELD_NUM,  top_p),
    F("generationConfig.topK",             FIELD_INT,  top_k),
    F("generationConfig.seed",             FIELD_INT,  seed),
    F("generationConfig.candidateCount",   FIELD_INT,  n),
    F("generationConfig.maxOutputTokens",  FIELD_INT,  max_tokens),
    F("generationConfig.presencePenalty",  FIELD_NUM,  presence_penalty),
    F("generationConfig.frequencyPenalty", FIELD_NUM,  frequency_penalty),
    F("generationConfig.responseLogprobs", FIELD_BOOL, logprobs),
    F("generationConfig.logprobs",         FIELD_INT,  top_logprobs),
    {0},
};
#undef F
/* clang-format on */

typedef struct {
    const llm_chat *c;
    llm_loss *l;
    arena *a;
    gemini_traits traits;
    spoken contents;
    map *calls; /* id -> str, their names; NULL: not looked through yet */
} writing;

static jnode *text_part(writing *w, str text)
{
    jnode *o = jn_object(w->a);
    jn_set_text(o, "text", text);
    return o;
}

/* Calls and results */

static bool is_ours(str family)
{
    return !family.p || str_eq(family, S("gemini"));
}

/* The signature for the first call of a turn: its own, else the one that stood on a thought. */
static str signature_of(const writing *w, const llm_turn *t, const llm_part *from)
{
    if (from->signature.n && is_ours(from->origin)) return from->signature;
    for (size_t i = 0; i < t->count; i++) {
        const llm_part *p = &t->parts[i];
        if (p->kind == PART_TOOL_CALL && p != from) return (str){0};
        if (p->kind == PART_THINKING && p->signature.n && is_ours(p->origin)) return p->signature;
        if (p == from) break;
    }
    return w->traits.v3 ? S("skip_thought_signature_validator") : (str){0};
}

static jnode *call_part(writing *w, const llm_turn *t, const llm_part *p)
{
    jnode *o = jn_object(w->a), *f = jn_open(o, S("functionCall"));
    jn_set_text(f, "name", p->name);
    jn_set(f, "args", arguments_object(w->a, p));
    jn_set_text(o, "thoughtSignature", signature_of(w, t, p));
    return o;
}

/* Every call by its id, the first of one id: a long conversation has many of both. */
static map *calls_of(arena *a, const llm_chat *c)
{
    map *calls = map_new(a);
    for (size_t i = 0; i < c->turn_count; i++)
        for (size_t k = 0; k < c->turns[i].count; k++) {
            const llm_part *p = &c->turns[i].parts[k];
            if (p->kind != PART_TOOL_CALL || map_get(calls, p->id)) continue;
            str *name = NEW(a, str);
            *name = p->name;
            map_put(calls, p->id, name);
        }
    return calls;
}

static str name_of_call(writing *w, str id)
{
    if (!w->calls) w->calls = calls_of(w->a, w->c);
    const str *name = map_get(w->calls, id);
    return name ? *name : (str){0};
}

static const err *put_result(writing *w, const llm_part *p)
{
    jnode *o = jn_object(w->a), *response = jn_open(o, S("functionResponse"));
    str name = name_of_call(w, p->id);
    jn_set_text(response, "name", name.n ? name : p->name.n ? p->name : p->id);
    str text = parts_text(w->a, p->inner, p->inner_count);
    jn_set_text(jn_open(response, S("response")), p->is_error ? "error" : "output",
                text.p ? text : S(""));
    spoken_add(&w->contents, "user", o);
    loss_said(w->l, p);
    loss_said(w->l, &p->is_error);
    for (size_t i = 0; i < p->inner_count; i++) {
        const llm_part *in = &p->inner[i];
        jnode *file = NULL;
        if (in->kind != PART_OTHER) loss_said(w->l, in);
        if (!part_is_file(in)) continue;
        const err *e = gemini_media(w->a, in, &w->traits, &file);
        if (e) return e;
        spoken_add(&w->contents, "user", file);
    }
    return NULL;
}

/* Turns */

static bool calls_something(const llm_turn *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].kind == PART_TOOL_CALL) return true;
    return false;
}

/* A thought goes back with its signature, unless a call of the same turn carries that. */
static jnode *thought_part(writing *w, const llm_turn *t, const llm_part *p)
{
    if (!is_ours(p->origin)) return NULL;
    jnode *o = text_part(w, p->text.p ? p->text : S(""));
    jn_set(o, "thought", jn_bool(w->a, true));
    if (!calls_something(t)) jn_set_text(o, "thoughtSignature", p->signature);
    return o;
}

static const err *put_said(writing *w, const llm_turn *t, const llm_part *p, const char *role)
{
    const err *e = NULL;
    jnode *o = NULL;
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        if (p->text.n) o = text_part(w, p->text);
        loss_said(w->l, p);
        break;
    case PART_IMAGE:
    case PART_AUDIO:
    case PART_VIDEO:
    case PART_DOCUMENT:
        e = gemini_media(w->a, p, &w->traits, &o);
        if (w->traits.v3) loss_said(w->l, &p->detail);
        break;
    case PART_TOOL_CALL: o = call_part(w, t, p); break;
    case PART_TOOL_RESULT: return put_result(w, p);
    case PART_THINKING: o = thought_part(w, t, p); break;
    case PART_REDACTED:
    case PART_OTHER: break;
    }
    if (e || !o) return e;
    spoken_add(&w->contents, role, o);
    loss_said(w->l, p);
    return NULL;
}

static void put_system(writing *w, const llm_turn *t, jnode *out)
{
    jnode *system = jn_open(out, S("systemInstruction"));
    if (!jn_get(system, "parts")) jn_set(system, "parts", jn_array(w->a));
    for (size_t i = 0; i < t->count; i++) {
        if (t->parts[i].kind != PART_TEXT) continue;
        jn_add(jn_get(system, "parts"), text_part(w, t->parts[i].text));
        loss_said(w->l, &t->parts[i]);
    }
}

static const err *put_turns(writing *w, jnode *out)
{
    for (size_t i = 0; i < w->c->turn_count; i++) {
        const llm_turn *t = &w->c->turns[i];
        if (t->role == ROLE_SYSTEM || t->role == ROLE_DEVELOPER) {
            put_system(w, t, out);
            continue;
        }
        for (size_t k = 0; k < t->count; k++) {
            const err *e =
                put_said(w, t, &t->parts[k], t->role == ROLE_ASSISTANT ? "model" : "user");
            if (e) return e;
        }
    }
    return NULL;
}

/* Tools */

static const err *put_function(writing *w, const llm_tool *t, jnode *functions)
{
    jnode *f = jn_object(w->a), *schema = NULL;
    const err *e = NULL;
    jn_set_text(f, "name", t->name);
    if (t->description.n) jn_set_text(f, "description", t->description);
    if (t->schema.kind > JS_NULL && w->traits.json_schema)
        jn_set(f, "parametersJsonSchema", jn_raw(w->a, t->schema.raw));
    else if (t->schema.kind > JS_NULL && !str_eq(t->schema.raw, S("{}")))
        e = gemini_schema(w->a, t->schema, w->l, &schema);
    if (e) return err_wrap(w->a, e, "tool '" STR_FMT "'", STR_ARG(str_take(t->name, 80)));
    jn_set(f, "parameters", schema);
    jn_add(functions, f);
    loss_said(w->l, t);
    if (!t->strict.v) loss_said(w->l, &t->strict);
    return NULL;
}

static void put_search(writing *w, js_value options, jnode *search)
{
    js_value range = js_get(options, S("time_range_filter"));
    jn_set(search, "excludeDomains", jn_raw(w->a, js_get(options, S("exclude_domains")).raw));
    jn_set(search, "blockingConfidence",
           jn_raw(w->a, js_get(options, S("blocking_confidence")).raw));
    if (range.kind != JS_OBJECT) return;
    jnode *filter = jn_open(search, S("timeRangeFilter"));
    jn_set(filter, "startTime", jn_raw(w->a, js_get(range, S("start_time")).raw));
    jn_set(filter, "endTime", jn_raw(w->a, js_get(range, S("end_time")).raw));
}

/* Tools of Google's own, as chat clients name them. */
static const err *put_other(writing *w, const llm_tool *t, jnode *tools)
{
    jnode *o = jn_object(w->a);
    js_value type = js_get(t->raw, S("type"));
    if (js_text_is(type, S("google_search"))) {
        put_search(w, js_get(t->raw, S("google_search")), jn_open(o, S("googleSearch")));
    } else if (js_text_is(type, S("enterprise_search")) ||
               js_text_is(type, S("enterprise_web_search"))) {
        (void)jn_open(o, S("enterpriseWebSearch"));
    } else if (str_eq(t->origin, S("openai_chat"))) {
        return err_new(w->a, ERR_UNSUPPORTED, "Gemini has no tool of the type " STR_FMT,
                       STR_ARG(str_take(type.raw, 80)));
    } else {
        return NULL; /* a tool of somebody else's host: a loss */
    }
    jn_add(tools, o);
    loss_said(w->l, t);
    return NULL;
}

static void put_choice(writing *w, jnode *out)
{
    static const char *const modes[] = {
        [CHOICE_AUTO] = "AUTO", [CHOICE_NONE] = "NONE", [CHOICE_ANY] = "ANY", [CHOICE_ONE] = "ANY"};
    const llm_chat *c = w->c;
    if (!c->choice) return;
    jnode *config = jn_open(jn_open(out, S("toolConfig")), S("functionCallingConfig"));
    jn_set_text(config, "mode", (str){modes[c->choice], strlen(modes[c->choice])});
    if (c->choice == CHOICE_ONE) {
        jnode *names = jn_array(w->a);
        jn_add(names, jn_text(w->a, c->choice_name));
        jn_set(config, "allowedFunctionNames", names);
    }
    loss_said(w->l, &c->choice);
}

static const err *put_tools(writing *w, jnode *out)
{
    jnode *tools = jn_array(w->a), *functions = jn_array(w->a);
    for (size_t i = 0; i < w->c->tool_count; i++) {
        const llm_tool *t = &w->c->tools[i];
        const err *e = NULL;
        if (t->kind == TOOL_FUNCTION)
            e = put_function(w, t, functions);
        else if (t->kind == TOOL_OTHER)
            e = put_other(w, t, tools);
        if (e) return e;
    }
    if (jn_count(functions)) {
        jnode *o = jn_object(w->a);
        jn_set(o, "functionDeclarations", functions);
        jn_add(tools, o);
    }
    jn_set(out, "tools", jn_count(tools) ? tools : jn_null(w->a));
    if (jn_count(tools)) put_choice(w, out);
    return NULL;
}

/* Google's own members, which chat clients send beside OpenAI's. */
static void put_extras(writing *w, jnode *out, jnode *config)
{
    js_value safety = js_get(w->c->root, S("safetySettings"));
    js_value resolution = js_at(w->c->root, "generationConfig.media_resolution");
    if (safety.kind == JS_ARRAY) jn_set(out, "safetySettings", jn_raw(w->a, safety.raw));
    if (resolution.kind == JS_STRING)
        jn_set(config, "mediaResolution", jn_raw(w->a, resolution.raw));
}

const err *gemini_write_request(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    arena *a = jn_arena(out);
    writing w = {.c = c, .l = l, .a = a, .contents = {jn_array(a), "parts", NULL}};
    w.traits = gemini_of(chat_model(c, to));
    jnode *config = jn_open(out, S("generationConfig"));
    const err *e = put_turns(&w, out);
    jn_set(out, "contents", jn_count(w.contents.turns) ? w.contents.turns : jn_null(a));
    if (!e) e = put_tools(&w, out);
    fields_write(params, c, out, l);
    stops_write(c, "stopSequences", config, l);
    if (!e) e = gemini_format(c, &w.traits, l, config);
    if (!e) e = gemini_thinking(c, &w.traits, l, config);
    put_extras(&w, out, config);
    if (!jn_count(config)) jn_set(out, "generationConfig", jn_null(a));
    if (c->parallel_tools.v) loss_said(l, &c->parallel_tools); /* so it works unsaid */
    loss_said(l, &c->stream);                                  /* it is in the path */
    loss_said(l, &c->include_usage);
    return e;
}
