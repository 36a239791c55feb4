/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - looking after open streams, a few at a time.
 *
 * Everything that could end or change a stream is noticed by one look that comes round every
 * quarter of a second: tokens are identified again (a hash, as long as nothing moved), lists are
 * compared when a server, a reload or time said that they may differ. A look is bounded, so that
 * thousands of streams never hold up the requests between them.
 *
 * The first comparison needs something to compare with. It is made when every catalog that was
 * being fetched at the beginning has come or failed; a change that is announced before that is told
 * on, since nobody knows which list the client has. */
#include "listener.h"
#include "../base/clock.h"
#include "facet.h"
#include "feed.h"
#include "following.h"
#include "upstream_state.h"
#include "watch.h"
#include "watching.h"
#include <stdlib.h>

enum { BATCH = 64, WORD_ROOM = 512 };
static const int64_t LOOK_MS = 250, CHECK_MS = 500, SPACE_MS = 500, QUIET_MS = 20000,
                     ASKING_MS = 10000;

struct listeners {
    mcp_worker *w;
    listener *all, *at; /* at: the next one to be looked at; NULL: from the beginning */
    loop_timer look;
};

const str listener_notices[LISTS] = {
    S("notifications/tools/list_changed"),
    S("notifications/prompts/list_changed"),
    S("notifications/resources/list_changed"),
};

unsigned listener_list_of(catalog_kind k)
{
    static const unsigned lists[CATALOG_KINDS] = {[CATALOG_TOOLS] = LIST_TOOLS,
                                                  [CATALOG_PROMPTS] = LIST_PROMPTS,
                                                  [CATALOG_RESOURCES] = LIST_RESOURCES,
                                                  [CATALOG_TEMPLATES] = LIST_RESOURCES};
    return lists[k];
}

struct listeners *listeners_new(mcp_worker *w)
{
    struct listeners *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->w = w;
    return t;
}

void listeners_free(struct listeners *t)
{
    if (!t) return;
    loop_timer_stop(t->w->loop, &t->look);
    while (t->all) listener_close(t->all);
    free(t);
}

/* Servers */

void listeners_each(struct listeners *t, void (*fn)(listener *l, void *ctx), void *ctx)
{
    for (listener *l = t->all; l; l = l->next) fn(l, ctx);
}

static void leave(upstream *u)
{
    feed_leave(u);
    upstream_release(u);
}

static void leave_servers(listener *l)
{
    for (size_t i = 0; l->servers && l->servers[i]; i++) {
        leave(l->servers[i]);
        if (l->sides[i]) leave(l->sides[i]);
    }
    free(l->servers);
    free(l->sides);
    l->servers = l->sides = NULL;
}

static void join_servers(listener *l)
{
    size_t n = 0;
    while (l->at->servers[n]) n++;
    l->servers = calloc(n + 1, sizeof(upstream *));
    l->sides = calloc(n + 1, sizeof(upstream *));
    if (!l->servers || !l->sides) abort();
    for (size_t i = 0; i < n; i++) {
        l->servers[i] = upstream_hold(l->at->servers[i]);
        l->sides[i] = facet_of_caller(l->v, l->servers[i]);
        feed_want(l->servers[i]);
        if (l->sides[i]) feed_want(l->sides[i]);
    }
}

static bool serves(const listener *l, const upstream *u)
{
    for (size_t i = 0; l->servers[i]; i++)
        if (l->servers[i] == u || l->sides[i] == u) return true;
    return false;
}

/* One look */

static void wake(listener *l)
{
    corridor_wake(l->v, FLOW_WOKEN);
}

/* An issuer is asked about its token as often as its word is good. While it is being asked the
 * stream goes on, for a while. */
static bool is_asked_about(listener *l, const identity_detail *detail, int64_t now_ms)
{
    const identity_services *services = &l->v->w->services;
    if (!detail->token.p || !services->want_keys) return false;
    if (!l->asked_ms) {
        l->asked_ms = now_ms;
        services->want_keys(services->ctx, detail, l->v->run.self);
    }
    return now_ms - l->asked_ms < ASKING_MS;
}

