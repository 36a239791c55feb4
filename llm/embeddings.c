/* SPDX-License-Identifier: Apache-2.0 */
/* embeddings.c - OpenAI's embeddings at providers that put them otherwise.
 *
 * Titan takes one text. Vertex has two ways: `predict` for a list of texts, `embedContent` for one
 * content that may hold images. AI Studio takes a batch of contents; Cohere a list of texts, and
 * what they are for. Numbers pass as they are written, unless the client wants base64 (OpenAI's own
 * clients do when they are not told): little-endian floats of four bytes. */
#include "../authz/digest.h"
#include "cohere.h"
#include "flat.h"
#include "gemini.h"
#include "google.h"
#include "openai_chat.h"
#include "path.h"

enum { FLOATS_MOST = 1 << 16 };

/* Answers */

static jnode *base64_floats(arena *a, js_value values)
{
    size_t n = 0, most = list_count(values);
    if (most > FLOATS_MOST) most = FLOATS_MOST;
    char *bytes = arena_bytes(a, most * 4 + 1);
    for (js_iter it = js_elements(values); n < most && js_next(&it); n++) {
        float f = (float)js_double(it.value);
        uint32_t bits;
        memcpy(&bits, &f, sizeof bits);
        for (size_t i = 0; i < 4; i++) bytes[n * 4 + i] = (char)(bits >> 8 * i);
    }
    return jn_text(a, digest_base64(a, (str){bytes, n * 4}));
}

static void add_embedding(const flat_ask *q, js_value values, jnode *data, js_value truncated)
{
    arena *a = q->a;
    bool coded = js_text_is(js_get(q->body, S("encoding_format")), S("base64"));
    jnode *one = jn_object(a);
    jn_set_text(one, "object", S("embedding"));
    jn_set(one, "index", jn_int(a, (int64_t)jn_count(data)));
    jn_set(one, "embedding",
           coded                     ? base64_floats(a, values)
           : values.kind == JS_ARRAY ? jn_raw(a, values.raw)
                                     : jn_array(a));
    if (js_bool(truncated, false)) jn_set(one, "truncated", jn_bool(a, true));
    jn_add(data, one);
}

static void put_answer(const flat_ask *q, jnode *data, int64_t tokens, jnode *out)
{
    jn_set_text(out, "object", S("list"));
    jn_set_text(out, "model", q->model);
    jn_set(out, "data", data);
    jnode *usage = jn_open(out, S("usage"));
    jn_set(usage, "prompt_tokens", jn_int(q->a, tokens));
    jn_set(usage, "total_tokens", jn_int(q->a, tokens));
}

/* Titan */

/* The one text that was asked for; p NULL: there is not exactly one. */
static str only_text(const flat_ask *q)
{
    js_value input = js_get(q->body, S("input"));
    if (input.kind == JS_ARRAY) {
        js_iter it = js_elements(input);
        if (list_count(input) != 1 || !js_next(&it)) return (str){0};
        input = it.value;
    }
    return js_text(q->a, input);
}

str titan_place(const flat_ask *q)
{
    return arena_fmt(q->a, STR_FMT "/model/" STR_FMT "/invoke", STR_ARG(q->to->backend->base_path),
                     STR_ARG(path_segment(q->a, q->model)));
}

const err *titan_put_embedding(const flat_ask *q, jnode *out)
{
    str text = only_text(q);
    js_value dimensions = js_get(q->body, S("dimensions"));
    if (!text.p) return flat_wrong(q, "Titan embeds one text at a time: 'input' must be a string");
    jn_set_text(out, "inputText", text);
    if (dimensions.kind == JS_NUMBER) jn_set(out, "dimensions", jn_raw(q->a, dimensions.raw));
    return NULL;
}

