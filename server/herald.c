/* SPDX-License-Identifier: Apache-2.0 */
#include "herald.h"

#include "../base/clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { HEARERS_MOST = 16, REST_MOST_MS = 5000, ROUNDS_MOST = 1000 };

/* A word that waits to be kept; its bytes follow it. */
typedef struct waiting {
    struct waiting *next;
    bulletin_word word;
    int64_t ends_ms; /* monotonic */
    char bytes[];
} waiting;

typedef struct {
    str topic;
    bulletin_heard *heard;
    void *who;
} hearer;

struct herald {
    bulletin_log words;
    logger *log;
    hearer hearers[HEARERS_MOST]; /* before the thread runs */
    size_t hearer_count;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t more;
    waiting *first, **last;
    size_t count;
    bool stopping;
    int64_t after; /* from here on the thread's */
    int64_t rest_ms;
    bool away, runs;
    arena *scratch;
    pthread_t thread;
};

/* Telling */

static char *copy_to(char *at, str *s)
{
    if (s->n) memcpy(at, s->p, s->n); /* sized when it was made */
    s->p = at;
    return at + s->n;
}

static waiting *waiting_new(bulletin_word w, int64_t lives_s)
{
    waiting *one = calloc(1, sizeof *one + w.topic.n + w.key.n + w.value.n);
    if (!one) abort();
    one->word = w;
    copy_to(copy_to(copy_to(one->bytes, &one->word.topic), &one->word.key), &one->word.value);
    one->ends_ms = clock_mono_ms() + lives_s * 1000;
    return one;
}

static bool tell(void *ctx, bulletin_word w, int64_t lives_s)
{
    herald *h = ctx;
    if (!bulletin_is_sound(w)) return false;
    waiting *one = waiting_new(w, lives_s < BULLETIN_LIFE_MOST_S ? lives_s : BULLETIN_LIFE_MOST_S);
    pthread_mutex_lock(&h->lock);
    bool room = h->count < BULLETIN_QUEUE_MOST && !h->stopping;
    if (room) {
        *h->last = one;
        h->last = &one->next;
        h->count++;
        pthread_cond_signal(&h->more);
    }
    pthread_mutex_unlock(&h->lock);
    if (!room) free(one);
    return room;
}

/* The next of those that wait, in order. They stay until they are kept: only this thread takes one
 * away, so what it looks at does not go. */
static size_t next_waiting(herald *h, bulletin_told *out, size_t room)
{
    size_t n = 0;
    int64_t now = clock_mono_ms();
    pthread_mutex_lock(&h->lock);
    for (const waiting *one = h->first; one && n < room; one = one->next)
        out[n++] = (bulletin_told){one->word, (one->ends_ms - now) / 1000};
    pthread_mutex_unlock(&h->lock);
    return n;
}

static void forget_waiting(herald *h, size_t n)
{
    for (; n; n--) {
        pthread_mutex_lock(&h->lock);
        waiting *one = h->first;
        h->first = one->next;
        if (!h->first) h->last = &h->first;
        h->count--;
        pthread_mutex_unlock(&h->lock);
        free(one);
    }
}

static const err *keep_waiting(herald *h)
{
    for (;;) {
        arena_reset(h->scratch);
        bulletin_told *next = NEW_N(h->scratch, bulletin_told, BULLETIN_APPEND_MOST);
        size_t n = next_waiting(h, next, BULLETIN_APPEND_MOST), alive = 0;
        for (size_t i = 0; i < n; i++)
            if (next[i].lives_s > 0) next[alive++] = next[i];
        const err *e = alive ? h->words.append(h->words.ctx, h->scratch, next, alive) : NULL;
        if (e || !n) return e;
        forget_waiting(h, n);
    }
}

/* Hearing */

static void hear(void *ctx, str topic, bulletin_heard *heard, void *who)
{
    herald *h = ctx;
    if (h->runs || h->hearer_count == HEARERS_MOST) abort();
    h->hearers[h->hearer_count++] = (hearer){topic, heard, who};
}

