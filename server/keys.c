/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - the document of virtual keys, kept and watched.
 *
 * In the store it lies beside its stamp, a small value that changes with it, so that looking costs
 * little. Of a file the stamp is what the disk says of it. */
#include "keys.h"

#include "../authz/digest.h"
#include "../authz/key_file.h"
#include "files.h"
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { LOOK_EVERY_MS = 300, STAMP_MOST = 128 };
static const int64_t kept_s = (int64_t)100 * 365 * 86400;
static const store_key document = {{"identity.keys", 13}, {"document", 8}};
static const store_key stamp = {{"identity.keys", 13}, {"stamp", 5}};

struct keys_watch {
    keys_place place;
    keyring *to;
    logger *log;
    arena *a;
    char seen[STAMP_MOST]; /* the stamp of what is in force */
    bool store_is_away;    /* and the log has said so */
    pthread_t thread;
    bool is_running, ends; /* ends: under the lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

keys_place keys_place_of(arena *a, const config *c, store kept)
{
    if (!c->keys_file.p) return (keys_place){.kept = kept};
    if (c->keys_file.n && c->keys_file.p[0] == '/') return (keys_place){.file = c->keys_file};
    return (keys_place){
        .file = arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(c->directory), STR_ARG(c->keys_file))};
}

/* Keeping */

const err *keys_load(arena *a, const keys_place *p, str *text)
{
    *text = S("");
    if (!p->file.p) return p->kept.get(p->kept.ctx, a, document, text);
    if (!files_exists(p->file)) return NULL;
    return files_read(files_new(a, S("/")), a, p->file, text);
}

const err *keys_save(arena *a, const keys_place *p, str text)
{
    if (p->file.p && !files_exists(p->file)) return files_create(a, p->file, text);
    if (p->file.p) return files_replace(a, p->file, text);
    uint8_t fresh[16];
    digest_random(fresh, sizeof fresh);
    const err *e = p->kept.put(p->kept.ctx, a, document, text, kept_s);
    if (e) return e;
    return p->kept.put(p->kept.ctx, a, stamp, digest_hex(a, fresh, sizeof fresh), kept_s);
}

/* Watching */

static const err *stamp_now(arena *a, const keys_place *p, str *out)
{
    struct stat st;
    *out = S("");
    if (!p->file.p) return p->kept.get(p->kept.ctx, a, stamp, out);
    if (stat(arena_dup(a, p->file).p, &st) == 0)
        *out = arena_fmt(a, "%llx %llx %lld %lld.%09ld", (unsigned long long)st.st_dev,
                         (unsigned long long)st.st_ino, (long long)st.st_size,
                         (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    return NULL;
}

/* A document that has a problem changes nothing, whatever it was that changed in it. */
static const err *take(keys_watch *w, arena *a)
{
    arena *own = arena_new();
    problems found;
    const api_key *keys = NULL;
    size_t count = 0;
    str text, name = w->place.file.p ? w->place.file : S("keys of the store");
    problems_init(&found, a, name);
    const err *e = keys_load(own, &w->place, &text);
    if (e) e = err_wrap(a, e, "keys");
    if (!e && !key_file_read(own, name, text, &found, &keys, &count))
        e = err_new(a, ERR_MALFORMED, STR_FMT, STR_ARG(found.first->text));
    if (e)
        arena_free(own);
    else
        keyring_replace(w->to, own, keys, count);
    return e;
}

static void say(keys_watch *w, log_level level, const char *event, const err *e)
{
    log_say(w->log, level, event, (log_fact[]){{"error", e ? e->text : S("")}, {0}});
}

static void note_store(keys_watch *w, const err *e)
{
    bool away = e != NULL;
    if (away && !w->store_is_away)
        say(w, LOG_WARN_LEVEL, "the keys cannot be looked at: those in force stay", e);
    w->store_is_away = away;
}

static void remember(keys_watch *w, str now)
{
    if (now.n) memcpy(w->seen, now.p, now.n);
    w->seen[now.n] = 0;
}

static void look(keys_watch *w, arena *a)
{
    str now;
    const err *e = stamp_now(a, &w->place, &now);
    note_store(w, e);
    if (e || str_eq(now, (str){w->seen, strlen(w->seen)}) || now.n >= STAMP_MOST) return;
    e = take(w, a);
    remember(w, now);
    if (e)
        say(w, LOG_ERROR_LEVEL, "keys refused, those in force stay", e);
    else
        log_say(w->log, LOG_INFO_LEVEL, "keys taken", (log_fact[]){{0}});
}

static bool wait_a_little(keys_watch *w)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_EVERY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&w->lock);
    if (!w->ends) (void)pthread_cond_timedwait(&w->wake, &w->lock, &until);
    bool go_on = !w->ends;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static void *watch(void *arg)
{
    keys_watch *w = arg;
    arena *a = arena_new();
    while (wait_a_little(w)) {
        look(w, a);
        arena_reset(a);
    }
    arena_free(a);
    return NULL;
}

const err *keys_watch_new(arena *a, const keys_place *p, keyring *to, logger *log, keys_watch **out)
{
    arena *own = arena_new();
    keys_watch *w = NEW(own, keys_watch);
    *w = (keys_watch){.a = own, .place = *p, .to = to, .log = log};
    if (p->file.p) w->place.file = arena_dup(own, p->file);
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->wake, NULL);
    str now; /* asked before reading: what changes in between is read again */
    const err *e = stamp_now(a, p, &now);
    if (!e) e = take(w, a);
    if (!e && now.n < STAMP_MOST) remember(w, now);
    if (!e && pthread_create(&w->thread, NULL, watch, w) != 0)
        e = err_new(a, ERR_BUG, "no thread left");
    w->is_running = !e;
    if (e)
        keys_watch_free(w);
    else
        *out = w;
    return e;
}

void keys_watch_free(keys_watch *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->lock);
    w->ends = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    if (w->is_running) (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->lock);
    arena_free(w->a);
}
