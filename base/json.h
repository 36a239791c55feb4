/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - read JSON without building a tree, and build one safely where a shape needs it.
 *
 * js_check() reads a whole text once: RFC 8259 grammar, valid UTF-8, no duplicate keys at any
 * depth (escaped spellings of one key count as the same), nesting at most `depth`, nothing
 * after the value. What it has accepted is then walked with js_get() and friends, which
 * cannot fail; giving them unchecked bytes is a mistake of ours, yet never reads past the view.
 * A js_value is a view into the checked text; it lives as long as that text and the arena of
 * js_check(), which keeps where the members of the outer objects stand. Elsewhere a walk skips
 * what it does not want, so whoever wants all of a nested text reads it faster with js_tree().
 * Absent, null and wrong type are three cases: look at `kind`. */
#ifndef SP_JSON_H
#define SP_JSON_H
#include "buf.h"
#include "err.h"
#include <jansson.h>
#include <stdint.h>

enum { JS_DEPTH_MAX = 1000 }; /* js_check() caps its depth at this */

typedef enum {
    JS_ABSENT,
    JS_NULL,
    JS_FALSE,
    JS_TRUE,
    JS_NUMBER,
    JS_STRING,
    JS_ARRAY,
    JS_OBJECT
} js_kind;

typedef struct {
    js_kind kind;
    str raw; /* the value's bytes: a string's with its quotes, an object's with its braces */
    const struct js_members *members; /* private: noted when the object was checked, or NULL */
} js_value;

typedef struct {
    str rest;                         /* private: what is still to be read */
    const struct js_members *members; /* private, with `at`: read from here instead */
    size_t at;
    str key; /* objects: the raw key between its quotes, still escaped */
    js_value value;
} js_iter;

/* The error is ERR_MALFORMED, or ERR_TOO_LARGE for depth, and its text names the byte offset. */
MUST_CHECK const err *js_check(arena *a, str text, unsigned depth, js_value *root);

/* A value of text that was checked before, or is our own. */
static inline js_value js_view(js_kind kind, str raw)
{
    return (js_value){kind, raw, NULL};
}

js_value js_get(js_value object, str name); /* JS_ABSENT when not there or not an object */
js_value
js_at(js_value root,
      const char *dotted); /* "params._meta" : js_get along the path; keys may hold no dots */
js_iter js_iterate(js_value container);       /* an object or an array; anything else is empty */
js_iter js_elements(js_value list);           /* of an array alone: as many as were counted */
bool js_next(js_iter *it);                    /* false at the end */
bool js_key_is(const js_iter *it, str name);  /* compares unescaped */
str js_key_text(arena *a, const js_iter *it); /* unescaped; a view if no escapes */
str js_text(arena *a, js_value string); /* unescaped; {0} when not a string; a view if no escapes */
bool js_text_is(js_value string, str text); /* compares without allocating in the usual case */
bool js_int(js_value number,
            int64_t *out); /* false: not a number, has a fraction or exponent, or over 64 bits */
bool js_bool(js_value v, bool otherwise);
double js_double(js_value number); /* the nearest one; what is too large gives the largest */

/* A checked text read forward, token by token: for those who build something of all of it. A key is
 * followed by its value. */
typedef enum { JS_END, JS_OPEN_OBJECT, JS_OPEN_ARRAY, JS_CLOSE, JS_KEY, JS_SCALAR } js_token_kind;
typedef struct {
    js_token_kind kind;
    js_value value; /* KEY: a string; SCALAR */
} js_token;
js_token js_read(str *rest); /* steps over what it gives */

/* A jansson tree of a checked value, owned by the arena. Integers outside int64 become reals,
 * and reals too large for a double the largest one. */
json_t *js_tree(arena *a, js_value v);
/* The compact text of a jansson tree, in the arena; reals in the shortest form that reads back. */
str js_dump(arena *a, const json_t *j);
#endif
