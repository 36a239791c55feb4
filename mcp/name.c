/* SPDX-License-Identifier: Apache-2.0 */
/* name.c - public names. Cutting must not split a character, so a cut may be a little shorter. */
#include "name.h"
#include "../authz/digest.h"
#include "../base/uri.h"

#define UI "ui://"

static str join(arena *a, str head, str between, str tail)
{
    size_t n = head.n + between.n + tail.n;
    char *p = arena_bytes(a, n ? n : 1);
    if (head.n) memcpy(p, head.p, head.n);
    if (between.n) memcpy(p + head.n, between.p, between.n);
    if (tail.n) memcpy(p + head.n + between.n, tail.p, tail.n);
    return (str){p, n};
}

static size_t cut_at_character(str s, size_t most)
{
    if (s.n <= most) return s.n;
    while (most > 0 && ((unsigned char)s.p[most] & 0xC0) == 0x80) most--;
    return most;
}

str name_public(arena *a, mcp_naming naming, str server, str tool)
{
    if (naming == NAMING_NONE) return tool;
    str whole = join(a, server, S("__"), tool);
    if (whole.n <= NAME_MOST) return whole;
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(whole, sum);
    static const char hex[] = "0123456789abcdef";
    char *p = arena_bytes(a, NAME_MOST);
    size_t n = cut_at_character(whole, NAME_CUT);
    memcpy(p, whole.p, n);
    p[n++] = '_';
    for (size_t i = 0; i < 4; i++) {
        p[n++] = hex[sum[i] >> 4];
        p[n++] = hex[sum[i] & 15];
    }
    return (str){p, n};
}

str_pair name_split(str public_name)
{
    const char *at = public_name.n ? memmem(public_name.p, public_name.n, "__", 2) : NULL;
    if (!at) return (str_pair){.head = public_name};
    size_t n = (size_t)(at - public_name.p);
    return (str_pair){str_take(public_name, n), str_drop(public_name, n + 2), true};
}

bool name_is_shortened(str public_name)
{
    /* a cut that would split a character of 4 bytes is up to 3 bytes shorter */
    if (public_name.n > NAME_MOST || public_name.n < NAME_MOST - 3) return false;
    const char *tail = public_name.p + public_name.n - 9;
    if (tail[0] != '_') return false;
    for (size_t i = 1; i < 9; i++) {
        char c = tail[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

str name_public_uri(arena *a, mcp_naming naming, str server, str uri)
{
    if (naming == NAMING_NONE) return uri;
    if (!str_starts(uri, S(UI))) return join(a, server, S("+"), uri);
    return join(a, join(a, S(UI), server, S("/")), str_drop(uri, sizeof UI - 1), (str){0});
}

str_pair name_own_uri(arena *a, str public_uri)
{
    if (!str_starts(public_uri, S(UI))) return str_cut(public_uri, '+');
    str_pair cut = str_cut(str_drop(public_uri, sizeof UI - 1), '/');
    if (cut.ok) cut.tail = join(a, S(UI), cut.tail, (str){0});
    return cut;
}

bool name_uri_is_doubtful(arena *a, mcp_naming naming, str public_uri)
{
    str_pair cut = {.head = public_uri};
    if (naming == NAMING_PREFIX) cut = name_own_uri(a, public_uri);
    return uri_is_doubtful(cut.ok ? cut.tail : public_uri);
}