const err *titan_get_embedding(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    js_value values = js_get(answer, S("embedding"));
    if (values.kind != JS_ARRAY) return err_new(q->a, ERR_UPSTREAM, "Titan sent no embedding");
    jnode *data = jn_array(q->a);
    u->input.set = js_int(js_get(answer, S("inputTextTokenCount")), &u->input.v);
    add_embedding(q, values, data, (js_value){0});
    put_answer(q, data, u->input.v, out);
    return NULL;
}

/* Vertex */

static bool embeds_content(str model)
{
    return model.n && memmem(model.p, model.n, "gemini", 6) &&
           !str_eq(model, S("gemini-embedding-001"));
}

str vertex_embedding_place(const flat_ask *q)
{
    return google_place(q->a, q->to->backend, "google", q->model,
                        embeds_content(q->model) ? "embedContent" : "predict");
}

/* What the whole request says of each text comes before what the text says itself. */
static str said_of(const flat_ask *q, js_value item, str key)
{
    str whole = js_text(q->a, js_get(q->body, key));
    return whole.n ? whole : js_text(q->a, js_get(item, key));
}

static str text_of(const flat_ask *q, js_value item)
{
    return js_text(q->a, item.kind == JS_OBJECT ? js_get(item, S("content")) : item);
}

static const err *add_instance(const flat_ask *q, js_value item, jnode *instances)
{
    str text = text_of(q, item), task = said_of(q, item, S("task_type"));
    if (!text.p) return flat_wrong(q, "each 'input' must be text or an object with 'content'");
    jnode *one = jn_object(q->a);
    jn_set_text(one, "content", text);
    if (task.n) jn_set_text(one, "task_type", task);
    if (str_eq(task, S("RETRIEVAL_DOCUMENT"))) {
        str title = said_of(q, item, S("title"));
        if (title.n) jn_set_text(one, "title", title);
    }
    jn_add(instances, one);
    return NULL;
}

static const err *put_instances(const flat_ask *q, jnode *out)
{
    js_value input = js_get(q->body, S("input")), size = js_get(q->body, S("dimensions"));
    js_value cut = js_get(q->body, S("auto_truncate"));
    jnode *instances = jn_array(q->a);
    const err *e = NULL;
    if (input.kind != JS_ARRAY) e = add_instance(q, input, instances);
    js_iter it = js_elements(input);
    while (!e && js_next(&it)) e = add_instance(q, it.value, instances);
    jn_set(out, "instances", instances);
    jnode *parameters = jn_open(out, S("parameters"));
    if (size.kind == JS_NUMBER) jn_set(parameters, "outputDimensionality", jn_raw(q->a, size.raw));
    if (cut.kind > JS_NULL) jn_set(parameters, "auto_truncate", jn_raw(q->a, cut.raw));
    return e;
}

static void add_text(const flat_ask *q, str text, jnode *parts)
{
    jnode *one = jn_object(q->a);
    jn_set_text(one, "text", text);
    jn_add(parts, one);
}

/* What users say in `messages`, as a chat would; or the one text of `input`. */
static const err *put_parts(const flat_ask *q, jnode *parts)
{
    js_value input = js_get(q->body, S("input")), messages = js_get(q->body, S("messages"));
    str text = only_text(q);
    if (messages.kind != JS_ARRAY) {
        if (input.kind == JS_OBJECT) text = js_text(q->a, js_get(input, S("content")));
        if (!text.n) return flat_wrong(q, "this model embeds one content at a time");
        add_text(q, text, parts);
        return NULL;
    }
    llm_chat c = {.from = &openai_chat, .reader = reader_new(q->a), .root = q->body};
    const err *e = openai_chat_read_request(c.reader, q->body, &c);
    for (size_t i = 0; !e && i < c.turn_count; i++) {
        const llm_turn *t = &c.turns[i];
        for (size_t k = 0; t->role == ROLE_USER && !e && k < t->count; k++) {
            jnode *one = NULL;
            e = gemini_part(q->a, &t->parts[k], &one);
            jn_add(parts, one);
        }
    }
    if (!e && jn_count(parts) == 0) e = flat_wrong(q, "no user's message has something to embed");
    return e;
}

