/* SPDX-License-Identifier: Apache-2.0 */
/* body.h - an OpenAI-shaped request body that is routed, not translated.
 *
 * The bytes pass as they came but for the value of `model`. So the gateway and the provider must
 * read the same thing in them: the body is valid JSON without duplicate keys, and a member that
 * decides something (model, stream, …) must be spelled exactly, since some servers match keys
 * without regard to case (architecture.md §7). A body that is translated may hold such a member:
 * it is one that nobody knows. */
#ifndef SP_LLM_BODY_H
#define SP_LLM_BODY_H
#include "../base/json.h"

typedef struct {
    js_value root;
    str model;         /* unescaped; may be empty */
    js_value model_at; /* where it stands in the bytes */
    bool stream;
    int64_t answer_most; /* tokens, by the largest of the members that bound them; 0: unbounded */
    const err *misspelt; /* ERR_MALFORMED: such bytes may be translated, but do not pass */
} llm_body;

MUST_CHECK const err *body_read(arena *a, str bytes, unsigned depth, llm_body *out);
/* The body with another model, as three views to be sent one after the other. */
void body_splice(arena *a, const llm_body *b, str model, str parts[3]);

/* Members of the outermost object to set, where they stand or at the end; lists end with {0}. */
typedef struct body_edit {
    str name;
    str json; /* p NULL: the member is removed */
} body_edit;
/* The pieces of a body as one; a view when there is but one. */
str body_joined(arena *a, const str *parts, size_t n);
str body_edited(arena *a, js_value root, const body_edit *edits);
#endif
