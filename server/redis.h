/* SPDX-License-Identifier: Apache-2.0 */
/* redis.h - a Redis or Valkey server as the store of several replicas.
 *
 * One primary, 5.0 or newer. Connections are kept between questions, a few at once. A question ends
 * when REDIS_ANSWER_MS go by without a byte, and in REDIS_ALL_MS whatever comes. A server that
 * cannot be reached is not asked again before a pause, which grows from REDIS_PAUSE_MS: until then
 * every question fails at once. A connection that turns out dead is replaced and its question asked
 * once more, so questions must bear repetition. All keys begin with {sallyport}: one slot, were it
 * a cluster. Threads: any but a worker. Ownership: what is made of it lives as long as it. */
#ifndef SP_REDIS_H
#define SP_REDIS_H
#include "../base/bulletin.h"
#include "../base/ledger.h"
#include "../base/store.h"
#include "../transport/talk.h"
#include "resp.h"

enum {
    REDIS_CONNECT_MS = 2000,
    REDIS_ANSWER_MS = 2000,
    REDIS_ALL_MS = 10000,
    REDIS_PAUSE_MS = 100,
    REDIS_PAUSE_MOST_MS = 2000
};
#define REDIS_TAG "{sallyport}"

typedef struct redis redis;

typedef struct {
    talk_place at;
    bool tls;
    str user, password; /* {0}: none */
    int64_t db;
} redis_place;

/* redis://[user[:password]@]host[:port][/db], rediss:// for TLS; user and password may be %-coded.
 * What is wrong with it is said without its password. */
MUST_CHECK const err *redis_parse(arena *a, str url, redis_place *out);
MUST_CHECK const err *redis_new(arena *a, str url, redis **out); /* connects to nothing yet */
void redis_free(redis *r);                                       /* NULL is fine */

str redis_number(arena *a, int64_t n); /* as a word of a command */
/* What the server refused is an error like one of the connection. */
MUST_CHECK const err *redis_ask(arena *a, redis *r, const str *words, size_t n, resp *out);
/* A Lua script, run whole or not at all. KEYS[1] is REDIS_TAG, the words are its ARGV; the server
 * knows it by its hash after the first time. */
typedef enum {
    REDIS_PUT,
    REDIS_DROP,
    REDIS_TAKE,
    REDIS_GIVE,
    REDIS_HOLD,
    REDIS_APPEND,
    REDIS_SINCE,
    REDIS_SCRIPTS
} redis_script;
MUST_CHECK const err *redis_run(arena *a, redis *r, redis_script which, const str *words, size_t n,
                                resp *out);
extern const char *const redis_lua[REDIS_SCRIPTS]; /* redis_lua.c */

/* What it says of itself that a store should not: no append-only file, an eviction policy. One
 * sentence, or {0}. */
MUST_CHECK const err *redis_doubts(arena *a, redis *r, str *out);

store store_redis(redis *r);
ledger ledger_redis(redis *r);
bulletin_log bulletin_redis(redis *r);
#endif