static const err *put_content(const flat_ask *q, jnode *out)
{
    js_value size = js_get(q->body, S("dimensions")), cut = js_get(q->body, S("auto_truncate"));
    js_value item = js_get(q->body, S("input"));
    str task = said_of(q, item, S("task_type")), title = said_of(q, item, S("title"));
    jnode *parts = jn_array(q->a), *config = jn_object(q->a);
    const err *e = put_parts(q, parts);
    jn_set(jn_open(out, S("content")), "parts", parts);
    if (size.kind == JS_NUMBER) jn_set(config, "outputDimensionality", jn_raw(q->a, size.raw));
    if (cut.kind > JS_NULL) jn_set(config, "autoTruncate", jn_raw(q->a, cut.raw));
    if (task.n) jn_set_text(config, "taskType", task);
    if (str_eq(task, S("RETRIEVAL_DOCUMENT")) && title.n) jn_set_text(config, "title", title);
    if (jn_count(config)) jn_set(out, "embedContentConfig", config);
    return e;
}

const err *vertex_put_embedding(const flat_ask *q, jnode *out)
{
    return embeds_content(q->model) ? put_content(q, out) : put_instances(q, out);
}

const err *vertex_get_embedding(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    jnode *data = jn_array(q->a);
    js_value one = js_at(answer, "embedding.values");
    u->input.set = true;
    if (one.kind == JS_ARRAY) {
        (void)js_int(js_at(answer, "usageMetadata.promptTokenCount"), &u->input.v);
        add_embedding(q, one, data, js_get(answer, S("truncated")));
    }
    for (js_iter it = js_elements(js_get(answer, S("predictions"))); js_next(&it);) {
        js_value embedding = js_get(it.value, S("embeddings"));
        js_value facts = js_get(embedding, S("statistics"));
        js_value count = js_get(facts, S("token_count"));
        double tokens = count.kind == JS_NUMBER ? js_double(count) : 0; /* some write 7.0 */
        if (tokens > 0 && tokens < 1e9) u->input.v += (int64_t)tokens;
        add_embedding(q, js_get(embedding, S("values")), data, js_get(facts, S("truncated")));
    }
    put_answer(q, data, u->input.v, out);
    return NULL;
}

/* AI Studio */

str gemini_embedding_place(const flat_ask *q)
{
    return google_place(q->a, q->to->backend, "google", q->model, "batchEmbedContents");
}

static jnode *batched(const flat_ask *q, js_value item, jnode *parts)
{
    js_value size = js_get(q->body, S("dimensions"));
    str task = said_of(q, item, S("task_type")), title = said_of(q, item, S("title"));
    jnode *one = jn_object(q->a);
    jn_set_text(one, "model", arena_fmt(q->a, "models/" STR_FMT, STR_ARG(q->model)));
    jn_set(jn_open(one, S("content")), "parts", parts);
    if (size.kind == JS_NUMBER) jn_set(one, "outputDimensionality", jn_raw(q->a, size.raw));
    if (task.n) jn_set_text(one, "taskType", task);
    if (str_eq(task, S("RETRIEVAL_DOCUMENT")) && title.n) jn_set_text(one, "title", title);
    return one;
}

static const err *add_batched(const flat_ask *q, js_value item, jnode *requests)
{
    jnode *parts = jn_array(q->a);
    str text = text_of(q, item);
    if (!text.p) return flat_wrong(q, "each 'input' must be text or an object with 'content'");
    add_text(q, text, parts);
    jn_add(requests, batched(q, item, parts));
    return NULL;
}

