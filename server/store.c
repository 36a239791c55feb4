/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "redis.h"
#include "store_sqlite.h"

struct store_keeper {
    arena *a;
    store_file file;
    redis *server; /* NULL: the file */
};

store store_keeper_store(store_keeper *k)
{
    return k->server ? store_redis(k->server) : store_sqlite(&k->file);
}

ledger store_keeper_ledger(store_keeper *k)
{
    return k->server ? ledger_redis(k->server) : ledger_sqlite(k->file.file);
}

bulletin_log store_keeper_words(store_keeper *k)
{
    return k->server ? bulletin_redis(k->server) : bulletin_sqlite(k->file.file);
}

/* Making */

static bool is_redis(str where)
{
    return str_starts(where, S("redis://")) || str_starts(where, S("rediss://"));
}

const err *store_keeper_check(arena *a, str where)
{
    redis_place place;
    if (is_redis(where)) return redis_parse(a, where, &place);
    if (str_eq(where, S("memory:")) || (str_starts(where, S("sqlite:")) && where.n > 7))
        return NULL;
    return err_new(a, ERR_MALFORMED,
                   "`" STR_FMT "` is no store of this version: sqlite:FILE, redis://HOST, "
                   "rediss://HOST or memory:",
                   STR_ARG(where));
}

static void open_file(store_keeper *k, str where, str directory)
{
    str file = str_starts(where, S("sqlite:")) ? str_drop(where, 7) : (str){0};
    if (file.p && file.p[0] != '/')
        file = arena_fmt(k->a, STR_FMT "/" STR_FMT, STR_ARG(directory), STR_ARG(file));
    k->file = (store_file){.file = sql_new(file),
                           .rows = STORE_SPACE_MOST,
                           .space_bytes = STORE_SPACE_BYTES,
                           .bytes = STORE_BYTES};
}

const err *store_keeper_new(arena *a, str where, str directory, store_keeper **out)
{
    const err *e = store_keeper_check(a, where);
    if (e) return err_wrap(a, e, "store");
    arena *own = arena_new_of(512);
    store_keeper *k = NEW(own, store_keeper);
    k->a = own;
    if (is_redis(where))
        e = redis_new(a, where, &k->server);
    else
        open_file(k, where, directory);
    if (e)
        store_keeper_free(k);
    else
        *out = k;
    return e;
}

const err *store_keeper_try(arena *a, store_keeper *k, str *doubts)
{
    *doubts = (str){0};
    if (k->server) return redis_doubts(a, k->server, doubts);
    const err *e = sql_enter(a, k->file.file);
    if (!e) sql_leave(k->file.file);
    return e;
}

void store_keeper_free(store_keeper *k)
{
    if (!k) return;
    redis_free(k->server);
    sql_free(k->file.file);
    arena_free(k->a);
}
