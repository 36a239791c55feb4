/* SPDX-License-Identifier: Apache-2.0 */
/* uri_doubt.c - spellings of URIs that a server may read as another one.
 *
 * Servers put what they are asked for through a parser before they look it up (`new URL()` in
 * TypeScript, its like in pydantic), and often decode what a template takes from it. A rule that
 * was asked about the spelling would then not have been asked about the resource. So a spelling
 * that one of them changes is doubtful; what nobody changes is not. Only such spellings are
 * looked for which no server has a reason to give a resource. (RFC 3986 6.2.2, WHATWG URL 4.4) */
#include "uri.h"

typedef struct {
    char byte;
    bool encoded;
    size_t next;
} letter;

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character, decoded as often as it was encoded: %252e is a dot to somebody who decodes twice.
 */
static letter read_letter(str uri, size_t at)
{
    const letter plain = {.byte = uri.p[at], .next = at + 1};
    size_t i = at;
    if (plain.byte != '%') return plain;
    while (uri.n - i > 2 && uri.p[i + 1] == '2' && uri.p[i + 2] == '5') i += 2;
    if (uri.n - i < 3) return plain;
    int high = hex_of(uri.p[i + 1]), low = hex_of(uri.p[i + 2]);
    if (high < 0 || low < 0) return plain;
    return (letter){.byte = (char)(high * 16 + low), .encoded = true, .next = i + 3};
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z');
}

/* What nobody has to encode, so that some undo it. (RFC 3986 2.3) */
static bool is_unreserved(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7F;
}

static bool has_odd_bytes(str uri)
{
    if (uri.n && (uri.p[0] == ' ' || uri.p[uri.n - 1] == ' ')) return true;
    for (size_t at = 0; at < uri.n;) {
        letter l = read_letter(uri, at);
        if (l.encoded ? is_unreserved(l.byte) : is_control(l.byte)) return true;
        at = l.next;
    }
    return false;
}

static bool has_dots(str uri)
{
    size_t dots = 0, others = 0;
    for (size_t at = 0; at < uri.n;) {
        letter l = read_letter(uri, at);
        at = l.next;
        char c = l.byte;
        if (c == '\\') c = '/';
        bool over = c == '/' || (!l.encoded && (c == ':' || c == '?' || c == '#'));
        if (over && !others && dots > 0 && dots <= 2) return true;
        if (over)
            dots = others = 0;
        else if (c == '.')
            dots++;
        else
            others++;
    }
    return !others && dots > 0 && dots <= 2;
}

/* Without its colon; empty when there is none. */
static str scheme_of(str uri)
{
    size_t n = 0;
    while (n < uri.n && (is_unreserved(uri.p[n]) || uri.p[n] == '+')) n++;
    return n < uri.n && uri.p[n] == ':' ? str_take(uri, n) : (str){0};
}

static bool has_capitals(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_upper(s.p[i])) return true;
    return false;
}

static size_t until(str s, const char *ends)
{
    size_t n = 0;
    while (n < s.n && !strchr(ends, s.p[n])) n++;
    return n;
}

/* A port is said only where it is another than the scheme's own, and in one way. */
static bool is_odd_port(str host, str own)
{
    size_t at = host.n;
    while (at && host.p[at - 1] != ':' && host.p[at - 1] != ']') at--;
    if (!at || host.p[at - 1] != ':') return false;
    str port = str_drop(host, at);
    return !port.n || port.p[0] == '0' || str_eq(port, own);
}

static bool is_odd_host(str host, str port)
{
    for (size_t i = 0; i < host.n; i++)
        if (is_upper(host.p[i]) || host.p[i] == '%' || (unsigned char)host.p[i] > 0x7F) return true;
    return is_odd_port(host, port);
}

/* To a file system `//` is `/`, however either is spelled. */
static bool is_odd_path_of_file(str path)
{
    bool after_slash = false;
    for (size_t at = 0; at < path.n;) {
        letter l = read_letter(path, at);
        bool slash = l.byte == '/' || l.byte == '\\';
        if (slash && (l.encoded || after_slash)) return true;
        after_slash = slash;
        at = l.next;
    }
    return false;
}

/* `rest`: behind the colon. To these schemes any row of slashes of either kind is `//`. */
static bool is_odd_special(str scheme, str port, str rest)
{
    rest = str_take(rest, until(rest, "?#"));
    if (!str_starts(rest, S("//")) || (rest.n && memchr(rest.p, '\\', rest.n))) return true;
    rest = str_drop(rest, 2);
    str host = str_take(rest, until(rest, "/{"));
    if (is_odd_host(host, port)) return true;
    if (!str_eq(scheme, S("file"))) return !rest.n || rest.p[0] == '/';
    return str_eq(host, S("localhost")) || is_odd_path_of_file(str_drop(rest, host.n));
}

bool uri_is_doubtful(str uri)
{
    static const struct {
        str scheme, port;
    } special[] = {{S("http"), S("80")}, {S("https"), S("443")}, {S("ws"), S("80")},
                   {S("wss"), S("443")}, {S("ftp"), S("21")},    {S("file"), S("")}};
    if (has_odd_bytes(uri) || has_dots(uri)) return true;
    str scheme = scheme_of(uri);
    if (has_capitals(scheme)) return true;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (str_eq(scheme, special[i].scheme))
            return is_odd_special(scheme, special[i].port, str_drop(uri, scheme.n + 1));
    return false;
}
