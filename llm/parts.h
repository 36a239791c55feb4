/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - what more than one dialect does with parts and tools. */
#ifndef SP_LLM_PARTS_H
#define SP_LLM_PARTS_H
#include "reply.h"

size_t list_count(js_value array);

/* A list of parts whose most is known before: their addresses are spots, so they may not move. */
typedef struct {
    llm_part *p;
    size_t n, most;
} part_list;
part_list parts_new(arena *a, size_t most);
llm_part *part_add(part_list *l, part_kind kind); /* never NULL; more than `most` is our mistake */

/* `cache_control`, as Anthropic and those who follow it write it. `path`: the client's name. */
void cache_read(obj *o, cache_mark *m, const char *path);
void cache_write(jnode *into, const cache_mark *m, llm_loss *l);

/* Reading a client's lists. A `read` is given one object of the list, and its bytes as they came;
 * the first error ends the reading. */

/* The last row has no type: it is for parts of any other. */
typedef struct {
    const char *type, *path; /* the client's name for such a part */
    part_kind kind;
} part_row;
llm_part *part_of_type(obj *o, const part_row *rows, part_list *l);
/* OTHER: it travels whole. `origin`: the family that knows it. */
void part_keep(obj *o, js_value raw, str origin, llm_part *p);

typedef struct {
    const char *path;               /* the client's name for the content */
    const char *neither, *no_parts; /* what it is told: no text and no list; one is no object */
    const err *(*read)(obj *o, js_value raw, part_list *l);
} content_form;
MUST_CHECK const err *content_read(llm_reader *rd, js_value content, const content_form *form,
                                   part_list *l);

/* What `read` gives no kind is not counted. */
MUST_CHECK const err *tools_read(obj *o, llm_chat *c,
                                 const err *(*read)(obj *o, js_value raw, llm_tool *t));
/* Name, description, schema and strictness: the member that holds the schema differs. */
void tool_take(obj *o, const char *schema, const char *strict_path, llm_tool *t);
/* The same of an answer's format, as both of OpenAI's dialects say it. */
void format_take(obj *o, const char *name_path, const char *description_path, llm_format *f);
/* Its schema for those who demand an object; whatever else it is, is lost. */
str tool_schema(const llm_tool *t, llm_loss *l);

/* "data:image/png;base64,…" is data, anything else a URL. */
media media_of_url(arena *a, str url);
str media_url(arena *a, const media *m); /* p NULL: it has none */

bool part_is_file(const llm_part *p); /* an image, audio, video or a document */
/* A question about a file is none without it: ERR_UNSUPPORTED for one that was not said. */
MUST_CHECK const err *files_were_said(arena *a, const llm_chat *c, const llm_loss *l);

/* Is this the text of a JSON object? What a model makes up may be anything. */
bool is_json_object(arena *a, str text);
/* A call's arguments as an object: its own bytes; {} for none; free or broken text is {"input": …}.
 */
jnode *arguments_object(arena *a, const llm_part *call);

/* What ends an answer, as a list of that name; nothing when nothing was said. */
void stops_write(const llm_chat *c, const char *member, jnode *into, llm_loss *l);

/* {"role": "…"}, a new one behind the others. */
jnode *turn_add(jnode *turns, const char *role);
/* What is said in one: the parts in `list`, or a plain string where all of them are text. NULL: it
 * is empty. */
jnode *content_of(jnode *list, bool plain, const llm_part *parts, size_t count);

/* Turns for a provider to whom neighbours of one speaker are one turn. */
typedef struct {
    jnode *turns;       /* an array */
    const char *member; /* of a turn: it holds the parts */
    const char *role;   /* of the last turn; NULL: there is none */
} spoken;
void spoken_add(spoken *s, const char *role, jnode *part);

jnode *object_of_type(arena *a, const char *type); /* {"type": "…"} */
str json_compact(arena *a, str json); /* the same JSON without space between its tokens */

str made_id(arena *a, const char *prefix); /* prefix and 24 random letters */
str made_uuid(arena *a);                   /* as those who have no prefix want it */
#endif
