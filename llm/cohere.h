/* SPDX-License-Identifier: Apache-2.0 */
/* cohere.h - what the files of the Cohere dialect share. */
#ifndef SP_LLM_COHERE_H
#define SP_LLM_COHERE_H
#include "dialect.h"

MUST_CHECK const err *cohere_write_request(const llm_chat *c, const llm_target *to, llm_loss *l,
                                           jnode *out);
/* The url's path, the version (v2 unless the backend says another) and `end`. */
str cohere_place(arena *a, const llm_backend *b, const char *end);

/* Reranking, whose questions and answers pass; it is refused as Cohere does. */
extern const llm_dialect cohere_rerank;
#endif
