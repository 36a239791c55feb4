/* SPDX-License-Identifier: Apache-2.0 */
/* tape.c - a short memory for streams that may break.
 *
 * Tapes are the one thing of a session's streams that several workers look at: the client that
 * comes back lands on any of them. Passing each event by letter would need credit and
 * acknowledgements in both directions; a lock held for the copy of one event needs neither, and
 * is taken by nobody else but the one writer and the one reader of that stream.
 * The owner looks after its tapes a few times a second: whose client left, who has been away for
 * too long, what was read to its end. */
#include "tape.h"
#include "../authz/digest.h"
#include "../base/map.h"
#include "../base/tally.h"
#include "../transport/exchange.h"
#include "../transport/sse.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { NONCE = 16, SHARDS = 16, TAPES_MOST = 4096, TAPE_ROOM = 512 };
static const int64_t LOOK_MS = 200;

typedef struct event {
    struct event *next;
    uint64_t number;
    buf text; /* heap */
} event;

struct tape {
    atomic_uint refs;
    arena *a;                 /* it lives there, with its place in its caller's share */
    mcp_worker *w;            /* its owner */
    struct tape *prev, *next; /* of the owner's; only the owner looks */
    const exchange *x;        /* the owner's: of the writer, while it is not over */
    bool listed;
    uint8_t nonce[NONCE], sid[SESSION_SID];
    handle writer;
    pthread_mutex_t lock; /* of the rest */
    event *first, *last;
    size_t count, bytes;
    uint64_t written, fallen; /* numbers: of the last event, of the last that fell off */
    uint64_t read;
    bool ended, abandoned;
    handle reader;   /* 0: nobody reads */
    int64_t away_ms; /* since when */
};

struct tapes {
    mcp_worker *w;
    tape *all;
    size_t count;
    loop_timer look;
};

typedef struct {
    pthread_mutex_t lock;
    map *by_nonce;
} shard;

struct tape_names {
    tally *held;
    shard shards[SHARDS];
};

/* Names */

struct tape_names *tape_names_new(void)
{
    struct tape_names *n = calloc(1, sizeof *n);
    if (!n) abort();
    n->held = tally_new();
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&n->shards[i].lock, NULL);
        n->shards[i].by_nonce = map_new(NULL);
    }
    return n;
}

void tape_names_free(struct tape_names *n)
{
    if (!n) return;
    for (size_t i = 0; i < SHARDS; i++) {
        map_free(n->shards[i].by_nonce);
        (void)pthread_mutex_destroy(&n->shards[i].lock);
    }
    tally_free(n->held);
    free(n);
}

static shard *shard_of(mcp_shared *s, const uint8_t *nonce)
{
    return &s->tapes->shards[nonce[0] % SHARDS];
}

static str name_of(const uint8_t *nonce)
{
    return (str){(const char *)nonce, NONCE};
}

static void publish(tape *t)
{
    shard *sh = shard_of(t->w->shared, t->nonce);
    (void)pthread_mutex_lock(&sh->lock);
    map_put(sh->by_nonce, name_of(t->nonce), t);
    (void)pthread_mutex_unlock(&sh->lock);
}

static void unpublish(tape *t)
{
    shard *sh = shard_of(t->w->shared, t->nonce);
    (void)pthread_mutex_lock(&sh->lock);
    (void)map_del(sh->by_nonce, name_of(t->nonce));
    (void)pthread_mutex_unlock(&sh->lock);
}

/* "<nonce in hex>.<number>" */
static bool read_id(str id, uint8_t nonce[NONCE], uint64_t *number)
{
    str_pair cut = str_cut(id, '.');
    *number = 0;
    if (!cut.ok || cut.head.n != (size_t)NONCE * 2 || !cut.tail.n || cut.tail.n > 18) return false;
    for (size_t i = 0; i < cut.head.n; i++) {
        char c = cut.head.p[i];
        bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f';
        if (!digit && !lower) return false;
        unsigned v = (unsigned)(digit ? c - '0' : c - 'a' + 10);
        nonce[i / 2] = (uint8_t)(i % 2 ? nonce[i / 2] | v : v << 4);
    }
    for (size_t i = 0; i < cut.tail.n; i++) {
        char c = cut.tail.p[i];
        if (c < '0' || c > '9') return false;
        *number = *number * 10 + (uint64_t)(c - '0');
    }
    return true;
}

