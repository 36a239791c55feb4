/* SPDX-License-Identifier: Apache-2.0 */
/* mask.c - a result written anew, without what is masked.
 *
 * One walk over checked bytes: what has nothing to hide is copied as it is, so numbers keep their
 * digits. A path is followed by carrying what is left of it; an object whose member name fits a
 * pattern is hidden whole, since two hidden names would be one. */
#include "mask.h"

enum { DEPTH = 128, GROWTH = 2, ROOM = 64 << 10 };

typedef struct {
    arena *a;
    const policy_mask *const *masks;
    buf out;
    bool failed;     /* a pattern could not be tried */
    bool free_names; /* here the names of members are the server's, not the protocol's */
} masker;

/* The paths that lead on from here. */
typedef struct {
    const str *rest;
    size_t count;
} ways;

static void put_value(masker *m, js_value v, ways w);

/* Patterns */

static str without(masker *m, const re2_pattern *p, str text)
{
    buf b = buf_new(m->a, SIZE_MAX / 2);
    size_t from = 0, at = 0, begin, end;
    int found = 0;
    while (at <= text.n && (found = re2_pattern_find(p, text.p, text.n, at, &begin, &end)) > 0) {
        at = end > begin ? end : begin + 1; /* nothing is hidden by hiding nothing */
        if (end == begin) continue;
        buf_put(&b, str_take(str_drop(text, from), begin - from));
        buf_put(&b, S(MASK_MARK));
        from = end;
    }
    if (found < 0) m->failed = true;
    if (!from) return text;
    buf_put(&b, str_drop(text, from));
    return buf_str(&b);
}

static str masked_text(masker *m, str text)
{
    for (const policy_mask *const *one = m->masks; text.n && *one; one++)
        for (re2_pattern *const *p = (*one)->patterns; *p; p++) text = without(m, *p, text);
    return text;
}

static void put_text(masker *m, js_value v)
{
    str text = js_text(m->a, v), masked = masked_text(m, text);
    if (str_eq(text, masked))
        buf_put(&m->out, v.raw);
    else
        buf_json(&m->out, masked);
}

static void put_number(masker *m, js_value v)
{
    bool hidden = !str_eq(masked_text(m, v.raw), v.raw);
    buf_put(&m->out, hidden ? S("\"" MASK_MARK "\"") : v.raw);
}

/* Paths */

static bool is_index(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return s.n > 0;
}

/* *ends: one of the paths ends at this member. */
static ways step(masker *m, ways w, str key, bool *ends)
{
    size_t count = 0;
    *ends = false;
    if (!w.count) return (ways){0};
    str *next = NEW_N(m->a, str, w.count);
    for (size_t i = 0; i < w.count; i++) {
        str_pair cut = str_cut(w.rest[i], '.');
        if (!str_eq(cut.head, key) && !str_eq(cut.head, S("*"))) continue;
        *ends |= !cut.ok;
        if (cut.ok) next[count++] = cut.tail;
    }
    return (ways){next, count};
}

/* Through a list a path may say the place, or `*`, or nothing. */
static ways into_list(masker *m, ways w, size_t at, bool *ends)
{
    *ends = false;
    if (!w.count) return (ways){0};
    ways on = step(m, w, arena_fmt(m->a, "%zu", at), ends);
    str *all = NEW_N(m->a, str, on.count + w.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < on.count; i++) all[count++] = on.rest[i];
    for (size_t i = 0; i < w.count; i++) {
        str head = str_cut(w.rest[i], '.').head;
        if (!is_index(head) && !str_eq(head, S("*"))) all[count++] = w.rest[i];
    }
    return (ways){all, count};
}

static void put_member(masker *m, js_value v, ways w, bool ends)
{
    if (ends)
        buf_put(&m->out, S("\"" MASK_MARK "\""));
    else
        put_value(m, v, w);
}

static bool has_hidden_name(masker *m, js_value object)
{
    for (js_iter it = js_iterate(object); js_next(&it);) {
        str key = js_key_text(m->a, &it);
        if (!str_eq(masked_text(m, key), key)) return true;
    }
    return false;
}

static void put_key(masker *m, const js_iter *it, bool *any)
{
    buf_put(&m->out, *any ? S(",\"") : S("\""));
    buf_put(&m->out, it->key);
    buf_put(&m->out, S("\":"));
    *any = true;
}

static void put_object(masker *m, js_value v, ways w)
{
    bool any = false, ends;
    if (m->free_names && has_hidden_name(m, v)) {
        buf_put(&m->out, S("\"" MASK_MARK "\""));
        return;
    }
    buf_put(&m->out, S("{"));
    for (js_iter it = js_iterate(v); js_next(&it);) {
        put_key(m, &it, &any);
        ways on = step(m, w, js_key_text(m->a, &it), &ends);
        put_member(m, it.value, on, ends);
    }
    buf_put(&m->out, S("}"));
}