static void pass_on(const herald *h, const bulletin_word *w)
{
    for (size_t i = 0; i < h->hearer_count; i++)
        if (str_eq(h->hearers[i].topic, w->topic))
            h->hearers[i].heard(h->hearers[i].who, w->key, w->value);
}

static const err *read_page(herald *h, size_t *n)
{
    bulletin_entry *page = NEW_N(h->scratch, bulletin_entry, BULLETIN_READ_MOST);
    const err *e = h->words.since(h->words.ctx, h->scratch, h->after, page, BULLETIN_READ_MOST, n);
    for (size_t i = 0; i < *n && !e; i++) {
        pass_on(h, &page[i].word);
        h->after = page[i].at;
    }
    return e;
}

static const err *read_all(herald *h)
{
    size_t n = BULLETIN_READ_MOST;
    for (unsigned i = 0; i < ROUNDS_MOST && n == BULLETIN_READ_MOST; i++) {
        arena_reset(h->scratch);
        const err *e = read_page(h, &n);
        if (e) return e;
    }
    return NULL;
}

/* The thread */

static void say(herald *h, const err *e)
{
    const log_fact why[] = {{"error", e ? e->text : (str){0}}, {0}};
    if (e && !h->away)
        log_say(h->log, LOG_WARN_LEVEL, "the store is away: other replicas are not heard", why);
    if (!e && h->away) {
        const log_fact none[] = {{0}};
        log_say(h->log, LOG_INFO_LEVEL, "the store is back: other replicas are heard", none);
    }
    h->away = e != NULL;
}

static void go_round(herald *h)
{
    const err *e = keep_waiting(h);
    if (!e) e = read_all(h);
    say(h, e);
    int64_t longer = h->rest_ms * 2 < REST_MOST_MS ? h->rest_ms * 2 : REST_MOST_MS;
    h->rest_ms = e ? longer : BULLETIN_BEAT_MS;
}

/* Until something is told, or it is time to ask. While the store is away, until it is time. */
static bool wait_for_work(herald *h)
{
    struct timespec until;
    int64_t at = clock_mono_ms() + h->rest_ms;
    until.tv_sec = (time_t)(at / 1000);
    until.tv_nsec = (long)(at % 1000) * 1000000;
    pthread_mutex_lock(&h->lock);
    while (!h->stopping && (h->away || !h->first) &&
           pthread_cond_timedwait(&h->more, &h->lock, &until) == 0) {
    }
    bool goes_on = !h->stopping;
    pthread_mutex_unlock(&h->lock);
    return goes_on;
}

static void *run(void *ctx)
{
    herald *h = ctx;
    while (wait_for_work(h)) go_round(h);
    if (!h->away) go_round(h);
    return NULL;
}

/* Making and ending */

herald *herald_new(bulletin_log words, logger *log)
{
    herald *h = calloc(1, sizeof *h);
    if (!h) abort();
    h->words = words;
    h->log = log;
    h->last = &h->first;
    h->rest_ms = BULLETIN_BEAT_MS;
    h->scratch = arena_new();
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&h->more, &attributes);
    pthread_condattr_destroy(&attributes);
    return h;
}

bulletin herald_bulletin(herald *h)
{
    return (bulletin){.tell = tell, .hear = hear, .ctx = h};
}

void herald_start(herald *h)
{
    go_round(h);
    h->runs = pthread_create(&h->thread, NULL, run, h) == 0;
    if (!h->runs) abort();
}

void herald_stop(herald *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    pthread_cond_signal(&h->more);
    pthread_mutex_unlock(&h->lock);
    if (h->runs) pthread_join(h->thread, NULL);
    h->runs = false;
}

void herald_free(herald *h)
{
    if (!h) return;
    herald_stop(h);
    forget_waiting(h, h->count);
    pthread_cond_destroy(&h->more);
    pthread_mutex_destroy(&h->lock);
    arena_free(h->scratch);
    free(h);
}
