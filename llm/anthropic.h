/* SPDX-License-Identifier: Apache-2.0 */
/* anthropic.h - the files of this dialect among themselves, and those who host it elsewhere.
 *
 * AWS and Google serve the same bodies at other addresses: their dialects take these functions, and
 * their own head, edits and framing. */
#ifndef SP_LLM_ANTHROPIC_H
#define SP_LLM_ANTHROPIC_H
#include "parts.h"
#include "schema.h"

extern const field_row anthropic_params[], anthropic_sampling[], anthropic_usage[];
extern const char *const anthropic_usage_at[];
extern const name_row anthropic_stops[], anthropic_roles[];
extern const name_row anthropic_kinds[]; /* of an answer's blocks: part_kind */

const err *anthropic_read_request(llm_reader *rd, js_value body, llm_chat *out);
/* All but `model` and `stream`, which the hosts put elsewhere. */
const err *anthropic_write_body(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out);
const err *anthropic_write_request(const llm_chat *c, const llm_target *to, llm_loss *l,
                                   jnode *out);
const err *anthropic_read_reply(llm_reader *rd, js_value body, const header *head, llm_reply *out);
jnode *anthropic_write_reply(arena *a, const llm_chat *c, const llm_reply *r);
const err *anthropic_read_event(llm_stream *s, llm_frame f);
void anthropic_write_event(llm_stream *s, const llm_event *ev);
jnode *anthropic_write_error(arena *a, const llm_error *e);
void anthropic_read_error(arena *a, const header *head, str body, llm_error *e);
frame_sense anthropic_sense(llm_frame f);

/* `whole`: with the counts of caches, also where nothing is known of them. */
jnode *anthropic_usage_of(arena *a, const llm_usage *u, bool whole);
#endif
