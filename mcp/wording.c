/* SPDX-License-Identifier: Apache-2.0 */
/* wording.c - the canonical form (definition.h) read as text: escapes are undone in it, and all
 * that a model gets to see of a tool is in it, the descriptions deep in a schema too. */
#include "wording.h"
#include "../base/map.h"
#include "../base/utf8.h"
#include "catalog_read.h"
#include "definition.h"
#include "upstream_state.h"

enum { SAID_MOST = 20 }; /* lines in the log for one list */

struct wording {
    arena *a;
    map *tools; /* name -> map of servers that have it */
};

wording *wording_new(arena *a)
{
    wording *w = NEW(a, wording);
    w->a = a;
    w->tools = map_new(a);
    return w;
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_word(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* create_issue, create-issue, createIssue; not create. */
static bool is_compound(str name)
{
    for (size_t i = 1; i < name.n; i++)
        if (name.p[i] == '_' || name.p[i] == '-' ||
            (is_upper(name.p[i]) && !is_upper(name.p[i - 1])))
            return true;
    return false;
}

static void know(wording *w, str name, str server)
{
    map *servers = map_get(w->tools, name);
    if (!servers) {
        servers = map_new(w->a);
        map_put(w->tools, name, servers);
    }
    map_put(servers, server, w);
}

void wording_know(wording *w, str server, str tool)
{
    if (is_compound(tool)) know(w, tool, server);
    know(w, arena_fmt(w->a, STR_FMT "__" STR_FMT, STR_ARG(server), STR_ARG(tool)), server);
}

/* Hidden characters */

typedef struct {
    uint32_t first, last;
    const char *what;
} hidden_range;

static const char *hidden(uint32_t code)
{
    static const hidden_range ranges[] = {
        {0xAD, 0xAD, "a soft hyphen"},
        {0x61C, 0x61C, "a bidirectional control"},
        {0x115F, 0x1160, "an invisible filler"},
        {0x180E, 0x180E, "a zero-width character"},
        {0x200B, 0x200D, "a zero-width character"},
        {0x200E, 0x200F, "a bidirectional control"},
        {0x202A, 0x202E, "a bidirectional control"},
        {0x2060, 0x2064, "a zero-width character"},
        {0x2066, 0x206F, "a bidirectional control"},
        {0x3164, 0x3164, "an invisible filler"},
        {0xFE00, 0xFE0E, "a variation selector"}, /* FE0F is in every other emoji */
        {0xFEFF, 0xFEFF, "a zero-width character"},
        {0xFFA0, 0xFFA0, "an invisible filler"},
        {0xE0000, 0xE007F, "a tag character"},
        {0xE0100, 0xE01EF, "a variation selector"},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last) return ranges[i].what;
    return NULL;
}

str wording_hidden(arena *a, js_value tool)
{
    str text = definition_canonical(a, tool);
    while (text.n) {
        size_t n = utf8_one(text);
        uint32_t code = n > 1 ? utf8_code(text.p, n) : 0;
        const char *what = code ? hidden(code) : NULL;
        if (what) return arena_fmt(a, "its text holds %s, U+%04X", what, code);
        text = str_drop(text, n ? n : 1);
    }
    return (str){0};
}

/* Other servers' tools */

static str next_word(str *text)
{
    size_t at = 0, end;
    while (at < text->n && !is_word(text->p[at])) at++;
    for (end = at; end < text->n && is_word(text->p[end]);) end++;
    str word = str_take(str_drop(*text, at), end - at);
    *text = str_drop(*text, end);
    return word;
}

str wording_foreign(const wording *w, arena *a, str server, js_value tool)
{
    str text = definition_canonical(a, tool), word;
    while ((word = next_word(&text)).n) {
        const map *servers = map_get(w->tools, word);
        size_t at = 0;
        str other;
        void *any;
        if (!servers || map_get(servers, server) || !map_each(servers, &at, &other, &any)) continue;
        return arena_fmt(a, "its text names `" STR_FMT "`, a tool of " STR_FMT, STR_ARG(word),
                         STR_ARG(other));
    }
    return (str){0};
}

/* In a running gateway */

static const catalog *tools_of(upstream *u)
{
    pthread_mutex_lock(&u->lock);
    const catalog *c = catalog_hold(u->lists[CATALOG_TOOLS].now);
    pthread_mutex_unlock(&u->lock);
    return c;
}

static void know_all(wording *w, arena *a, const mcp_shared *s)
{
    for (upstream **u = upstream_all(a, s); *u; u++) {
        const catalog *c = tools_of(*u);
        for (size_t i = 0; c && i < c->count; i++)
            wording_know(w, arena_dup(a, (*u)->spec.name), arena_dup(a, c->items[i].name));
        catalog_drop(c);
        upstream_drop(*u);
    }
}

static void say(const upstream *u, str tool, str what, unsigned *left)
{
    if (!what.n || !*left) return;
    --*left;
    log_say(u->shared->log, LOG_WARN_LEVEL, "suspicious tool",
            (log_fact[]){{"server", u->spec.name}, {"tool", tool}, {"reason", what}, {0}});
}

void wording_warn(upstream *u)
{
    arena *a = arena_new();
    wording *w = wording_new(a);
    unsigned left = SAID_MOST;
    const catalog *c = tools_of(u);
    know_all(w, a, u->shared);
    for (size_t i = 0; c && i < c->count; i++) {
        say(u, c->items[i].name, wording_hidden(a, c->items[i].raw), &left);
        say(u, c->items[i].name, wording_foreign(w, a, u->spec.name, c->items[i].raw), &left);
    }
    catalog_drop(c);
    arena_free(a);
}