static bool is_still_known(listener *l, int64_t now_ms)
{
    const visit *v = l->v;
    if (v->q.has_session && now_ms >= v->q.session.expires_ms) return false;
    const caller *who = NULL;
    identity_detail detail = {0};
    identity_result r =
        identify(v->w->tokens, v->w->config->who, v->credential, now_ms, true, &who, &detail);
    if (r == IDENTITY_WANTS_KEYS) return is_asked_about(l, &detail, now_ms);
    bool same = r == IDENTITY_OK && who && str_eq(who->id, v->who->id);
    l->asked_ms = 0;
    if (who) caller_drop(who);
    return same;
}

static bool catalogs_are_coming(const listener *l)
{
    bool coming = false;
    for (size_t i = 0; l->servers[i]; i++)
        for (catalog_kind k = 0; k < CATALOG_KINDS; k++) {
            if (!(l->wants & listener_list_of(k))) continue;
            catalog_view view = facet_look(l->v->w, l->sides[i], l->servers[i], k, false);
            coming = coming || (view.pending && !view.now); /* an old one is a base, too */
            if (view.now) catalog_drop(view.now);
        }
    return coming;
}

bool listener_is_fixed(const listener *l, unsigned list)
{
    return l->at->search && list == LIST_TOOLS;
}

/* Nobody can say what the client has: whatever was announced meanwhile is told. */
static void base(listener *l)
{
    if (catalogs_are_coming(l)) return;
    for (unsigned i = 0; i < LISTS; i++)
        if (l->wants & 1u << i) l->seen[i] = listen_view(l, 1u << i);
    l->based = true;
    if (listener_is_fixed(l, LIST_TOOLS)) l->dirty &= ~(unsigned)LIST_TOOLS;
    l->owed |= l->dirty & l->wants;
    l->dirty = 0;
}

/* A list that was told of a moment ago waits for its turn. */
static void compare(listener *l, int64_t mono_ms)
{
    l->dirty &= l->wants;
    for (unsigned i = 0; i < LISTS; i++) {
        if (!(l->dirty & 1u << i) || mono_ms < l->look_ms[i]) continue;
        l->dirty &= ~(1u << i);
        uint64_t now = listen_view(l, 1u << i);
        if (now == l->seen[i]) continue;
        l->seen[i] = now;
        l->owed |= 1u << i;
        l->look_ms[i] = mono_ms + SPACE_MS;
    }
}

static void look_at(listener *l, int64_t mono_ms)
{
    visit *v = l->v;
    v->now_ms = clock_wall_ms();
    if (mono_ms >= l->check_ms) {
        l->check_ms = mono_ms + CHECK_MS;
        if (!is_still_known(l, v->now_ms)) l->over = true;
    }
    if (!l->over && !l->based) base(l);
    if (!l->over && l->based && l->dirty) compare(l, mono_ms);
    following_tend(l);
    if (mono_ms - l->said_ms > QUIET_MS) l->quiet = true;
    if (l->over || l->owed || l->quiet) wake(l);
}

static void look(void *t_)
{
    struct listeners *t = t_;
    int64_t now = loop_now_ms(t->w->loop);
    listener *l = t->at ? t->at : t->all;
    for (int i = 0; l && i < BATCH; i++) {
        listener *next = l->next;
        look_at(l, now);
        l = next;
    }
    t->at = l;
    if (t->all) loop_timer_start(t->w->loop, &t->look, l ? 0 : LOOK_MS, look, t);
}

/* What was announced is looked at in the next turn, if it may be. */
static void look_soon(struct listeners *t)
{
    if (t->all) loop_timer_start(t->w->loop, &t->look, 0, look, t);
}

/* Opening and closing */

void listener_open(listener *l)
{
    visit *v = l->v;
    struct listeners *t = v->w->listeners;
    l->bond = arena_dup(v->a, corridor_endpoint_text(v));
    l->at = mcp_endpoint_find(v->w->config, exchange_host(v->x), exchange_path(v->x));
    l->opened_ms = l->said_ms = loop_now_ms(v->w->loop);
    l->check_ms = l->opened_ms + CHECK_MS;
    if (v->rq.let_go) {
        record_text(v->rec, FACT_ENDPOINT, arena_dup(v->a, v->rec->v[FACT_ENDPOINT].text));
        v->q.server_name = arena_dup(v->a, v->q.server_name);
        v->rq.let_go(v->rq.hold);
    }
    v->rq.config = NULL;
    v->rq.endpoint = NULL;
    if (!l->at) { /* between its beginning and now */
        l->over = true;
        wake(l);
        return;
    }
    join_servers(l);
    l->next = t->all;
    if (l->next) l->next->prev = l;
    t->all = l;
    l->listed = true;
    look_soon(t);
}

