/* SPDX-License-Identifier: Apache-2.0 */
#include "thinking.h"
#include "origin.h"
#include <strings.h>

/* clang-format off */
const name_row llm_efforts[] = {
    {"none", EFFORT_NONE}, {"minimal", EFFORT_MINIMAL}, {"low", EFFORT_LOW}, {"medium", EFFORT_MEDIUM},
    {"high", EFFORT_HIGH}, {"xhigh", EFFORT_XHIGH}, {"max", EFFORT_MAX}, {0},
};
static const name_row modes[] = {
    {"enabled", THINK_BUDGET}, {"disabled", THINK_OFF}, {"adaptive", THINK_ADAPTIVE}, {0},
};
static const name_row shows[] = {{"summarized", SHOW_SUMMARY}, {"omitted", SHOW_NOTHING}, {0}};

enum {
    NEWEST = CLAUDE_ADAPTIVE | CLAUDE_EFFORT | CLAUDE_NO_SAMPLING | CLAUDE_OMITS | CLAUDE_SCHEMA,
    MIDDLE = CLAUDE_BUDGET | CLAUDE_ADAPTIVE | CLAUDE_EFFORT | CLAUDE_SCHEMA,
};
static const struct {
    const char *token;
    unsigned traits;
} claudes[] = {
    {"mythos-preview", NEWEST | CLAUDE_ALWAYS_THINKS}, {"mythos-5", NEWEST | CLAUDE_ALWAYS_THINKS},
    {"fable-5", NEWEST}, {"opus-5", NEWEST}, {"sonnet-5", NEWEST},
    {"opus-4-8", NEWEST}, {"opus-4-7", NEWEST}, {"opus-4-6", MIDDLE}, {"sonnet-4-6", MIDDLE},
    {"opus-4-5", CLAUDE_BUDGET | CLAUDE_EFFORT | CLAUDE_SCHEMA},
    {"sonnet-4-5", CLAUDE_BUDGET | CLAUDE_SCHEMA}, {"haiku-4-5", CLAUDE_BUDGET | CLAUDE_SCHEMA},
    {"opus-4-1", CLAUDE_BUDGET}, {"opus-4", CLAUDE_BUDGET}, {"sonnet-4", CLAUDE_BUDGET},
    {"3-7-sonnet", CLAUDE_BUDGET},
};
/* clang-format on */

/* The token stands alone: no digit follows it, and a following "-5" is another version, while
 * "-20250514" is a date. */
static bool has_token(str model, const char *token)
{
    size_t n = strlen(token);
    for (size_t i = 0; i + n <= model.n; i++) {
        if ((model.p[i] | 0x20) != *token) continue; /* as nearly everywhere */
        if (strncasecmp(model.p + i, token, n) != 0) continue;
        str rest = str_drop(model, i + n);
        if (!rest.n || rest.p[0] < '0' || rest.p[0] > '9') return true;
    }
    return false;
}

unsigned claude_traits(str model)
{
    for (size_t i = 0; i < sizeof claudes / sizeof *claudes; i++)
        if (has_token(model, claudes[i].token)) return claudes[i].traits;
    return 0;
}

bool is_claude(str model)
{
    return has_token(model, "claude");
}

const err *thinking_read(obj *o, llm_chat *c)
{
    llm_reader *rd = obj_reader(o);
    obj *t = obj_inner(o, "thinking", "thinking");
    if (!t) return NULL;
    c->thinking.mode = name_value(modes, obj_text(t, "type"), 0);
    c->thinking.show = name_value(shows, js_text(obj_arena(o), obj_peek(t, "display")), 0);
    if (c->thinking.show) (void)obj_take(t, "display"); /* another word is a loss */
    js_value budget = obj_take_kind(t, "budget_tokens", JS_NUMBER);
    c->thinking.budget.set = js_int(budget, &c->thinking.budget.v);
    if (!c->thinking.mode)
        return err_new(obj_arena(o), ERR_MALFORMED,
                       "'thinking.type' must be enabled, disabled or adaptive");
    reader_spot(rd, &c->thinking.mode, "thinking");
    if (c->thinking.show) reader_spot(rd, &c->thinking.show, "thinking.display");
    return NULL;
}

static jnode *thinking(arena *a, int mode, const opt_int *budget, int show)
{
    jnode *j = jn_object(a);
    const char *type = name_text(modes, mode), *display = name_text(shows, show);
    jn_set_text(j, "type", (str){type, strlen(type)});
    if (mode == THINK_BUDGET && budget->set) jn_set(j, "budget_tokens", jn_int(a, budget->v));
    if (mode != THINK_OFF && display) jn_set_text(j, "display", (str){display, strlen(display)});
    return j;
}

jnode *thinking_write(arena *a, const llm_chat *c, llm_loss *l)
{
    if (!c->thinking.mode) return NULL;
    loss_said(l, &c->thinking.mode);
    if (c->thinking.mode != THINK_OFF) loss_said(l, &c->thinking.show);
    return thinking(a, c->thinking.mode, &c->thinking.budget, c->thinking.show);
}

/* Anthropic's least is 1024, and the answer must have room beside it. */
static int64_t budget_of(int effort, int64_t most)
{
    static const int64_t budgets[] =
        {[EFFORT_NONE] = 0,     [EFFORT_MINIMAL] = 0,   [EFFORT_LOW] = 1024, [EFFORT_MEDIUM] = 8192,
         [EFFORT_HIGH] = 16384, [EFFORT_XHIGH] = 24576, [EFFORT_MAX] = 32768};
    int64_t budget = budgets[effort];
    if (budget >= most) budget = most - 1;
    return budget < 1024 ? 0 : budget;
}

/* Who thinks by a budget must begin the turn whose tools have just answered with the thought behind
 * it. It is not there when another family's model, or a client without thoughts, led up to here. */
static bool goes_on_without_thought(const llm_chat *c)
{
    if (c->turn_count < 2 || c->turns[c->turn_count - 1].role != ROLE_TOOL) return false;
    const llm_turn *said = &c->turns[c->turn_count - 2];
    bool calls = false;
    for (size_t i = 0; said->role == ROLE_ASSISTANT && i < said->count; i++) {
        const llm_part *p = &said->parts[i];
        bool thought = p->kind == PART_REDACTED || (p->kind == PART_THINKING && p->signature.n);
        if (thought && origin_is_claude(p->origin)) return false;
        calls = calls || p->kind == PART_TOOL_CALL;
    }
    return calls;
}

jnode *claude_thinking(arena *a, const llm_chat *c, str model, int64_t most, llm_loss *l)
{
    unsigned traits = claude_traits(model);
    int mode = c->thinking.mode;
    if (mode == THINK_OFF && traits & CLAUDE_ALWAYS_THINKS) return NULL;
    if (mode == THINK_BUDGET && traits && !(traits & CLAUDE_BUDGET)) mode = THINK_ADAPTIVE;
    if (mode == THINK_BUDGET && traits && goes_on_without_thought(c)) return NULL;
    if (mode == c->thinking.mode && mode) return thinking_write(a, c, l);
    if (mode) { /* how much it is to think is then its own choice: a loss, and said */
        loss_said(l, &c->thinking.show);
        return thinking(a, mode, &c->thinking.budget, c->thinking.show);
    }
    bool by_budget = traits & CLAUDE_BUDGET && !(traits & CLAUDE_EFFORT) && c->effort;
    opt_int budget = {true, by_budget ? budget_of(c->effort, most) : 0};
    if (!budget.v || goes_on_without_thought(c)) return NULL;
    loss_said(l, &c->effort);
    return thinking(a, THINK_BUDGET, &budget, 0);
}
