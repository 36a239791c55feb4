/* SPDX-License-Identifier: Apache-2.0 */
/* gemini_options.c - what was asked about thinking and about the answer's form, for each
 * generation of Gemini. */
#include "gemini.h"

static bool has(str model, const char *word)
{
    return model.n && memmem(model.p, model.n, word, strlen(word));
}

gemini_traits gemini_of(str model)
{
    bool v25 = has(model, "gemini-2.5"), v3 = has(model, "gemini-3");
    return (gemini_traits){.v25 = v25,
                           .v3 = v3,
                           .flash = has(model, "flash"),
                           .json_schema = v25 || v3};
}

/* Levels of thinking, for those who know them. Pro has no middle and does not stop thinking. */
static const err *put_level(const llm_chat *c, const gemini_traits *t, arena *a, jnode *config)
{
    static const str levels[] = {[EFFORT_NONE] = {"MINIMAL", 7}, [EFFORT_MINIMAL] = {"MINIMAL", 7},
                                 [EFFORT_LOW] = {"LOW", 3},      [EFFORT_MEDIUM] = {"MEDIUM", 6},
                                 [EFFORT_HIGH] = {"HIGH", 4},    [EFFORT_XHIGH] = {"HIGH", 4},
                                 [EFFORT_MAX] = {"HIGH", 4}};
    str level = levels[c->effort];
    if (!t->flash) {
        if (c->effort == EFFORT_NONE)
            return err_new(a, ERR_UNSUPPORTED,
                           "reasoning effort 'none' is taken by Gemini Flash models only");
        if (c->effort == EFFORT_MINIMAL) level = S("LOW");
        if (c->effort == EFFORT_MEDIUM) level = S("HIGH");
    }
    jn_set_text(jn_open(config, S("thinkingConfig")), "thinkingLevel", level);
    return NULL;
}

static void put_budget(jnode *config, int64_t budget)
{
    jn_set(jn_open(config, S("thinkingConfig")), "thinkingBudget",
           jn_int(jn_arena(config), budget));
}

static const err *put_effort(const llm_chat *c, const gemini_traits *t, llm_loss *l, jnode *config)
{
    static const int64_t budgets[] =
        {[EFFORT_NONE] = 0,      [EFFORT_MINIMAL] = 1024, [EFFORT_LOW] = 1024,
         [EFFORT_MEDIUM] = 8192, [EFFORT_HIGH] = 24576,   [EFFORT_XHIGH] = 24576,
         [EFFORT_MAX] = 24576};
    if (!c->effort || (!t->v3 && !t->v25)) return NULL;
    loss_said(l, &c->effort);
    if (t->v3) return put_level(c, t, jn_arena(config), config);
    if (c->effort == EFFORT_NONE && !t->flash)
        return err_new(jn_arena(config), ERR_UNSUPPORTED,
                       "reasoning effort 'none' is taken by Gemini Flash models only");
    put_budget(config, budgets[c->effort]);
    return NULL;
}

const err *gemini_thinking(const llm_chat *c, const gemini_traits *t, llm_loss *l, jnode *config)
{
    const err *e = NULL;
    if (c->thinking.mode != THINK_BUDGET) e = put_effort(c, t, l, config);
    if (e || !c->thinking.mode) return e;
    if (c->thinking.mode == THINK_OFF) {
        if (t->v3 && t->flash && !c->effort)
            jn_set_text(jn_open(config, S("thinkingConfig")), "thinkingLevel", S("MINIMAL"));
        else if (!t->v3 && t->flash)
            put_budget(config, 0);
        else
            return NULL; /* it does not stop thinking: a loss */
    } else {
        jnode *thinking = jn_open(config, S("thinkingConfig"));
        jn_set(thinking, "includeThoughts",
               jn_bool(jn_arena(config), c->thinking.show != SHOW_NOTHING));
        if (c->thinking.mode == THINK_BUDGET && c->thinking.budget.set)
            put_budget(config, c->thinking.budget.v);
        else if (!c->effort && t->v25)
            put_budget(config, -1); /* as much as it likes */
    }
    loss_said(l, &c->thinking.mode);
    loss_said(l, &c->thinking.budget);
    loss_said(l, &c->thinking.show);
    loss_said(l, &c->thinking.summary);
    return NULL;
}

/* vLLM's members, which only a chat client sends: one of them is the form wanted. */
static void put_guided(arena *a, js_value root, jnode *config)
{
    js_value choice = js_get(root, S("guided_choice")), regex = js_get(root, S("guided_regex"));
    js_value json = js_get(root, S("guided_json"));
    jnode *schema = jn_object(a);
    if (choice.kind == JS_ARRAY || regex.kind == JS_STRING) {
        jn_set_text(schema, "type", S("STRING"));
        if (choice.kind == JS_ARRAY) jn_set(schema, "enum", jn_raw(a, choice.raw));
        if (regex.kind == JS_STRING) jn_set(schema, "pattern", jn_raw(a, regex.raw));
        jn_set_text(config, "responseMimeType",
                    choice.kind == JS_ARRAY ? S("text/x.enum") : S("application/json"));
        jn_set(config, "responseSchema", schema);
    } else if (json.kind == JS_OBJECT) {
        jn_set_text(config, "responseMimeType", S("application/json"));
        jn_set(config, "responseJsonSchema", jn_raw(a, json.raw));
    }
}

static bool is_ambiguous(const llm_chat *c)
{
    static const char *const guides[] = {"guided_choice", "guided_regex", "guided_json"};
    unsigned forms = c->format.kind != 0;
    for (size_t i = 0; i < sizeof guides / sizeof *guides; i++)
        if (js_get(c->root, (str){guides[i], strlen(guides[i])}).kind > JS_NULL) forms++;
    return forms > 1;
}

const err *gemini_format(const llm_chat *c, const gemini_traits *t, llm_loss *l, jnode *config)
{
    arena *a = jn_arena(config);
    if (is_ambiguous(c))
        return err_new(a, ERR_MALFORMED,
                       "only one of response_format, guided_choice, guided_regex and guided_json "
                       "can be asked for");
    put_guided(a, c->root, config);
    if (!c->format.kind) return NULL;
    loss_said(l, &c->format.kind);
    jn_set_text(config, "responseMimeType",
                c->format.kind == FORMAT_TEXT ? S("text/plain") : S("application/json"));
    if (c->format.kind != FORMAT_SCHEMA || c->format.schema.kind == JS_ABSENT) return NULL;
    if (t->json_schema) {
        jn_set(config, "responseJsonSchema", jn_raw(a, c->format.schema.raw));
        return NULL;
    }
    jnode *schema = NULL;
    const err *e = gemini_schema(a, c->format.schema, l, &schema);
    jn_set(config, "responseSchema", schema);
    return e ? err_wrap(a, e, "response_format") : NULL;
}
