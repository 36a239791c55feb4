/* SPDX-License-Identifier: Apache-2.0 */
/* google.h - where Google serves a model: Vertex by project and region, AI Studio by name alone. */
#ifndef SP_LLM_GOOGLE_H
#define SP_LLM_GOOGLE_H
#include "llm.h"

/* `model` is the name as it is; `verb` what stands after the colon. */
str google_place(arena *a, const llm_backend *b, const char *publisher, str model,
                 const char *verb);
#endif
