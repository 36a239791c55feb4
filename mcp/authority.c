/* SPDX-License-Identifier: Apache-2.0 */
/* authority.c - the walk of MCP's authorization chapter, from a server to a token endpoint.
 *
 * Three fetches: the server without a token (for its challenge), its metadata, its issuer's. The
 * first is a plain `initialize`: a server of either era that wants a token says so before it reads
 * the message. One that lets everybody initialize is asked for its tools instead. A server without
 * metadata of its own is taken for its own issuer, as 2025-03-26 had it; without any metadata
 * nothing is guessed. (MCP 2026-07-28 basic/authorization.) */
#include "authority.h"
#include "../base/clock.h"
#include "../base/json.h"
#include "../transport/client.h"
#include "link_message.h"

enum { DEPTH = 16, DOCUMENT_MOST = 256 << 10, SCOPES_MOST = 4096 };
static const int64_t WALK_MS = 10000;

/* Challenges (RFC 9110 11.2): Bearer a="x", b=token */

static str skip_blanks(str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == ',')) s = str_drop(s, 1);
    return s;
}

static str quoted(arena *a, str *rest)
{
    buf b = buf_new(a, rest->n);
    str s = str_drop(*rest, 1);
    while (s.n && s.p[0] != '"') {
        if (s.p[0] == '\\' && s.n > 1) s = str_drop(s, 1);
        buf_put(&b, str_take(s, 1));
        s = str_drop(s, 1);
    }
    *rest = s.n ? str_drop(s, 1) : s;
    return buf_str(&b);
}

static str bare(str *rest)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ' ' && rest->p[n] != '\r') n++;
    str value = str_take(*rest, n);
    *rest = str_drop(*rest, n);
    return value;
}

/* What is no parameter is a scheme; only those behind Bearer are looked at. */
str authority_challenge(arena *a, str challenge, str name)
{
    bool ours = false;
    str rest = skip_blanks(challenge);
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != '=' && rest.p[n] != ' ' && rest.p[n] != ',') n++;
        str word = str_take(rest, n);
        rest = str_drop(rest, n);
        if (!rest.n || rest.p[0] != '=') {
            ours = header_name_is(word, S("bearer"));
            rest = skip_blanks(rest);
            continue;
        }
        rest = str_drop(rest, 1);
        str value = rest.n && rest.p[0] == '"' ? quoted(a, &rest) : bare(&rest);
        if (ours && header_name_is(word, name)) return value;
        rest = skip_blanks(rest);
    }
    return (str){0};
}

/* Places */

static const err *split(arena *a, str url, str *base, str *path)
{
    url_parts u;
    const err *e = url_parse(a, url, &u);
    if (e) return e;
    *path = str_cut(u.path, '?').head;
    while (path->n && path->p[path->n - 1] == '/') path->n--;
    *base = arena_fmt(a, "%s://" STR_FMT, u.secure ? "https" : "http", STR_ARG(u.authority));
    return NULL;
}

/* RFC 8414 3.1 puts the well-known part before the path, OpenID behind it. */
const err *authority_places(arena *a, str issuer, str places[4])
{
    str base, path;
    const err *e = split(a, issuer, &base, &path);
    if (e) return e;
    size_t n = 0;
    places[n++] = arena_fmt(a, STR_FMT "/.well-known/oauth-authorization-server" STR_FMT,
                            STR_ARG(base), STR_ARG(path));
    places[n++] = arena_fmt(a, STR_FMT "/.well-known/openid-configuration" STR_FMT, STR_ARG(base),
                            STR_ARG(path));
    if (path.n)
        places[n++] = arena_fmt(a, STR_FMT STR_FMT "/.well-known/openid-configuration",
                                STR_ARG(base), STR_ARG(path));
    places[n] = (str){0};
    return NULL;
}

