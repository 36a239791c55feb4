/* SPDX-License-Identifier: Apache-2.0 */
/* made_models.h - the model providers that the environment names, as the `llm:` section of a
 * configuration.
 *
 * The variables are those that the providers' own SDKs read. The section refers to them (${…}), so
 * no secret stands in it. With one provider every model is its own; with several a model goes where
 * its name says, and every other one to OpenAI or Azure. */
#ifndef SP_MADE_MODELS_H
#define SP_MADE_MODELS_H
#include "../base/err.h"

typedef struct {
    str section; /* YAML; {0}: the environment names no provider */
    str told;    /* "claude-* by anthropic, every other model by openai" */
} made_models;

/* An error: a provider is named by halves. */
MUST_CHECK const err *made_models_read(arena *a, made_models *out);
#endif
