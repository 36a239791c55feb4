/* SPDX-License-Identifier: Apache-2.0 */
/* gate.c - names are parsed to (scheme, host, port) once and only then compared.
 *
 * Comparing texts is how such checks are fooled: `LOCALHOST`, `localhost.`, `[0:0:0:0:0:0:0:1]` and
 * `localhost:80` are all the same place, `localhost.evil.example` and `127.0.0.1.evil.example`
 * are not. What does not parse is refused. `Origin: null` (sandboxed frames, files) names nobody,
 * and is refused even when somebody lists it. */
#include "gate.h"
#include <arpa/inet.h>

typedef struct {
    str scheme;    /* empty for a Host */
    str host;      /* without brackets and final dot */
    unsigned port; /* 0: none given */
    bool ok, bracketed;
} place;

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c + ('a' - 'A'));
    return c;
}

static bool same_name(str a, str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

static bool is_name_char(char c)
{
    c = lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

static bool all_name_chars(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_name_char(s.p[i])) return false;
    return s.n > 0;
}

/* Text of an address into bytes; the longest IPv6 text has 45 letters. */
static bool address(int family, str s, unsigned char out[16])
{
    char text[46] = {0};
    if (s.n == 0 || s.n >= sizeof text) return false;
    for (size_t i = 0; i < s.n; i++) text[i] = s.p[i];
    return inet_pton(family, text, out) == 1;
}

static bool read_port(str s, unsigned *port)
{
    if (s.n == 0 || s.n > 5) return false;
    unsigned v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    *port = v;
    return v > 0 && v <= 65535;
}

/* host, host:port, [v6] or [v6]:port */
static place read_place(str s)
{
    place p = {0};
    str port = {0};
    bool has_port = false;
    if (s.n && s.p[0] == '[') {
        str_pair cut = str_cut(str_drop(s, 1), ']');
        unsigned char bytes[16];
        if (!cut.ok || !address(AF_INET6, cut.head, bytes)) return p;
        if (cut.tail.n && cut.tail.p[0] != ':') return p;
        has_port = cut.tail.n > 0;
        port = str_drop(cut.tail, 1);
        p.host = cut.head;
        p.bracketed = true;
    } else {
        str_pair cut = str_cut(s, ':');
        has_port = cut.ok;
        port = cut.tail;
        p.host = cut.head;
        if (p.host.n > 1 && p.host.p[p.host.n - 1] == '.') p.host.n--;
        if (!all_name_chars(p.host)) return p;
    }
    p.ok = !has_port || read_port(port, &p.port);
    return p;
}

static unsigned usual_port(str scheme)
{
    if (same_name(scheme, S("https"))) return 443;
    return same_name(scheme, S("http")) ? 80 : 0;
}

/* scheme://host[:port] and nothing else (RFC 6454 7.1) */
static place read_origin(str s)
{
    str_pair cut = str_cut(s, ':');
    if (!cut.ok || !all_name_chars(cut.head) || !str_starts(cut.tail, S("//"))) return (place){0};
    place p = read_place(str_drop(cut.tail, 2));
    p.scheme = cut.head;
    if (!p.port) p.port = usual_port(p.scheme);
    return p;
}

static bool is_loopback(const place *p)
{
    unsigned char b[16];
    if (!p->bracketed) {
        if (same_name(p->host, S("localhost"))) return true;
        return address(AF_INET, p->host, b) && b[0] == 127;
    }
    static const unsigned char one[16] = {[15] = 1};
    static const unsigned char mapped[13] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    if (!address(AF_INET6, p->host, b)) return false;
    return memcmp(b, one, sizeof one) == 0 || memcmp(b, mapped, sizeof mapped) == 0;
}

static bool same_host(const place *a, const place *b)
{
    unsigned char x[16], y[16];
    if (a->bracketed != b->bracketed) return false;
    if (!a->bracketed) return same_name(a->host, b->host);
    return address(AF_INET6, a->host, x) && address(AF_INET6, b->host, y) &&
           memcmp(x, y, sizeof x) == 0;
}

/* `*.example.com` stands for every name below it (Gateway API), not for itself. */
static bool below(str wildcard, str host)
{
    str suffix = str_drop(wildcard, 1);
    return host.n > suffix.n && same_name(suffix, str_drop(host, host.n - suffix.n));
}

static bool host_listed(const str *list, const place *host)
{
    for (; list && list->p; list++) {
        if (str_starts(*list, S("*."))) {
            if (!host->bracketed && below(*list, host->host)) return true;
            continue;
        }
        place p = read_place(*list);
        if (p.ok && same_host(&p, host) && (!p.port || p.port == host->port)) return true;
    }
    return false;
}

static bool origin_listed(const str *list, const place *origin)
{
    for (; list && list->p; list++) {
        str entry = *list;
        if (entry.n && entry.p[entry.n - 1] == '/')
            entry.n--; /* as people copy it from the address bar */
        place p = read_origin(entry);
        if (p.ok && same_name(p.scheme, origin->scheme) && same_host(&p, origin) &&
            p.port == origin->port)
            return true;
    }
    return false;
}

static bool origin_passes(const gate *g, bool loopback_listener, const place *host,
                          const place *origin, bool secure)
{
    if (!origin->ok) return false;
    if (origin_listed(g->allowed_origins, origin)) return true;
    unsigned usual = usual_port(origin->scheme);
    if (!usual) return false;
    if (loopback_listener && is_loopback(origin)) return true;
    str scheme = secure ? S("https") : S("http");
    unsigned port = host->port ? host->port : usual_port(scheme);
    return host->ok && same_name(origin->scheme, scheme) && same_host(origin, host) &&
           origin->port == port;
}

gate_result gate_check(const gate *g, bool loopback_listener, str host, str origin, bool secure)
{
    place h = read_place(host);
    if (!h.ok && (host.n || loopback_listener)) return GATE_BAD_HOST;
    if (loopback_listener && !is_loopback(&h) && !host_listed(g->allowed_hosts, &h))
        return GATE_BAD_HOST;
    if (!origin.p) return GATE_OPEN;
    place o = read_origin(origin);
    return origin_passes(g, loopback_listener, &h, &o, secure) ? GATE_OPEN : GATE_BAD_ORIGIN;
}

bool gate_is_loopback(str host_or_address)
{
    unsigned char bytes[16];
    place p = address(AF_INET6, host_or_address, bytes)
                  ? (place){.host = host_or_address, .ok = true, .bracketed = true}
                  : read_place(host_or_address);
    return p.ok && is_loopback(&p);
}
