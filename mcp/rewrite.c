/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite.c - finds the URIs first, in the order they stand, then copies what is around them. */
#include "rewrite.h"
#include "name.h"

typedef struct edit {
    js_value was;
    str now; /* the new URI */
    struct edit *next;
} edit;

typedef struct {
    const rewrite_from *f;
    edit *first, **last;
    size_t grows;
} edits;

static edits begin(const rewrite_from *f)
{
    return (edits){.f = f};
}

static void found(edits *e, js_value uri)
{
    const rewrite_from *f = e->f;
    if (uri.kind != JS_STRING || f->naming == NAMING_NONE) return;
    edit *made = NEW(f->a, edit);
    made->was = uri;
    made->now = name_public_uri(f->a, f->naming, f->server, js_text(f->a, uri));
    if (!e->last) e->last = &e->first;
    *e->last = made;
    e->last = &made->next;
    e->grows += 6 * made->now.n + 2;
}

static js_value apply(const edits *e, js_value whole)
{
    if (!e->first) return whole;
    buf b = buf_new(e->f->a, SIZE_MAX / 2);
    (void)buf_need(&b, whole.raw.n + e->grows);
    const char *from = whole.raw.p, *end = from + whole.raw.n;
    for (const edit *at = e->first; at; at = at->next) {
        buf_put(&b, (str){from, (size_t)(at->was.raw.p - from)});
        buf_json(&b, at->now);
        from = at->was.raw.p + at->was.raw.n;
    }
    buf_put(&b, (str){from, (size_t)(end - from)});
    return js_view(whole.kind, buf_str(&b));
}

static void in_block(edits *e, js_value block)
{
    js_value type = js_get(block, S("type"));
    if (js_text_is(type, S("resource_link")))
        found(e, js_get(block, S("uri")));
    else if (js_text_is(type, S("resource")))
        found(e, js_get(js_get(block, S("resource")), S("uri")));
    else if (js_text_is(type, S("tool_result"))) /* inside messages of sampling */
        for (js_iter it = js_iterate(js_get(block, S("content"))); js_next(&it);)
            in_block(e, it.value);
}

static void in_content(edits *e, js_value content)
{
    if (content.kind == JS_OBJECT) in_block(e, content);
    if (content.kind != JS_ARRAY) return;
    for (js_iter it = js_iterate(content); js_next(&it);) in_block(e, it.value);
}

static void in_meta(edits *e, js_value meta)
{
    for (js_iter it = js_iterate(meta); js_next(&it);) {
        if (js_key_is(&it, S("ui")))
            found(e, js_get(it.value, S("resourceUri")));
        else if (js_key_is(&it, S("ui/resourceUri"))) /* how the first MCP Apps said it */
            found(e, it.value);
    }
}

js_value rewrite_result(const rewrite_from *f, js_value result)
{
    edits e = begin(f);
    for (js_iter it = js_iterate(result); js_next(&it);) {
        if (js_key_is(&it, S("content")))
            in_content(&e, it.value);
        else if (js_key_is(&it, S("_meta")))
            in_meta(&e, it.value);
        else if (js_key_is(&it, S("messages")))
            for (js_iter m = js_iterate(it.value); js_next(&m);)
                in_content(&e, js_get(m.value, S("content")));
        else if (js_key_is(&it, S("contents")))
            for (js_iter c = js_iterate(it.value); js_next(&c);)
                found(&e, js_get(c.value, S("uri")));
    }
    return apply(&e, result);
}

js_value rewrite_content(const rewrite_from *f, js_value content)
{
    edits e = begin(f);
    in_content(&e, content);
    return apply(&e, content);
}

js_value rewrite_meta(const rewrite_from *f, js_value meta)
{
    edits e = begin(f);
    in_meta(&e, meta);
    return apply(&e, meta);
}
