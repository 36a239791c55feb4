/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - addresses read by hand: inet_pton takes more than is wanted and less than is named.
 *
 * An octet with a leading zero is refused (some readers take it as octal, and then the rule and
 * the server mean two machines). A range contains what agrees with it in the bits of its prefix;
 * those behind the prefix are kept as written and count for equality only. */
#include "network.h"
#include "library.h"

enum { TEXT_MOST = 45 }; /* the longest IPv6 address there is */

/* Decimal digits, up to `most` in value, without leading zeros. */
static bool take_number(str *s, unsigned most, unsigned *value)
{
    size_t n = 0;
    *value = 0;
    for (; n < s->n && n < 3 && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
        *value = *value * 10 + (unsigned)(s->p[n] - '0');
    }
    if (!n || (n > 1 && *s->p == '0')) return false;
    *s = str_drop(*s, n);
    return *value <= most;
}

static bool parse_v4(str s, uint8_t *bytes)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned octet;
        if (i && (!s.n || *s.p != '.')) return false;
        if (i) s = str_drop(s, 1);
        if (!take_number(&s, 255, &octet)) return false;
        bytes[i] = (uint8_t)octet;
    }
    return !s.n;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One group of IPv6; false when there is none. */
static bool take_group(str *s, uint8_t *bytes)
{
    unsigned value = 0;
    size_t n = 0;
    for (; n < s->n && n < 5 && hex_digit(s->p[n]) >= 0; n++) {
        value = value << 4 | (unsigned)hex_digit(s->p[n]);
    }
    if (!n || n > 4) return false;
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
    *s = str_drop(*s, n);
    return true;
}

typedef struct {
    uint8_t bytes[16];
    size_t n, gap; /* bytes so far; where "::" stood, 16 for nowhere */
    bool dotted;
} groups;

static bool take_colons(str *s, groups *g)
{
    if (g->n == 0 && g->gap == 16) { /* in front only "::" may stand */
        if (s->n < 2 || s->p[0] != ':') return true;
        if (s->p[1] != ':') return false;
        g->gap = 0;
        *s = str_drop(*s, 2);
        return true;
    }
    if (g->n == g->gap) return true; /* just after "::" */
    if (!s->n || *s->p != ':') return false;
    *s = str_drop(*s, 1);
    if (s->n && *s->p == ':') {
        if (g->gap != 16) return false;
        g->gap = g->n;
        *s = str_drop(*s, 1);
        return true;
    }
    return s->n > 0;
}

static bool read_groups(str s, groups *g)
{
    while (s.n) {
        if (!take_colons(&s, g)) return false;
        if (!s.n) break;
        str group = str_cut(s, ':').head;
        if (memchr(group.p, '.', group.n)) {
            g->dotted = true;
            if (g->n > 12 || group.n != s.n || !parse_v4(group, g->bytes + g->n)) return false;
            g->n += 4;
            return true;
        }
        if (g->n > 14 || !take_group(&s, g->bytes + g->n)) return false;
        g->n += 2;
    }
    return true;
}

static bool parse_v6(str s, groups *g)
{
    *g = (groups){.gap = 16};
    if (s.n < 2 || s.n > TEXT_MOST || !read_groups(s, g)) return false;
    if (g->gap == 16) return g->n == 16;
    if (g->n >= 16) return false; /* "::" stands for a group at least */
    size_t behind = g->n - g->gap, zeros = 16 - g->n;
    for (size_t i = behind; i-- > 0;) {
        g->bytes[g->gap + zeros + i] = g->bytes[g->gap + i];
    }
    for (size_t i = 0; i < zeros; i++) g->bytes[g->gap + i] = 0;
    return true;
}

static bool is_mapped(const uint8_t *bytes)
{
    static const uint8_t front[12] = {[10] = 0xFF, [11] = 0xFF};
    return memcmp(bytes, front, sizeof front) == 0;
}

static bool has_colon(str s)
{
    return s.n && memchr(s.p, ':', s.n);
}

static void keep(cel_net *out, const uint8_t *bytes, uint8_t size)
{
    *out = (cel_net){.size = size};
    for (unsigned i = 0; i < size; i++) out->bytes[i] = bytes[i];
}

