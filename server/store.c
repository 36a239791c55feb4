/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "store_sqlite.h"

struct store_keeper {
    arena *a;
    store_file file;
};

store store_keeper_store(store_keeper *k)
{
    return store_sqlite(&k->file);
}

ledger store_keeper_ledger(store_keeper *k)
{
    return ledger_sqlite(k->file.file);
}

bulletin_log store_keeper_words(store_keeper *k)
{
    return bulletin_sqlite(k->file.file);
}

/* Making */

bool store_keeper_knows(str where)
{
    return str_eq(where, S("memory:")) || (str_starts(where, S("sqlite:")) && where.n > 7);
}

const err *store_keeper_new(arena *a, str where, str directory, store_keeper **out)
{
    if (!store_keeper_knows(where))
        return err_new(a, ERR_MALFORMED,
                       "store: `" STR_FMT "` is neither sqlite:FILE nor memory:", STR_ARG(where));
    arena *own = arena_new_of(512);
    store_keeper *k = NEW(own, store_keeper);
    k->a = own;
    str file = str_starts(where, S("sqlite:")) ? str_drop(where, 7) : (str){0};
    if (file.p && file.p[0] != '/')
        file = arena_fmt(own, STR_FMT "/" STR_FMT, STR_ARG(directory), STR_ARG(file));
    k->file = (store_file){.file = sql_new(file),
                           .rows = STORE_SPACE_MOST,
                           .space_bytes = STORE_SPACE_BYTES,
                           .bytes = STORE_BYTES};
    *out = k;
    return NULL;
}

const err *store_keeper_try(arena *a, store_keeper *k)
{
    const err *e = sql_enter(a, k->file.file);
    if (!e) sql_leave(k->file.file);
    return e;
}

void store_keeper_free(store_keeper *k)
{
    if (!k) return;
    sql_free(k->file.file);
    arena_free(k->a);
}
