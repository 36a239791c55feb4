/* SPDX-License-Identifier: Apache-2.0 */
/* flat.h - endpoints without a conversation: one question in, one answer out.
 *
 * A row says for an endpoint and a kind of backend where the question goes, and how question and
 * answer are put where the provider puts them otherwise. Where a row has no functions the bytes
 * pass, but for the model's name. Failure: as in dialect.h: about the question MALFORMED or
 * UNSUPPORTED, shown to the client; about the answer UPSTREAM. */
#ifndef SP_LLM_FLAT_H
#define SP_LLM_FLAT_H
#include "dialect.h"

typedef enum {
    FLAT_NONE,
    FLAT_COMPLETIONS,
    FLAT_EMBEDDINGS,
    FLAT_IMAGES,
    FLAT_SPEECH,
    FLAT_TRANSCRIPTIONS,
    FLAT_TRANSLATIONS,
    FLAT_INPUT_TOKENS,
    FLAT_RERANK,
    FLAT_TOKENIZE,
    FLAT_COUNT_TOKENS
} flat_kind;

typedef struct {
    arena *a;
    js_value body;
    str model; /* as this target calls it */
    const llm_target *to;
    const header *headers; /* the client's */
} flat_ask;

typedef str flat_place(const flat_ask *q); /* path and query */
typedef const err *flat_put(const flat_ask *q, jnode *out);
typedef const err *flat_get(const flat_ask *q, js_value answer, jnode *out, llm_usage *u);

typedef struct {
    flat_kind kind;
    llm_schema schema;
    const char *operation; /* OpenAI's and Azure's; `place` says it else */
    flat_place *place;
    const err *(*check)(const flat_ask *q);      /* of a question whose bytes pass; NULL: none */
    const body_edit *(*edit)(const flat_ask *q); /* likewise; NULL: the model's name */
    flat_put *put;                               /* NULL: the bytes pass */
    flat_get *get;                               /* NULL: the bytes pass */
    const char *error_type;                      /* of an error in no shape; NULL: the dialect's */
} flat_row;

const flat_row *flat_find(flat_kind kind, llm_schema schema); /* NULL: the provider has none */
bool flat_is_form(flat_kind kind); /* asked by a form with a file in it, which passes */
str flat_target(const flat_row *row, const flat_ask *q);
const err *flat_wrong(const flat_ask *q, const char *what); /* MALFORMED, for the client */

/* What is metered and refused as OpenAI does it, in either of its spellings of usage. */
extern const llm_dialect openai_flat;

/* embeddings.c */
flat_put titan_put_embedding, vertex_put_embedding, gemini_put_embedding, cohere_put_embedding;
flat_get titan_get_embedding, vertex_get_embedding, gemini_get_embedding, cohere_get_embedding;
flat_place titan_place, vertex_embedding_place, gemini_embedding_place, cohere_embedding_place;

/* tokens.c */
flat_put bedrock_put_tokens, bedrock_put_count, aws_anthropic_put_tokens, aws_anthropic_put_count,
    gcp_anthropic_put_tokens, google_put_tokens, google_put_count;
flat_get aws_get_tokens, aws_get_count, anthropic_get_tokens, google_get_tokens, google_get_count;
flat_place aws_tokens_place, gcp_anthropic_tokens_place, google_tokens_place;
const err *tokens_check(const flat_ask *q);
/* What a passed answer of a counting endpoint says; false: this is none. */
bool tokens_usage(flat_kind kind, js_value answer, llm_usage *u);
const body_edit *gcp_anthropic_count_edits(const flat_ask *q);
#endif
