/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic_write.c - the conversation as Claude takes it, at Anthropic or hosted elsewhere.
 *
 * System and developer turns are promoted to `system`, a block each. Empty text is refused there,
 * so it is not sent. Thinking goes back only with its signature. What a Claude of this name rejects
 * (temperature on the newest) is not sent, and so is a loss. */
#include "anthropic.h"
#include "origin.h"
#include "thinking.h"

enum { ANSWER_MOST = 4096, ANSWER_MOST_NEW = 16384 };

typedef struct {
    arena *a;
    const llm_chat *c;
    llm_loss *l;
    unsigned traits;
} writing;

static jnode *source(arena *a, const media *m)
{
    static const char *const types[] = {
        [MEDIA_DATA] = "base64", [MEDIA_URL] = "url", [MEDIA_FILE] = "file", [MEDIA_TEXT] = "text"};
    static const char *const members[] = {[MEDIA_DATA] = "data",
                                          [MEDIA_URL] = "url",
                                          [MEDIA_FILE] = "file_id",
                                          [MEDIA_TEXT] = "data"};
    if (!m->from || !m->value.p) return NULL;
    jnode *j = object_of_type(a, types[m->from]);
    if (m->from == MEDIA_DATA) jn_set_text(j, "media_type", m->mime);
    if (m->from == MEDIA_TEXT) jn_set_text(j, "media_type", S("text/plain"));
    jn_set_text(j, members[m->from], m->value);
    return j;
}

static jnode *with_source(const writing *w, const llm_part *p, const char *type)
{
    jnode *from = source(w->a, &p->media);
    if (!from) return NULL;
    jnode *j = object_of_type(w->a, type);
    jn_set(j, "source", from);
    return j;
}

static bool ends_in_pdf(str url)
{
    str path = str_cut(str_cut(url, '?').head, '#').head;
    return path.n > 4 && header_name_is(str_drop(path, path.n - 4), S(".pdf"));
}

/* OpenAI's clients send a PDF as an image's URL, since they have no other place for one. */
static jnode *image(const writing *w, const llm_part *p)
{
    const media *m = &p->media;
    bool pdf = m->from == MEDIA_DATA ? str_eq(m->mime, S("application/pdf"))
                                     : m->from == MEDIA_URL && ends_in_pdf(m->value);
    if (pdf) return with_source(w, p, "document");
    if (m->from == MEDIA_DATA && !str_eq(m->mime, S("image/png")) &&
        !str_eq(m->mime, S("image/jpeg")) && !str_eq(m->mime, S("image/gif")) &&
        !str_eq(m->mime, S("image/webp")))
        return NULL;
    return with_source(w, p, "image");
}

static jnode *document(const writing *w, const llm_part *p)
{
    llm_part as = *p;
    if (p->media.from == MEDIA_DATA && !p->media.mime.n) as.media.mime = S("application/pdf");
    jnode *j = with_source(w, &as, "document");
    if (!j) return NULL;
    jn_set_text(j, "title", p->name);
    loss_said(w->l, &p->name);
    return j;
}

static jnode *block(const writing *w, const llm_part *p);

/* The mark of a result's last part is the result's: it covers the same. */
static const cache_mark *mark_of(const llm_part *p)
{
    bool inner = p->kind == PART_TOOL_RESULT && !p->cache.set && p->inner_count;
    return inner ? &p->inner[p->inner_count - 1].cache : &p->cache;
}

/* `lifted`: a mark that is written further out. */
static jnode *blocks(const writing *w, const llm_part *parts, size_t count,
                     const cache_mark *lifted)
{
    jnode *list = jn_array(w->a);
    for (size_t i = 0; i < count; i++) {
        jnode *j = block(w, &parts[i]);
        bool empty = parts[i].kind == PART_TEXT && !parts[i].text.n;
        if (j || empty) loss_said(w->l, &parts[i]);
        if (j && mark_of(&parts[i]) != lifted) cache_write(j, mark_of(&parts[i]), w->l);
        jn_add(list, j);
    }
    return list;
}

static jnode *result(const writing *w, const llm_part *p)
{
    jnode *j = object_of_type(w->a, "tool_result");
    jn_set_text(j, "tool_use_id", p->id);
    jnode *inner = blocks(w, p->inner, p->inner_count, mark_of(p));
    if (jn_count(inner)) jn_set(j, "content", inner);
    if (p->is_error) jn_set(j, "is_error", jn_bool(w->a, true));
    loss_said(w->l, &p->is_error);
    return j;
}

