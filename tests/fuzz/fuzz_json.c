/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json.c - js_check() against jansson's parser as the second opinion, then every walk.
 *
 * The two may differ only where we say so: depth, integers over 64 bits and reals over a double
 * (jansson refuses), a NUL in a key (jansson refuses), and a raw 0 byte. */
#include "../../base/json.h"
#include "../../base/utf8.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

static void walk(arena *a, js_value v, unsigned depth)
{
    demand(depth < 200);
    demand(v.kind != JS_ABSENT);
    int64_t n;
    (void)js_int(v, &n);
    str text = js_text(a, v);
    demand(utf8_valid(text));
    demand(v.kind != JS_STRING || js_text_is(v, text));
    js_iter it = js_iterate(v), walked = js_iterate(js_view(v.kind, v.raw));
    for (size_t count = 0; js_next(&it); count++) {
        demand(js_next(&walked) && walked.value.raw.p == it.value.raw.p);
        demand(walked.value.raw.n == it.value.raw.n && walked.key.p == it.key.p);
        demand(it.value.raw.p >= v.raw.p && it.value.raw.p + it.value.raw.n <= v.raw.p + v.raw.n);
        if (v.kind == JS_OBJECT) {
            str key = js_text(a, js_view(JS_STRING, (str){it.key.p - 1, it.key.n + 2}));
            demand(js_key_is(&it, key));
            if (count < 100) demand(js_get(v, key).raw.p == it.value.raw.p); /* keys are unique */
        }
        walk(a, it.value, depth + 1);
    }
    demand(!js_next(&walked));
}

static bool may_differ(enum json_error_code code)
{
    return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ||
           code == json_error_stack_overflow;
}

/* The tree, written and read again, is the same tree. */
static void round_trip(arena *a, js_value root, const json_t *theirs)
{
    json_t *ours = js_tree(a, root);
    demand(!theirs || json_equal(ours, theirs));
    str said = js_dump(a, ours);
    js_value again;
    demand(!js_check(a, said, 100, &again));
    /* json_equal() takes a NUL in a key for its end */
    demand(str_eq(said, js_dump(a, js_tree(a, again))));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    str text = {(const char *)p, n};
    js_value root;
    const err *e = js_check(a, text, 100, &root);
    json_error_t why;
    json_t *theirs =
        json_loadb(text.p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    bool has_nul = n && memchr(p, 0, n); /* jansson takes one behind the value for the end */
    if (e) {
        demand(root.kind == JS_ABSENT);
        demand(!theirs || e->kind == ERR_TOO_LARGE || has_nul);
    } else {
        demand(theirs || may_differ(json_error_code(&why)));
        walk(a, root, 0);
        round_trip(a, root, theirs);
    }
    /* unchecked bytes: nonsense, but inside the view */
    (void)js_tree(a, js_view(JS_OBJECT, text));
    (void)js_get(js_view(JS_OBJECT, text), S("\xC3\xA9"));
    (void)js_text(a, js_view(JS_STRING, text));
    json_decref(theirs);
    arena_free(a);
    return 0;
}
