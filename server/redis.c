/* SPDX-License-Identifier: Apache-2.0 */
/* redis.c - asking a Redis.
 *
 * The protocol is hiredis's (resp.c). Connections are ours: hiredis of Debian 12 has no TLS, and
 * waits without a deadline for what is to be written. */
#include "redis.h"

#include "../base/clock.h"
#include "../base/form.h"
#include "config_value.h"
#include <pthread.h>
#include <stdlib.h>

enum { IDLE_MOST = 8, PORT = 6379, HASH = 40, REPLY_MOST = 64 << 20, READ = 64 * 1024 };

typedef struct {
    talk *t;
    bool used; /* has answered before: may have died since */
} line;

struct redis {
    arena *a;
    redis_place place;
    tls_client *tls;
    pthread_mutex_t lock; /* of all below */
    talk *idle[IDLE_MOST];
    size_t idle_count;
    int64_t pause_ms, not_before_ms;
    char hash[REDIS_SCRIPTS][HASH + 1]; /* "": not told yet */
};

/* Addresses */

/* As in a URL: here a plus is a plus. */
static str decoded(arena *a, str text)
{
    buf b = buf_new(a, 4096);
    for (str_pair cut = str_cut(text, '+');; cut = str_cut(cut.tail, '+')) {
        buf_put(&b, cut.head);
        if (!cut.ok) break;
        buf_put(&b, S("%2B"));
    }
    return form_decode(a, buf_str(&b));
}

static bool read_user(arena *a, str user, redis_place *out)
{
    str_pair cut = str_cut(user, ':');
    out->user = decoded(a, cut.head);
    out->password = decoded(a, cut.tail);
    return (!cut.head.n || out->user.p) && (!cut.tail.n || out->password.p);
}

static bool read_host(str host, redis_place *out)
{
    str port = {0};
    if (str_starts(host, S("["))) {
        str_pair cut = str_cut(str_drop(host, 1), ']');
        if (!cut.ok || (cut.tail.n && cut.tail.p[0] != ':')) return false;
        out->at.host = cut.head;
        port = str_drop(cut.tail, 1);
    } else {
        str_pair cut = str_cut(host, ':');
        out->at.host = cut.head;
        port = cut.tail;
        if (cut.ok && !port.n) return false;
    }
    int64_t n = PORT;
    if (port.n && !config_parse_int(port, &n)) return false;
    out->at.port = (uint16_t)n;
    return out->at.host.n && out->at.host.n < 256 && n > 0 && n < 65536;
}

const err *redis_parse(arena *a, str url, redis_place *out)
{
    *out = (redis_place){.tls = str_starts(url, S("rediss://"))};
    if (!out->tls && !str_starts(url, S("redis://")))
        return err_new(a, ERR_MALFORMED, "no redis:// address");
    str rest = str_drop(url, out->tls ? 9 : 8);
    const char *at = rest.n ? memrchr(rest.p, '@', rest.n) : NULL;
    size_t user = at ? (size_t)(at - rest.p) : 0;
    if (at && !read_user(a, str_take(rest, user), out))
        return err_new(a, ERR_MALFORMED, "user or password of the redis:// address is badly coded");
    if (at) rest = str_drop(rest, user + 1);
    str_pair cut = str_cut(rest, '/');
    if (!read_host(cut.head, out))
        return err_new(a, ERR_MALFORMED, "`" STR_FMT "` is no host:port", STR_ARG(cut.head));
    if (cut.tail.n && (!config_parse_int(cut.tail, &out->db) || out->db < 0 || out->db > 1 << 20))
        return err_new(a, ERR_MALFORMED, "`" STR_FMT "` is no number of a database",
                       STR_ARG(cut.tail));
    return NULL;
}

/* One question on one connection */

