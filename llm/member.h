/* SPDX-License-Identifier: Apache-2.0 */
/* member.h - reading a peer's JSON so that nothing is lost in silence.
 *
 * An object is opened once and its members are taken by name. What nobody took, and what was
 * taken into the neutral conversation (a spot: the address of a neutral member and the client's
 * name for it) but was said by no writer, is the list of losses: derived, never kept by hand
 * (architecture.md §6). Null counts as absent everywhere but in obj_take_any().
 * Views live as long as the text that was read and the arena. */
#ifndef SP_LLM_MEMBER_H
#define SP_LLM_MEMBER_H
#include "../base/json.h"

typedef struct llm_reader llm_reader;
typedef struct obj obj;

/* `scratch`: may be the arena of one event; no losses are asked of it then. */
llm_reader *reader_new(arena *a);
arena *reader_arena(const llm_reader *rd);
/* NULL when it is no object. `path` names the object in the client's words ("messages.content"). */
obj *obj_open(llm_reader *rd, js_value v, const char *path);
arena *obj_arena(const obj *o);
llm_reader *obj_reader(const obj *o);

js_value obj_take(obj *o, const char *name);     /* JS_ABSENT also for null */
js_value obj_take_any(obj *o, const char *name); /* null is JS_NULL */
js_value obj_peek(const obj *o, const char *name);
/* Taken as what it must be. Anything else there is as absent, and reader_checked() tells of it. */
js_value obj_take_kind(obj *o, const char *name, js_kind kind);
str obj_text(obj *o, const char *name); /* unescaped; p NULL: absent or no string */
const str *obj_texts(obj *o, const char *name, size_t *count); /* a list of them */
obj *obj_inner(obj *o, const char *name, const char *path);
bool obj_has(const obj *o, const char *name);
void obj_take_all(obj *o); /* the object travels whole: nothing of it is a loss */

/* Members in their order: start with *at = 0. */
bool obj_each(obj *o, size_t *at, str *key, js_value *v);
void obj_taken(obj *o, str key);

/* This neutral member came from the client, who calls it so: it is lost unless a writer says it. */
void reader_spot(llm_reader *rd, const void *at, const char *path);
/* The first member that was of another kind than it was taken as; NULL: none was. */
MUST_CHECK const err *reader_checked(const llm_reader *rd);
/* ERR_MALFORMED, in words for the client. */
const err *reader_wrong(const llm_reader *rd, const char *what);

/* What one attempt's writer has said. A new one for every attempt. */
typedef struct llm_loss llm_loss;
llm_loss *loss_new(arena *a);
void loss_said(llm_loss *l, const void *at); /* l may be NULL */
bool loss_has_said(const llm_loss *l, const void *at);
/* Something that could not be said although its spot was: "tool_choice.allowed_tools". */
void loss_add(llm_loss *l, const char *path);
/* "temperature,top_k"; p NULL when nothing was lost. Each name once, sorted by appearance. */
str loss_list(arena *a, const llm_reader *rd, const llm_loss *l);
#endif
