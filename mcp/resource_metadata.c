/* SPDX-License-Identifier: Apache-2.0 */
/* resource_metadata.c - endpoints by host and path, and what OAuth clients are told about them.
 *
 * RFC 9728: a 401 names the document of the endpoint that refused, and the document names that
 * endpoint exactly as the client calls it; clients compare the two. Without an issuer there is
 * nowhere to send anybody, so there is neither document nor hint.
 * A Host that could break out of a header or a URL is not repeated. */
#include "resource_metadata.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
    return c;
}

static bool ends_with_host(str s, str tail)
{
    if (s.n < tail.n) return false;
    for (size_t i = 0; i < tail.n; i++)
        if (lower(s.p[s.n - tail.n + i]) != lower(tail.p[i])) return false;
    return true;
}

static str without_port(str host)
{
    if (host.n && host.p[0] == '[') {
        str_pair cut = str_cut(host, ']');
        return cut.ok ? (str){host.p, cut.head.n + 1} : host;
    }
    str name = str_cut(host, ':').head;
    if (name.n && name.p[name.n - 1] == '.') name.n--;
    return name;
}

/* 0: does not match. An exact name beats every wildcard, a longer wildcard a shorter one. */
static size_t host_match(str pattern, str host)
{
    if (!str_starts(pattern, S("*.")))
        return pattern.n == host.n && ends_with_host(host, pattern) ? SIZE_MAX : 0;
    str tail = str_drop(pattern, 1); /* with its dot: at least one label stands before it */
    return host.n > tail.n && ends_with_host(host, tail) ? 1 + tail.n : 0;
}

static size_t endpoint_match(const mcp_endpoint *e, str host)
{
    if (!e->hosts || !e->hosts->p) return 1;
    size_t best = 0;
    for (const str *h = e->hosts; h->p; h++) {
        size_t m = host_match(*h, host);
        if (m > best) best = m;
    }
    return best;
}

/* path.p NULL: any. */
static const mcp_endpoint *best_endpoint(const mcp_config *c, str host, str path)
{
    const mcp_endpoint *best = NULL;
    size_t best_match = 0;
    host = without_port(host);
    for (size_t i = 0; i < c->endpoint_count; i++) {
        const mcp_endpoint *e = &c->endpoints[i];
        if (path.p && !str_eq(e->path, path)) continue;
        size_t m = endpoint_match(e, host);
        if (m > best_match) {
            best = e;
            best_match = m;
        }
    }
    return best;
}

const mcp_endpoint *mcp_endpoint_find(const mcp_config *c, str host, str path)
{
    return best_endpoint(c, host, path.p ? path : S(""));
}

static bool host_is_plain(str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = lower(host.p[i]);
        bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                    c == '_' || c == ':' || c == '[' || c == ']';
        if (!fits) return false;
    }
    return host.n > 0 && host.n <= 255;
}

/* scheme://host[:port], of public_url or of how the client came. */
static void put_origin(buf *b, const mcp_endpoint *e, exchange *x)
{
    if (e->public_url.n) {
        const char *after = memmem(e->public_url.p, e->public_url.n, "://", 3);
        size_t from = after ? (size_t)(after - e->public_url.p) + 3 : 0;
        size_t host = str_cut(str_drop(e->public_url, from), '/').head.n;
        buf_put(b, str_take(e->public_url, from + host));
        return;
    }
    str host = exchange_host(x);
    buf_put(b, exchange_secure(x) ? S("https://") : S("http://"));
    buf_put(b, host_is_plain(host) ? host : S("localhost"));
}

str mcp_front(arena *a, const mcp_endpoint *e, exchange *x)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    put_origin(&b, e, x);
    return buf_str(&b);
}

static str resource_path(const mcp_endpoint *e)
{
    if (!e->public_url.n) return e->path;
    const char *after = memmem(e->public_url.p, e->public_url.n, "://", 3);
    size_t from = after ? (size_t)(after - e->public_url.p) + 3 : 0;
    str rest = str_drop(e->public_url, from);
    return str_drop(rest, str_cut(rest, '/').head.n);
}

static bool is_offered(str scope)
{
    return !str_eq(scope, S("offline_access"));
}

/* RFC 6750 3: scope-token characters, so that nothing can end the quoted string. */
static void put_scopes(buf *b, const str *scopes)
{
    bool any = false;
    for (const str *s = scopes; s && s->p; s++) {
        if (!is_offered(*s) || memchr(s->p, '"', s->n) || memchr(s->p, '\\', s->n)) continue;
        if (any) buf_put(b, S(" "));
        any = true;
        buf_put(b, *s);
    }
}

