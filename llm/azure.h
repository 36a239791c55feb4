/* SPDX-License-Identifier: Apache-2.0 */
/* azure.h - where OpenAI's dialects are at Azure: other addresses, the same bodies.
 *
 * Most operations name a deployment in the path; responses name it in the body. Which version of
 * the API is spoken is always said. */
#ifndef SP_LLM_AZURE_H
#define SP_LLM_AZURE_H
#include "dialect.h"

/* "/openai/deployments/NAME/OPERATION?api-version=V"; no deployment: "/openai/OPERATION…". */
str azure_target(arena *a, const llm_target *to, str deployment, const char *operation);
#endif
