/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { FORMAT = 2, BUSY_MS = 5000 };
#define PAGES_MOST "262144" /* of 4 KiB: 1 GiB; what is kept bounds itself below that */

struct sql {
    arena *a;
    str file; /* {0}: in memory */
    pthread_mutex_t lock;
    sqlite3 *db; /* NULL: not opened yet */
    unsigned turns;
};

#define COUNTED(table)                                                                             \
    "CREATE TRIGGER IF NOT EXISTS " table "_more AFTER INSERT ON " table " BEGIN "                 \
    "UPDATE counts SET n = n + 1 WHERE what = '" table "'; END;"                                   \
    "CREATE TRIGGER IF NOT EXISTS " table "_less AFTER DELETE ON " table " BEGIN "                 \
    "UPDATE counts SET n = n - 1 WHERE what = '" table "'; END;"

/* In format 1 there was the first table alone. How much a space and a kind of spaces hold is
 * counted as it changes: adding it up would read the whole table. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS kept (space TEXT NOT NULL, name BLOB NOT NULL, "
    "ends_s INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (space, name));"
    "CREATE INDEX IF NOT EXISTS kept_until ON kept (space, ends_s);"
    "CREATE INDEX IF NOT EXISTS kept_ended ON kept (ends_s);"
    "CREATE TABLE IF NOT EXISTS kinds (kind TEXT PRIMARY KEY, bytes INTEGER NOT NULL) "
    "WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS spaces (space TEXT PRIMARY KEY, kind TEXT NOT NULL, "
    "bytes INTEGER NOT NULL, n INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS spaces_by_bytes ON spaces (kind, bytes);"
    "CREATE TRIGGER IF NOT EXISTS kept_more AFTER INSERT ON kept BEGIN "
    "UPDATE spaces SET bytes = bytes + length(new.name) + length(new.value), n = n + 1 "
    "WHERE space = new.space; END;"
    "CREATE TRIGGER IF NOT EXISTS kept_other AFTER UPDATE OF value ON kept BEGIN "
    "UPDATE spaces SET bytes = bytes + length(new.value) - length(old.value) "
    "WHERE space = new.space; END;"
    "CREATE TRIGGER IF NOT EXISTS kept_less AFTER DELETE ON kept BEGIN "
    "UPDATE spaces SET bytes = bytes - length(old.name) - length(old.value), n = n - 1 "
    "WHERE space = old.space; END;"
    "CREATE TRIGGER IF NOT EXISTS spaces_other AFTER UPDATE OF bytes ON spaces BEGIN "
    "UPDATE kinds SET bytes = bytes + new.bytes - old.bytes WHERE kind = new.kind; END;"

    "CREATE TABLE IF NOT EXISTS cell (id INTEGER PRIMARY KEY, name BLOB NOT NULL, "
    "kind INTEGER NOT NULL, length_ms INTEGER NOT NULL, at INTEGER NOT NULL, used INTEGER NOT "
    "NULL, "
    "leases INTEGER NOT NULL, ends_ms INTEGER NOT NULL, UNIQUE (name, kind, length_ms, at));"
    "CREATE INDEX IF NOT EXISTS cell_until ON cell (ends_ms);"
    "CREATE TABLE IF NOT EXISTS lease (cell INTEGER NOT NULL, name BLOB NOT NULL, "
    "units INTEGER NOT NULL, owed INTEGER NOT NULL, ends_ms INTEGER NOT NULL, "
    "PRIMARY KEY (cell, name)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS lease_until ON lease (ends_ms);"
    "CREATE TABLE IF NOT EXISTS holder (name BLOB PRIMARY KEY, ends_ms INTEGER NOT NULL) "
    "WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS slot (cell BLOB NOT NULL, holder BLOB NOT NULL, "
    "held INTEGER NOT NULL, PRIMARY KEY (cell, holder)) WITHOUT ROWID;"

    "CREATE TABLE IF NOT EXISTS word (at INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, "
    "name BLOB NOT NULL, value BLOB NOT NULL, ends_s INTEGER NOT NULL, UNIQUE (topic, name));"
    "CREATE INDEX IF NOT EXISTS word_until ON word (ends_s);"

    "CREATE TABLE IF NOT EXISTS counts (what TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT OR IGNORE INTO counts VALUES ('cell', 0), ('lease', 0), ('slot', 0), ('word', "
    "0);" COUNTED("cell") COUNTED("lease") COUNTED("slot") COUNTED("word");

static const char from_format_1[] = "INSERT INTO spaces SELECT space, " SQL_KIND_OF(
    "space") ", "
             "sum(length(name) + length(value)), count(*) FROM kept GROUP BY space;"
             "INSERT INTO kinds SELECT kind, sum(bytes) FROM spaces GROUP BY kind;";

static const err *trouble(arena *a, sql *q, const char *what)
{
    int code = q->db ? sqlite3_extended_errcode(q->db) : SQLITE_NOMEM;
    return err_new(a, code == SQLITE_FULL ? ERR_TOO_LARGE : ERR_BUG, "store: %s: %s", what,
                   sqlite3_errstr(code));
}

/* Statements */

