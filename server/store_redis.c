/* SPDX-License-Identifier: Apache-2.0 */
#include "redis.h"
#include "store_check.h"

/* Up to its second dot. */
static str kind_of(str space)
{
    str_pair first = str_cut(space, '.'), second = str_cut(first.tail, '.');
    return second.ok ? str_take(space, first.head.n + 1 + second.head.n) : space;
}

static const err *get(void *ctx, arena *a, store_key key, str *value)
{
    *value = (str){0};
    const err *e = store_check_key(a, key);
    if (e) return e;
    const str words[] = {S("GET"), arena_fmt(a, REDIS_TAG ":v:%zu:" STR_FMT ":" STR_FMT,
                                             key.space.n, STR_ARG(key.space), STR_ARG(key.name))};
    resp said = {0};
    e = redis_ask(a, ctx, words, 2, &said);
    if (e || said.kind == RESP_NIL) return e;
    if (said.kind != RESP_TEXT) return err_new(a, ERR_UPSTREAM, "redis: a value that is none");
    *value = said.text.n ? said.text : S("");
    return NULL;
}

static const err *put(void *ctx, arena *a, store_key key, str value, int64_t lives_s)
{
    const err *e = store_check_value(a, key, value);
    if (e) return e;
    const str words[] = {key.space,
                         kind_of(key.space),
                         key.name,
                         value,
                         redis_number(a, lives_s * 1000),
                         redis_number(a, STORE_SPACE_MOST),
                         redis_number(a, STORE_SPACE_BYTES),
                         redis_number(a, STORE_BYTES)};
    resp said = {0};
    e = redis_run(a, ctx, REDIS_PUT, words, sizeof words / sizeof *words, &said);
    if (!e && (said.kind != RESP_NUMBER || said.number != 1))
        e = err_new(a, ERR_TOO_LARGE, "store: no room for %zu bytes", value.n);
    return e;
}

static const err *drop(void *ctx, arena *a, store_key key)
{
    const err *e = store_check_key(a, key);
    if (e) return e;
    const str words[] = {key.space, kind_of(key.space), key.name};
    resp said = {0};
    return redis_run(a, ctx, REDIS_DROP, words, 3, &said);
}

store store_redis(redis *r)
{
    return (store){.get = get, .put = put, .drop = drop, .ctx = r};
}
