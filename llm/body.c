/* SPDX-License-Identifier: Apache-2.0 */
#include "body.h"
#include "../base/header.h"

static const str deciding[] = {
    {"model", 5},
    {"stream", 6},
    {"max_tokens", 10},
    {"max_completion_tokens", 21},
    {"stream_options", 14},
    {"n", 1},
    {"tools", 5},
    {"messages", 8},
    {0},
};

/* A key that some reader may take for a deciding one although it is not spelled so. */
static const err *check_key(arena *a, const js_iter *it, llm_body *out)
{
    for (const str *d = deciding; d->p; d++) {
        if (str_eq(it->key, *d)) return NULL;
        if (header_name_is(it->key, *d) && !out->misspelt)
            out->misspelt = err_new(a, ERR_MALFORMED, "'" STR_FMT "' must be spelled '" STR_FMT "'",
                                    STR_ARG(it->key), STR_ARG(*d));
        if (memchr(it->key.p, '\\', it->key.n) && js_key_is(it, *d))
            return err_new(a, ERR_MALFORMED, "'" STR_FMT "' must not be written with escapes",
                           STR_ARG(*d));
    }
    return NULL;
}

static void take_bound(const js_iter *it, llm_body *out)
{
    static const str bounds[] = {S("max_tokens"), S("max_completion_tokens"),
                                 S("max_output_tokens")};
    int64_t n = 0;
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (str_eq(it->key, bounds[i]) && js_int(it->value, &n) && n > out->answer_most)
            out->answer_most = n;
}

static const err *take(arena *a, const js_iter *it, llm_body *out)
{
    take_bound(it, out);
    if (str_eq(it->key, S("model"))) {
        if (it->value.kind != JS_STRING)
            return err_new(a, ERR_MALFORMED, "'model' must be a string");
        out->model_at = it->value;
        out->model = js_text(a, it->value);
    }
    if (str_eq(it->key, S("stream"))) {
        js_kind k = it->value.kind;
        if (k != JS_TRUE && k != JS_FALSE && k != JS_NULL)
            return err_new(a, ERR_MALFORMED, "'stream' must be true or false");
        out->stream = k == JS_TRUE;
    }
    return NULL;
}

const err *body_read(arena *a, str bytes, unsigned depth, llm_body *out)
{
    *out = (llm_body){0};
    const err *e = js_check(a, bytes, depth, &out->root);
    if (e) return err_wrap(a, e, "the body is not acceptable JSON");
    if (out->root.kind != JS_OBJECT)
        return err_new(a, ERR_MALFORMED, "the body must be a JSON object");
    js_iter it = js_iterate(out->root);
    while (js_next(&it)) {
        e = check_key(a, &it, out);
        if (!e) e = take(a, &it, out);
        if (e) return e;
    }
    if (out->model_at.kind == JS_ABSENT)
        return err_new(a, ERR_MALFORMED, "'model' is missing: name the model to use");
    return NULL;
}

void body_splice(arena *a, const llm_body *b, str model, str parts[3])
{
    str whole = b->root.raw;
    parts[0] = whole;
    parts[1] = parts[2] = (str){0};
    if (!model.p || str_eq(model, b->model)) return;
    size_t at = (size_t)(b->model_at.raw.p - whole.p);
    buf quoted = buf_new(a, model.n * 6 + 2); /* the worst case is \u00XX for every byte */
    buf_json(&quoted, model);
    parts[0] = str_take(whole, at);
    parts[1] = buf_str(&quoted);
    parts[2] = str_drop(whole, at + b->model_at.raw.n);
}

static const body_edit *edit_of(const body_edit *edits, str key)
{
    for (; edits->name.p; edits++)
        if (str_eq(edits->name, key)) return edits;
    return NULL;
}

static void put_member(buf *out, str key, str json)
{
    if (out->n > 1) buf_put(out, S(","));
    buf_put(out, S("\""));
    buf_put(out, key);
    buf_put(out, S("\":"));
    buf_put(out, json);
}

str body_edited(arena *a, js_value root, const body_edit *edits)
{
    size_t more = 2;
    for (const body_edit *e = edits; e->name.p; e++) more += e->name.n + e->json.n + 4;
    buf out = buf_new(a, root.raw.n + more);
    (void)buf_need(&out, root.raw.n + more);
    buf_put(&out, S("{"));
    js_iter it = js_iterate(root);
    while (js_next(&it)) {
        const body_edit *e = edit_of(edits, it.key);
        if (!e)
            put_member(&out, it.key, it.value.raw);
        else if (e->json.p)
            put_member(&out, e->name, e->json);
    }
    for (const body_edit *e = edits; e->name.p; e++)
        if (e->json.p && js_get(root, e->name).kind == JS_ABSENT)
            put_member(&out, e->name, e->json);
    buf_put(&out, S("}"));
    return buf_str(&out);
}

str body_joined(arena *a, const str *parts, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += parts[i].n;
    if (bytes == parts[0].n) return parts[0];
    buf b = buf_new(a, bytes);
    for (size_t i = 0; i < n; i++) buf_put(&b, parts[i]);
    return buf_str(&b);
}
