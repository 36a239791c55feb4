/* SPDX-License-Identifier: Apache-2.0 */
/* thinking.h - how hard a model is to think: one wish, said in many ways.
 *
 * Clients say an effort (OpenAI, Anthropic), a budget or `adaptive` (Anthropic). What a Claude
 * takes depends on its generation, which only its name tells. */
#ifndef SP_LLM_THINKING_H
#define SP_LLM_THINKING_H
#include "chat.h"

extern const name_row llm_efforts[]; /* as OpenAI and Anthropic both call them */

/* What a Claude of this name takes; 0 for names nobody knows. A name is met as a token: the date in
 * claude-opus-4-20250514 is no minor version. */
enum {
    CLAUDE_BUDGET = 1,         /* thinking.enabled with budget_tokens */
    CLAUDE_ADAPTIVE = 2,       /* thinking.adaptive */
    CLAUDE_EFFORT = 4,         /* output_config.effort */
    CLAUDE_NO_SAMPLING = 8,    /* rejects temperature, top_p and top_k */
    CLAUDE_ALWAYS_THINKS = 16, /* rejects thinking.disabled */
    CLAUDE_OMITS = 32,         /* shows no thinking unless asked to */
    CLAUDE_SCHEMA = 64         /* output_config.format */
};
unsigned claude_traits(str model);
bool is_claude(str model);

/* The member `thinking` of a request, in Anthropic's shape, which OpenAI-like servers take too. */
MUST_CHECK const err *thinking_read(obj *o, llm_chat *c);
jnode *thinking_write(arena *a, const llm_chat *c, llm_loss *l);
/* `thinking` as this Claude takes it: as asked, or made of the effort where it takes no effort.
 * NULL: none. `most`: the answer's tokens, above any budget. */
jnode *claude_thinking(arena *a, const llm_chat *c, str model, int64_t most, llm_loss *l);
#endif
