/* SPDX-License-Identifier: Apache-2.0 */
#include "store_sqlite.h"

#include "../base/clock.h"
#include "store_check.h"

enum { LOOK_EVERY = 16, ENDED_MOST = 1000, SHRINKS_MOST = 256 };

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static const err *get(void *ctx, arena *a, store_key key, str *value)
{
    sql *q = ((store_file *)ctx)->file;
    *value = (str){0};
    const err *e = store_check_key(a, key);
    if (!e) e = sql_enter(a, q);
    if (e) return e;
    sqlite3_stmt *row = NULL;
    e = sql_start(a, q,
                  SQL("SELECT value FROM kept WHERE space = ?1 AND name = ?2 AND ends_s > ?3",
                      sql_text(key.space), sql_blob(key.name), sql_int(now_s())),
                  &row);
    if (row) {
        *value = sql_bytes(a, row, 0);
        sql_stop(&row);
    }
    sql_leave(q);
    return e;
}

/* Room */

static const err *drop_ended(arena *a, sql *q)
{
    const err *e = sql_run(a, q,
                           SQL("DELETE FROM kept WHERE rowid IN "
                               "(SELECT rowid FROM kept WHERE ends_s <= ?1 LIMIT ?2)",
                               sql_int(now_s()), sql_int(ENDED_MOST)));
    return e ? e : sql_run(a, q, (sql_say){.text = "DELETE FROM spaces WHERE n = 0"});
}

/* Of what ends last, so many rows and bytes stay. */
static const err *shrink(arena *a, sql *q, str space, int64_t rows, int64_t bytes)
{
    return sql_run(a, q,
                   SQL("DELETE FROM kept WHERE rowid IN (SELECT rowid FROM (SELECT rowid, "
                       "row_number() OVER latest AS place, "
                       "sum(length(name) + length(value)) OVER latest AS total "
                       "FROM kept WHERE space = ?1 WINDOW latest AS (ORDER BY ends_s DESC, rowid "
                       "DESC)) "
                       "WHERE place > ?2 OR total > ?3)",
                       sql_text(space), sql_int(rows), sql_int(bytes)));
}

static const err *room_in_space(arena *a, const store_file *f, str space, int64_t need)
{
    sql *q = f->file;
    int64_t has[2];
    bool found = false;
    const err *e =
        sql_numbers(a, q, SQL("SELECT n, bytes FROM spaces WHERE space = ?1", sql_text(space)), has,
                    2, &found);
    if (e || (has[0] < f->rows && has[1] + need <= f->space_bytes)) return e;
    return shrink(a, q, space, f->rows - f->rows / 16 - 1,
                  f->space_bytes - f->space_bytes / 16 - need);
}

static const err *shrink_largest(arena *a, const store_file *f)
{
    sql *q = f->file;
    sqlite3_stmt *row = NULL;
    const err *e = sql_start(a, q,
                             (sql_say){.text = "SELECT space, bytes FROM spaces WHERE kind = "
                                               "(SELECT kind FROM kinds ORDER BY bytes DESC "
                                               "LIMIT 1) ORDER BY bytes DESC LIMIT 1"},
                             &row);
    if (e || !row) return e;
    str space = sql_bytes(a, row, 0);
    int64_t bytes = sqlite3_column_int64(row, 1);
    sql_stop(&row);
    return shrink(a, q, space, f->rows, bytes - bytes / 4 - 1);
}

static const err *room_in_all(arena *a, const store_file *f, int64_t need)
{
    for (unsigned i = 0; i < SHRINKS_MOST; i++) {
        int64_t total = 0;
        bool found = false;
        const err *e = sql_numbers(a, f->file, (sql_say){.text = "SELECT sum(bytes) FROM kinds"},
                                   &total, 1, &found);
        if (e || total + need <= f->bytes) return e;
        e = shrink_largest(a, f);
        if (e) return e;
    }
    return err_new(a, ERR_TOO_LARGE, "store: no room for %lld bytes", (long long)need);
}

static const err *count_space(arena *a, sql *q, str space)
{
    const err *e =
        sql_run(a, q,
                SQL("INSERT OR IGNORE INTO spaces VALUES (?1, " SQL_KIND_OF("?1") ", "
                                                                                  "0, 0)",
                    sql_text(space)));
    return e ? e
             : sql_run(a, q,
                       SQL("INSERT OR IGNORE INTO kinds VALUES (" SQL_KIND_OF("?1") ", 0)",
                           sql_text(space)));
}

static const err *make_room(arena *a, const store_file *f, str space, int64_t need)
{
    sql *q = f->file;
    const err *e = sql_turn(q) % LOOK_EVERY == 0 ? drop_ended(a, q) : NULL;
    if (!e) e = room_in_space(a, f, space, need);
    if (!e) e = room_in_all(a, f, need);
    return e ? e : count_space(a, q, space);
}

static const err *put(void *ctx, arena *a, store_key key, str value, int64_t lives_s)
{
    const store_file *f = ctx;
    sql *q = f->file;
    const err *e = store_check_value(a, key, value);
    if (!e) e = sql_enter(a, q);
    if (e) return e;
    e = sql_begin(a, q);
    if (!e) {
        e = make_room(a, f, key.space, (int64_t)(key.name.n + value.n));
        if (!e)
            e = sql_run(a, q,
                        SQL("INSERT INTO kept (space, name, ends_s, value) VALUES (?1, ?2, ?3, ?4) "
                            "ON CONFLICT DO UPDATE SET ends_s = ?3, value = ?4",
                            sql_text(key.space), sql_blob(key.name), sql_int(now_s() + lives_s),
                            sql_blob(value)));
        e = sql_end(a, q, e);
    }
    sql_leave(q);
    return e;
}

static const err *drop(void *ctx, arena *a, store_key key)
{
    sql *q = ((store_file *)ctx)->file;
    const err *e = store_check_key(a, key);
    if (!e) e = sql_enter(a, q);
    if (e) return e;
    e = sql_run(a, q,
                SQL("DELETE FROM kept WHERE space = ?1 AND name = ?2", sql_text(key.space),
                    sql_blob(key.name)));
    sql_leave(q);
    return e;
}

store store_sqlite(store_file *f)
{
    return (store){.get = get, .put = put, .drop = drop, .ctx = f};
}
