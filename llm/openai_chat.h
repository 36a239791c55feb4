/* SPDX-License-Identifier: Apache-2.0 */
/* openai_chat.h - the files of this dialect among themselves.
 *
 * Private to llm/openai_chat*.c, and to dialects that speak the same bodies at other addresses
 * (Azure), who take the functions of the struct `openai_chat`. */
#ifndef SP_LLM_OPENAI_CHAT_H
#define SP_LLM_OPENAI_CHAT_H
#include "parts.h"
#include "schema.h"

extern const field_row openai_chat_params[], openai_chat_usage[];
extern const name_row openai_chat_stops[];

const err *openai_chat_read_request(llm_reader *rd, js_value body, llm_chat *out);
const err *openai_chat_write_request(const llm_chat *c, const llm_target *to, llm_loss *l,
                                     jnode *out);
const err *openai_chat_read_reply(llm_reader *rd, js_value body, const header *head,
                                  llm_reply *out);
jnode *openai_chat_write_reply(arena *a, const llm_chat *c, const llm_reply *r);
const err *openai_chat_read_event(llm_stream *s, llm_frame f);
void openai_chat_write_event(llm_stream *s, const llm_event *ev);
jnode *openai_write_error(arena *a, const llm_error *e);
void openai_read_error(arena *a, const header *head, str body, llm_error *e);

jnode *openai_usage(arena *a, const llm_usage *u);
int openai_stop(str word); /* llm_stop; STOP_ERROR when nobody knows it */
str openai_stop_word(const llm_choice *c);
#endif