void listener_close(listener *l)
{
    if (!l->listed) return;
    struct listeners *t = l->v->w->listeners;
    l->listed = false;
    if (t->at == l) t->at = l->next;
    if (l->prev)
        l->prev->next = l->next;
    else
        t->all = l->next;
    if (l->next) l->next->prev = l->prev;
    watching_end(l);
    following_end(l);
    leave_servers(l);
}

static bool stands(const listener *l, upstream *u)
{
    if (feed_now(u) != FEED_STANDS) return feed_now(u) == FEED_NONE;
    for (const watching *k = l->watches; k; k = k->next)
        if ((k->u == u || k->side == u) && !watch_stands(u, WATCH_RESOURCE, k->own)) return false;
    return true;
}

bool listener_stands(const listener *l)
{
    for (size_t i = 0; l->listed && l->servers[i]; i++)
        if (!stands(l, l->servers[i]) || (l->sides[i] && !stands(l, l->sides[i]))) return false;
    return true;
}

void listener_breathe(listener *l, sink *out, bool *full)
{
    if (!l->quiet || *full) return;
    l->quiet = false;
    l->said_ms = loop_now_ms(l->v->w->loop);
    *full = !sink_write(out, S(":\r\n"));
}

/* Changes */

void listeners_end(struct listeners *t, const session *s)
{
    for (listener *l = t->all; l; l = l->next) {
        const visit *v = l->v;
        if (!v->q.has_session || memcmp(v->q.session.sid, s->sid, SESSION_SID) != 0) continue;
        l->over = true;
        wake(l);
    }
}

void listeners_take(struct listeners *t)
{
    for (listener *l = t->all; l; l = l->next) {
        visit *v = l->v;
        v->rq.endpoint = l->at =
            mcp_endpoint_find(v->w->config, exchange_host(v->x), exchange_path(v->x));
        if (!l->at || !str_eq(corridor_endpoint_text(v), l->bond)) {
            l->over = true;
        } else {
            listener old = {.servers = l->servers, .sides = l->sides};
            join_servers(l);
            watching_again(l);
            following_again(l);
            leave_servers(&old);
        }
        v->rq.endpoint = NULL;
        l->dirty |= l->based ? l->wants : 0;
        l->check_ms = 0;
    }
    look_soon(t);
}

typedef struct {
    letter mail; /* first: a letter is found by its address */
    arena *a;    /* it lives there */
    mcp_worker *to;
    listener_fn *hears;
    listener_news news; /* its server held */
} word;

static void word_drop(letter *self)
{
    word *m = (word *)self;
    upstream_release(m->news.from);
    arena_free(m->a);
}

static void word_deliver(letter *self, loop *at)
{
    word *m = (word *)self;
    struct listeners *t = m->to->listeners;
    (void)at;
    for (listener *l = t->all; l; l = l->next) m->hears(l, &m->news);
    look_soon(t);
    word_drop(self);
}

void listeners_hear(const listener_news *news, listener_fn *hears)
{
    const mcp_shared *s = news->from->shared;
    for (unsigned i = 0; i < s->workers; i++) {
        if (!s->worker[i]) continue;
        arena *a = arena_new_of(WORD_ROOM);
        word *m = NEW(a, word);
        *m = (word){.mail = {.deliver = word_deliver, .drop = word_drop},
                    .a = a,
                    .to = s->worker[i],
                    .hears = hears,
                    .news = *news};
        (void)upstream_hold(news->from);
        m->news.about = arena_dup(a, news->about);
        loop_post(m->to->loop, &m->mail);
    }
}

static void hear_lists(listener *l, const listener_news *news)
{
    if (serves(l, news->from) && l->based != news->hint) l->dirty |= news->lists;
}

static void tell_all(upstream *u, unsigned lists, bool hint)
{
    const listener_news news = {.from = u, .lists = lists, .hint = hint};
    if (feed_is_wanted(u)) listeners_hear(&news, hear_lists);
}

void listener_tell(upstream *u, unsigned lists)
{
    tell_all(u, lists, false);
}

void listener_hint(upstream *u, unsigned lists)
{
    tell_all(u, lists, true);
}
