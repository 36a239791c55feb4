/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - what each kind of backend speaks.
 *
 * One row a schema of the configuration, in the order of `llm_schema`. Most speak one dialect to
 * every client; OpenAI's speaks responses to those who do. */
#ifndef SP_LLM_SCHEMA_H
#define SP_LLM_SCHEMA_H
#include "dialect.h"

/* The dialect in which this backend is asked what was asked in another. */
const llm_dialect *schema_dialect(llm_schema schema, const llm_dialect *asked);

/* Who sells what such a backend has, as the built-in prices call them; {0}: anybody. */
str schema_seller(llm_schema schema);

extern const llm_dialect openai_chat, openai_responses, anthropic_messages;
extern const llm_dialect bedrock, aws_anthropic, gemini, gcp_anthropic, cohere;
#endif
