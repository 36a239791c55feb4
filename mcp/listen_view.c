/* SPDX-License-Identifier: Apache-2.0 */
/* listen_view.c - what a caller would be listed now, as a number to compare.
 *
 * The very questions of the list are asked, and the bytes of what they show are hashed, with a key
 * of this process: two lists that look the same to their caller give the same number, whatever
 * else their servers have. No catalog is waited for; one that is not there counts as empty. */
#include "../base/map.h"
#include "facet.h"
#include "listener.h"
#include "pins.h"
#include "question_of.h"

typedef struct {
    mcp_worker *w;
    const listener *l;
    size_t servers;
    question q;
    uint64_t sum;
    map *names; /* naming none, several servers: who has a name; a clash belongs to nobody */
} view;

static void add(view *w, str bytes)
{
    uint64_t pair[2] = {w->sum, hash_bytes(w->w->seed, bytes)};
    w->sum = hash_bytes(w->w->seed, (str){(const char *)pair, sizeof pair});
}

static bool is_shown(view *w, const catalog *c, size_t at)
{
    verdict said = {0};
    const mcp_config *config = w->w->config;
    if (c->kind == CATALOG_TOOLS &&
        !pins_allow(config->pins, w->w->shared, w->q.server, &c->items[at]))
        return false;
    if (w->names && map_get(w->names, c->items[at].name) == w) return false;
    policy_decide(config->rules, &w->q, w->w->scratch, &said);
    return said.permit;
}

static void add_server(view *w, str server, const catalog *c)
{
    for (size_t i = 0; i < c->count; i++) {
        question_about_item(&w->q, server, c, i);
        if (!is_shown(w, c, i)) continue;
        add(w, server);
        add(w, c->items[i].raw.raw);
    }
}

static void note_names(view *w, const catalog *c, upstream **server)
{
    for (size_t i = 0; i < c->count; i++) {
        str name = c->items[i].name;
        map_put(w->names, name, map_get(w->names, name) ? (void *)w : (void *)server);
    }
}

static void add_kind(view *w, catalog_kind kind)
{
    static const str acting[CATALOG_KINDS] = {S("tools/call"), S("prompts/get"),
                                              S("resources/read"), S("resources/read")};
    arena *a = w->w->scratch;
    upstream **servers = w->l->servers;
    const catalog **now = NEW_N(a, const catalog *, w->servers + 1);
    for (size_t i = 0; i < w->servers; i++)
        now[i] = facet_look(w->w, w->l->sides[i], servers[i], kind, true).now;
    w->names = w->l->at->naming == NAMING_NONE && w->servers > 1 ? map_new(a) : NULL;
    for (size_t i = 0; w->names && i < w->servers; i++)
        if (now[i]) note_names(w, now[i], &servers[i]);
    question_of(w->l->v, acting[kind], true, &w->q);
    w->q.http.method = S("POST"); /* as the list itself is asked for */
    for (size_t i = 0; i < w->servers; i++) {
        if (!now[i]) continue;
        add_server(w, upstream_spec_of(servers[i])->name, now[i]);
        catalog_drop(now[i]);
    }
    arena_reset(a);
}

uint64_t listen_view(const listener *l, unsigned list)
{
    view w = {.w = l->v->w, .l = l};
    if (listener_is_fixed(l, list)) return w.sum;
    while (l->servers[w.servers]) w.servers++;
    for (catalog_kind kind = 0; kind < CATALOG_KINDS; kind++)
        if (listener_list_of(kind) == list) add_kind(&w, kind);
    return w.sum;
}