const err *authority_resource_places(arena *a, str server_url, str places[3])
{
    str base, path;
    const err *e = split(a, server_url, &base, &path);
    if (e) return e;
    places[0] = arena_fmt(a, STR_FMT "/.well-known/oauth-protected-resource" STR_FMT, STR_ARG(base),
                          STR_ARG(path));
    places[1] = path.n
                    ? arena_fmt(a, STR_FMT "/.well-known/oauth-protected-resource", STR_ARG(base))
                    : (str){0};
    places[2] = (str){0};
    return NULL;
}

static bool same_host(arena *a, str one, str other)
{
    url_parts x, y;
    if (!one.n || !other.n || url_parse(a, one, &x) || url_parse(a, other, &y)) return false;
    return x.secure == y.secure && x.port == y.port && header_name_is(x.host, y.host);
}

bool authority_trusts(arena *a, const authority_ask *ask, str url)
{
    return ask->allow_private || same_host(a, url, ask->server_url) ||
           same_host(a, url, ask->issuer);
}

/* Documents */

static bool has_text(js_value list, str text)
{
    for (js_iter it = js_iterate(list); js_next(&it);)
        if (js_text_is(it.value, text)) return true;
    return false;
}

static str joined(arena *a, js_value list)
{
    buf b = buf_new(a, SCOPES_MOST);
    for (js_iter it = js_iterate(list); js_next(&it);) {
        str word = js_text(a, it.value);
        if (b.n && word.n) buf_put(&b, S(" "));
        buf_put(&b, word);
    }
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}

static void read_methods(js_value root, authority *out)
{
    js_value list = js_get(root, S("token_endpoint_auth_methods_supported"));
    bool unsaid = list.kind != JS_ARRAY; /* RFC 8414 2: then it is basic */
    out->basic = unsaid || has_text(list, S("client_secret_basic"));
    out->post = has_text(list, S("client_secret_post"));
    out->none = has_text(list, S("none"));
}

const err *authority_read(arena *a, str issuer, str document, authority *out)
{
    js_value root;
    const err *e = js_check(a, document, DEPTH, &root);
    if (e) return e;
    if (!js_text_is(js_get(root, S("issuer")), issuer))
        return err_new(a, ERR_UPSTREAM, "the metadata is another issuer's");
    out->issuer = arena_dup(a, issuer);
    out->authorize = js_text(a, js_get(root, S("authorization_endpoint")));
    out->token = js_text(a, js_get(root, S("token_endpoint")));
    out->registration = js_text(a, js_get(root, S("registration_endpoint")));
    out->pkce = has_text(js_get(root, S("code_challenge_methods_supported")), S("S256"));
    out->says_issuer =
        js_bool(js_get(root, S("authorization_response_iss_parameter_supported")), false);
    out->takes_documents = js_bool(js_get(root, S("client_id_metadata_document_supported")), false);
    out->offline = has_text(js_get(root, S("scopes_supported")), S("offline_access"));
    read_methods(root, out);
    return out->token.n ? NULL : err_new(a, ERR_UPSTREAM, "the metadata names no token_endpoint");
}

/* The resource may be the server's URL or something above it, on the same host. */
static bool covers(arena *a, str resource, str url)
{
    str base, path, other_base, other_path;
    if (split(a, resource, &base, &path) || split(a, url, &other_base, &other_path)) return false;
    return str_eq(base, other_base) && str_starts(other_path, path) &&
           (other_path.n == path.n || other_path.p[path.n] == '/');
}

const err *authority_read_resource(arena *a, str server_url, str document, authority *out)
{
    js_value root;
    const err *e = js_check(a, document, DEPTH, &root);
    if (e) return e;
    str resource = js_text(a, js_get(root, S("resource")));
    if (!covers(a, resource, server_url))
        return err_new(a, ERR_UPSTREAM, "the metadata is another resource's");
    js_iter it = js_iterate(js_get(root, S("authorization_servers")));
    str issuer = js_next(&it) ? js_text(a, it.value) : (str){0};
    if (!issuer.n) return err_new(a, ERR_UPSTREAM, "the metadata names no authorization server");
    out->issuer = issuer;
    out->resource = resource;
    if (!out->scope.n) out->scope = joined(a, js_get(root, S("scopes_supported")));
    return NULL;
}