static int bind(sqlite3_stmt *s, int at, const sql_value *v)
{
    const char *p = v->bytes.n ? v->bytes.p : "";
    switch (v->kind) {
    case SQL_BLOB: return sqlite3_bind_blob64(s, at, p, v->bytes.n, SQLITE_STATIC);
    case SQL_TEXT: return sqlite3_bind_text64(s, at, p, v->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
    case SQL_INT: break;
    }
    return sqlite3_bind_int64(s, at, v->number);
}

const err *sql_start(arena *a, sql *q, sql_say say, sqlite3_stmt **row)
{
    *row = NULL;
    if (sqlite3_prepare_v2(q->db, say.text, -1, row, NULL) != SQLITE_OK)
        return trouble(a, q, "prepare");
    for (size_t i = 0; i < say.n; i++) {
        if (bind(*row, (int)i + 1, &say.values[i]) == SQLITE_OK) continue;
        sql_stop(row);
        return trouble(a, q, "bind");
    }
    return sql_next(a, q, row);
}

const err *sql_next(arena *a, sql *q, sqlite3_stmt **row)
{
    int code = sqlite3_step(*row);
    if (code == SQLITE_ROW) return NULL;
    const err *e = code == SQLITE_DONE ? NULL : trouble(a, q, "statement");
    sql_stop(row);
    return e;
}

void sql_stop(sqlite3_stmt **row)
{
    sqlite3_finalize(*row);
    *row = NULL;
}

str sql_bytes(arena *a, sqlite3_stmt *row, int column)
{
    const char *p = sqlite3_column_blob(row, column);
    return arena_dup(a, (str){p ? p : "", (size_t)sqlite3_column_bytes(row, column)});
}

const err *sql_run(arena *a, sql *q, sql_say say)
{
    sqlite3_stmt *row = NULL;
    const err *e = sql_start(a, q, say, &row);
    if (row) sql_stop(&row);
    return e;
}

const err *sql_numbers(arena *a, sql *q, sql_say say, int64_t *out, size_t n, bool *found)
{
    sqlite3_stmt *row = NULL;
    const err *e = sql_start(a, q, say, &row);
    *found = row != NULL;
    for (size_t i = 0; i < n; i++) out[i] = row ? sqlite3_column_int64(row, (int)i) : 0;
    if (row) sql_stop(&row);
    return e;
}

/* Opening */

static const err *exec(arena *a, sql *q, const char *text, const char *what)
{
    return sqlite3_exec(q->db, text, NULL, NULL, NULL) == SQLITE_OK ? NULL : trouble(a, q, what);
}

static const err *read_format(arena *a, sql *q, int64_t *format)
{
    bool found = false;
    sql_say say = {.text = "PRAGMA user_version"};
    const err *e = sql_numbers(a, q, say, format, 1, &found);
    if (!e && *format > FORMAT)
        e = err_new(a, ERR_UNSUPPORTED, "store: its format is %lld, this program's %d",
                    (long long)*format, FORMAT);
    return e;
}

static const err *make_tables(arena *a, sql *q)
{
    int64_t format = 0;
    const err *e = sql_begin(a, q);
    if (e) return e;
    e = read_format(a, q, &format);
    if (!e && format < FORMAT) e = exec(a, q, tables, "set up");
    if (!e && format == 1) e = exec(a, q, from_format_1, "set up");
    if (!e && format < FORMAT) e = exec(a, q, "PRAGMA user_version = 2", "set up");
    return sql_end(a, q, e);
}

static const err *set_up(arena *a, sql *q)
{
    int64_t format = 0;
    sqlite3_busy_timeout(q->db, BUSY_MS);
    const err *e = read_format(a, q, &format);
    if (!e)
        e = exec(a, q,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                 "PRAGMA max_page_count = " PAGES_MOST,
                 "set up");
    return e ? e : make_tables(a, q);
}

/* SQLite gives its companions the mode of the file itself. */
static const err *make_file(arena *a, str file)
{
    int fd = open(file.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return err_new(a, ERR_BUG, "store: " STR_FMT " cannot be opened", STR_ARG(file));
    close(fd);
    return NULL;
}

static const err *open_db(arena *a, sql *q)
{
    if (q->db) return NULL;
    const err *e = q->file.p ? make_file(a, q->file) : NULL;
    if (e) return e;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    const char *name = q->file.p ? q->file.p : ":memory:";
    if (sqlite3_open_v2(name, &q->db, flags, NULL) != SQLITE_OK) e = trouble(a, q, "open");
    if (!e) e = set_up(a, q);
    if (!e) return NULL;
    sqlite3_close(q->db);
    q->db = NULL;
    return err_wrap(a, e, "%s", name);
}

const err *sql_enter(arena *a, sql *q)
{
    pthread_mutex_lock(&q->lock);
    const err *e = open_db(a, q);
    if (e) pthread_mutex_unlock(&q->lock);
    return e;
}

void sql_leave(sql *q)
{
    pthread_mutex_unlock(&q->lock);
}

unsigned sql_turn(sql *q)
{
    return q->turns++;
}

const err *sql_begin(arena *a, sql *q)
{
    return exec(a, q, "BEGIN IMMEDIATE", "begin");
}

const err *sql_end(arena *a, sql *q, const err *e)
{
    if (!e) e = exec(a, q, "COMMIT", "commit");
    if (e) (void)sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    return e;
}

/* Making */

bool sql_exists(const sql *q)
{
    return !q->file.p || access(q->file.p, F_OK) == 0;
}

sql *sql_new(str file)
{
    arena *own = arena_new_of(512);
    sql *q = NEW(own, sql);
    q->a = own;
    if (file.p) q->file = arena_dup(own, file);
    pthread_mutex_init(&q->lock, NULL);
    return q;
}

void sql_free(sql *q)
{
    if (!q) return;
    sqlite3_close(q->db);
    pthread_mutex_destroy(&q->lock);
    arena_free(q->a);
}
