/* SPDX-License-Identifier: Apache-2.0 */
/* cohere_request.c - the conversation as Cohere's chat (v2) takes it.
 *
 * What is said before a tool is called is its `tool_plan`. A document is no part of a message but
 * stands beside the conversation, as text. Files and sound have no place. A choice of one tool is
 * said by showing that tool alone. Only the reasoning models think, on a budget of their own. */
#include "cohere.h"
#include "parts.h"
#include "thinking.h"

typedef struct {
    arena *a;
    const llm_chat *c;
    llm_loss *l;
    bool thinks;
    jnode *turns, *documents;
} writing;

/* clang-format off */
#define F(path, kind, member) {path, kind, offsetof(llm_chat, member), NULL, false}
static const field_row params[] = {
    F("temperature",       FIELD_NUM,  temperature),
    F("presence_penalty",  FIELD_NUM,  presence_penalty),
    F("frequency_penalty", FIELD_NUM,  frequency_penalty),
    F("max_tokens",        FIELD_INT,  max_tokens),
    F("k",                 FIELD_INT,  top_k),
    F("seed",              FIELD_INT,  seed),
    F("stream",            FIELD_BOOL, stream),
    {0},
};
#undef F
/* clang-format on */

static jnode *typed(arena *a, const char *type, str text)
{
    jnode *j = object_of_type(a, type);
    jn_set_text(j, type, text.p ? text : S(""));
    return j;
}

static jnode *image(const writing *w, const llm_part *p)
{
    str url = media_url(w->a, &p->media);
    if (!url.p) return NULL;
    jnode *j = object_of_type(w->a, "image_url"), *inner = jn_open(j, S("image_url"));
    jn_set_text(inner, "url", url);
    jn_set_text(inner, "detail", p->detail);
    loss_said(w->l, &p->detail);
    return j;
}

/* Beside the conversation. */
static bool add_document(const writing *w, const llm_part *p)
{
    if (p->media.from != MEDIA_TEXT) return false;
    jnode *j = jn_object(w->a), *data = jn_open(j, S("data"));
    jn_set_text(data, "text", p->media.value);
    jn_set_text(data, "title", p->name);
    jn_add(w->documents, j);
    loss_said(w->l, &p->name);
    return true;
}

/* NULL: it has no place in a message; `said` when it has one elsewhere. */
static jnode *part(const writing *w, const llm_part *p, bool *said)
{
    switch (p->kind) {
    case PART_TEXT:
    case PART_REFUSAL: return typed(w->a, "text", p->text);
    case PART_IMAGE: return image(w, p);
    case PART_DOCUMENT: *said = add_document(w, p); return NULL;
    case PART_THINKING: /* a signed thought is another provider's */
        return w->thinks && !p->signature.n ? typed(w->a, "thinking", p->text) : NULL;
    case PART_AUDIO:
    case PART_VIDEO:
    case PART_TOOL_CALL:
    case PART_TOOL_RESULT:
    case PART_REDACTED:
    case PART_OTHER: return NULL;
    }
    return NULL;
}

/* A plain string where there is but text. NULL: nothing. */
static jnode *content(const writing *w, const llm_part *parts, size_t count)
{
    jnode *list = jn_array(w->a);
    bool plain = true;
    for (size_t i = 0; i < count; i++) {
        bool said = false;
        jnode *j = part(w, &parts[i], &said);
        jn_add(list, j);
        if (j) plain = plain && (parts[i].kind == PART_TEXT || parts[i].kind == PART_REFUSAL);
        if (j || said) loss_said(w->l, &parts[i]);
    }
    return content_of(list, plain, parts, count);
}

static void add_call(const writing *w, const llm_part *p, jnode *calls)
{
    jnode *j = object_of_type(w->a, "function"), *f = jn_open(j, S("function"));
    jn_set_text(j, "id", p->id);
    jn_set_text(f, "name", p->name);
    jn_set_text(f, "arguments", jn_dump(w->a, arguments_object(w->a, p)));
    jn_add(calls, j);
    loss_said(w->l, p);
}

static bool is_plain(const llm_turn *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].kind == PART_IMAGE || t->parts[i].kind == PART_THINKING) return false;
    return true;
}

static void write_assistant(const writing *w, const llm_turn *t)
{
    jnode *calls = jn_array(w->a), *what = content(w, t->parts, t->count);
    for (size_t i = 0; i < t->count; i++)
        if (t->parts[i].kind == PART_TOOL_CALL) add_call(w, &t->parts[i], calls);
    if (!what && !jn_count(calls)) return;
    jnode *j = turn_add(w->turns, "assistant");
    bool plans = jn_count(calls) && is_plain(t);
    jn_set(j, plans ? "tool_plan" : "content", what);
    if (jn_count(calls)) jn_set(j, "tool_calls", calls);
}

static void write_results(const writing *w, const llm_turn *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const llm_part *p = &t->parts[i];
        jnode *j = turn_add(w->turns, "tool");
        jn_set_text(j, "tool_call_id", p->id);
        str text = parts_text(w->a, p->inner, p->inner_count);
        for (size_t k = 0; k < p->inner_count; k++)
            if (p->inner[k].kind == PART_TEXT) loss_said(w->l, &p->inner[k]);
        jn_set_text(j, "content", text.p ? text : S(""));
        loss_said(w->l, p);
    }
}

