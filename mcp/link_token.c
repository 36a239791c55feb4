/* SPDX-License-Identifier: Apache-2.0 */
/* link_token.c - a box of tokens for each upstream, and the calls that fill it.
 *
 * The network is the worker's own HTTP client: it does not block, keeps the connection to the
 * endpoint, follows no redirect, and bounds what it reads. The box is behind one lock that is held
 * for a look-up only. Who waits is named by handle, so those who left cost a letter to nobody. */
#include "link_token.h"
#include "../authz/digest.h"
#include "../base/clock.h"
#include "grant.h"
#include "link_user.h"
#include "scope.h"
#include "user_token.h"
#include <stdlib.h>

enum { BOX_MOST = 10000 };
static const int64_t FETCH_MS = 10000, REFUSED_MS = 1000, ABSENT_MS = 2000;

typedef struct {
    arena *arena, *held; /* held: value and trouble, replaced with each answer */
    str key, value, trouble, scope;
    str wanted; /* what the server missed in the scope of this value; {0}: nothing */
    int64_t expires_ms, refresh_ms, trouble_until_ms, absent_until_ms;
    bool fetching, refused; /* refused: by the server, since it was fetched */
    link_waiters waiting;
} entry;

struct token_box {
    pthread_mutex_t lock;
    map *by_key;
};

struct token_fetch {
    link_table *t;
    token_fetch *prev, *next;
    arena *arena;
    upstream *u; /* held */
    str key;
    handle self;
    call *call;
    loop_timer late;
    int status;
    buf body;
};

static const char fetch_type;

/* The box; with its lock held */

token_box *token_box_new(void)
{
    token_box *b = calloc(1, sizeof *b);
    if (!b) abort();
    pthread_mutex_init(&b->lock, NULL);
    b->by_key = map_new(NULL);
    return b;
}

static void entry_free(entry *e)
{
    free(e->waiting.row);
    if (e->held) arena_free(e->held);
    arena_free(e->arena);
}

