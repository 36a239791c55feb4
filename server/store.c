/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the store in SQLite.
 *
 * One table, one connection, one lock: all of it is off the request's path, and a write waits for
 * the disk anyway. Write-ahead log with full sync: a value that put() said was kept is there after
 * kill -9 and after power loss. "memory:" is SQLite's own, so there is one code for both.
 *
 * Bounds: rows by space (the soonest to end go first, looked at every few writes), bytes in all by
 * SQLite's own count of pages. Values that have ended go with those looks. */
#include "store.h"

#include "../base/clock.h"
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

enum { FORMAT = 1, BUSY_MS = 5000, LOOK_EVERY = 16 };
#define PAGES_MOST "262144" /* of 4 KiB: 1 GiB */

struct store_keeper {
    arena *a;
    str file; /* {0}: in memory */
    pthread_mutex_t lock;
    sqlite3 *db; /* NULL: not opened yet */
    unsigned puts;
};

/* Asking */

static const err *trouble(arena *a, sqlite3 *db, const char *what)
{
    int code = db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM;
    return err_new(a, code == SQLITE_FULL ? ERR_TOO_LARGE : ERR_BUG, "store: %s: %s", what,
                   sqlite3_errstr(code));
}

static const err *ask(arena *a, sqlite3 *db, const char *sql, const store_key *key,
                      sqlite3_stmt **out)
{
    if (sqlite3_prepare_v2(db, sql, -1, out, NULL) != SQLITE_OK) return trouble(a, db, "prepare");
    if (key &&
        (sqlite3_bind_text64(*out, 1, key->space.p, key->space.n, SQLITE_STATIC, SQLITE_UTF8) !=
             SQLITE_OK ||
         sqlite3_bind_blob64(*out, 2, key->name.p, key->name.n, SQLITE_STATIC) != SQLITE_OK)) {
        sqlite3_finalize(*out);
        return trouble(a, db, "bind");
    }
    return NULL;
}

/* Runs it to its end and forgets it. */
static const err *finish(arena *a, sqlite3 *db, sqlite3_stmt *s, const char *what)
{
    int code = sqlite3_step(s);
    const err *e = code == SQLITE_DONE || code == SQLITE_ROW ? NULL : trouble(a, db, what);
    sqlite3_finalize(s);
    return e;
}

/* Opening */

static const err *check_format(arena *a, sqlite3 *db)
{
    sqlite3_stmt *s = NULL;
    const err *e = ask(a, db, "PRAGMA user_version", NULL, &s);
    if (e) return e;
    int code = sqlite3_step(s), version = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    if (code != SQLITE_ROW) return trouble(a, db, "open");
    if (version != 0 && version != FORMAT)
        return err_new(a, ERR_UNSUPPORTED, "store: its format is %d, this program's %d", version,
                       FORMAT);
    return NULL;
}

static const err *set_up(arena *a, sqlite3 *db)
{
    static const char sql[] =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA max_page_count = " PAGES_MOST
        ";"
        "BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS kept (space TEXT NOT NULL, name BLOB NOT NULL, "
        "ends_s INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, name));"
        "CREATE INDEX IF NOT EXISTS kept_until ON kept (space, ends_s);"
        "PRAGMA user_version = 1;"
        "COMMIT;";
    sqlite3_busy_timeout(db, BUSY_MS);
    const err *e = check_format(a, db);
    if (!e && sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) e = trouble(a, db, "set up");
    return e;
}

/* SQLite gives its companions the mode of the file itself. */
static const err *make_file(arena *a, str file)
{
    int fd = open(file.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return err_new(a, ERR_BUG, "store: " STR_FMT " cannot be opened", STR_ARG(file));
    close(fd);
    return NULL;
}

/* With the lock. */
static const err *open_db(arena *a, store_keeper *k)
{
    if (k->db) return NULL;
    sqlite3 *db = NULL;
    const err *e = k->file.p ? make_file(a, k->file) : NULL;
    if (e) return e;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(k->file.p ? k->file.p : ":memory:", &db, flags, NULL) != SQLITE_OK)
        e = trouble(a, db, "open");
    if (!e) e = set_up(a, db);
    if (e)
        sqlite3_close(db);
    else
        k->db = db;
    return e;
}

/* The interface */

