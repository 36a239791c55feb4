/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat_write.c - the conversation as a provider of chat completions takes it.
 *
 * Only what the published API takes goes out, since OpenAI refuses members it does not know: no
 * cache marks, and thinking only to a Claude behind an OpenAI-like server. A tool's result is
 * text here: its images follow in a user's turn of their own. */
#include "openai_chat.h"
#include "origin.h"
#include "thinking.h"

typedef struct {
    arena *a;
    const llm_chat *c;
    llm_loss *l;
    bool thinks; /* the model's name is a Claude's */
    jnode *turns;
} writing;

static jnode *text_part(arena *a, str text)
{
    jnode *j = object_of_type(a, "text");
    jn_set_text(j, "text", text.p ? text : S(""));
    return j;
}

static jnode *url_part(const writing *w, const llm_part *p, const char *type)
{
    str url = media_url(w->a, &p->media);
    if (!url.p) return NULL;
    jnode *j = object_of_type(w->a, type), *inner = jn_object(w->a);
    jn_set_text(inner, "url", url);
    if (p->kind == PART_IMAGE && p->detail.p) {
        jn_set_text(inner, "detail", p->detail);
        loss_said(w->l, &p->detail);
    }
    jn_set(j, type, inner);
    return j;
}

static jnode *audio_part(const writing *w, const llm_part *p)
{
    if (p->media.from != MEDIA_DATA) return url_part(w, p, "audio_url");
    jnode *j = object_of_type(w->a, "input_audio"), *inner = jn_object(w->a);
    str format = str_cut(p->media.mime, '/').tail;
    jn_set_text(inner, "data", p->media.value);
    jn_set_text(inner, "format", str_eq(format, S("mpeg")) ? S("mp3") : format);
    jn_set(j, "input_audio", inner);
    return j;
}

static jnode *document_part(const writing *w, const llm_part *p)
{
    if (p->media.from == MEDIA_TEXT) return text_part(w->a, p->media.value);
    if (p->media.from == MEDIA_URL) return NULL; /* no member takes one */
    jnode *j = object_of_type(w->a, "file"), *file = jn_object(w->a);
    if (p->media.from == MEDIA_FILE)
        jn_set_text(file, "file_id", p->media.value);
    else
        jn_set_text(file, "file_data", media_url(w->a, &p->media));
    if (p->media.from == MEDIA_DATA) { /* data must have a name there */
        jn_set_text(file, "filename", p->name.n ? p->name : S("document.pdf"));
        loss_said(w->l, &p->name);
    }
    jn_set(j, "file", file);
    return j;
}

static jnode *thinking_part(const writing *w, const llm_part *p)
{
    if (!w->thinks || !origin_is_claude(p->origin)) return NULL;
    if (p->kind == PART_REDACTED) {
        jnode *j = object_of_type(w->a, "redacted_thinking");
        jn_set_text(j, "redactedContent", p->text);
        return j;
    }
    jnode *j = object_of_type(w->a, "thinking");
    jn_set_text(j, "text", p->text);
    jn_set_text(j, "signature", p->signature);
    return j;
}

static jnode *part(const writing *w, const llm_part *p)
{
    switch (p->kind) {
    case PART_TEXT: return text_part(w->a, p->text);
    case PART_REFUSAL: {
        jnode *j = object_of_type(w->a, "refusal");
        jn_set_text(j, "refusal", p->text);
        return j;
    }
    case PART_IMAGE: return url_part(w, p, "image_url");
    case PART_AUDIO: return audio_part(w, p);
    case PART_VIDEO: return url_part(w, p, "video_url");
    case PART_DOCUMENT: return document_part(w, p);
    case PART_THINKING:
    case PART_REDACTED: return thinking_part(w, p);
    case PART_OTHER: return str_eq(p->origin, S("openai_chat")) ? jn_raw(w->a, p->raw.raw) : NULL;
    case PART_TOOL_CALL:
    case PART_TOOL_RESULT: return NULL;
    }
    return NULL;
}