void token_box_free(token_box *b)
{
    size_t at = 0;
    str key;
    void *e;
    if (!b) return;
    while (map_each(b->by_key, &at, &key, &e)) entry_free(e);
    map_free(b->by_key);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void forget(token_box *b, entry *e)
{
    (void)map_del(b->by_key, e->key);
    entry_free(e);
}

static int64_t by_place(const void *e, void *ctx)
{
    (void)ctx;
    return ((const entry *)e)->fetching ? INT64_MAX : 0;
}

/* What has ended goes; when nothing has, whoever is there longest. */
static void make_room(token_box *b, int64_t now_ms)
{
    size_t at = 0;
    str key;
    void *each;
    while (map_each(b->by_key, &at, &key, &each)) {
        entry *e = each;
        if (!e->fetching && now_ms >= e->expires_ms) forget(b, e);
    }
    entry *eldest = map_least(b->by_key, by_place, NULL);
    if (map_count(b->by_key) >= BOX_MOST && eldest) forget(b, eldest);
}

static entry *entry_of(token_box *b, str key, int64_t now_ms)
{
    entry *e = map_get(b->by_key, key);
    if (e) return e;
    if (map_count(b->by_key) >= BOX_MOST) make_room(b, now_ms);
    arena *a = arena_new_of(512);
    e = NEW(a, entry);
    e->arena = a;
    e->key = arena_dup(a, key);
    map_put(b->by_key, e->key, e);
    return e;
}

static void keep(entry *e, str value, str scope, str trouble)
{
    arena *fresh = arena_new_of(512);
    e->value = value.n ? arena_dup(fresh, value) : (str){0};
    e->trouble = arena_dup(fresh, trouble);
    e->scope = arena_dup(fresh, scope);
    e->wanted = (str){0};
    if (e->held) arena_free(e->held);
    e->held = fresh;
}

/* Fetching */

static void fetch_free(token_fetch *f)
{
    loop_timer_stop(f->t->w->loop, &f->late);
    if (f->call) call_cancel(f->call);
    handle_drop(link_table_handles(f->t), f->self);
    if (f->prev)
        f->prev->next = f->next;
    else
        f->t->fetches = f->next;
    if (f->next) f->next->prev = f->prev;
    buf_free(&f->body);
    upstream_release(f->u);
    arena_free(f->arena);
}

void link_token_free(link_table *t)
{
    while (t->fetches) fetch_free(t->fetches);
}

/* A token that may still be used stays when the next one could not be had. */
static void note(entry *e, str value, const grant_token *got, const err *why, int64_t now_ms)
{
    e->fetching = e->refused = false;
    if (why) {
        e->refresh_ms = e->trouble_until_ms = now_ms + REFUSED_MS;
        keep(e, e->value, e->scope, why->text);
        return;
    }
    e->absent_until_ms = value.n ? 0 : now_ms + ABSENT_MS;
    int64_t lives_ms = got->lives_s * 1000, early = lives_ms / 5;
    keep(e, value, got->scope, S(""));
    e->expires_ms = now_ms + lives_ms - (early < 5000 ? early : 5000);
    e->refresh_ms = now_ms + lives_ms - (early < 60000 ? early : 60000);
}

void link_token_settle(upstream *u, str key, const grant_token *got, const err *why)
{
    token_box *b = u->tokens;
    link_waiters waiting = {0};
    arena *a = arena_new_of(512);
    str value = {0};
    if (!why && got->token.n) value = arena_fmt(a, "Bearer " STR_FMT, STR_ARG(got->token));
    pthread_mutex_lock(&b->lock);
    entry *e = map_get(b->by_key, key);
    if (e) {
        waiting = e->waiting;
        e->waiting = (link_waiters){0};
        note(e, value, got, why, clock_mono_ms());
    }
    pthread_mutex_unlock(&b->lock);
    if (why)
        log_say(u->shared->log, LOG_WARN_LEVEL, "no token for a server",
                (log_fact[]){{"server", u->spec.name}, {"error", why->text}, {0}});
    link_waiters_wake(&waiting, u->shared, why);
    arena_free(a);
}

static void over(token_fetch *f, const grant_token *got, const err *why)
{
    link_token_settle(f->u, f->key, got, why);
    fetch_free(f);
}

static void fail(token_fetch *f, err_kind kind, str text)
{
    over(f, &(grant_token){0}, err_new(f->arena, kind, STR_FMT, STR_ARG(text)));
}

static void on_head(void *f_, const call_head *h)
{
    token_fetch *f = f_;
    f->status = h->status;
    if (h->length > GRANT_ANSWER_MOST)
        fail(f, ERR_UPSTREAM, S("the token endpoint sent too large an answer"));
}

static void on_data(void *f_, str bytes)
{
    token_fetch *f = f_;
    if (!buf_put(&f->body, bytes))
        fail(f, ERR_UPSTREAM, S("the token endpoint sent too large an answer"));
}

static void on_end(void *f_, const err *why)
{
    token_fetch *f = f_;
    grant_token got = {0};
    f->call = NULL;
    if (!why) why = grant_read(f->arena, f->status, buf_str(&f->body), &got);
    over(f, &got, why);
}

static void out_of_time(void *f)
{
    fail(f, ERR_TIMEOUT, S("the token endpoint did not answer in time"));
}

static void fetch_token(link_call *c, str key, str subject)
{
    static const call_events events = {on_head, on_data, on_end};
    link_table *t = c->t;
    arena *a = arena_new();
    token_fetch *f = NEW(a, token_fetch);
    const grant *g = &c->u->spec.grant;
    f->t = t;
    f->arena = a;
    f->u = upstream_hold(c->u);
    f->key = arena_dup(a, key);
    f->body = buf_new(NULL, GRANT_ANSWER_MOST);
    f->self = handle_add(link_table_handles(t), &fetch_type, f);
    f->next = t->fetches;
    if (f->next) f->next->prev = f;
    t->fetches = f;
    loop_timer_start(t->w->loop, &f->late, FETCH_MS, out_of_time, f);
    const call_request rq = {.to = c->u->token_origin,
                             .method = S("POST"),
                             .target = c->u->token_target,
                             .headers = grant_headers(a, g),
                             .body = {grant_body(a, g, subject)},
                             .connect_ms = c->u->spec.connect_ms};
    f->call = call_start(t->w->client, &rq, &fetch_type, f->self, &events);
}

/* From the endpoint that is configured, or the one that is found. */
static void begin(link_call *c, str key, str subject, bool anew)
{
    static const err busy = {ERR_UPSTREAM, S("no token can be looked for now")};
    bool begun = true;
    if (c->u->spec.grant.kind == GRANT_USER)
        begun = user_token_start(c->u, key, anew);
    else if (c->u->token_origin)
        fetch_token(c, key, subject);
    else
        begun = token_errand_start(c->u, key, subject);
    if (!begun) link_token_settle(c->u, key, &(grant_token){0}, &busy);
}

/* For calls */

static str key_of(arena *a, str subject)
{
    uint8_t sum[DIGEST_BYTES];
    if (!subject.n) return S("own");
    digest_sha256(subject, sum);
    return digest_hex(a, sum, sizeof sum);
}

/* First a letter, since nothing may end from inside. */
static void end_by_letter(link_call *c, void (*how)(link_call *c))
{
    if (!c->user_asked) {
        c->user_asked = true;
        link_call_wake(c->t->w->shared, c->self, NULL);
    } else
        how(c);
}

static bool take_token(link_call *c, str key, str subject)
{
    token_box *b = c->u->tokens;
    int64_t now = loop_now_ms(c->t->w->loop);
    pthread_mutex_lock(&b->lock);
    entry *e = entry_of(b, key, now);
    bool usable = e->value.p && now < e->expires_ms;
    bool refused = !usable && now < e->trouble_until_ms;
    bool absent = !usable && !refused && now < e->absent_until_ms;
    bool fetch = !refused && !absent && !e->fetching && (!usable || now >= e->refresh_ms);
    err why = {ERR_UPSTREAM, {0}};
    if (usable) c->authorization = arena_dup(c->arena, e->value);
    if (refused) why.text = arena_dup(c->arena, e->trouble);
    if (!usable && !refused && !absent) link_waiters_add(&e->waiting, c->self);
    if (fetch) e->fetching = true;
    bool anew = e->refused;
    pthread_mutex_unlock(&b->lock);
    if (refused) link_call_wake(c->t->w->shared, c->self, &why);
    if (fetch) begin(c, key, subject, anew);
    if (absent) end_by_letter(c, link_user_absent);
    return usable;
}

/* A call for our own tool ends here, by letter like one without an account. */
static bool take_users_token(link_call *c)
{
    static const err nobody = {ERR_UPSTREAM, S("what has no caller has no account")};
    bool ours = str_eq(c->rq.name, LINK_USER_TOOL) && str_eq(c->rq.method, S("tools/call"));
    if (!c->rq.caller_token.n) {
        link_call_wake(c->t->w->shared, c->self, &nobody);
        return false;
    }
    str key = user_token_key(c->arena, c->rq.caller_token);
    if (!take_token(c, key, c->rq.caller_token)) return false;
    if (!ours) return true;
    bool more = link_token_missing(c).n > 0;
    end_by_letter(c, more ? link_user_absent : link_user_connected);
    return false;
}

/* What the gateway asks in its own name (a list, a probe) it asks with its own grant. */
bool link_token_go(link_call *c)
{
    static const err nothing = {ERR_UPSTREAM, S("the caller has no token to exchange")};
    const grant *g = &c->u->spec.grant;
    str subject = c->rq.caller_token;
    c->authorization = (str){0};
    switch (g->kind) {
    case GRANT_NONE: return true;
    case GRANT_PASSTHROUGH:
        if (subject.n) c->authorization = arena_fmt(c->arena, "Bearer " STR_FMT, STR_ARG(subject));
        return true;
    case GRANT_CLIENT: subject = (str){0}; break;
    case GRANT_USER: return take_users_token(c);
    case GRANT_EXCHANGE:
        if (subject.n || c->in_own_name) break;
        link_call_wake(c->t->w->shared, c->self, &nothing);
        return false;
    }
    return take_token(c, key_of(c->arena, subject), subject);
}

bool link_token_refused(link_call *c)
{
    const grant *g = &c->u->spec.grant;
    bool mine = g->kind == GRANT_EXCHANGE || g->kind == GRANT_USER;
    if ((g->kind != GRANT_CLIENT && !mine) || c->token_renewed) return false;
    token_box *b = c->u->tokens;
    str key = key_of(c->arena, mine ? c->rq.caller_token : (str){0});
    pthread_mutex_lock(&b->lock);
    entry *e = map_get(b->by_key, key);
    if (e && e->value.p && str_eq(e->value, c->authorization)) {
        e->expires_ms = 0;
        e->refused = true;
    }
    pthread_mutex_unlock(&b->lock);
    c->token_renewed = true;
    return true;
}

void link_token_spoilt(upstream *u, str authorization)
{
    size_t at = 0;
    str key;
    void *each;
    pthread_mutex_lock(&u->tokens->lock);
    while (map_each(u->tokens->by_key, &at, &key, &each)) {
        entry *e = each;
        if (!e->value.p || !str_eq(e->value, authorization)) continue;
        e->expires_ms = 0;
        e->refused = true;
    }
    pthread_mutex_unlock(&u->tokens->lock);
}

/* The entry of this call's caller; with the lock held. NULL: he has none. */
static entry *users_entry(link_call *c)
{
    bool user = c->u->spec.grant.kind == GRANT_USER && c->rq.caller_token.n;
    if (!user) return NULL;
    return map_get(c->u->tokens->by_key, user_token_key(c->arena, c->rq.caller_token));
}

bool link_token_lacks(link_call *c, str scope)
{
    token_box *b = c->u->tokens;
    str plain = scope_union(c->arena, scope, (str){0});
    pthread_mutex_lock(&b->lock);
    entry *e = users_entry(c);
    bool lacks = e && e->value.p && !scope_covers(e->scope, plain);
    str wanted = lacks ? scope_union(c->arena, e->wanted, plain) : (str){0};
    if (lacks && !str_eq(wanted, e->wanted)) e->wanted = arena_dup(e->held, wanted);
    pthread_mutex_unlock(&b->lock);
    return lacks;
}

str link_token_missing(link_call *c)
{
    token_box *b = c->u->tokens;
    pthread_mutex_lock(&b->lock);
    const entry *e = users_entry(c);
    str wanted = e && e->wanted.n ? arena_dup(c->arena, e->wanted) : (str){0};
    pthread_mutex_unlock(&b->lock);
    return wanted;
}