static int64_t soonest(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

static const err *hear(arena *a, talk *t, int64_t until, resp *out)
{
    resp_reader *reader = resp_reader_new(a);
    char *piece = NEW_N(a, char, READ);
    for (size_t heard = 0, n = 0; heard < REPLY_MOST; heard += n) {
        int64_t patience = soonest(until, clock_mono_ms() + REDIS_ANSWER_MS);
        const err *e = talk_hear(a, t, piece, READ, patience, &n);
        if (!e && !n) e = err_new(a, ERR_UPSTREAM, "it has closed the connection");
        if (e) return err_wrap(a, e, "redis");
        switch (resp_read(reader, (str){piece, n}, out)) {
        case RESP_MORE: continue;
        case RESP_DONE: return NULL;
        case RESP_BAD: return err_new(a, ERR_UPSTREAM, "redis: an answer that is not one answer");
        }
    }
    return err_new(a, ERR_UPSTREAM, "redis: too long an answer");
}

static const err *exchange_words(arena *a, talk *t, const str *words, size_t n, resp *out)
{
    buf b = buf_new(a, REPLY_MOST);
    resp_put(&b, words, n);
    if (!buf_ok(&b)) return err_new(a, ERR_TOO_LARGE, "redis: too long a question");
    int64_t until = clock_mono_ms() + REDIS_ALL_MS;
    const err *e = NULL;
    for (str left = buf_str(&b); left.n && !e; left = str_drop(left, READ)) {
        int64_t patience = soonest(until, clock_mono_ms() + REDIS_ANSWER_MS);
        e = talk_say(a, t, str_take(left, READ), patience);
    }
    return e ? err_wrap(a, e, "redis") : hear(a, t, until, out);
}

static const err *refusal(arena *a, const resp *said)
{
    if (said->kind != RESP_ERROR) return NULL;
    return err_new(a, ERR_UPSTREAM, "redis: " STR_FMT, STR_ARG(str_take(said->text, 200)));
}

static const err *greet(arena *a, const redis *r, talk *t)
{
    const redis_place *p = &r->place;
    resp said = {0};
    const str auth[] = {S("AUTH"), p->user, p->password};
    const str old_auth[] = {S("AUTH"), p->password};
    const str select[] = {S("SELECT"), redis_number(a, p->db)};
    const err *e = NULL;
    if (p->user.n)
        e = exchange_words(a, t, auth, 3, &said);
    else if (p->password.n)
        e = exchange_words(a, t, old_auth, 2, &said);
    if (!e) e = refusal(a, &said);
    if (e || !p->db) return e;
    e = exchange_words(a, t, select, 2, &said);
    return e ? e : refusal(a, &said);
}

/* Connections */

static const err *check_pause(arena *a, redis *r)
{
    pthread_mutex_lock(&r->lock);
    bool pauses = clock_mono_ms() < r->not_before_ms;
    pthread_mutex_unlock(&r->lock);
    return pauses ? err_new(a, ERR_UPSTREAM, "redis: away, and tried again soon") : NULL;
}

static void note_reached(redis *r, bool reached)
{
    pthread_mutex_lock(&r->lock);
    int64_t longer = r->pause_ms * 2 < REDIS_PAUSE_MOST_MS ? r->pause_ms * 2 : REDIS_PAUSE_MOST_MS;
    if (!reached) r->not_before_ms = clock_mono_ms() + r->pause_ms;
    r->pause_ms = reached ? REDIS_PAUSE_MS : longer;
    pthread_mutex_unlock(&r->lock);
}

static const err *connect_anew(arena *a, redis *r, line *l)
{
    const err *e = check_pause(a, r);
    if (e) return e;
    *l = (line){0};
    e = talk_open(a, &r->place.at, clock_mono_ms() + REDIS_CONNECT_MS, &l->t);
    if (e)
        e = err_wrap(a, e, "redis");
    else
        e = greet(a, r, l->t);
    if (e) {
        talk_close(l->t);
        l->t = NULL;
    }
    note_reached(r, !e);
    return e;
}

static line take_idle(redis *r)
{
    line l = {0};
    pthread_mutex_lock(&r->lock);
    if (r->idle_count) l = (line){.t = r->idle[--r->idle_count], .used = true};
    pthread_mutex_unlock(&r->lock);
    return l;
}

static void keep_idle(redis *r, talk *t)
{
    pthread_mutex_lock(&r->lock);
    bool room = r->idle_count < IDLE_MOST;
    if (room) r->idle[r->idle_count++] = t;
    pthread_mutex_unlock(&r->lock);
    if (!room) talk_close(t);
}

/* When one kept connection has died the others likely have. */
static void drop_idle(redis *r)
{
    for (line l; (l = take_idle(r)).t;) talk_close(l.t);
}

/* A server that is no primary any more, or not yet ready: another may be behind the name. */
static bool is_elsewhere(const resp *said)
{
    return said->kind == RESP_ERROR &&
           (str_starts(said->text, S("READONLY")) || str_starts(said->text, S("LOADING")) ||
            str_starts(said->text, S("MASTERDOWN")));
}

static const err *ask(arena *a, redis *r, const str *words, size_t n, resp *out)
{
    line l = take_idle(r);
    const err *e = l.t ? NULL : connect_anew(a, r, &l);
    if (e) return e;
    e = exchange_words(a, l.t, words, n, out);
    if (e && l.used && e->kind == ERR_UPSTREAM) {
        talk_close(l.t);
        drop_idle(r);
        e = connect_anew(a, r, &l);
        if (e) return e;
        e = exchange_words(a, l.t, words, n, out);
    }
    if (e || is_elsewhere(out))
        talk_close(l.t);
    else
        keep_idle(r, l.t);
    return e;
}

str redis_number(arena *a, int64_t n)
{
    return arena_fmt(a, "%lld", (long long)n);
}

const err *redis_ask(arena *a, redis *r, const str *words, size_t n, resp *out)
{
    const err *e = ask(a, r, words, n, out);
    return e ? e : refusal(a, out);
}

/* Scripts */

static str known_hash(arena *a, redis *r, redis_script which)
{
    pthread_mutex_lock(&r->lock);
    str hash = arena_fmt(a, "%s", r->hash[which]);
    pthread_mutex_unlock(&r->lock);
    return hash;
}

static const err *teach(arena *a, redis *r, redis_script which, str *hash)
{
    resp said = {0};
    const char *lua = redis_lua[which];
    const str words[] = {S("SCRIPT"), S("LOAD"), {lua, strlen(lua)}};
    const err *e = redis_ask(a, r, words, 3, &said);
    if (e) return e;
    if (said.kind != RESP_TEXT || said.text.n != HASH)
        return err_new(a, ERR_UPSTREAM, "redis: no hash of a script");
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < HASH; i++) r->hash[which][i] = said.text.p[i];
    pthread_mutex_unlock(&r->lock);
    *hash = said.text;
    return NULL;
}

