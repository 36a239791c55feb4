/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_redact.c - what the audit log never says: what `redact` names, and where callers bring
 * keys of their own. A rule that looks one header up by a name made up at that moment has read all
 * of them: the key would be written with the rest. */
#include "../authz/policy/policy.h"
#include "snapshot_parts.h"

enum { PATHS_MOST = 5 }; /* of one backend */

static str lower(arena *a, str s)
{
    char *p = NEW_N(a, char, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        p[i] = s.p[i];
        if (p[i] >= 'A' && p[i] <= 'Z') p[i] = (char)(p[i] | 0x20);
    }
    return (str){p, s.n};
}

static str of_header(arena *a, str name)
{
    return policy_attribute_path(a, S("http.headers"), lower(a, name));
}

/* The name, and what AWS's key has behind it (llm/credential.c), whoever the backend is: a key that
 * was sent to the wrong one is a secret, too. */
static size_t add_header(arena *a, str name, str *to)
{
    static const char *const parts[] = {"access-key-id", "secret-access-key", "session-token"};
    const char *dash = name.p[name.n - 1] == '-' ? "" : "-";
    size_t n = 0;
    to[n++] = of_header(a, name);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        to[n++] = of_header(a, arena_fmt(a, STR_FMT "%s%s", STR_ARG(name), dash, parts[i]));
    return n;
}

static str of_claim(arena *a, str path)
{
    str all = S("jwt");
    while (path.n) {
        str_pair cut = str_cut(path, '.');
        all = policy_attribute_path(a, all, cut.head);
        path = cut.tail;
    }
    return all;
}

const str *snapshot_redact(arena *a, const config *c)
{
    const config_backend *b = c->backends.items;
    size_t n = 0;
    while (c->redact && c->redact[n].p) n++;
    str *all = NEW_N(a, str, n + c->backends.count * PATHS_MOST + 1);
    for (size_t i = 0; i < n; i++) all[i] = c->redact[i];
    for (size_t i = 0; i < c->backends.count; i++) {
        if (b[i].own_header.n) n += add_header(a, b[i].own_header, all + n);
        if (b[i].own_claim.n) all[n++] = of_claim(a, b[i].own_claim);
    }
    return all;
}
