/* SPDX-License-Identifier: Apache-2.0 */
#include "json_make.h"
#include <assert.h>
#include <float.h>
#include <stdlib.h>

typedef enum { NODE_RAW, NODE_TEXT, NODE_OBJECT, NODE_ARRAY } node_kind;

/* Children hang in a list: the shapes that are made have few members, or are only appended to. */
struct jnode {
    arena *a;
    node_kind kind;
    str bytes; /* RAW, TEXT */
    str key;   /* as a member */
    jnode *next, *first, *last;
    size_t count;
};

enum { DUMP_LIMIT = 1 << 30 }; /* what goes in was bounded where it came in */

static jnode *node(arena *a, node_kind kind, str bytes)
{
    jnode *j = NEW(a, jnode);
    j->a = a;
    j->kind = kind;
    j->bytes = bytes;
    return j;
}

jnode *jn_object(arena *a)
{
    return node(a, NODE_OBJECT, (str){0});
}

jnode *jn_array(arena *a)
{
    return node(a, NODE_ARRAY, (str){0});
}

jnode *jn_raw(arena *a, str json)
{
    return json.n ? node(a, NODE_RAW, json) : NULL;
}

jnode *jn_text(arena *a, str text)
{
    return text.p ? node(a, NODE_TEXT, text) : NULL;
}

jnode *jn_int(arena *a, int64_t v)
{
    return node(a, NODE_RAW, arena_fmt(a, "%lld", (long long)v));
}

/* The shortest form that reads back as the same number. */
jnode *jn_num(arena *a, double v)
{
    if (v > DBL_MAX || v < -DBL_MAX || v != v) return jn_null(a);
    str text = {0};
    for (int digits = 15; digits <= 17; digits++) {
        text = arena_fmt(a, "%.*g", digits, v);
        if (strtod(text.p, NULL) == v) break;
    }
    return node(a, NODE_RAW, text);
}

jnode *jn_bool(arena *a, bool v)
{
    return node(a, NODE_RAW, v ? S("true") : S("false"));
}

jnode *jn_null(arena *a)
{
    return node(a, NODE_RAW, S("null"));
}

static void append(jnode *to, jnode *value)
{
    assert(!value->next && value != to->last);
    if (to->last)
        to->last->next = value;
    else
        to->first = value;
    to->last = value;
    to->count++;
}

/* Where the pointer to the member of that name stands; *NULL when it is not there. */
static jnode **member(jnode *object, str key)
{
    jnode **at = &object->first;
    while (*at && !str_eq((*at)->key, key)) at = &(*at)->next;
    return at;
}

void jn_set_key(jnode *object, str key, jnode *value)
{
    assert(object->kind == NODE_OBJECT);
    if (!value) return;
    value->key = key;
    jnode **at = member(object, key);
    if (!*at) {
        append(object, value);
        return;
    }
    value->next = (*at)->next;
    if (object->last == *at) object->last = value;
    *at = value;
}

void jn_set(jnode *object, const char *key, jnode *value)
{
    jn_set_key(object, (str){key, strlen(key)}, value);
}

void jn_set_text(jnode *object, const char *key, str text)
{
    jn_set(object, key, jn_text(object->a, text));
}

void jn_add(jnode *array, jnode *value)
{
    assert(array->kind == NODE_ARRAY);
    if (value) append(array, value);
}

void jn_join(jnode *array, jnode *more)
{
    assert(array->kind == NODE_ARRAY && more->kind == NODE_ARRAY && array != more);
    if (!more->first) return;
    if (array->last)
        array->last->next = more->first;
    else
        array->first = more->first;
    array->last = more->last;
    array->count += more->count;
    more->first = more->last = NULL;
    more->count = 0;
}

jnode *jn_get(const jnode *object, const char *key)
{
    for (jnode *j = object->first; j; j = j->next)
        if (str_eq(j->key, (str){key, strlen(key)})) return j;
    return NULL;
}

jnode *jn_open(jnode *object, str dotted)
{
    while (dotted.n) {
        str_pair cut = str_cut(dotted, '.');
        jnode *inner = *member(object, cut.head);
        if (!inner || inner->kind != NODE_OBJECT) {
            inner = jn_object(object->a);
            jn_set_key(object, cut.head, inner);
        }
        object = inner;
        dotted = cut.tail;
    }
    return object;
}

arena *jn_arena(const jnode *j)
{
    return j->a;
}

size_t jn_count(const jnode *container)
{
    return container->count;
}

jnode *jn_last(const jnode *array)
{
    return array->last;
}

void jn_put(buf *out, const jnode *j)
{
    switch (j->kind) {
    case NODE_RAW: buf_put(out, j->bytes); return;
    case NODE_TEXT: buf_json(out, j->bytes); return;
    case NODE_OBJECT:
    case NODE_ARRAY: break;
    }
    bool is_object = j->kind == NODE_OBJECT;
    buf_put(out, is_object ? S("{") : S("["));
    for (const jnode *m = j->first; m; m = m->next) {
        if (m != j->first) buf_put(out, S(","));
        if (is_object) {
            buf_json(out, m->key);
            buf_put(out, S(":"));
        }
        jn_put(out, m);
    }
    buf_put(out, is_object ? S("}") : S("]"));
}

str jn_dump(arena *a, const jnode *j)
{
    buf out = buf_new(a, DUMP_LIMIT);
    jn_put(&out, j);
    return buf_str(&out);
}
