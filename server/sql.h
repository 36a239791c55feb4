/* SPDX-License-Identifier: Apache-2.0 */
/* sql.h - one SQLite file, shared by all that is kept in it (store_sqlite.c, ledger_sqlite.c,
 * bulletin_sqlite.c).
 *
 * One connection, one lock: all of it is off the request's path, and a write waits for the disk
 * anyway. Write-ahead log with full sync: what was committed is there after kill -9 and after power
 * loss. Without a file it is SQLite's own memory, so there is one code for both.
 * Between sql_enter() and sql_leave() the lock is held; statements only there.
 * Threads: any but a worker. */
#ifndef SP_SQL_H
#define SP_SQL_H
#include "../base/err.h"
#include <sqlite3.h>
#include <stdint.h>

typedef struct sql sql;

sql *sql_new(str file); /* {0}: in memory. Opens nothing yet */
void sql_free(sql *q);  /* NULL is fine */
/* Is there a file to read from? In memory: always. */
bool sql_exists(const sql *q);
unsigned sql_turn(sql *q); /* how often it was asked before: for what is due every few times */

/* Locks and opens; on failure nothing is locked. The file is made when it is not there. */
MUST_CHECK const err *sql_enter(arena *a, sql *q);
void sql_leave(sql *q);
MUST_CHECK const err *sql_begin(arena *a, sql *q);
/* Keeps what was done since, unless `e`; then, or if it cannot, nothing of it. */
MUST_CHECK const err *sql_end(arena *a, sql *q, const err *e);

typedef struct {
    enum { SQL_INT, SQL_BLOB, SQL_TEXT } kind;
    int64_t number;
    str bytes;
} sql_value;

static inline sql_value sql_int(int64_t v)
{
    return (sql_value){.kind = SQL_INT, .number = v};
}
static inline sql_value sql_blob(str v)
{
    return (sql_value){.kind = SQL_BLOB, .bytes = v};
}
static inline sql_value sql_text(str v)
{
    return (sql_value){.kind = SQL_TEXT, .bytes = v};
}

/* A statement and the values of its ?1, ?2 …; the bytes must outlive it. */
typedef struct {
    const char *text;
    const sql_value *values;
    size_t n;
} sql_say;
/* The kind of a space: up to its second dot. */
#define SQL_KIND_OF(space)                                                                         \
    "CASE instr(substr(" space ", instr(" space ", '.') + 1), '.') WHEN 0 THEN " space             \
    " ELSE substr(" space ", 1, instr(" space ", '.') - 1 + "                                      \
    "instr(substr(" space ", instr(" space ", '.') + 1), '.')) END"

/* clang-format off */
#define SQL(text_, ...) \
    ((sql_say){text_, (const sql_value[]){__VA_ARGS__}, sizeof((const sql_value[]){__VA_ARGS__}) / sizeof(sql_value)})
/* clang-format on */

/* To its end; nothing is read. */
MUST_CHECK const err *sql_run(arena *a, sql *q, sql_say say);
/* The numbers of its first row; none: *found is false and they are 0. */
MUST_CHECK const err *sql_numbers(arena *a, sql *q, sql_say say, int64_t *out, size_t n,
                                  bool *found);
/* Row by row: until *row is NULL the caller may read its columns. */
MUST_CHECK const err *sql_start(arena *a, sql *q, sql_say say, sqlite3_stmt **row);
MUST_CHECK const err *sql_next(arena *a, sql *q, sqlite3_stmt **row);
void sql_stop(sqlite3_stmt **row); /* before the last row */
str sql_bytes(arena *a, sqlite3_stmt *row, int column);
#endif
