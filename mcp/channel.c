/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - finding channels, and carrying events to the worker that writes them.
 *
 * Events are put down under the channel's lock and its GET is woken by a letter, one at a time: so
 * a POST on any worker may speak, and only whole events are ever put down, in the order said. */
#include "channel.h"
#include "../authz/digest.h"
#include "../base/map.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { NAME_BYTES = 16, OWED_MOST = 16 << 20 };
#define QUERY "channel="

struct channels {
    pthread_mutex_t lock;
    map *by_name;
};

struct channel {
    atomic_uint refs;
    mcp_shared *shared;
    arena *arena;
    str name, caller_id, endpoint;
    handle reader;
    atomic_bool woken;
    pthread_mutex_t lock; /* of the rest */
    str sealed;           /* {0}: nobody has initialized */
    session made;
    buf owed;
};

struct channels *channels_new(void)
{
    struct channels *t = calloc(1, sizeof *t);
    if (!t) abort();
    pthread_mutex_init(&t->lock, NULL);
    t->by_name = map_new(NULL);
    return t;
}

void channels_free(struct channels *t)
{
    map_free(t->by_name);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void unref(void *c_)
{
    channel *c = c_;
    if (atomic_fetch_sub(&c->refs, 1) > 1) return;
    buf_free(&c->owed);
    pthread_mutex_destroy(&c->lock);
    arena_free(c->arena);
}

channel *channel_open(const visit *v)
{
    struct channels *t = v->w->shared->channels;
    uint8_t name[NAME_BYTES];
    arena *a = arena_new();
    channel *c = NEW(a, channel);
    digest_random(name, sizeof name);
    *c = (channel){.shared = v->w->shared,
                   .arena = a,
                   .name = digest_hex(a, name, sizeof name),
                   .caller_id = arena_dup(a, v->who->id),
                   .endpoint = arena_dup(a, corridor_endpoint_text(v)),
                   .reader = v->run.self,
                   .owed = buf_new(NULL, OWED_MOST)};
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_lock(&t->lock);
    map_put(t->by_name, c->name, c);
    pthread_mutex_unlock(&t->lock);
    return c;
}

void channel_end(channel *c)
{
    struct channels *t = c->shared->channels;
    pthread_mutex_lock(&t->lock);
    (void)map_del(t->by_name, c->name);
    pthread_mutex_unlock(&t->lock);
    unref(c);
}

bool channel_find(const visit *v, channel **out)
{
    struct channels *t = v->w->shared->channels;
    str query = exchange_query(v->x);
    *out = NULL;
    if (!str_starts(query, S(QUERY))) return true;
    pthread_mutex_lock(&t->lock);
    channel *c = map_get(t->by_name, str_drop(query, sizeof QUERY - 1));
    bool his =
        c && str_eq(c->caller_id, v->who->id) && str_eq(c->endpoint, corridor_endpoint_text(v));
    if (his) atomic_fetch_add(&c->refs, 1);
    pthread_mutex_unlock(&t->lock);
    if (!his) return false;
    arena_own(v->a, unref, c);
    *out = c;
    return true;
}

str channel_name(const channel *c)
{
    return c->name;
}

/* Once: a second initialize on it would make another session of it. */
void channel_begin(channel *c, str sealed, const session *made)
{
    pthread_mutex_lock(&c->lock);
    if (!c->sealed.n) {
        c->made = *made;
        c->made.client_name = arena_dup(c->arena, made->client_name);
        c->made.client_version = arena_dup(c->arena, made->client_version);
        c->sealed = arena_dup(c->arena, sealed);
    }
    pthread_mutex_unlock(&c->lock);
}

bool channel_session(channel *c, arena *a, session *out)
{
    pthread_mutex_lock(&c->lock);
    bool begun = c->sealed.n > 0;
    if (begun) {
        *out = c->made;
        out->client_name = arena_dup(a, c->made.client_name);
        out->client_version = arena_dup(a, c->made.client_version);
    }
    pthread_mutex_unlock(&c->lock);
    return begun;
}

const header *channel_headers(const visit *v)
{
    channel *c = v->channel;
    const header *sent = exchange_headers(v->x);
    size_t n = 0, kept = 0;
    while (sent[n].name.p) n++;
    header *out = NEW_N(v->a, header, n + 2);
    for (size_t i = 0; i < n; i++)
        if (!header_name_is(sent[i].name, S("mcp-session-id"))) out[kept++] = sent[i];
    pthread_mutex_lock(&c->lock);
    if (c->sealed.n) out[kept] = (header){S("Mcp-Session-Id"), arena_dup(v->a, c->sealed)};
    pthread_mutex_unlock(&c->lock);
    return out;
}

/* Speaking */

typedef struct {
    letter mail;
    channel *of; /* counted */
} waking;

static void waking_drop(letter *self)
{
    unref(((waking *)self)->of);
    free(self);
}

static void waking_deliver(letter *self, loop *at)
{
    channel *c = ((waking *)self)->of;
    atomic_store(&c->woken, false);
    flow_wake(loop_flows(at), c->reader, FLOW_WOKEN);
    waking_drop(self);
}

static void wake(channel *c)
{
    mcp_worker *w = c->shared->worker[handle_worker(c->reader)];
    if (!w || atomic_exchange(&c->woken, true)) return;
    waking *m = calloc(1, sizeof *m);
    if (!m) abort();
    m->mail = (letter){.deliver = waking_deliver, .drop = waking_drop};
    m->of = c;
    atomic_fetch_add(&c->refs, 1);
    loop_post(w->loop, &m->mail);
}

void channel_say(channel *c, str events)
{
    if (!events.n) return;
    pthread_mutex_lock(&c->lock);
    buf_put(&c->owed, events); /* too much is noticed by who takes it */
    pthread_mutex_unlock(&c->lock);
    wake(c);
}

bool channel_take(channel *c, buf *to)
{
    pthread_mutex_lock(&c->lock);
    bool fine = buf_ok(&c->owed);
    if (fine && c->owed.n) buf_put(to, buf_str(&c->owed));
    if (fine) c->owed.n = 0;
    pthread_mutex_unlock(&c->lock);
    return fine && buf_ok(to);
}

/* A stream into it */

typedef struct {
    sink face; /* first */
    channel *to;
    buf part; /* in the visit's arena: an event that is not whole yet */
} way;

static bool way_write(sink *s, str bytes)
{
    way *k = (way *)s;
    size_t whole = 0;
    buf_put(&k->part, bytes);
    for (size_t i = 1; i < k->part.n; i++)
        if (k->part.p[i] == '\n' && k->part.p[i - 1] == '\n') whole = i + 1;
    channel_say(k->to, (str){k->part.p, whole});
    if (whole) buf_drop(&k->part, whole);
    return true;
}

static void way_end(sink *s, const err *why)
{
    (void)s;
    (void)why;
}

sink *channel_sink(visit *v)
{
    way *k = NEW(v->a, way);
    *k = (way){.face = {.write = way_write, .end = way_end},
               .to = v->channel,
               .part = buf_new(v->a, OWED_MOST)};
    return &k->face;
}
