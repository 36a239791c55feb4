/* SPDX-License-Identifier: Apache-2.0 */
/* openai_responses.h - the files of this dialect among themselves.
 *
 * As a provider it only passes what came in it: nobody is translated into it. What a provider of
 * another family wants back (signatures, redacted thinking) travels as `encrypted_content` that
 * names its maker (origin.h), and goes back to no other. */
#ifndef SP_LLM_OPENAI_RESPONSES_H
#define SP_LLM_OPENAI_RESPONSES_H
#include "origin.h"
#include "parts.h"
#include "schema.h"

extern const field_row responses_params[], responses_usage[];

const err *responses_read_request(llm_reader *rd, js_value body, llm_chat *out);
jnode *responses_write_reply(arena *a, const llm_chat *c, const llm_reply *r);
void responses_write_event(llm_stream *s, const llm_event *ev);

/* The response object without its output: as it is at the start of a stream, or at its end. */
jnode *responses_object(arena *a, const llm_chat *c, str id, str model);
void responses_finish(jnode *response, int stop, const llm_usage *u);
jnode *responses_message(arena *a, str id, str text, bool refusal, const char *status);
jnode *responses_thought(arena *a, str id, str text, str sealed);
jnode *responses_call(arena *a, str id, const llm_part *p, const char *status);
/* A call of a tool that the client declared free-form, though the provider knows none. */
bool responses_is_custom(const llm_chat *c, const llm_part *p);
str responses_custom_input(arena *a, const llm_part *p);
#endif