static jnode *thought(const writing *w, const llm_part *p)
{
    jnode *j = object_of_type(w->a, p->kind == PART_REDACTED ? "redacted_thinking" : "thinking");
    if (p->kind == PART_REDACTED) {
        jn_set_text(j, "data", p->text);
        return p->text.n ? j : NULL;
    }
    if (!p->signature.n) return NULL; /* refused without */
    jn_set_text(j, "thinking", p->text.p ? p->text : S(""));
    jn_set_text(j, "signature", p->signature);
    return j;
}

static jnode *block(const writing *w, const llm_part *p)
{
    jnode *j = NULL;
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL:
        if (!p->text.n) return NULL;
        j = object_of_type(w->a, "text");
        jn_set_text(j, "text", p->text);
        return j;
    case PART_IMAGE: return image(w, p);
    case PART_DOCUMENT: return document(w, p);
    case PART_TOOL_CALL:
        j = object_of_type(w->a, "tool_use");
        jn_set_text(j, "id", p->id);
        jn_set_text(j, "name", p->name);
        jn_set(j, "input", arguments_object(w->a, p));
        return j;
    case PART_TOOL_RESULT: return result(w, p);
    case PART_THINKING:
    case PART_REDACTED: return origin_is_claude(p->origin) ? thought(w, p) : NULL;
    case PART_OTHER: return str_eq(p->origin, S("anthropic")) ? jn_raw(w->a, p->raw.raw) : NULL;
    case PART_AUDIO:
    case PART_VIDEO: return NULL;
    }
    return NULL;
}

/* The parts of one turn are one block, marked as the last of them that is; blocks stay blocks. */
static void add_system(const writing *w, const llm_turn *t, jnode *system)
{
    if (t->apart) {
        jn_join(system, blocks(w, t->parts, t->count, NULL));
        return;
    }
    str text = parts_text(w->a, t->parts, t->count);
    const cache_mark *mark = NULL;
    for (size_t i = 0; i < t->count; i++) {
        if (t->parts[i].kind == PART_TEXT) loss_said(w->l, &t->parts[i]);
        if (t->parts[i].cache.set) mark = &t->parts[i].cache;
    }
    if (!text.n) return;
    jnode *j = object_of_type(w->a, "text");
    jn_set_text(j, "text", text);
    if (mark) cache_write(j, mark, w->l);
    jn_add(system, j);
}

static void write_turns(const writing *w, jnode *out)
{
    jnode *system = jn_array(w->a), *messages = jn_array(w->a), *results = NULL;
    for (size_t i = 0; i < w->c->turn_count; i++) {
        const llm_turn *t = &w->c->turns[i];
        if (t->role == ROLE_SYSTEM || t->role == ROLE_DEVELOPER) {
            add_system(w, t, system);
            continue;
        }
        jnode *content = blocks(w, t->parts, t->count, NULL);
        if (t->role == ROLE_TOOL && results) { /* all results of a turn in one message */
            jn_join(results, content);
            continue;
        }
        if (!jn_count(content)) continue;
        results = t->role == ROLE_TOOL ? content : NULL;
        jnode *message = jn_object(w->a);
        jn_set_text(message, "role", t->role == ROLE_ASSISTANT ? S("assistant") : S("user"));
        jn_set(message, "content", content);
        jn_add(messages, message);
    }
    if (jn_count(system)) jn_set(out, "system", system);
    jn_set(out, "messages", messages);
}

static jnode *tool(const writing *w, const llm_tool *t)
{
    if (t->kind == TOOL_OTHER)
        return str_eq(t->origin, S("anthropic")) ? jn_raw(w->a, t->raw.raw) : NULL;
    jnode *j = jn_object(w->a);
    jn_set_text(j, "name", t->name);
    jn_set_text(j, "description", t->description);
    /* a free-form tool is one with a single text */
    str free_form = S("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
                      "\"required\":[\"input\"]}");
    str schema = t->kind == TOOL_CUSTOM ? free_form : tool_schema(t, w->l);
    jn_set(j, "input_schema", jn_raw(w->a, schema));
    if (t->strict.v) jn_set(j, "strict", jn_bool(w->a, true));
    loss_said(w->l, &t->strict);
    cache_write(j, &t->cache, w->l);
    return j;
}

