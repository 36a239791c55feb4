/* SPDX-License-Identifier: Apache-2.0 */
/* field.h - the flat part of a dialect, as data.
 *
 * One row says: this JSON path and this member of a C struct are the same thing. The same table
 * reads a peer's JSON into the struct and writes the struct as JSON. Shapes (messages, parts,
 * tools) are functions in the dialect's file: if a row wants a condition, write a function.
 * A row that reads marks the member as taken and gives it a spot; a row that writes says it. */
#ifndef SP_LLM_FIELD_H
#define SP_LLM_FIELD_H
#include "../base/json_make.h"
#include "member.h"

/* Numbers keep the bytes they came as, if they came as bytes. */
typedef struct {
    bool set;
    double v;
    str text;
} opt_num;
typedef struct {
    bool set;
    int64_t v;
} opt_int;
typedef struct {
    bool set, v;
} opt_bool;

/* Ends with {0}; the first match wins, both ways. Values begin at 1: 0 is absent. */
typedef struct {
    const char *name;
    int value;
} name_row;
int name_value(const name_row *rows, str name, int otherwise);
const char *name_text(const name_row *rows, int value); /* NULL: this dialect has no word for it */

opt_bool obj_bool(obj *o, const char *name); /* set when it is there */

/* STR: str. NUM, INT, BOOL: opt_*. NAME: int. JSON: js_value, carried whole. */
typedef enum { FIELD_STR, FIELD_NUM, FIELD_INT, FIELD_BOOL, FIELD_NAME, FIELD_JSON } field_kind;

typedef struct {
    const char *path; /* dotted; two levels */
    field_kind kind;
    size_t at;             /* offsetof the member */
    const name_row *names; /* NAME */
    bool alias;            /* an old spelling: understood, never written */
} field_row;               /* tables end with {0} */

/* A member of the wrong type or an unknown name is ERR_MALFORMED, and its text names the path. */
MUST_CHECK const err *fields_read(obj *o, const field_row *rows, void *into);
/* The same for what a provider says: what is no such thing is as absent. */
void fields_take(obj *o, const field_row *rows, void *into);
/* Members that are set and have a row. `l` may be NULL. */
void fields_write(const field_row *rows, const void *from, jnode *into, llm_loss *l);
#endif
