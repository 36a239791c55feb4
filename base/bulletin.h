/* SPDX-License-Identifier: Apache-2.0 */
/* bulletin.h - what one replica tells the others, through the store they share.
 *
 * A word is (topic, key, value), good for some time: "mcp.sessions.ended", sid, its expiry. The
 * last word about a key stands; who starts later hears all that still stand, before it serves.
 * Every replica hears every word, its own too, at least once and within a second while the store
 * answers; words of one topic in the order they were kept. So `heard` must not mind repetition.
 * A topic of your own: choose its name ("keys.revoked"), call hear() once while the house is being
 * built (before the first request), tell() when something happened. Act on what happened here at
 * once, too; the bulletin is for the others.
 * Values are opaque and small; no secrets, or sealed ones.
 *
 * Failure: tell() keeps a word and tries until the store takes it or its time is over; false: the
 * queue is full (BULLETIN_QUEUE_MOST), it was not taken. While the store is away the others do not
 * hear; they hear all of it when it is back. A word told in the last instant before kill -9 may be
 * lost: who must know uses bulletin_log's append(), which says when it is kept.
 * Threads: tell() from any, workers too, it never blocks. `heard` is called on the bulletin's own
 * thread, one at a time: brief, with locks or letters of its own. */
#ifndef SP_BULLETIN_H
#define SP_BULLETIN_H
#include "err.h"
#include <stdint.h>

enum {
    BULLETIN_TOPIC_MOST = 64, /* bytes */
    BULLETIN_KEY_MOST = 256,
    BULLETIN_VALUE_MOST = 512,
    BULLETIN_QUEUE_MOST = 10000,        /* told here and not kept yet */
    BULLETIN_WORDS_MOST = 100 * 1000,   /* kept in all; then those go that would end soonest */
    BULLETIN_LIFE_MOST_S = 40 * 86400L, /* longer is this long */
    BULLETIN_BEAT_MS = 400              /* how often the store is asked */
};

typedef struct {
    str topic, key, value;
} bulletin_word;

typedef struct {
    bulletin_word word;
    int64_t lives_s;
} bulletin_told;

static inline bool bulletin_is_sound(bulletin_word w)
{
    return w.topic.n && w.topic.n <= BULLETIN_TOPIC_MOST && w.key.n <= BULLETIN_KEY_MOST &&
           w.value.n <= BULLETIN_VALUE_MOST;
}

typedef void bulletin_heard(void *ctx, str key, str value);

/* What products are given. */
typedef struct {
    bool (*tell)(void *ctx, bulletin_word w, int64_t lives_s);
    void (*hear)(void *ctx, str topic, bulletin_heard *heard, void *who);
    void *ctx;
} bulletin;

/* What a store gives: the words, in the order they were kept. All of it blocks: as base/store.h. */
typedef struct {
    int64_t at; /* its place; one key's next word has a later one, its last is gone */
    bulletin_word word;
} bulletin_entry;

enum { BULLETIN_READ_MOST = 500, BULLETIN_APPEND_MOST = 200 };

typedef struct {
    /* In this order, all or none; durably, when it returns. For commands of the operator too. */
    const err *(*append)(void *ctx, arena *a, const bulletin_told *words, size_t n);
    /* The next, at most `room`, whose place is after `after`; 0: from the first. */
    const err *(*since)(void *ctx, arena *a, int64_t after, bulletin_entry *out, size_t room,
                        size_t *n);
    void *ctx;
} bulletin_log;
#endif