static void write_turn(const writing *w, const llm_turn *t)
{
    if (t->role == ROLE_ASSISTANT) {
        write_assistant(w, t);
    } else if (t->role == ROLE_TOOL) {
        write_results(w, t);
    } else {
        jnode *what = content(w, t->parts, t->count);
        if (what)
            jn_set(turn_add(w->turns, t->role == ROLE_USER ? "user" : "system"), "content", what);
    }
}

/* Tools */

static bool is_shown(const llm_chat *c, const llm_tool *t)
{
    if (t->kind != TOOL_FUNCTION) return false;
    return c->choice != CHOICE_ONE || str_eq(t->name, c->choice_name);
}

static jnode *tool(const writing *w, const llm_tool *t)
{
    jnode *j = object_of_type(w->a, "function"), *f = jn_open(j, S("function"));
    jn_set_text(f, "name", t->name);
    jn_set_text(f, "description", t->description);
    jn_set(f, "parameters", jn_raw(w->a, tool_schema(t, w->l)));
    loss_said(w->l, &t->strict);
    return j;
}

static void write_tools(const writing *w, jnode *out)
{
    static const name_row modes[] = {{"REQUIRED", CHOICE_ANY},
                                     {"REQUIRED", CHOICE_ONE},
                                     {"NONE", CHOICE_NONE},
                                     {0}};
    const llm_chat *c = w->c;
    jnode *tools = jn_array(w->a);
    bool strict = false;
    for (size_t i = 0; i < c->tool_count; i++) {
        const llm_tool *t = &c->tools[i];
        if (t->kind == TOOL_FUNCTION) loss_said(w->l, t);
        if (!is_shown(c, t)) continue;
        jn_add(tools, tool(w, t));
        strict = strict || (t->strict.set && t->strict.v);
    }
    if (!jn_count(tools)) return;
    jn_set(out, "tools", tools);
    if (strict) jn_set(out, "strict_tools", jn_bool(w->a, true));
    const char *mode = name_text(modes, c->choice);
    if (mode) jn_set_text(out, "tool_choice", (str){mode, strlen(mode)});
    if (c->choice) loss_said(w->l, &c->choice);
}

/* The rest */

static void write_format(const writing *w, jnode *out)
{
    const llm_chat *c = w->c;
    if (!c->format.kind) return;
    loss_said(w->l, &c->format.kind);
    if (c->format.kind == FORMAT_TEXT) return; /* as it is without */
    jnode *j = object_of_type(w->a, "json_object");
    if (c->format.kind == FORMAT_SCHEMA)
        jn_set(j, "json_schema", jn_raw(w->a, c->format.schema.raw));
    jn_set(out, "response_format", j);
}

static int64_t budget_of(const llm_chat *c)
{
    static const int64_t budgets[] =
        {[EFFORT_MINIMAL] = 1024, [EFFORT_LOW] = 1024,    [EFFORT_MEDIUM] = 8192,
         [EFFORT_HIGH] = 16384,   [EFFORT_XHIGH] = 24576, [EFFORT_MAX] = 32768};
    if (c->thinking.budget.set) return c->thinking.budget.v;
    return c->effort > EFFORT_NONE ? budgets[c->effort] : 0;
}

static void write_thinking(const writing *w, jnode *out)
{
    const llm_chat *c = w->c;
    if (!w->thinks || (!c->thinking.mode && !c->effort)) return;
    bool off = c->thinking.mode ? c->thinking.mode == THINK_OFF : c->effort == EFFORT_NONE;
    jnode *j = object_of_type(w->a, off ? "disabled" : "enabled");
    int64_t budget = off ? 0 : budget_of(c);
    if (budget > 0) jn_set(j, "token_budget", jn_int(w->a, budget));
    jn_set(out, "thinking", j);
    loss_said(w->l, &c->thinking.mode);
    loss_said(w->l, &c->thinking.budget);
    loss_said(w->l, &c->effort);
}

/* Of p the provider takes less than 1: all of the likely words is what it does without. */
static void write_top_p(const writing *w, jnode *out)
{
    const opt_num *p = &w->c->top_p;
    if (!p->set) return;
    loss_said(w->l, p);
    if (p->v >= 1 && p->v <= 1) return;
    jn_set(out, "p", p->text.p ? jn_raw(w->a, p->text) : jn_num(w->a, p->v));
}

const err *cohere_write_request(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    arena *a = jn_arena(out);
    str model = chat_model(c, to);
    writing w = {.a = a,
                 .c = c,
                 .l = l,
                 .thinks = memmem(model.p, model.n, "reasoning", 9) != NULL,
                 .turns = jn_array(a),
                 .documents = jn_array(a)};
    if (c->n.set && c->n.v > 1)
        return err_new(a, ERR_MALFORMED, "this provider gives one answer: 'n' must be 1");
    loss_said(l, &c->n);
    jn_set_text(out, "model", model);
    jn_set(out, "messages", w.turns);
    for (size_t i = 0; i < c->turn_count; i++) write_turn(&w, &c->turns[i]);
    if (jn_count(w.documents)) jn_set(out, "documents", w.documents);
    fields_write(params, c, out, l);
    write_top_p(&w, out);
    stops_write(c, "stop_sequences", out, l);
    write_tools(&w, out);
    if (c->parallel_tools.v) loss_said(l, &c->parallel_tools); /* so it works unsaid */
    write_format(&w, out);
    write_thinking(&w, out);
    return NULL;
}
