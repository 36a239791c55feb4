/* SPDX-License-Identifier: Apache-2.0 */
/* url.c - an http or https URL into its parts, or a refusal.
 *
 * What several readers could read in several ways is refused rather than mended: user info
 * ("http://good@evil"), a backslash, a fragment, a space, bytes outside ASCII, a host of digits
 * that some resolvers take for an address (127.1, 0x7f.1, 2130706433), an IPv6 zone. */
#include "client.h"
#include "h1_text.h"
#include <arpa/inet.h>
#include <stdio.h>

enum { URL_MOST = 8192, HOST_MOST = 253 };

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c + 32);
    return c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    c = lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_host_char(char c)
{
    c = lower(c);
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

static bool scheme_is(str *rest, str scheme)
{
    if (rest->n < scheme.n) return false;
    for (size_t i = 0; i < scheme.n; i++)
        if (lower(rest->p[i]) != scheme.p[i]) return false;
    *rest = str_drop(*rest, scheme.n);
    return true;
}

/* Printable ASCII, every percent sign followed by two hex digits, nothing readers disagree on. */
static bool is_path(str s)
{
    static const char doubtful[] = {'"', '#', '<', '>', '\\', '^', '`', '{', '|', '}'};
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c <= ' ' || c > '~' || memchr(doubtful, c, sizeof doubtful)) return false;
        if (c == '%' && (s.n - i < 3 || !is_hex(s.p[i + 1]) || !is_hex(s.p[i + 2]))) return false;
    }
    return true;
}

static bool is_address(int family, str host)
{
    char text[HOST_MOST + 1], binary[16];
    if (host.n == 0 || host.n >= sizeof text || memchr(host.p, 0, host.n)) return false;
    (void)snprintf(text, sizeof text, STR_FMT, STR_ARG(host));
    return inet_pton(family, text, binary) == 1;
}

/* Resolvers take "127.1" and "0x7f.0.0.1" for addresses (WHATWG URL, "ends in a number"). */
static bool is_number(str label)
{
    bool hex = label.n >= 2 && label.p[0] == '0' && lower(label.p[1]) == 'x';
    for (size_t i = hex ? 2 : 0; i < label.n; i++)
        if (hex ? !is_hex(label.p[i]) : !is_digit(label.p[i])) return false;
    return true;
}

static bool is_name(str host)
{
    if (host.n == 0 || host.n > HOST_MOST) return false;
    str label = {0};
    for (str rest = host; rest.p;) {
        str_pair cut = str_cut(rest, '.');
        label = cut.head;
        if (label.n == 0 || label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_host_char(label.p[i])) return false;
        if (cut.ok && cut.tail.n == 0) return false;
        rest = cut.tail;
    }
    return is_number(label) ? is_address(AF_INET, host) : true;
}

/* Cuts "[v6]" or a name off the front of the authority; {0} when it is neither. */
static str take_host(str *authority)
{
    str host = {0};
    if (str_starts(*authority, S("["))) {
        str_pair cut = str_cut(str_drop(*authority, 1), ']');
        if (!cut.ok || !is_address(AF_INET6, cut.head)) return (str){0};
        host = cut.head;
        *authority = cut.tail;
        return host;
    }
    str_pair cut = str_cut(*authority, ':');
    host = cut.head;
    *authority = str_drop(*authority, host.n);
    return is_name(host) ? host : (str){0};
}

/* "" or ":1" to ":65535". */
static bool take_port(str rest, unsigned *port)
{
    long long n = 0;
    if (rest.n == 0) return true;
    if (rest.p[0] != ':' || rest.n > 6 || !h1_decimal(str_drop(rest, 1), &n)) return false;
    if (n < 1 || n > 65535) return false;
    *port = (unsigned)n;
    return true;
}

static str lower_dup(arena *a, str s)
{
    char *p = NEW_N(a, char, s.n + 1);
    for (size_t i = 0; i < s.n; i++) p[i] = lower(s.p[i]);
    return (str){p, s.n};
}

static str authority_of(arena *a, const url_parts *u)
{
    bool v6 = memchr(u->host.p, ':', u->host.n) != NULL;
    const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";
    bool usual = u->port == (u->secure ? 443u : 80u);
    if (usual) return arena_fmt(a, "%s" STR_FMT "%s", open, STR_ARG(u->host), close);
    return arena_fmt(a, "%s" STR_FMT "%s:%u", open, STR_ARG(u->host), close, u->port);
}

const err *url_parse(arena *a, str url, url_parts *out)
{
    url_parts u = {.secure = true, .port = 443};
    str rest = url;
    if (url.n > URL_MOST) return err_new(a, ERR_MALFORMED, "url over %d bytes", URL_MOST);
    if (!scheme_is(&rest, S("https://"))) {
        if (!scheme_is(&rest, S("http://")))
            return err_new(a, ERR_MALFORMED, "url must begin with http:// or https://");
        u.secure = false;
        u.port = 80;
    }
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#') n++;
    str authority = str_take(rest, n), path = str_drop(rest, n);
    if (authority.n && memchr(authority.p, '@', authority.n))
        return err_new(a, ERR_MALFORMED, "url must not hold user info");
    u.host = take_host(&authority);
    if (!u.host.p) return err_new(a, ERR_MALFORMED, "url has no valid host");
    if (!take_port(authority, &u.port)) return err_new(a, ERR_MALFORMED, "url has no valid port");
    if (path.n && memchr(path.p, '#', path.n))
        return err_new(a, ERR_MALFORMED, "url must not hold a fragment");
    if (!is_path(path)) return err_new(a, ERR_MALFORMED, "url has a byte that must be escaped");
    u.host = lower_dup(a, u.host);
    u.authority = authority_of(a, &u);
    bool slash = path.n && path.p[0] == '/';
    u.path = slash ? arena_dup(a, path) : arena_fmt(a, "/" STR_FMT, STR_ARG(path));
    *out = u;
    return NULL;
}