/* Calls stand apart from what is said, and thoughts are nobody's business but a Claude's. */
static bool is_content(const writing *w, const llm_part *p)
{
    if (p->kind == PART_THINKING || p->kind == PART_REDACTED) return w->thinks;
    return p->kind != PART_TOOL_CALL;
}

/* Text alone is a plain string, as every server takes it. NULL: there is nothing to say. */
static jnode *content(const writing *w, const llm_part *parts, size_t count)
{
    jnode *list = jn_array(w->a);
    bool plain = true;
    for (size_t i = 0; i < count; i++) {
        if (!is_content(w, &parts[i])) continue;
        jnode *j = part(w, &parts[i]);
        if (!j) continue;
        jn_add(list, j);
        plain = plain && parts[i].kind == PART_TEXT;
        loss_said(w->l, &parts[i]);
    }
    return content_of(list, plain, parts, count);
}

static jnode *tool_call(const writing *w, const llm_part *p)
{
    jnode *j = jn_object(w->a), *inner = jn_object(w->a);
    const char *type = p->custom ? "custom" : "function";
    jn_set_text(j, "id", p->id);
    jn_set_text(j, "type", (str){type, strlen(type)});
    jn_set_text(inner, "name", p->name);
    jn_set_text(inner, p->custom ? "input" : "arguments",
                p->text.n || p->custom ? p->text : S("{}"));
    jn_set(j, type, inner);
    loss_said(w->l, p);
    return j;
}

static void write_assistant(const writing *w, const llm_turn *t)
{
    jnode *j = turn_add(w->turns, "assistant"), *calls = jn_array(w->a);
    jnode *what = content(w, t->parts, t->count);
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].kind == PART_TOOL_CALL) jn_add(calls, tool_call(w, &t->parts[i]));
    jn_set(j, "content", what ? what : jn_count(calls) ? jn_null(w->a) : jn_text(w->a, S("")));
    if (jn_count(calls)) jn_set(j, "tool_calls", calls);
}

static void write_result(const writing *w, const llm_part *p, jnode *shown)
{
    jnode *j = turn_add(w->turns, "tool");
    jn_set_text(j, "tool_call_id", p->id);
    str text = parts_text(w->a, p->inner, p->inner_count);
    for (size_t i = 0; i < p->inner_count; i++) {
        const llm_part *in = &p->inner[i];
        jnode *seen = part_is_file(in) ? part(w, in) : NULL;
        jn_add(shown, seen);
        if (seen || in->kind == PART_TEXT) loss_said(w->l, in);
    }
    jn_set_text(j, "content", text.p ? text : S(""));
    loss_said(w->l, p);
}

static void write_results(const writing *w, const llm_turn *t)
{
    jnode *shown = jn_array(w->a);
    for (size_t i = 0; i < t->count; i++) write_result(w, &t->parts[i], shown);
    if (jn_count(shown)) jn_set(turn_add(w->turns, "user"), "content", shown);
}

static void write_turn(const writing *w, const llm_turn *t)
{
    if (t->role == ROLE_ASSISTANT) {
        write_assistant(w, t);
        return;
    }
    if (t->role == ROLE_TOOL) {
        write_results(w, t);
        return;
    }
    static const char *const roles[] =
        {[ROLE_SYSTEM] = "system", [ROLE_DEVELOPER] = "developer", [ROLE_USER] = "user"};
    jnode *what = content(w, t->parts, t->count);
    if (!what) return;
    jnode *j = turn_add(w->turns, roles[t->role]);
    jn_set(j, "content", what);
    jn_set_text(j, "name", t->name);
    loss_said(w->l, &t->name);
}

/* The rest */