bool cel_net_parse_ip(str s, cel_net *out)
{
    groups g = {.gap = 16};
    if (!has_colon(s)) {
        bool good = parse_v4(s, g.bytes);
        keep(out, g.bytes, 4);
        return good;
    }
    if (!parse_v6(s, &g)) return false;
    bool mapped = is_mapped(g.bytes);
    if (mapped && g.dotted) return false;
    keep(out, mapped ? g.bytes + 12 : g.bytes, mapped ? 4 : 16);
    return true;
}

bool cel_net_parse_cidr(str s, cel_net *out)
{
    str_pair cut = str_cut(s, '/');
    groups g = {.gap = 16};
    unsigned prefix;
    bool v6 = has_colon(cut.head);
    if (!cut.ok || !(v6 ? parse_v6(cut.head, &g) : parse_v4(cut.head, g.bytes))) return false;
    if (v6 && is_mapped(g.bytes)) return false;
    if (!take_number(&cut.tail, v6 ? 128 : 32, &prefix) || cut.tail.n) return false;
    keep(out, g.bytes, v6 ? 16 : 4);
    out->prefix = (uint8_t)prefix;
    return true;
}

bool cel_net_same(const cel_net *a, const cel_net *b)
{
    return a->size == b->size && a->prefix == b->prefix &&
           memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static unsigned group_at(const cel_net *n, size_t i)
{
    return (unsigned)n->bytes[2 * i] << 8 | n->bytes[2 * i + 1];
}

/* The longest run of zero groups, the first of equals; one alone is written out. */
static unsigned zero_run(const cel_net *n, unsigned *start)
{
    unsigned best = 1;
    *start = 8;
    for (unsigned i = 0; i < 8; i++) {
        unsigned run = 0;
        while (i + run < 8 && !group_at(n, i + run)) run++;
        if (run <= best) continue;
        best = run;
        *start = i;
    }
    return *start == 8 ? 0 : best;
}

static str v6_text(arena *a, const cel_net *n)
{
    unsigned start, run = zero_run(n, &start);
    str text = S("");
    for (unsigned i = 0; i < 8; i++) {
        if (run && i == start) {
            text = arena_fmt(a, STR_FMT "::", STR_ARG(text));
            i += run - 1;
        } else {
            bool colon = i && !(run && i == start + run);
            text = arena_fmt(a, STR_FMT "%s%x", STR_ARG(text), colon ? ":" : "", group_at(n, i));
        }
    }
    return text;
}

str cel_net_text(arena *a, cel_value v)
{
    const cel_net *n = v.u.net;
    const uint8_t *b = n->bytes;
    str text = n->size == 16 ? v6_text(a, n) : arena_fmt(a, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    if (v.code == CEL_T_IP) return text;
    return arena_fmt(a, STR_FMT "/%u", STR_ARG(text), n->prefix);
}

static cel_value of_net(cel_scope *s, cel_type type, const cel_net *n)
{
    cel_net *kept = NEW(s->scratch, cel_net);
    *kept = *n;
    return (cel_value){.tag = CEL_OPAQUE, .code = (uint16_t)type, .u.net = kept};
}

cel_value cel_fn_ip(cel_scope *s, const cel_function *f, const cel_value *args)
{
    cel_net n;
    (void)f;
    if (!cel_net_parse_ip(cel_text(args[0]), &n)) return cel_failed(CEL_BAD_ARGUMENT);
    return of_net(s, CEL_T_IP, &n);
}

cel_value cel_fn_cidr(cel_scope *s, const cel_function *f, const cel_value *args)
{
    cel_net n;
    (void)f;
    if (!cel_net_parse_cidr(cel_text(args[0]), &n)) return cel_failed(CEL_BAD_ARGUMENT);
    return of_net(s, CEL_T_CIDR, &n);
}

cel_value cel_fn_is_ip(cel_scope *s, const cel_function *f, const cel_value *args)
{
    cel_net n;
    (void)s, (void)f;
    return cel_bool(cel_net_parse_ip(cel_text(args[0]), &n));
}

cel_value cel_fn_is_cidr(cel_scope *s, const cel_function *f, const cel_value *args)
{
    cel_net n;
    (void)s, (void)f;
    return cel_bool(cel_net_parse_cidr(cel_text(args[0]), &n));
}

cel_value cel_fn_ip_canonical(cel_scope *s, const cel_function *f, const cel_value *args)
{
    cel_value ip = cel_fn_ip(s, f, args);
    if (ip.tag == CEL_ERROR) return ip;
    return cel_bool(str_eq(cel_net_text(s->scratch, ip), cel_text(args[0])));
}

cel_value cel_fn_ip_family(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_int(args[0].u.net->size == 4 ? 4 : 6);
}

static bool all_zero(const uint8_t *bytes, size_t n)
{
    while (n && !bytes[n - 1]) n--;
    return !n;
}

static bool v4_is(const uint8_t *b, cel_net_kind kind)
{
    switch (kind) {
    case NET_UNSPECIFIED: return all_zero(b, 4);
    case NET_LOOPBACK: return b[0] == 127;
    case NET_LINK_LOCAL_MULTICAST: return b[0] == 224 && !b[1] && !b[2];
    case NET_LINK_LOCAL_UNICAST: return b[0] == 169 && b[1] == 254;
    case NET_GLOBAL_UNICAST: break;
    }
    bool broadcast = b[0] == 255 && b[1] == 255 && b[2] == 255 && b[3] == 255;
    bool multicast = b[0] >= 224 && b[0] < 240;
    return !broadcast && !multicast && !v4_is(b, NET_UNSPECIFIED) && !v4_is(b, NET_LOOPBACK) &&
           !v4_is(b, NET_LINK_LOCAL_UNICAST);
}

static bool v6_is(const uint8_t *b, cel_net_kind kind)
{
    switch (kind) {
    case NET_UNSPECIFIED: return all_zero(b, 16);
    case NET_LOOPBACK: return all_zero(b, 15) && b[15] == 1;
    case NET_LINK_LOCAL_MULTICAST: return b[0] == 0xFF && (b[1] & 0x0F) == 2;
    case NET_LINK_LOCAL_UNICAST: return b[0] == 0xFE && (b[1] & 0xC0) == 0x80;
    case NET_GLOBAL_UNICAST: break;
    }
    return b[0] != 0xFF && !v6_is(b, NET_UNSPECIFIED) && !v6_is(b, NET_LOOPBACK) &&
           !v6_is(b, NET_LINK_LOCAL_UNICAST);
}

cel_value cel_fn_ip_is(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s;
    const cel_net *n = args[0].u.net;
    cel_net_kind kind = (cel_net_kind)f->op;
    return cel_bool(n->size == 4 ? v4_is(n->bytes, kind) : v6_is(n->bytes, kind));
}

/* Do the first `bits` of both agree? */
static bool agree(const cel_net *a, const cel_net *b, unsigned bits)
{
    if (a->size != b->size || memcmp(a->bytes, b->bytes, bits / 8) != 0) return false;
    if (bits % 8 == 0) return true;
    unsigned mask = 0xFF00u >> (bits % 8) & 0xFF;
    return ((a->bytes[bits / 8] ^ b->bytes[bits / 8]) & mask) == 0;
}

cel_value cel_fn_contains_ip(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    cel_net parsed;
    const cel_net *range = args[0].u.net, *ip = &parsed;
    if (args[1].tag == CEL_OPAQUE) {
        ip = args[1].u.net;
    } else if (!cel_net_parse_ip(cel_text(args[1]), &parsed)) {
        return cel_failed(CEL_BAD_ARGUMENT);
    }
    return cel_bool(agree(range, ip, range->prefix));
}

cel_value cel_fn_contains_cidr(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    cel_net parsed;
    const cel_net *range = args[0].u.net, *part = &parsed;
    if (args[1].tag == CEL_OPAQUE) {
        part = args[1].u.net;
    } else if (!cel_net_parse_cidr(cel_text(args[1]), &parsed)) {
        return cel_failed(CEL_BAD_ARGUMENT);
    }
    return cel_bool(part->prefix >= range->prefix && agree(range, part, range->prefix));
}

cel_value cel_fn_cidr_ip(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    cel_net n = *args[0].u.net;
    n.prefix = 0;
    return of_net(s, CEL_T_IP, &n);
}

cel_value cel_fn_masked(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    cel_net n = *args[0].u.net;
    for (unsigned i = 0; i < n.size; i++) {
        unsigned bits = n.prefix > 8 * i ? n.prefix - 8 * i : 0;
        if (bits < 8) n.bytes[i] &= (uint8_t)(0xFF00u >> bits);
    }
    return of_net(s, CEL_T_CIDR, &n);
}

cel_value cel_fn_prefix_length(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_int(args[0].u.net->prefix);
}
