/* SPDX-License-Identifier: Apache-2.0 */
#include "net_address.h"
#include <arpa/inet.h>

bool net_address_parse(str text, net_address *out)
{
    *out = (net_address){0};
    size_t colon = text.n;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == ':') colon = i;
    if (colon == text.n || text.n - colon < 2 || text.n - colon > 6) return false;
    for (size_t i = colon + 1; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return false;
        out->port = out->port * 10 + (unsigned)(text.p[i] - '0');
    }
    str host = str_take(text, colon);
    bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed) host = (str){host.p + 1, host.n - 2};
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        if (c <= ' ' || c == 0x7f || c == '/' || c == '[' || c == ']' || (c == ':' && !bracketed))
            return false;
    }
    out->host = host;
    return host.n > 0 && out->port <= 65535;
}

static bool parse_ip(str text, uint8_t out[16], bool *is_v4)
{
    char zero_ended[INET6_ADDRSTRLEN + 1] = {0};
    if (text.n == 0 || text.n >= sizeof zero_ended) return false;
    for (size_t i = 0; i < text.n; i++) zero_ended[i] = text.p[i];
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, zero_ended, &four) == 1) {
        const uint8_t *b = (const uint8_t *)&four.s_addr;
        for (size_t i = 0; i < 16; i++) out[i] = i < 12 ? mapped[i] : b[i - 12];
        *is_v4 = true;
        return true;
    }
    if (inet_pton(AF_INET6, zero_ended, &six) != 1) return false;
    for (size_t i = 0; i < 16; i++) out[i] = six.s6_addr[i];
    *is_v4 = false;
    return true;
}

bool net_range_parse(str text, net_range *out)
{
    bool is_v4 = false;
    str_pair cut = str_cut(text, '/');
    if (!parse_ip(cut.head, out->bytes, &is_v4)) return false;
    unsigned most = is_v4 ? 32 : 128, bits = 0;
    if (!cut.ok) {
        out->bits = 128;
        return true;
    }
    if (cut.tail.n == 0 || cut.tail.n > 3) return false;
    for (size_t i = 0; i < cut.tail.n; i++) {
        if (cut.tail.p[i] < '0' || cut.tail.p[i] > '9') return false;
        bits = bits * 10 + (unsigned)(cut.tail.p[i] - '0');
    }
    out->bits = bits + (128 - most);
    return bits <= most;
}

bool net_range_has(const net_range *r, str address)
{
    uint8_t bytes[16];
    bool is_v4;
    if (!parse_ip(address, bytes, &is_v4)) return false;
    size_t whole = r->bits / 8;
    for (size_t i = 0; i < whole; i++)
        if (bytes[i] != r->bytes[i]) return false;
    unsigned left = r->bits % 8;
    return left == 0 || (bytes[whole] >> (8 - left)) == (r->bytes[whole] >> (8 - left));
}

static bool is_proxy(const net_range *proxies, size_t count, str address)
{
    for (size_t i = 0; i < count; i++)
        if (net_range_has(&proxies[i], address)) return true;
    return false;
}

/* Takes the last member off a comma list. */
static str last_member(str *list)
{
    size_t at = list->n;
    while (at > 0 && list->p[at - 1] != ',') at--;
    str one = str_drop(*list, at);
    *list = str_take(*list, at > 0 ? at - 1 : 0);
    while (one.n && (one.p[0] == ' ' || one.p[0] == '\t')) one = str_drop(one, 1);
    while (one.n && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t')) one.n--;
    return one;
}

str net_client_address(const net_range *proxies, size_t count, str peer, str forwarded_for)
{
    str believed = peer;
    while (forwarded_for.n && is_proxy(proxies, count, believed)) {
        uint8_t bytes[16];
        bool is_v4;
        str one = last_member(&forwarded_for);
        if (!parse_ip(one, bytes, &is_v4)) break;
        believed = one;
    }
    return believed;
}