const err *gemini_put_embedding(const flat_ask *q, jnode *out)
{
    js_value input = js_get(q->body, S("input"));
    jnode *requests = jn_array(q->a), *parts = jn_array(q->a);
    const err *e = NULL;
    jn_set(out, "requests", requests);
    if (js_get(q->body, S("messages")).kind == JS_ARRAY) {
        e = put_parts(q, parts);
        jn_add(requests, batched(q, (js_value){0}, parts));
    } else if (input.kind != JS_ARRAY) {
        e = add_batched(q, input, requests);
    } else {
        js_iter it = js_elements(input);
        while (!e && js_next(&it)) e = add_batched(q, it.value, requests);
    }
    return e;
}

/* It does not say what it counted. */
const err *gemini_get_embedding(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    (void)u;
    jnode *data = jn_array(q->a);
    js_iter it = js_elements(js_get(answer, S("embeddings")));
    while (js_next(&it)) add_embedding(q, js_get(it.value, S("values")), data, (js_value){0});
    put_answer(q, data, 0, out);
    return NULL;
}

/* Cohere */

str cohere_embedding_place(const flat_ask *q)
{
    return cohere_place(q->a, q->to->backend, "embed");
}

/* Its models embed what is looked for otherwise than what is found; who says nothing embeds the
 * latter. */
static str input_type(const flat_ask *q)
{
    static const struct {
        const char *task, *type;
    } rows[] = {{"RETRIEVAL_QUERY", "search_query"},
                {"QUESTION_ANSWERING", "search_query"},
                {"CLASSIFICATION", "classification"},
                {"CLUSTERING", "clustering"}};
    str own = js_text(q->a, js_get(q->body, S("input_type")));
    str task = js_text(q->a, js_get(q->body, S("task_type")));
    for (size_t i = 0; !own.n && i < sizeof rows / sizeof *rows; i++)
        if (str_eq(task, (str){rows[i].task, strlen(rows[i].task)}))
            own = (str){rows[i].type, strlen(rows[i].type)};
    return own.n ? own : S("search_document");
}

static bool add_text_to_embed(const flat_ask *q, js_value item, jnode *texts)
{
    str text = text_of(q, item);
    if (text.p) jn_add(texts, jn_text(q->a, text));
    return text.p != NULL;
}

const err *cohere_put_embedding(const flat_ask *q, jnode *out)
{
    js_value input = js_get(q->body, S("input")), size = js_get(q->body, S("dimensions"));
    jnode *texts = jn_array(q->a), *types = jn_array(q->a);
    bool good = input.kind == JS_ARRAY || add_text_to_embed(q, input, texts);
    js_iter it = js_elements(input);
    while (good && js_next(&it)) good = add_text_to_embed(q, it.value, texts);
    if (!good || !jn_count(texts))
        return flat_wrong(q, "Cohere embeds texts: 'input' must be one, or a list of them");
    jn_set_text(out, "model", q->model);
    jn_set(out, "texts", texts);
    jn_set_text(out, "input_type", input_type(q));
    jn_add(types, jn_text(q->a, S("float"))); /* coded here, as OpenAI codes it */
    jn_set(out, "embedding_types", types);
    if (size.kind == JS_NUMBER) jn_set(out, "output_dimension", jn_raw(q->a, size.raw));
    jn_set(out, "truncate", jn_raw(q->a, js_get(q->body, S("truncate")).raw));
    return NULL;
}

const err *cohere_get_embedding(const flat_ask *q, js_value answer, jnode *out, llm_usage *u)
{
    js_value values = js_at(answer, "embeddings.float");
    if (values.kind != JS_ARRAY) return err_new(q->a, ERR_UPSTREAM, "Cohere sent no embeddings");
    jnode *data = jn_array(q->a);
    u->input.set = js_int(js_at(answer, "meta.billed_units.input_tokens"), &u->input.v);
    for (js_iter it = js_elements(values); js_next(&it);)
        add_embedding(q, it.value, data, (js_value){0});
    put_answer(q, data, u->input.v, out);
    return NULL;
}
