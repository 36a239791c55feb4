/* SPDX-License-Identifier: Apache-2.0 */
/* gemini.h - what the files of the Gemini dialect share. Private to llm/gemini*.c. */
#ifndef SP_LLM_GEMINI_H
#define SP_LLM_GEMINI_H
#include "dialect.h"

/* What a generation of Gemini takes, by the model's name. */
typedef struct {
    bool v25, v3;     /* 2.5: budgets of thinking; 3: levels of it, and the resolution of images */
    bool flash;       /* may be told not to think */
    bool json_schema; /* takes JSON Schema as it is */
} gemini_traits;
gemini_traits gemini_of(str model);

MUST_CHECK const err *gemini_write_request(const llm_chat *c, const llm_target *to, llm_loss *l,
                                           jnode *out);
/* thinkingConfig, from what was asked about thinking and effort. */
MUST_CHECK const err *gemini_thinking(const llm_chat *c, const gemini_traits *t, llm_loss *l,
                                      jnode *config);
/* What of the answer's form was asked: response_format, or vLLM's guided_*. */
MUST_CHECK const err *gemini_format(const llm_chat *c, const gemini_traits *t, llm_loss *l,
                                    jnode *config);
/* One part of a message that is a file. */
MUST_CHECK const err *gemini_media(arena *a, const llm_part *p, const gemini_traits *t,
                                   jnode **out);
/* A text or a file; *out NULL: there is nothing in it. */
MUST_CHECK const err *gemini_part(arena *a, const llm_part *p, jnode **out);
/* JSON Schema in the subset that older models read; keywords left out are losses. */
MUST_CHECK const err *gemini_schema(arena *a, js_value schema, llm_loss *l, jnode **out);
#endif
