/* SPDX-License-Identifier: Apache-2.0 */
#include "watching.h"
#include "../base/uri.h"
#include "facet.h"
#include "feed.h"
#include "name.h"
#include "question_of.h"
#include "upstream_state.h"
#include "watch.h"
#include <stdlib.h>

enum { ROOM = 512 };

static str name_of_server(const upstream *u)
{
    return upstream_spec_of(u)->name;
}

static bool lists(mcp_worker *w, upstream *side, upstream *u, str uri)
{
    static const catalog_kind kinds[] = {CATALOG_RESOURCES, CATALOG_TEMPLATES};
    bool found = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !found; i++) {
        const catalog *c = facet_look(w, side, u, kinds[i], true).now;
        found = c && catalog_find(c, uri);
        for (size_t j = 0; c && kinds[i] == CATALOG_TEMPLATES && !found && j < c->count; j++)
            found = uri_fits(c->items[j].name, uri);
        if (c) catalog_drop(c);
    }
    return found;
}

/* Bare URIs of several servers: the one that lists it. NULL: none, or more than one. */
static upstream *owner_of(const listener *l, str uri)
{
    upstream *found = NULL;
    if (l->servers[0] && !l->servers[1]) return l->servers[0];
    for (size_t i = 0; l->servers[i]; i++) {
        if (!lists(l->v->w, l->sides[i], l->servers[i], uri)) continue;
        if (found) return NULL;
        found = l->servers[i];
    }
    return found;
}

static upstream *find(const listener *l, arena *a, str uri, str *own)
{
    if (!uri.n || uri.n > WATCHING_URI_MOST) return NULL;
    if (name_uri_is_doubtful(a, l->at->naming, uri)) return NULL;
    *own = uri;
    if (l->at->naming == NAMING_NONE) return owner_of(l, uri);
    str_pair cut = name_own_uri(a, uri);
    *own = cut.tail;
    for (upstream **u = l->servers; cut.ok && cut.tail.n && *u; u++)
        if (str_eq(name_of_server(*u), cut.head)) return *u;
    return NULL;
}

static bool may_read(const listener *l, const upstream *u, str own)
{
    mcp_worker *w = l->v->w;
    question q;
    verdict said = {0};
    question_of(l->v, S("resources/read"), false, &q);
    q.http.method = S("POST"); /* as it is read */
    question_about(&q, SUBJECT_RESOURCE, name_of_server(u), own);
    policy_decide(w->config->rules, &q, w->scratch, &said);
    arena_reset(w->scratch);
    return said.permit;
}

static upstream *side_of(const listener *l, const upstream *u)
{
    size_t i = 0;
    while (l->servers[i] != u) i++;
    return l->sides[i];
}

static watching *take(const listener *l, str uri)
{
    arena *a = arena_new_of(ROOM);
    watching *k = NEW(a, watching);
    k->a = a;
    k->public_uri = arena_dup(a, uri);
    k->u = find(l, a, k->public_uri, &k->own);
    if (!k->u || !may_read(l, k->u, k->own)) {
        arena_free(a);
        return NULL;
    }
    k->side = side_of(l, k->u);
    k->u = upstream_hold(k->u);
    watch_add(k->u, WATCH_RESOURCE, k->own);
    if (k->side) watch_add(upstream_hold(k->side), WATCH_RESOURCE, k->own);
    return k;
}

static void drop_all(watching *k)
{
    for (watching *next; k; k = next) {
        next = k->next;
        watch_remove(k->u, WATCH_RESOURCE, k->own);
        upstream_release(k->u);
        if (k->side) {
            watch_remove(k->side, WATCH_RESOURCE, k->own);
            upstream_release(k->side);
        }
        arena_free(k->a);
    }
}

static const watching *same_in(const watching *k, str uri)
{
    while (k && !str_eq(k->public_uri, uri)) k = k->next;
    return k;
}

/* The new ones are counted before the old ones go, so that nothing is unsubscribed between. */
void watching_set(listener *l, const str *uris, size_t n)
{
    watching *before = l->watches, *first = NULL, **end = &first;
    for (size_t i = 0; i < n && i < WATCHING_MOST; i++) {
        watching *k = same_in(first, uris[i]) ? NULL : take(l, uris[i]);
        if (!k) continue;
        const watching *old = same_in(before, uris[i]);
        k->owed = old && old->owed;
        *end = k;
        end = &k->next;
    }
    l->watches = first;
    drop_all(before);
}

void watching_again(listener *l)
{
    str row[WATCHING_MOST];
    size_t n = 0;
    for (const watching *k = l->watches; k && n < WATCHING_MOST; k = k->next)
        row[n++] = k->public_uri;
    watching_set(l, row, n);
}

void watching_end(listener *l)
{
    drop_all(l->watches);
    l->watches = NULL;
}

/* Who hears it on a stream of his own hears it there alone. */
static bool hears(const watching *k, const upstream *u)
{
    return k->side && feed_now(k->side) == FEED_STANDS ? u == k->side : u == k->u;
}

static void note(listener *l, const listener_news *news)
{
    bool any = false;
    for (watching *k = l->watches; k; k = k->next) {
        if (k->owed || !hears(k, news->from) || !str_eq(k->own, news->about)) continue;
        k->owed = may_read(l, k->u, k->own);
        any = any || k->owed;
    }
    if (any) corridor_wake(l->v, FLOW_WOKEN);
}

void watching_heard(upstream *u, str uri)
{
    const listener_news news = {.from = u, .about = uri};
    if (watch_has(u, WATCH_RESOURCE, uri)) listeners_hear(&news, note);
}
