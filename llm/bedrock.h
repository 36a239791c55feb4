/* SPDX-License-Identifier: Apache-2.0 */
/* bedrock.h - the two halves of AWS Bedrock's Converse dialect, and what both AWS dialects share.
 *
 * Private to llm/bedrock*.c and llm/aws_anthropic.c. */
#ifndef SP_LLM_BEDROCK_H
#define SP_LLM_BEDROCK_H
#include "dialect.h"

MUST_CHECK const err *bedrock_write_request(const llm_chat *c, const llm_target *to, llm_loss *l,
                                            jnode *out);
/* An image, audio, video or document block. */
MUST_CHECK const err *bedrock_media(arena *a, const llm_part *p, jnode **out);
/* "/model/NAME/" and the operation for plain or streamed answers. */
void bedrock_head(arena *a, const llm_chat *c, const llm_target *to, const char *const verbs[2],
                  llm_head *out);
/* {"message"} and x-amzn-errortype. */
void bedrock_read_error(arena *a, const header *head, str body, llm_error *e);
/* An exception frame, as the error it would have been before the stream began. */
void bedrock_read_exception(llm_stream *s, llm_frame f);
#endif