/* A server that has forgotten it (restarted) is told again, once. */
const err *redis_run(arena *a, redis *r, redis_script which, const str *words, size_t n, resp *out)
{
    str *all = NEW_N(a, str, n + 4), hash = known_hash(a, r, which);
    all[0] = S("EVALSHA"), all[2] = S("1"), all[3] = S(REDIS_TAG);
    for (size_t i = 0; i < n; i++) all[4 + i] = words[i];
    for (unsigned round = 0;; round++) {
        const err *e = hash.n && !round ? NULL : teach(a, r, which, &hash);
        all[1] = hash;
        if (!e) e = ask(a, r, all, n + 4, out);
        if (e) return e;
        bool unknown = out->kind == RESP_ERROR && str_starts(out->text, S("NOSCRIPT"));
        if (!unknown || round) return refusal(a, out);
    }
}

/* Doubts */

static bool info_says(str info, str what)
{
    return info.n && memmem(info.p, info.n, what.p, what.n) != NULL;
}

const err *redis_doubts(arena *a, redis *r, str *out)
{
    const str disk[] = {S("INFO"), S("persistence")}, memory[] = {S("INFO"), S("memory")};
    resp said = {0};
    *out = (str){0};
    const err *e = redis_ask(a, r, disk, 2, &said);
    if (e) return e;
    if (!info_says(said.text, S("aof_enabled:1")))
        *out = S("redis keeps no append-only file: what was spent may be lost with it");
    e = redis_ask(a, r, memory, 2, &said);
    if (!e && !out->p && !info_says(said.text, S("maxmemory_policy:noeviction")))
        *out = S("redis may evict: what was spent may be lost when its memory is full");
    return e;
}

/* Making */

const err *redis_new(arena *a, str url, redis **out)
{
    arena *own = arena_new_of(1024);
    redis *r = NEW(own, redis);
    r->a = own;
    r->pause_ms = REDIS_PAUSE_MS;
    pthread_mutex_init(&r->lock, NULL);
    const err *e = redis_parse(a, arena_dup(own, url), &r->place);
    if (!e && r->place.tls) e = tls_client_new(a, (str){0}, &r->tls);
    if (e) {
        redis_free(r);
        return e;
    }
    r->place.user = arena_dup(own, r->place.user);
    r->place.password = arena_dup(own, r->place.password);
    r->place.at.tls = r->tls;
    *out = r;
    return NULL;
}

void redis_free(redis *r)
{
    if (!r) return;
    drop_idle(r);
    if (r->tls) tls_client_free(r->tls);
    pthread_mutex_destroy(&r->lock);
    arena_free(r->a);
}
