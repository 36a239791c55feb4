/* SPDX-License-Identifier: Apache-2.0 */
/* standing.c - a list of backends under one lock, and under a lock of its own each backend's rooms.
 *
 * A model gets its place when the provider has answered for it, so that names which callers make
 * up take none. Places are never given up: a hold may go back to one at any time. */
#include "standing.h"
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct {
    str name;
    breaker breaker;
    room_state room;
} place;

struct standing {
    standings *all;
    standing *next;
    char *key; /* name, line end, url; then the names of models are copied one by one */
    size_t key_n;
    unsigned refs; /* under all->lock */
    pthread_mutex_t lock;
    place whole;
    place *models[STANDING_MODELS];
    size_t count;
};

struct standings {
    pthread_mutex_t lock;
    standing *first;
};

standings *standings_new(void)
{
    standings *all = calloc(1, sizeof *all);
    if (!all) abort();
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void standings_free(standings *all)
{
    if (!all) return;
    assert(!all->first);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

static char *copied(str a, str b)
{
    char *p = malloc(a.n + b.n + 1);
    if (!p) abort();
    for (size_t i = 0; i < a.n; i++) p[i] = a.p[i];
    for (size_t i = 0; i < b.n; i++) p[a.n + i] = b.p[i];
    return p;
}

static bool is_of(const standing *s, str name, str url)
{
    const str key = {s->key, s->key_n};
    return key.n == name.n + url.n && str_starts(key, name) && str_ends(key, url);
}

standing *standing_of(standings *all, str name, str url)
{
    pthread_mutex_lock(&all->lock);
    standing *s = all->first;
    while (s && !is_of(s, name, url)) s = s->next;
    if (!s) {
        s = calloc(1, sizeof *s);
        if (!s) abort();
        s->all = all;
        s->key = copied(name, url);
        s->key_n = name.n + url.n;
        pthread_mutex_init(&s->lock, NULL);
        s->next = all->first;
        all->first = s;
    }
    s->refs++;
    pthread_mutex_unlock(&all->lock);
    return s;
}

static void free_standing(standing *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free((char *)(uintptr_t)s->models[i]->name.p); /* NOLINT(performance-no-int-to-ptr) */
        free(s->models[i]);
    }
    pthread_mutex_destroy(&s->lock);
    free(s->key);
    free(s);
}

void standing_drop(void *dropped)
{
    standing *s = dropped;
    standings *all = s->all;
    pthread_mutex_lock(&all->lock);
    bool last = --s->refs == 0;
    standing **at = &all->first;
    while (last && *at != s) at = &(*at)->next;
    if (last) *at = s->next;
    pthread_mutex_unlock(&all->lock);
    if (last) free_standing(s);
}

static place *place_of(standing *s, str model)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->models[i]->name, model)) return s->models[i];
    return NULL;
}

static place *place_made(standing *s, str model)
{
    place *p = place_of(s, model);
    if (p || s->count == STANDING_MODELS || !model.n) return p;
    p = calloc(1, sizeof *p);
    if (!p) abort();
    p->name = (str){copied(model, (str){0}), model.n};
    s->models[s->count++] = p;
    return p;
}

static const llm_limit *limits_of(const standing_terms *t, str model)
{
    for (const llm_model_limits *m = t->models; m && m->model.p; m++)
        if (str_eq(m->model, model)) return m->of;
    return NULL;
}

static const llm_limit no_limits[UNITS];

typedef struct {
    place *one; /* NULL: the model has none yet */
    const llm_limit *limits;
    int64_t want[UNITS];
} scope;