static void put_list(masker *m, js_value v, ways w)
{
    size_t n = 0;
    bool ends;
    buf_put(&m->out, S("["));
    for (js_iter it = js_iterate(v); js_next(&it); n++) {
        if (n) buf_put(&m->out, S(","));
        ways on = into_list(m, w, n, &ends);
        put_member(m, it.value, on, ends);
    }
    buf_put(&m->out, S("]"));
}

static void put_value(masker *m, js_value v, ways w)
{
    switch (v.kind) {
    case JS_OBJECT: put_object(m, v, w); break;
    case JS_ARRAY: put_list(m, v, w); break;
    case JS_STRING: put_text(m, v); break;
    case JS_NUMBER: put_number(m, v); break;
    default: buf_put(&m->out, v.raw); break;
    }
}

/* A result */

/* What is the same under another name: JSON as text. */
static void put_json_text(masker *m, js_value text, ways all)
{
    js_value root;
    const err *e = js_check(m->a, js_text(m->a, text), DEPTH, &root);
    if (e || (root.kind != JS_OBJECT && root.kind != JS_ARRAY)) {
        buf_put(&m->out, S("\"" MASK_MARK "\""));
        return;
    }
    masker inner = {.a = m->a,
                    .masks = m->masks,
                    .out = buf_new(m->a, m->out.limit),
                    .free_names = true};
    put_value(&inner, root, all);
    m->failed |= inner.failed || !buf_ok(&inner.out);
    buf_json(&m->out, buf_str(&inner.out));
}

static bool can_be_read(js_value block, bool by_path)
{
    js_value resource = js_get(block, S("resource"));
    bool is_text = js_text_is(js_get(block, S("type")), S("text"));
    bool bytes = js_get(block, S("data")).kind || js_get(resource, S("blob")).kind;
    return block.kind == JS_OBJECT && !bytes && (is_text || !by_path);
}

static void put_block(masker *m, js_value block, ways all)
{
    bool any = false;
    if (!can_be_read(block, all.count > 0)) {
        buf_put(&m->out, S("{\"type\":\"text\",\"text\":\"" MASK_MARK "\"}"));
        return;
    }
    buf_put(&m->out, S("{"));
    for (js_iter it = js_iterate(block); js_next(&it);) {
        put_key(m, &it, &any);
        if (js_key_is(&it, S("type")))
            buf_put(&m->out, it.value.raw);
        else if (js_key_is(&it, S("text")) && all.count)
            put_json_text(m, it.value, all);
        else
            put_value(m, it.value, (ways){0});
    }
    buf_put(&m->out, S("}"));
}

static void put_content(masker *m, js_value list, ways all)
{
    bool any = false;
    buf_put(&m->out, S("["));
    for (js_iter it = js_iterate(list); js_next(&it); any = true) {
        if (any) buf_put(&m->out, S(","));
        put_block(m, it.value, all);
    }
    buf_put(&m->out, S("]"));
}

static void put_structured(masker *m, js_value v, ways all)
{
    m->free_names = true;
    put_value(m, v, all);
    m->free_names = false;
}

static ways all_paths(arena *a, const policy_mask *const *masks)
{
    size_t count = 0;
    for (const policy_mask *const *one = masks; *one; one++)
        for (const str *p = (*one)->paths; p->p; p++) count++;
    str *list = NEW_N(a, str, count + 1);
    count = 0;
    for (const policy_mask *const *one = masks; *one; one++)
        for (const str *p = (*one)->paths; p->p; p++) list[count++] = *p;
    return (ways){list, count};
}

js_value mask_result(arena *a, const policy_mask *const *masks, js_value result)
{
    masker m = {.a = a, .masks = masks, .out = buf_new(a, result.raw.n * GROWTH + ROOM)};
    ways all = all_paths(a, masks);
    bool any = false;
    buf_put(&m.out, S("{"));
    for (js_iter it = js_iterate(result); js_next(&it);) {
        put_key(&m, &it, &any);
        if (js_key_is(&it, S("content")) && it.value.kind == JS_ARRAY)
            put_content(&m, it.value, all);
        else if (js_key_is(&it, S("structuredContent")))
            put_structured(&m, it.value, all);
        else if (js_key_is(&it, S("resultType")))
            buf_put(&m.out, it.value.raw);
        else
            put_value(&m, it.value, (ways){0});
    }
    buf_put(&m.out, S("}"));
    bool good = result.kind == JS_OBJECT && buf_ok(&m.out) && !m.failed;
    return good ? js_view(JS_OBJECT, buf_str(&m.out)) : (js_value){0};
}
