/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.h - YAML as a tree in which every node knows where it stood.
 *
 * A thin layer over libyaml's events. Scalars stay text: the reader's schema decides types, so
 * `yes` and `010` hold no surprise. Refused, with position: duplicate keys, merge keys, tags, more
 * than one document, nesting over 64, an alias inside its own anchor, aliases that would expand
 * past YAML_NODES. Ownership: nodes and texts belong to the arena. */
#ifndef SP_YAML_H
#define SP_YAML_H
#include "buf.h"
#include "err.h"

enum { YAML_NODES = 200000 };
typedef enum { YAML_SCALAR, YAML_LIST, YAML_MAP } yaml_kind;
typedef enum { YAML_PLAIN, YAML_QUOTED, YAML_BLOCK } yaml_style;

typedef struct yaml_node {
    yaml_kind kind;
    yaml_style style;      /* scalars */
    unsigned line, column; /* of its first byte, from 1 */
    str text;              /* scalars: the value */
    str key;               /* in a map: this entry's key … */
    unsigned key_line, key_column;
    struct yaml_node *first, *next; /* children, siblings */
    size_t count;
} yaml_node;

/* An empty document gives an empty map. Errors are "FILE:LINE:COL: what". */
MUST_CHECK const err *yaml_parse(arena *a, str file, str text, yaml_node **root);
const yaml_node *yaml_get(const yaml_node *parent, str key); /* NULL when absent or not a map */
/* A plain null: nothing, ~ or null. */
bool yaml_is_null(const yaml_node *n);

/* As a person reads it: a plain number, true, false or null is that, everything else is text
 * ("0644", quoted or not: it is no JSON number). What does not fit stops the buffer. */
void yaml_put_json(buf *b, const yaml_node *n);

/* Problems are collected, so that a person sees all of them at once. */
typedef struct problem {
    str text;    /* "file:line:col: what" */
    size_t said; /* where in it `what` begins; 0: it names its own place, or has none */
    str file;
    unsigned line, column, width; /* width: characters it is about; 0: nobody said */
    str hint, fix; /* what to write instead, and exactly what in place of those characters */
    struct problem *next;
} problem;
typedef struct {
    arena *a;
    str file;
    problem *first, **end;
    size_t count;
} problems; /* `end` points to the last one's `next` */
void problems_init(problems *p, arena *a, str file);
/* Gives the new one, so that more can be said of it. */
problem *problems_add(problems *p, unsigned line, unsigned column, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void problems_add_text(problems *p, str text); /* names its own place, or has none; copied */
/* The nearest of `names` (list ends with {0}) to `word`: Damerau-Levenshtein, at most 2 or a
 * third of its length, case aside first; {0} when none is near. */
str yaml_did_you_mean(str word, const str *names);
/* "WHAT `word`, did you mean `x`?", if one of the names is near. */
void problems_add_word(problems *p, unsigned line, unsigned column, const char *what, str word,
                       const str *names);
#endif
