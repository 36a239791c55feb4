/* SPDX-License-Identifier: Apache-2.0 */
/* kept_items.c - the kept items end with what the answer itself put out: that is no input. */
#include "kept_items.h"
#include "../base/form.h"
#include "parts.h"

enum { PAGE = 20, PAGE_MOST = 100 };

typedef struct {
    arena *a;
    js_value *v;
    size_t n;
    bool newest_first;
} item_list;

static item_list inputs(arena *a, js_value kept)
{
    js_value items = js_get(kept, S("items"));
    size_t all = list_count(items), out = list_count(js_at(kept, "response.output"));
    item_list l = {.a = a, .v = NEW_N(a, js_value, all + 1)};
    js_iter it = js_elements(items);
    while (l.n + out < all && js_next(&it)) l.v[l.n++] = it.value;
    return l;
}

/* The i-th as they are shown, and its name. */
static size_t place_of(const item_list *l, size_t i)
{
    return l->newest_first ? l->n - 1 - i : i;
}

static str id_of(const item_list *l, size_t i)
{
    size_t at = place_of(l, i);
    str own = js_text(l->a, js_get(l->v[at], S("id")));
    return own.n ? own : arena_fmt(l->a, "item_%zu", at);
}

/* A message may be said as plain text, and then need not call itself one. */
static jnode *shown(const item_list *l, size_t i)
{
    js_value item = l->v[place_of(l, i)], content = js_get(item, S("content"));
    jnode *j = jn_object(l->a);
    js_iter it = js_iterate(item);
    jn_set_text(j, "id", id_of(l, i));
    jn_set_text(j, "type", S("message"));
    while (js_next(&it)) jn_set_key(j, it.key, jn_raw(l->a, it.value.raw));
    if (content.kind != JS_STRING) return j;
    bool theirs = js_text_is(js_get(item, S("role")), S("assistant"));
    jnode *text = object_of_type(l->a, theirs ? "output_text" : "input_text");
    jnode *parts = jn_array(l->a);
    jn_set(text, "text", jn_raw(l->a, content.raw));
    jn_add(parts, text);
    jn_set(j, "content", parts);
    return j;
}

static const err *wrong(arena *a, const char *what)
{
    return err_new(a, ERR_MALFORMED, "%s", what);
}

static const err *read_limit(arena *a, str query, size_t *limit)
{
    str said = form_get(a, query, S("limit"));
    js_value v = {0};
    int64_t n = PAGE;
    bool is_number = !said.p || (!js_check(a, said, 1, &v) && js_int(v, &n));
    if (!is_number || n < 1 || n > PAGE_MOST) return wrong(a, "'limit' must be from 1 to 100");
    *limit = (size_t)n;
    return NULL;
}

/* Where the page begins. */
static const err *read_start(const item_list *l, str query, size_t *from)
{
    str after = form_get(l->a, query, S("after"));
    *from = 0;
    if (!after.n) return NULL;
    while (*from < l->n && !str_eq(id_of(l, *from), after)) ++*from;
    if (*from == l->n) return wrong(l->a, "'after' names no item of this response");
    ++*from;
    return NULL;
}

const err *kept_items_page(arena *a, js_value kept, str query, str *page)
{
    item_list l = inputs(a, kept);
    size_t limit = 0, from = 0;
    str order = form_get(a, query, S("order"));
    l.newest_first = !str_eq(order, S("asc"));
    if (order.n && l.newest_first && !str_eq(order, S("desc")))
        return wrong(a, "'order' must be asc or desc");
    const err *e = read_limit(a, query, &limit);
    if (!e) e = read_start(&l, query, &from);
    if (e) return e;
    size_t end = l.n - from > limit ? from + limit : l.n;
    jnode *j = jn_object(a), *data = jn_array(a);
    for (size_t i = from; i < end; i++) jn_add(data, shown(&l, i));
    jn_set_text(j, "object", S("list"));
    jn_set(j, "data", data);
    jn_set(j, "first_id", end > from ? jn_text(a, id_of(&l, from)) : jn_null(a));
    jn_set(j, "last_id", end > from ? jn_text(a, id_of(&l, end - 1)) : jn_null(a));
    jn_set(j, "has_more", jn_bool(a, end < l.n));
    *page = jn_dump(a, j);
    return NULL;
}