/* What stands in a list of limits has a place from the beginning. */
static scope scope_of(standing *s, const standing_terms *t, str model, int64_t tokens)
{
    const llm_limit *limits = limits_of(t, model);
    return (scope){.one = limits ? place_made(s, model) : place_of(s, model),
                   .limits = limits ? limits : no_limits,
                   .want = {1, tokens}};
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t full_until(const standing *s, const standing_terms *t, const scope *c,
                          const standing_ask *k)
{
    int64_t (*full)(const room_state *, const llm_limit *, const int64_t *, int64_t) =
        k->alone ? room_own_full_until : room_full_until;
    int64_t until = full(&s->whole.room, t->of, c->want, k->now_ms);
    return c->one ? later(until, full(&c->one->room, c->limits, c->want, k->now_ms)) : until;
}

static int64_t out_until(const place *p, int64_t now_ms)
{
    if (!p || breaker_lets_in(&p->breaker, now_ms)) return 0;
    return later(atomic_load(&p->breaker.open_until_ms), now_ms + 1); /* or while one is tried */
}

standing_view standing_look(standing *s, const standing_terms *t, const standing_ask *k)
{
    standing_view v = {0};
    pthread_mutex_lock(&s->lock);
    const scope c = scope_of(s, t, k->model, k->tokens);
    int64_t full = full_until(s, t, &c, k);
    int64_t out = later(out_until(&s->whole, k->now_ms), out_until(c.one, k->now_ms));
    if (full)
        v = (standing_view){STANDING_FULL, full};
    else if (out)
        v = (standing_view){STANDING_OUT, out};
    pthread_mutex_unlock(&s->lock);
    return v;
}

bool standing_begin(standing *s, const standing_terms *t, const standing_ask *k, standing_hold *h,
                    int64_t *full_ms)
{
    pthread_mutex_lock(&s->lock);
    const scope c = scope_of(s, t, k->model, k->tokens);
    *full_ms = full_until(s, t, &c, k);
    if (!*full_ms) {
        *h = (standing_hold){.of = s, .terms = t, .model = k->model, .tokens = k->tokens};
        h->whole = room_take(&s->whole.room, t->of, c.want, k->now_ms);
        h->passed = breaker_begin(&s->whole.breaker, k->now_ms);
        h->has_model = c.one != NULL;
        if (c.one) h->one = room_take(&c.one->room, c.limits, c.want, k->now_ms);
        if (c.one) h->passed_model = breaker_begin(&c.one->breaker, k->now_ms);
    }
    pthread_mutex_unlock(&s->lock);
    return !*full_ms;
}

static bool is_refusal(int status, const notice *n)
{
    return status == 429 || ((status == 503 || status == 529) && n->retry_ms >= 0);
}

void standing_heard(standing_hold *h, const standing_answer *a)
{
    standing *s = h->of;
    if (!s) return;
    const notice n = notice_read(a->headers, a->wall_ms);
    pthread_mutex_lock(&s->lock);
    bool known = a->status < 400 || a->status == 429 || a->status >= 500;
    place *p = known ? place_made(s, h->model) : place_of(s, h->model);
    const room_share fresh = {.sent = {[UNIT_REQUESTS] = p ? p->room.of[UNIT_REQUESTS].sent : 0,
                                       [UNIT_TOKENS] = p ? p->room.of[UNIT_TOKENS].sent : 0}};
    const room_share *share = !p ? &h->whole : h->has_model ? &h->one : &fresh;
    room_state *r = p ? &p->room : &s->whole.room;
    room_heard(r, share, &n, a->now_ms);
    if (is_refusal(a->status, &n))
        room_refused(r, &n, a->now_ms);
    else
        room_let_in(r);
    pthread_mutex_unlock(&s->lock);
}

static void settle(standing *s, const standing_hold *h, const standing_outcome *o)
{
    place *p = place_of(s, h->model);
    bool none = o->how == STANDING_UNASKED;
    int64_t tokens = o->tokens >= 0 ? o->tokens : h->tokens;
    const int64_t used[UNITS] = {none ? 0 : 1, none ? 0 : tokens};
    room_settle(&s->whole.room, &h->whole, used);
    if (h->has_model && p) room_settle(&p->room, &h->one, used);
}

static bool judge(breaker *b, breaker_state passed, const standing_hold *h,
                  const standing_outcome *o)
{
    bool opened = false;
    if (o->how == STANDING_WORKED && !h->judged) breaker_worked(b, &h->terms->breaker, o->now_ms);
    if (o->how == STANDING_FAILED) opened = breaker_failed(b, &h->terms->breaker, o->now_ms);
    if (!h->judged) breaker_end(b, passed);
    return opened;
}

/* A failure is the model's when the backend could be reached, else the backend's. */
static bool judge_both(standing_hold *h, const standing_outcome *o)
{
    place *p = place_of(h->of, h->model);
    standing_outcome whole = *o, one = *o;
    if (o->how == STANDING_FAILED && p && o->reached) whole.how = STANDING_WORKED;
    if (o->how == STANDING_FAILED && !o->reached) one.how = STANDING_UNKNOWN;
    bool opened = judge(&h->of->whole.breaker, h->passed, h, &whole);
    if (p) opened |= judge(&p->breaker, h->passed_model, h, &one);
    return opened;
}

void standing_answers(standing_hold *h, int64_t now_ms)
{
    const standing_outcome o = {.how = STANDING_WORKED, .now_ms = now_ms};
    if (!h->of || h->judged) return;
    pthread_mutex_lock(&h->of->lock);
    (void)judge_both(h, &o);
    pthread_mutex_unlock(&h->of->lock);
    h->judged = true;
}

bool standing_end(standing_hold *h, const standing_outcome *o)
{
    standing *s = h->of;
    if (!s) return false;
    pthread_mutex_lock(&s->lock);
    settle(s, h, o);
    bool opened = judge_both(h, o);
    pthread_mutex_unlock(&s->lock);
    *h = (standing_hold){0};
    return opened;
}