static void put_metadata_url(buf *b, const mcp_config *c, const mcp_endpoint *e, exchange *x)
{
    if (c->who->issuer_count == 0) return;
    buf_put(b, S(", resource_metadata=\""));
    put_origin(b, e, x);
    buf_put(b, S(WELL_KNOWN));
    str path = resource_path(e);
    if (!str_eq(path, S("/"))) buf_put(b, path);
    buf_put(b, S("\""));
}

static void put_reason(buf *b, str error, const char *why)
{
    buf_put(b, S(" error=\""));
    buf_put(b, error);
    buf_put(b, S("\", error_description=\""));
    for (const char *p = why; *p; p++)
        if (*p >= 0x20 && *p < 0x7F && *p != '"' && *p != '\\') buf_put(b, (str){p, 1});
    buf_put(b, S("\""));
}

str mcp_challenge(const mcp_config *c, const mcp_endpoint *e, exchange *x, const char *why)
{
    buf b = buf_new(exchange_arena(x), SIZE_MAX / 2);
    buf_put(&b, S("Bearer"));
    if (why)
        put_reason(&b, S("invalid_token"), why);
    else
        buf_put(&b, S(" realm=\"sallyport\""));
    put_metadata_url(&b, c, e, x);
    if (c->who->scopes_supported && c->who->scopes_supported->p) {
        buf_put(&b, S(", scope=\""));
        put_scopes(&b, c->who->scopes_supported);
        buf_put(&b, S("\""));
    }
    return buf_str(&b);
}

str resource_scope_challenge(const mcp_config *c, const mcp_endpoint *e, exchange *x,
                             const str *scopes)
{
    buf b = buf_new(exchange_arena(x), SIZE_MAX / 2);
    buf_put(&b, S("Bearer"));
    put_reason(&b, S("insufficient_scope"), "more scopes are needed for this");
    buf_put(&b, S(", scope=\""));
    put_scopes(&b, scopes);
    buf_put(&b, S("\""));
    put_metadata_url(&b, c, e, x);
    return buf_str(&b);
}

static void put_texts(buf *b, const str *list)
{
    bool any = false;
    buf_put(b, S("["));
    for (; list && list->p; list++) {
        if (!is_offered(*list)) continue;
        if (any) buf_put(b, S(","));
        any = true;
        buf_json(b, *list);
    }
    buf_put(b, S("]"));
}

static void put_issuers(buf *b, const identity *who)
{
    buf_put(b, S("["));
    for (size_t i = 0; i < who->issuer_count; i++) {
        if (i) buf_put(b, S(","));
        buf_json(b, who->issuers[i].issuer);
    }
    buf_put(b, S("]"));
}

/* A proxy before us may serve the endpoint under another path than ours. */
static const mcp_endpoint *published_as(const mcp_config *c, str path)
{
    for (size_t i = 0; i < c->endpoint_count; i++)
        if (str_eq(resource_path(&c->endpoints[i]), path)) return &c->endpoints[i];
    return NULL;
}

bool mcp_resource_metadata(const mcp_config *c, exchange *x, str *json)
{
    str path = exchange_path(x);
    if (c->who->issuer_count == 0 || !str_starts(path, S(WELL_KNOWN))) return false;
    str rest = str_drop(path, sizeof WELL_KNOWN - 1);
    const mcp_endpoint *e = best_endpoint(c, exchange_host(x), rest.n ? rest : (str){0});
    if (!e) e = published_as(c, rest);
    if (!e) return false;
    arena *a = exchange_arena(x);
    buf url = buf_new(a, SIZE_MAX / 2), b = buf_new(a, SIZE_MAX / 2);
    put_origin(&url, e, x);
    buf_put(&url, resource_path(e));
    buf_put(&b, S("{\"resource\":"));
    buf_json(&b, buf_str(&url));
    buf_put(&b, S(",\"authorization_servers\":"));
    put_issuers(&b, c->who);
    if (c->who->scopes_supported && c->who->scopes_supported->p) {
        buf_put(&b, S(",\"scopes_supported\":"));
        put_texts(&b, c->who->scopes_supported);
    }
    buf_put(&b, S(",\"bearer_methods_supported\":[\"header\"]}"));
    *json = buf_str(&b);
    return true;
}