static const err *check_key(arena *a, store_key key)
{
    if (key.space.n <= STORE_KEY_MOST && key.name.n <= STORE_KEY_MOST) return NULL;
    return err_new(a, ERR_TOO_LARGE, "store: a key of %zu bytes", key.name.n);
}

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static const err *read_value(arena *a, sqlite3 *db, store_key key, str *value)
{
    sqlite3_stmt *s = NULL;
    const err *e =
        ask(a, db, "SELECT value FROM kept WHERE space = ?1 AND name = ?2 AND ends_s > ?3", &key,
            &s);
    if (e) return e;
    sqlite3_bind_int64(s, 3, now_s());
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        const char *p = sqlite3_column_blob(s, 0);
        *value = arena_dup(a, (str){p ? p : "", (size_t)sqlite3_column_bytes(s, 0)});
    } else if (code != SQLITE_DONE)
        e = trouble(a, db, "get");
    sqlite3_finalize(s);
    return e;
}

static const err *get(void *ctx, arena *a, store_key key, str *value)
{
    store_keeper *k = ctx;
    *value = (str){0};
    const err *e = check_key(a, key);
    if (e) return e;
    pthread_mutex_lock(&k->lock);
    e = open_db(a, k);
    if (!e) e = read_value(a, k->db, key, value);
    pthread_mutex_unlock(&k->lock);
    return e;
}

/* What has ended goes; of what is left, the soonest to end, down to the bound. */
static const err *make_room(arena *a, sqlite3 *db, store_key key)
{
    sqlite3_stmt *s = NULL;
    const err *e =
        ask(a, db, "DELETE FROM kept WHERE space = ?1 AND ?2 NOT NULL AND ends_s <= ?3", &key, &s);
    if (e) return e;
    sqlite3_bind_int64(s, 3, now_s());
    e = finish(a, db, s, "make room");
    if (!e)
        e = ask(a, db,
                "DELETE FROM kept WHERE space = ?1 AND ?2 NOT NULL AND rowid IN (SELECT rowid FROM "
                "kept WHERE space = ?1 ORDER BY ends_s DESC LIMIT -1 OFFSET ?3)",
                &key, &s);
    if (e) return e;
    sqlite3_bind_int64(s, 3, STORE_SPACE_MOST);
    return finish(a, db, s, "make room");
}

static const err *write_value(arena *a, sqlite3 *db, store_key key, str value, int64_t ends_s)
{
    sqlite3_stmt *s = NULL;
    const err *e = ask(a, db,
                       "INSERT INTO kept (space, name, ends_s, value) VALUES (?1, ?2, ?3, ?4) "
                       "ON CONFLICT DO UPDATE SET ends_s = ?3, value = ?4",
                       &key, &s);
    if (e) return e;
    sqlite3_bind_int64(s, 3, ends_s);
    sqlite3_bind_blob64(s, 4, value.n ? value.p : "", value.n, SQLITE_STATIC);
    return finish(a, db, s, "put");
}

static const err *put(void *ctx, arena *a, store_key key, str value, int64_t lives_s)
{
    store_keeper *k = ctx;
    const err *e = check_key(a, key);
    if (!e && value.n > STORE_VALUE_MOST)
        e = err_new(a, ERR_TOO_LARGE, "store: a value of %zu bytes", value.n);
    if (e) return e;
    pthread_mutex_lock(&k->lock);
    e = open_db(a, k);
    if (!e && k->puts++ % LOOK_EVERY == 0) e = make_room(a, k->db, key);
    if (!e) e = write_value(a, k->db, key, value, now_s() + lives_s);
    pthread_mutex_unlock(&k->lock);
    return e;
}

static const err *drop(void *ctx, arena *a, store_key key)
{
    store_keeper *k = ctx;
    const err *e = check_key(a, key);
    if (e) return e;
    sqlite3_stmt *s = NULL;
    pthread_mutex_lock(&k->lock);
    e = open_db(a, k);
    if (!e) e = ask(a, k->db, "DELETE FROM kept WHERE space = ?1 AND name = ?2", &key, &s);
    if (!e) e = finish(a, k->db, s, "drop");
    pthread_mutex_unlock(&k->lock);
    return e;
}

store store_keeper_store(store_keeper *k)
{
    return (store){.get = get, .put = put, .drop = drop, .ctx = k};
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
    pthread_mutex_init(&k->lock, NULL);
    str file = str_starts(where, S("sqlite:")) ? str_drop(where, 7) : (str){0};
    if (file.p && file.p[0] != '/')
        file = arena_fmt(own, STR_FMT "/" STR_FMT, STR_ARG(directory), STR_ARG(file));
    if (file.p) k->file = arena_dup(own, file);
    *out = k;
    return NULL;
}

const err *store_keeper_try(arena *a, store_keeper *k)
{
    pthread_mutex_lock(&k->lock);
    const err *e = open_db(a, k);
    pthread_mutex_unlock(&k->lock);
    return e;
}

void store_keeper_free(store_keeper *k)
{
    if (!k) return;
    sqlite3_close(k->db);
    pthread_mutex_destroy(&k->lock);
    arena_free(k->a);
}
