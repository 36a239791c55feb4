/* SPDX-License-Identifier: Apache-2.0 */
/* definition.c - sorting what JSON leaves unordered.
 *
 * Numbers are not normalized: 1 and 1.0 may be one value, but a reader with doubles and one with
 * integers disagree about what is equal, and calling two spellings different errs on the safe
 * side. */
#include "definition.h"
#include <stdlib.h>

typedef struct {
    str key;
    js_value value;
} member;

static int by_key(const void *a, const void *b)
{
    return str_order(((const member *)a)->key, ((const member *)b)->key);
}

static void put_value(buf *b, arena *a, js_value v);

static void put_members(buf *b, arena *a, member *all, size_t n)
{
    qsort(all, n, sizeof *all, by_key);
    buf_put(b, S("{"));
    for (size_t i = 0; i < n; i++) {
        if (i) buf_put(b, S(","));
        buf_json(b, all[i].key);
        buf_put(b, S(":"));
        put_value(b, a, all[i].value);
    }
    buf_put(b, S("}"));
}

static void put_object(buf *b, arena *a, js_value v)
{
    size_t n = 0;
    for (js_iter it = js_iterate(v); js_next(&it);) n++;
    member *all = NEW_N(a, member, n + 1);
    n = 0;
    for (js_iter it = js_iterate(v); js_next(&it);)
        all[n++] = (member){js_key_text(a, &it), it.value};
    put_members(b, a, all, n);
}

static void put_array(buf *b, arena *a, js_value v)
{
    bool any = false;
    buf_put(b, S("["));
    for (js_iter it = js_iterate(v); js_next(&it); any = true) {
        if (any) buf_put(b, S(","));
        put_value(b, a, it.value);
    }
    buf_put(b, S("]"));
}

/* As deep as the message was allowed to be (link_message.h). */
static void put_value(buf *b, arena *a, js_value v)
{
    switch (v.kind) {
    case JS_OBJECT: put_object(b, a, v); return;
    case JS_ARRAY: put_array(b, a, v); return;
    case JS_STRING: buf_json(b, js_text(a, v)); return;
    default: buf_put(b, v.raw);
    }
}

str definition_canonical(arena *a, js_value tool)
{
    static const str members[] = {S("annotations"), S("description"),  S("inputSchema"),
                                  S("name"),        S("outputSchema"), S("title")};
    enum { MEMBERS = sizeof members / sizeof *members };
    member said[MEMBERS];
    size_t n = 0;
    for (size_t i = 0; i < MEMBERS; i++) {
        js_value v = js_get(tool, members[i]);
        if (v.kind != JS_ABSENT) said[n++] = (member){members[i], v};
    }
    buf b = buf_new(a, SIZE_MAX / 2);
    (void)buf_need(&b, tool.raw.n + 2);
    put_members(&b, a, said, n);
    return buf_str(&b);
}

void definition_digest(js_value tool, uint8_t out[DIGEST_BYTES])
{
    arena *a = arena_new();
    digest_sha256(definition_canonical(a, tool), out);
    arena_free(a);
}
