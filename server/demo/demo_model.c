/* SPDX-License-Identifier: Apache-2.0 */
/* demo_model.c - a model that says back what it was told, in the shape of OpenAI's chat
 * completions. */
#include "../../base/clock.h"
#include "../../base/json.h"
#include "demo_world.h"

enum { DEPTH = 32, REPLY_MOST = 1 << 20, ECHO_MOST = 600, WORDS_MOST = ECHO_MOST + 64 };

typedef struct {
    arena *a;
    str said; /* the last user message's text */
    str answer;
    int64_t created, prompt_tokens;
    bool with_usage;
} chat;

static int64_t words_in(str s)
{
    int64_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += s.p[i] != ' ' && (i == 0 || s.p[i - 1] == ' ');
    return n;
}

/* A message's text: a string, or the text parts of a list. */
static str text_of(arena *a, js_value content)
{
    if (content.kind == JS_STRING) return js_text(a, content);
    for (js_iter it = js_iterate(content); js_next(&it);)
        if (js_text_is(js_get(it.value, S("type")), S("text")))
            return js_text(a, js_get(it.value, S("text")));
    return S("");
}

static void read_chat(chat *c, js_value root)
{
    for (js_iter it = js_iterate(js_get(root, S("messages"))); js_next(&it);) {
        str text = text_of(c->a, js_get(it.value, S("content")));
        c->prompt_tokens += words_in(text);
        if (js_text_is(js_get(it.value, S("role")), S("user"))) c->said = text;
    }
    size_t n = c->said.n < ECHO_MOST ? c->said.n : ECHO_MOST;
    while (n > 0 && n < c->said.n && ((unsigned char)c->said.p[n] & 0xC0) == 0x80)
        n--; /* not inside a character */
    c->answer =
        arena_fmt(c->a, "You said: " STR_FMT " - and I am only a parrot, so that is all I know.",
                  (int)n, c->said.p);
    c->with_usage = js_bool(js_get(js_get(root, S("stream_options")), S("include_usage")), false);
}

static void put_head(const chat *c, buf *out, const char *object)
{
    buf_fmt(out,
            "{\"id\":\"chatcmpl-demo\",\"object\":\"%s\",\"created\":%lld,\"model\":\"demo-small\"",
            object, (long long)c->created);
}

static void put_usage(const chat *c, buf *out)
{
    long long in = c->prompt_tokens, said = words_in(c->answer);
    buf_fmt(out,
            ",\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld}",
            in, said, in + said);
}

static str chunk(const chat *c, str content, const char *finish)
{
    buf out = buf_new(c->a, REPLY_MOST);
    buf_put(&out, S("data: "));
    put_head(c, &out, "chat.completion.chunk");
    buf_put(&out, S(",\"choices\":[{\"index\":0,\"delta\":{"));
    if (content.p) {
        buf_put(&out, S("\"role\":\"assistant\",\"content\":"));
        buf_json(&out, content);
    }
    buf_fmt(&out, "},\"finish_reason\":%s}]}\n\n", finish);
    return buf_str(&out);
}

static str usage_chunk(const chat *c)
{
    buf out = buf_new(c->a, REPLY_MOST);
    buf_put(&out, S("data: "));
    put_head(c, &out, "chat.completion.chunk");
    buf_put(&out, S(",\"choices\":[]"));
    put_usage(c, &out);
    buf_put(&out, S("}\n\n"));
    return buf_str(&out);
}

static const str *make_events(const chat *c)
{
    str *events = NEW_N(c->a, str, WORDS_MOST + 5), rest = c->answer;
    size_t n = 0;
    while (rest.n && n < WORDS_MOST) {
        size_t end = 1;
        while (end < rest.n && rest.p[end] != ' ') end++;
        events[n++] = chunk(c, str_take(rest, end), "null");
        rest = str_drop(rest, end);
    }
    events[n++] = chunk(c, (str){0}, "\"stop\"");
    if (c->with_usage) events[n++] = usage_chunk(c);
    events[n] = S("data: [DONE]\n\n");
    return events;
}

bool demo_model_answer(arena *a, str body, int *status, str *reply, const str **events)
{
    js_value root;
    const err *e = js_check(a, body, DEPTH, &root);
    *status = 400;
    *reply = S("{\"error\":{\"message\":\"that is no chat completion "
               "request\",\"type\":\"invalid_request_error\"}}");
    if (e || js_get(root, S("messages")).kind != JS_ARRAY) return false;
    chat c = {.a = a, .created = clock_wall_ms() / 1000};
    read_chat(&c, root);
    if (js_bool(js_get(root, S("stream")), false)) {
        *events = make_events(&c);
        return true;
    }
    buf out = buf_new(a, REPLY_MOST);
    put_head(&c, &out, "chat.completion");
    buf_put(&out, S(",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"));
    buf_json(&out, c.answer);
    buf_put(&out, S("},\"finish_reason\":\"stop\"}]"));
    put_usage(&c, &out);
    buf_put(&out, S("}"));
    *status = 200;
    *reply = buf_str(&out);
    return false;
}