/* The walk */

typedef struct {
    arena *a;
    const authority_ask *ask;
    int64_t until_ms;
} walk;

static int64_t time_left(const walk *w)
{
    int64_t left = w->until_ms - clock_mono_ms();
    return left > 1 ? left : 1; /* 0 would be the usual time */
}

/* NULL error and {0}: there is none at this place. */
static const err *get(const walk *w, str url, str *document)
{
    int status = 0;
    const fetch_request rq = {.url = url,
                              .limit = DOCUMENT_MOST,
                              .timeout_ms = time_left(w),
                              .allow_private = authority_trusts(w->a, w->ask, url),
                              .stop = w->ask->stop};
    const err *e = fetch(w->a, &rq, &status, document);
    if (e || status != 200) *document = (str){0};
    return e;
}

/* *open: it answers without a token. */
static str challenge_to(const walk *w, str hello, bool *open)
{
    static const header headers[] = {{S("Content-Type"), S("application/json")},
                                     {S("Accept"), S("application/json, text/event-stream")},
                                     {{0}, {0}}};
    int status = 0;
    str body, challenge = {0};
    const fetch_request rq = {.url = w->ask->server_url,
                              .headers = headers,
                              .post_body = hello,
                              .limit = DOCUMENT_MOST,
                              .timeout_ms = time_left(w),
                              .allow_private = true, /* the operator wrote it */
                              .challenge = &challenge,
                              .stop = w->ask->stop};
    const err *e = fetch(w->a, &rq, &status, &body);
    *open = !e && status != 401;
    return !e && status == 401 ? challenge : (str){0};
}

/* Silence is no answer: then the well-known places are asked. */
static str challenge_of(const walk *w)
{
    static const str hellos[] = {
        S("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
          "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"sallyport\",\"version\":"
          "\"" SALLYPORT_VERSION "\"}}}"),
        S("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{}}")};
    bool open = true;
    str challenge = {0};
    for (size_t i = 0; open && i < sizeof hellos / sizeof *hellos; i++)
        challenge = challenge_to(w, hellos[i], &open);
    return challenge;
}

static const err *ask_server(const walk *w, authority *out)
{
    arena *a = w->a;
    str url = w->ask->server_url, challenge = challenge_of(w);
    str places[3] = {{0}}, document = {0}, path;
    out->scope = authority_challenge(a, challenge, S("scope"));
    places[0] = authority_challenge(a, challenge, S("resource_metadata"));
    const err *e = places[0].n ? NULL : authority_resource_places(a, url, places);
    for (size_t i = 0; !e && !document.p && places[i].p; i++) e = get(w, places[i], &document);
    if (e) return e;
    if (document.p) return authority_read_resource(a, url, document, out);
    return split(a, url, &out->issuer, &path); /* MCP 2025-03-26 */
}

static const err *ask_issuer(const walk *w, str issuer, authority *out)
{
    str places[4], document = {0};
    const err *e = authority_places(w->a, issuer, places);
    for (size_t i = 0; !e && !document.p && places[i].p; i++) e = get(w, places[i], &document);
    if (!e && !document.p)
        e = err_new(w->a, ERR_UPSTREAM, STR_FMT " has no metadata", STR_ARG(issuer));
    return e ? e : authority_read(w->a, issuer, document, out);
}

const err *authority_find(arena *a, const authority_ask *ask, authority *out)
{
    const walk w = {a, ask, clock_mono_ms() + WALK_MS};
    *out = (authority){0};
    const err *e = ask->server_url.n ? ask_server(&w, out) : NULL;
    if (e && !ask->issuer.n) return err_wrap(a, e, "discovery");
    e = ask_issuer(&w, ask->issuer.n ? ask->issuer : out->issuer, out);
    return e ? err_wrap(a, e, "discovery") : NULL;
}
