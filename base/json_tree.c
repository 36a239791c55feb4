/* SPDX-License-Identifier: Apache-2.0 */
/* json_tree.c - between checked text and jansson's trees.
 *
 * Our own reader, since jansson's refuses integers over 64 bits and would validate again what
 * js_check() has; our own writer, since jansson prints 0.1 as 0.10000000000000001. */
#include "json.h"
#include "json_scan.h"
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DUMP_DEPTH = 4096 }; /* a tree that is deeper is a loop of our own making */

static json_t *must(json_t *j)
{
    if (!j) abort(); /* only memory can be missing: all text is valid */
    return j;
}

double js_double(js_value number)
{
    str raw = number.raw;
    char digits[64], *heap = NULL;
    if (raw.n >= sizeof digits) {
        heap = malloc(raw.n + 1);
        if (!heap) abort();
    }
    char *p = heap ? heap : digits;
    memcpy(p, raw.p, raw.n);
    p[raw.n] = 0;
    double v = strtod(p, NULL);
    free(heap);
    if (v > DBL_MAX) return DBL_MAX; /* JSON knows no infinity, nor does jansson */
    return v < -DBL_MAX ? -DBL_MAX : isnan(v) ? 0 : v;
}

static json_t *scalar(str raw)
{
    if (str_eq(raw, S("null"))) return json_null();
    if (str_eq(raw, S("true"))) return json_true();
    if (str_eq(raw, S("false"))) return json_false();
    int64_t n;
    return must(js_int(js_view(JS_NUMBER, raw), &n)
                    ? json_integer(n)
                    : json_real(js_double(js_view(JS_NUMBER, raw))));
}

/* Takes the n bytes at the start of *s. */
static str take(str *s, size_t n)
{
    str head = str_take(*s, n);
    *s = str_drop(*s, n);
    return head;
}

/* Steps over `c` and the space before it; false when something else comes. */
static bool step_over(str *s, char c)
{
    *s = js_skip_space(*s);
    if (!s->n || *s->p != c) return false;
    *s = str_drop(*s, 1);
    return true;
}

static str text(arena *a, str *s)
{
    str t = js_text(a, js_view(JS_STRING, take(s, js_string_length(*s))));
    return t.p ? t : S("");
}

static json_t *tree(arena *a, str *s, unsigned depth);

static json_t *object(arena *a, str *s, unsigned depth)
{
    json_t *j = must(json_object());
    bool more = depth > 0 && step_over(s, '{');
    while (more) {
        *s = js_skip_space(*s);
        if (!s->n || *s->p != '"') break;
        str key = text(a, s);
        if (!step_over(s, ':')) break;
        if (json_object_setn_new_nocheck(j, key.p, key.n, tree(a, s, depth - 1)) != 0) abort();
        more = step_over(s, ',');
    }
    (void)step_over(s, '}');
    return j;
}

static json_t *array(arena *a, str *s, unsigned depth)
{
    json_t *j = must(json_array());
    bool more = depth > 0 && step_over(s, '[') && !step_over(s, ']');
    if (!more) return j;
    while (more) {
        if (json_array_append_new(j, tree(a, s, depth - 1)) != 0) abort();
        more = step_over(s, ',');
    }
    (void)step_over(s, ']');
    return j;
}

/* Reads forward and never measures a container first: a deep text is read once, not once a level.
 */
static json_t *tree(arena *a, str *s, unsigned depth)
{
    *s = js_skip_space(*s);
    char first = 0;
    if (s->n) first = *s->p;
    if (first == '{') return object(a, s, depth);
    if (first == '[') return array(a, s, depth);
    if (first != '"') return s->n ? scalar(take(s, js_scalar_length(*s))) : json_null();
    str t = text(a, s);
    return must(json_stringn_nocheck(t.p, t.n));
}

static void drop(void *j)
{
    json_decref(j);
}

json_t *js_tree(arena *a, js_value v)
{
    str raw = v.raw;
    json_t *j = tree(a, &raw, JS_DEPTH_MAX);
    arena_own(a, drop, j);
    return j;
}

/* The shortest form that reads back as the same number, and reads back as a real. */
static void put_real(buf *b, double v)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    buf_put(b, (str){text, strlen(text)});
    if (!strpbrk(text, ".e")) buf_put(b, S(".0"));
}

static void put(buf *b, json_t *j, unsigned depth);

static void put_object(buf *b, json_t *j, unsigned depth)
{
    char sep = '{';
    for (void *it = json_object_iter(j); it; it = json_object_iter_next(j, it)) {
        buf_put(b, (str){&sep, 1});
        sep = ',';
        buf_json(b, (str){json_object_iter_key(it), json_object_iter_key_len(it)});
        buf_put(b, S(":"));
        put(b, json_object_iter_value(it), depth - 1);
    }
    buf_put(b, sep == '{' ? S("{}") : S("}"));
}

static void put_array(buf *b, const json_t *j, unsigned depth)
{
    buf_put(b, S("["));
    for (size_t i = 0; i < json_array_size(j); i++) {
        if (i) buf_put(b, S(","));
        put(b, json_array_get(j, i), depth - 1);
    }
    buf_put(b, S("]"));
}

static void put(buf *b, json_t *j, unsigned depth)
{
    assert(depth);
    if (!j) { /* absent: said as null */
        buf_put(b, S("null"));
        return;
    }
    switch (json_typeof(j)) {
    case JSON_OBJECT: put_object(b, j, depth); return;
    case JSON_ARRAY: put_array(b, j, depth); return;
    case JSON_STRING: buf_json(b, (str){json_string_value(j), json_string_length(j)}); return;
    case JSON_INTEGER: buf_int(b, json_integer_value(j)); return;
    case JSON_REAL: put_real(b, json_real_value(j)); return;
    case JSON_TRUE: buf_put(b, S("true")); return;
    case JSON_FALSE: buf_put(b, S("false")); return;
    case JSON_NULL: buf_put(b, S("null")); return;
    }
}

str js_dump(arena *a, const json_t *j)
{
    buf b = buf_new(a, SIZE_MAX); /* as large as the tree, which was bounded when it was read */
    union {                       /* jansson's iterators want it mutable, and change nothing */
        const json_t *in;
        json_t *out;
    } tree_of = {.in = j};
    put(&b, tree_of.out, DUMP_DEPTH);
    return buf_str(&b);
}
