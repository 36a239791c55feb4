/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include "../base/json.h"
#include "made_models.h"

enum { MADE_LIMIT = 4 << 20, CLIENTS_DEPTH = 32 };

const config_file made_permit_all = {
    .name = {"(made) permit-all", sizeof "(made) permit-all" - 1},
#define PERMIT_ALL                                                                                 \
    "policy: v1\n"                                                                                 \
    "name: permit-all\n"                                                                           \
    "rules:\n"                                                                                     \
    "  - id: permit-all\n"                                                                         \
    "    permit: { tools: [\"*\"], resources: [\"*\"], prompts: [\"*\"], models: [\"*\"], "        \
    "endpoints: [\"*\"] }\n"
    .text = {PERMIT_ALL, sizeof PERMIT_ALL - 1},
};

static void put_head(buf *b, const char *port)
{
    buf_fmt(b,
            "version: 1\n"
            "listen: [\"127.0.0.1:%s\"]\n"
            "identity: { anonymous: allow }\n",
            port);
}

const err *made_from_environment(arena *a, const char *port, made_config *made)
{
    buf b = buf_new(a, MADE_LIMIT);
    made_models models;
    const err *e = made_models_read(a, &models);
    *made = (made_config){.file.name = S("(environment)")};
    if (e || !models.section.n) return e;
    put_head(&b, port);
    buf_put(&b, models.section);
    *made = (made_config){{.name = S("(environment)"), .text = buf_str(&b)}, models.told};
    return NULL;
}

/* Mcp.json */

/* As a YAML string in quotes, in which no variable is meant. */
static void put_text(buf *b, arena *a, js_value v)
{
    str text = js_text(a, v);
    buf quoted = buf_new(a, MADE_LIMIT);
    while (text.n) {
        const char *at = memmem(text.p, text.n, "${", 2);
        size_t n = at ? (size_t)(at - text.p) : text.n;
        buf_put(&quoted, str_take(text, n));
        if (at) buf_put(&quoted, S("$${"));
        text = str_drop(text, at ? n + 2 : n);
    }
    buf_json(b, buf_str(&quoted));
}

/* "My Files" becomes my-files. */
static str name_of(arena *a, const js_iter *it)
{
    buf b = buf_new(a, 31);
    str key = js_key_text(a, it);
    for (size_t i = 0; i < key.n && b.n < 31; i++) {
        char c = key.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c + 32);
        bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
        if (b.n == 0 && !letter) continue;
        buf_put(&b, letter || digit ? (str){&c, 1} : S("-"));
    }
    return b.n ? buf_str(&b) : S("server");
}

static const err *put_list(buf *b, arena *a, const char *key, js_value list)
{
    if (list.kind == JS_ABSENT) return NULL;
    if (list.kind != JS_ARRAY) return err_new(a, ERR_MALFORMED, "`%s` is not a list", key);
    buf_fmt(b, "      %s: [", key);
    bool first = true;
    for (js_iter it = js_iterate(list); js_next(&it); first = false) {
        if (it.value.kind != JS_STRING)
            return err_new(a, ERR_MALFORMED, "`%s` holds something that is not text", key);
        if (!first) buf_put(b, S(", "));
        put_text(b, a, it.value);
    }
    buf_put(b, S("]\n"));
    return NULL;
}

static const err *put_env(buf *b, arena *a, js_value map)
{
    if (map.kind == JS_ABSENT) return NULL;
    if (map.kind != JS_OBJECT) return err_new(a, ERR_MALFORMED, "`env` is not an object");
    buf_put(b, S("      env:\n"));
    for (js_iter it = js_iterate(map); js_next(&it);) {
        if (it.value.kind != JS_STRING)
            return err_new(a, ERR_MALFORMED, "`env` holds something that is not text");
        buf_put(b, S("        "));
        buf_json(b, js_key_text(a, &it));
        buf_put(b, S(": "));
        put_text(b, a, it.value);
        buf_put(b, S("\n"));
    }
    return NULL;
}

static const err *put_headers(buf *b, arena *a, js_value map)
{
    size_t n = 0;
    for (js_iter it = js_iterate(map); js_next(&it); n++) {
        if (n == 1)
            return err_new(a, ERR_UNSUPPORTED,
                           "more than one header is not supported by this version");
        if (it.value.kind != JS_STRING)
            return err_new(a, ERR_MALFORMED, "`headers` holds something that is not text");
        buf_put(b, S("      auth: { header: { name: "));
        buf_json(b, js_key_text(a, &it));
        buf_put(b, S(", value: "));
        put_text(b, a, it.value);
        buf_put(b, S(" } }\n"));
    }
    return NULL;
}

static const err *put_server(buf *b, arena *a, const js_iter *server)
{
    js_value url = js_get(server->value, S("url")), command = js_get(server->value, S("command"));
    js_value type = js_get(server->value, S("type"));
    bool sse = js_text_is(type, S("sse"));
    if ((url.kind == JS_STRING) == (command.kind == JS_STRING))
        return err_new(a, ERR_MALFORMED, "a server has one of `command` and `url`");
    buf_fmt(b, "    " STR_FMT ":\n", STR_ARG(name_of(a, server)));
    buf_put(b, url.kind == JS_STRING ? S("      url: ") : S("      command: "));
    put_text(b, a, url.kind == JS_STRING ? url : command);
    buf_put(b, S("\n"));
    if (sse && url.kind == JS_STRING) buf_put(b, S("      transport: sse\n"));
    if (url.kind == JS_STRING) return put_headers(b, a, js_get(server->value, S("headers")));
    const err *e = put_list(b, a, "args", js_get(server->value, S("args")));
    return e ? e : put_env(b, a, js_get(server->value, S("env")));
}

const err *made_from_clients(arena *a, str file, str json, const char *port, made_config *made)
{
    js_value root;
    buf b = buf_new(a, MADE_LIMIT);
    made_models models = {0};
    const err *e = js_check(a, json, CLIENTS_DEPTH, &root);
    js_value servers = e ? (js_value){0} : js_get(root, S("mcpServers"));
    if (!e && servers.kind != JS_OBJECT)
        e = err_new(a, ERR_MALFORMED, "there is no `mcpServers` object");
    put_head(&b, port);
    if (!e) buf_put(&b, S("mcp:\n  servers:\n"));
    for (js_iter it = js_iterate(servers); !e && js_next(&it);) {
        str name = js_key_text(a, &it);
        e = put_server(&b, a, &it);
        if (e) e = err_wrap(a, e, STR_FMT, STR_ARG(name));
    }
    if (e) return err_wrap(a, e, STR_FMT, STR_ARG(file));
    e = made_models_read(a, &models);
    if (e) return e;
    buf_put(&b, models.section);
    *made = (made_config){{.name = file, .text = buf_str(&b)}, models.told};
    return NULL;
}