static void write_choice(const writing *w, jnode *out)
{
    static const name_row modes[] = {{"auto", CHOICE_AUTO},
                                     {"none", CHOICE_NONE},
                                     {"any", CHOICE_ANY},
                                     {"tool", CHOICE_ONE},
                                     {0}};
    const llm_chat *c = w->c;
    bool alone = c->parallel_tools.set && !c->parallel_tools.v;
    if (!c->choice && !c->parallel_tools.set) return;
    const char *mode = name_text(modes, c->choice ? c->choice : CHOICE_AUTO);
    loss_said(w->l, &c->parallel_tools);
    loss_said(w->l, &c->choice);
    if (!c->choice && !alone) return; /* in parallel is how it works unsaid */
    jnode *j = object_of_type(w->a, mode);
    if (c->choice == CHOICE_ONE) jn_set_text(j, "name", c->choice_name);
    if (c->parallel_tools.set && c->choice != CHOICE_NONE)
        jn_set(j, "disable_parallel_tool_use", jn_bool(w->a, alone));
    jn_set(out, "tool_choice", j);
}

/* A chat client's tools are functions; of what else it asks for nothing would be left. */
static const err *write_tools(const writing *w, jnode *out)
{
    jnode *tools = jn_array(w->a);
    for (size_t i = 0; i < w->c->tool_count; i++) {
        const llm_tool *t = &w->c->tools[i];
        jnode *j = tool(w, t);
        if (t->kind == TOOL_OTHER && str_eq(t->origin, S("openai_chat")))
            return err_new(w->a, ERR_UNSUPPORTED, "this model has no tool of the type " STR_FMT,
                           STR_ARG(str_take(js_get(t->raw, S("type")).raw, 80)));
        if (j) loss_said(w->l, t);
        jn_add(tools, j);
    }
    if (!jn_count(tools)) return NULL;
    jn_set(out, "tools", tools);
    write_choice(w, out);
    return NULL;
}

static void write_output(const writing *w, jnode *out)
{
    const llm_chat *c = w->c;
    if (c->effort >= EFFORT_LOW && w->traits & CLAUDE_EFFORT) {
        const char *word = name_text(llm_efforts, c->effort);
        jn_set_text(jn_open(out, S("output_config")), "effort", (str){word, strlen(word)});
    }
    if (c->effort && (c->effort < EFFORT_LOW || w->traits & CLAUDE_EFFORT))
        loss_said(w->l, &c->effort); /* as little as possible is said by saying nothing */
    if (c->format.kind == FORMAT_TEXT) loss_said(w->l, &c->format.kind);
    if (c->format.kind != FORMAT_SCHEMA || !(w->traits & CLAUDE_SCHEMA)) return;
    if (c->format.schema.kind != JS_OBJECT) return;
    jnode *format = jn_open(out, S("output_config.format"));
    jn_set_text(format, "type", S("json_schema"));
    jn_set(format, "schema", jn_raw(w->a, c->format.schema.raw));
    loss_said(w->l, &c->format.kind);
}

static const err *write_params(const writing *w, jnode *out)
{
    const llm_chat *c = w->c;
    bool sampling = !(w->traits & CLAUDE_NO_SAMPLING);
    if (sampling && c->temperature.set && (c->temperature.v < 0 || c->temperature.v > 1))
        return err_new(w->a, ERR_MALFORMED, "'temperature' must be between 0 and 1 for this model");
    fields_write(anthropic_params, c, out, w->l);
    if (sampling) fields_write(anthropic_sampling, c, out, w->l);
    stops_write(c, "stop_sequences", out, w->l);
    bool plain = str_eq(c->service_tier, S("default"));
    if (plain || str_eq(c->service_tier, S("auto"))) {
        jn_set_text(out, "service_tier", plain ? S("standard_only") : S("auto"));
        loss_said(w->l, &c->service_tier);
    }
    return NULL;
}

const err *anthropic_write_body(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    str model = chat_model(c, to);
    writing w = {.a = jn_arena(out), .c = c, .l = l, .traits = claude_traits(model)};
    /* Required there and not by others: enough for a long answer. */
    int64_t most = w.traits & CLAUDE_EFFORT ? ANSWER_MOST_NEW : ANSWER_MOST;
    if (c->max_tokens.set) most = c->max_tokens.v;
    jn_set(out, "max_tokens", jn_int(w.a, most));
    loss_said(l, &c->max_tokens);
    write_turns(&w, out);
    const err *e = write_params(&w, out);
    if (!e) e = write_tools(&w, out);
    if (e) return e;
    write_output(&w, out);
    jn_set(out, "thinking", claude_thinking(w.a, c, model, most, l));
    return NULL;
}

const err *anthropic_write_request(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    jn_set_text(out, "model", chat_model(c, to));
    const err *e = anthropic_write_body(c, to, l, out);
    if (!e && c->stream.v) jn_set(out, "stream", jn_bool(jn_arena(out), true));
    return e;
}