static jnode *tool(const writing *w, const llm_tool *t)
{
    if (t->kind == TOOL_OTHER)
        return str_eq(t->origin, S("openai_chat")) ? jn_raw(w->a, t->raw.raw) : NULL;
    bool custom = t->kind == TOOL_CUSTOM;
    jnode *j = object_of_type(w->a, custom ? "custom" : "function"), *f = jn_object(w->a);
    jn_set_text(f, "name", t->name);
    jn_set_text(f, "description", t->description);
    jn_set(f, custom ? "format" : "parameters", jn_raw(w->a, t->schema.raw));
    if (t->strict.set && !custom) jn_set(f, "strict", jn_bool(w->a, t->strict.v));
    loss_said(w->l, &t->strict);
    jn_set(j, custom ? "custom" : "function", f);
    return j;
}

static jnode *choice(const writing *w, const jnode *tools)
{
    static const name_row modes[] = {{"auto", CHOICE_AUTO},
                                     {"none", CHOICE_NONE},
                                     {"required", CHOICE_ANY},
                                     {0}};
    const llm_chat *c = w->c;
    if (!c->choice || !jn_count(tools)) return NULL; /* without tools it is refused there */
    loss_said(w->l, &c->choice);
    const char *mode = name_text(modes, c->choice);
    if (mode) return jn_text(w->a, (str){mode, strlen(mode)});
    bool custom = false;
    for (size_t i = 0; i < c->tool_count; i++)
        if (str_eq(c->tools[i].name, c->choice_name)) custom = c->tools[i].kind == TOOL_CUSTOM;
    const char *type = custom ? "custom" : "function";
    jnode *j = object_of_type(w->a, type);
    jn_set_text(jn_open(j, (str){type, strlen(type)}), "name", c->choice_name);
    return j;
}

static jnode *format(const writing *w)
{
    static const char *const kinds[] =
        {[FORMAT_TEXT] = "text", [FORMAT_JSON] = "json_object", [FORMAT_SCHEMA] = "json_schema"};
    const llm_chat *c = w->c;
    if (!c->format.kind) return NULL;
    loss_said(w->l, &c->format.kind);
    jnode *j = object_of_type(w->a, kinds[c->format.kind]);
    if (c->format.kind != FORMAT_SCHEMA) return j;
    jnode *schema = jn_open(j, S("json_schema"));
    jn_set_text(schema, "name", c->format.name.n ? c->format.name : S("answer"));
    jn_set_text(schema, "description", c->format.description);
    loss_said(w->l, &c->format.name);
    loss_said(w->l, &c->format.description);
    jn_set(schema, "schema", jn_raw(w->a, c->format.schema.raw));
    if (c->format.strict.set) jn_set(schema, "strict", jn_bool(w->a, c->format.strict.v));
    return j;
}

const err *openai_chat_write_request(const llm_chat *c, const llm_target *to, llm_loss *l,
                                     jnode *out)
{
    arena *a = jn_arena(out);
    str model = chat_model(c, to);
    writing w = {.a = a, .c = c, .l = l, .thinks = is_claude(model), .turns = jn_array(a)};
    jn_set_text(out, "model", model);
    jn_set(out, "messages", w.turns);
    for (size_t i = 0; i < c->turn_count; i++) write_turn(&w, &c->turns[i]);
    fields_write(openai_chat_params, c, out, l);
    if (c->stream.v) jn_set(jn_open(out, S("stream_options")), "include_usage", jn_bool(a, true));
    stops_write(c, "stop", out, l);
    jnode *tools = jn_array(a);
    for (size_t i = 0; i < c->tool_count; i++) {
        jnode *j = tool(&w, &c->tools[i]);
        jn_add(tools, j);
        if (j) loss_said(l, &c->tools[i]);
    }
    if (jn_count(tools)) jn_set(out, "tools", tools);
    jn_set(out, "tool_choice", choice(&w, tools));
    jn_set(out, "response_format", format(&w));
    if (w.thinks) jn_set(out, "thinking", thinking_write(a, c, l));
    return NULL;
}