tape *tape_find(mcp_shared *s, const session *of, str id, uint64_t *after)
{
    uint8_t nonce[NONCE] = {0};
    if (!read_id(id, nonce, after)) return NULL;
    shard *sh = shard_of(s, nonce);
    (void)pthread_mutex_lock(&sh->lock);
    tape *t = map_get(sh->by_nonce, name_of(nonce));
    if (t && memcmp(t->sid, of->sid, SESSION_SID) != 0) t = NULL;
    if (t) tape_hold(t);
    (void)pthread_mutex_unlock(&sh->lock);
    return t;
}

/* Life */

tape *tape_hold(tape *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

static void pop(tape *t)
{
    event *e = t->first;
    t->first = e->next;
    if (!t->first) t->last = NULL;
    t->fallen = e->number;
    t->count--;
    t->bytes -= e->text.n;
    buf_free(&e->text);
    free(e);
}

void tape_drop(tape *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) > 1) return;
    while (t->first) pop(t);
    (void)pthread_mutex_destroy(&t->lock);
    arena_free(t->a);
}

static void forget(tape *t)
{
    struct tapes *all = t->w->tapes;
    if (t->prev)
        t->prev->next = t->next;
    else
        all->all = t->next;
    if (t->next) t->next->prev = t->prev;
    all->count--;
    unpublish(t);
    tape_drop(t);
}

/* True: nobody will come back for it. */
static bool is_stale(tape *t, int64_t now_ms, bool *stop_writer)
{
    (void)pthread_mutex_lock(&t->lock);
    bool away = t->reader == 0, done = t->ended && t->read >= t->written;
    int64_t gone_ms = away ? now_ms - t->away_ms : 0;
    bool stale = t->abandoned || (away && gone_ms > (done ? TAPE_READ_MS : TAPE_AWAY_MS));
    *stop_writer = stale && !t->ended;
    (void)pthread_mutex_unlock(&t->lock);
    return stale;
}

static void look(void *all_)
{
    struct tapes *all = all_;
    int64_t now = loop_now_ms(all->w->loop);
    for (tape *next, *t = all->all; t; t = next) {
        bool stop = false;
        next = t->next;
        if (t->x && exchange_gone(t->x)) tape_away(t, t->writer, now);
        if (!is_stale(t, now, &stop)) continue;
        if (stop) flow_wake(loop_flows(all->w->loop), t->writer, FLOW_STOP);
        tape_read_by(t, 0);
        forget(t);
    }
    if (all->all) loop_timer_start(all->w->loop, &all->look, LOOK_MS, look, all);
}

void tapes_end(struct tapes *all, const session *s)
{
    for (tape *t = all->all; t; t = t->next)
        if (memcmp(t->sid, s->sid, SESSION_SID) == 0) tape_abandon(t);
    look(all);
}

struct tapes *tapes_new(mcp_worker *w)
{
    struct tapes *all = calloc(1, sizeof *all);
    if (!all) abort();
    all->w = w;
    return all;
}

void tapes_drain(struct tapes *all)
{
    for (tape *t = all->all; t; t = t->next)
        if (tape_is_away(t)) tape_abandon(t);
    look(all);
}

void tapes_free(struct tapes *all)
{
    if (!all) return;
    loop_timer_stop(all->w->loop, &all->look);
    while (all->all) forget(all->all);
    free(all);
}

tape *tape_new(mcp_worker *w, const session *s, str share, handle writer, const exchange *x)
{
    struct tapes *all = w->tapes;
    if (all->count >= TAPES_MOST) return NULL;
    arena *a = arena_new_of(TAPE_ROOM);
    if (!tally_take(w->shared->tapes->held, share, TAPES_PER_CALLER, a)) {
        arena_free(a);
        return NULL;
    }
    tape *t = NEW(a, tape);
    t->a = a;
    atomic_init(&t->refs, 2);
    t->w = w;
    t->x = x;
    t->writer = t->reader = writer;
    memcpy(t->sid, s->sid, SESSION_SID);
    digest_random(t->nonce, sizeof t->nonce);
    (void)pthread_mutex_init(&t->lock, NULL);
    t->next = all->all;
    if (t->next) t->next->prev = t;
    all->all = t;
    all->count++;
    publish(t);
    if (!all->look.heap_at) loop_timer_start(w->loop, &all->look, LOOK_MS, look, all);
    return t;
}

void tape_leave(tape *t, int64_t now_ms)
{
    t->x = NULL;
    tape_away(t, t->writer, now_ms);
}

/* Writing */

typedef struct {
    letter mail;
    handle to;
    flow_why why;
} nudge;

static void nudge_drop(letter *self)
{
    free(self);
}

static void nudge_deliver(letter *self, loop *at)
{
    flow_wake(loop_flows(at), ((nudge *)self)->to, ((nudge *)self)->why);
    free(self);
}

static void wake_reader(const tape *t, handle reader, flow_why why)
{
    nudge *m = reader ? calloc(1, sizeof *m) : NULL;
    mcp_worker *to = m ? t->w->shared->worker[handle_worker(reader)] : NULL;
    if (!to) {
        free(m);
        return;
    }
    m->mail = (letter){.deliver = nudge_deliver, .drop = nudge_drop};
    m->to = reader;
    m->why = why;
    loop_post(to->loop, &m->mail);
}

static void put_event(const tape *t, buf *b, uint64_t number, str data)
{
    static const char hex[] = "0123456789abcdef";
    char id[TAPE_ID_MOST];
    size_t n = 0;
    for (size_t i = 0; i < NONCE; i++) {
        id[n++] = hex[t->nonce[i] >> 4];
        id[n++] = hex[t->nonce[i] & 15];
    }
    buf digits = buf_new(NULL, 32);
    buf_int(&digits, (int64_t)number);
    id[n++] = '.';
    for (size_t i = 0; i < digits.n && n < sizeof id; i++) id[n++] = digits.p[i];
    buf_free(&digits);
    if (!data.n) buf_fmt(b, "retry: %d\n", TAPE_RETRY_MS);
    sse_write(b, data.n ? S("message") : (str){0}, (str){id, n}, data);
}

/* Over the bytes, what was read goes first; what was not goes too, but for the newest. */
static bool is_too_long(const tape *t)
{
    if (t->count > TAPE_EVENTS) return true;
    if (t->bytes <= TAPE_BYTES) return false;
    return t->count > 1 || t->first->number <= t->read;
}

void tape_put(tape *t, str data)
{
    event *e = calloc(1, sizeof *e);
    if (!e) abort();
    e->number = t->written + 1; /* only its writer moves it */
    e->text = buf_new(NULL, SIZE_MAX / 2);
    put_event(t, &e->text, e->number, data);
    (void)pthread_mutex_lock(&t->lock);
    t->written = e->number;
    if (t->last)
        t->last->next = e;
    else
        t->first = e;
    t->last = e;
    t->count++;
    t->bytes += e->text.n;
    while (is_too_long(t)) pop(t);
    handle reader = t->reader;
    (void)pthread_mutex_unlock(&t->lock);
    if (reader != t->writer) wake_reader(t, reader, FLOW_WOKEN);
}

void tape_end(tape *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->ended = true;
    handle reader = t->reader;
    (void)pthread_mutex_unlock(&t->lock);
    if (reader != t->writer) wake_reader(t, reader, FLOW_WOKEN);
}

/* Reading */

void tape_read_by(tape *t, handle reader)
{
    (void)pthread_mutex_lock(&t->lock);
    handle before = t->reader;
    t->reader = reader;
    (void)pthread_mutex_unlock(&t->lock);
    if (before != t->writer) wake_reader(t, before, FLOW_STOP);
}

void tape_away(tape *t, handle reader, int64_t now_ms)
{
    (void)pthread_mutex_lock(&t->lock);
    if (t->reader == reader) {
        t->reader = 0;
        t->away_ms = now_ms;
    }
    (void)pthread_mutex_unlock(&t->lock);
}

void tape_abandon(tape *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->abandoned = true;
    (void)pthread_mutex_unlock(&t->lock);
}

bool tape_is_away(tape *t)
{
    (void)pthread_mutex_lock(&t->lock);
    bool away = t->reader == 0;
    (void)pthread_mutex_unlock(&t->lock);
    return away;
}

tape_state tape_next(tape *t, uint64_t *at, buf *out)
{
    tape_state state = TAPE_WAIT;
    (void)pthread_mutex_lock(&t->lock);
    const event *e = t->first;
    while (e && e->number <= *at) e = e->next;
    if (*at < t->fallen || *at > t->written) {
        state = TAPE_LOST;
    } else if (e) {
        buf_put(out, buf_str(&e->text));
        *at = e->number;
        if (e->number > t->read) t->read = e->number;
        state = TAPE_SOME;
    } else if (t->ended) {
        state = TAPE_OVER;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return state;
}
