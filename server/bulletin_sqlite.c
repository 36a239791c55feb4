/* SPDX-License-Identifier: Apache-2.0 */
#include "store_sqlite.h"

#include "../base/clock.h"
#include "store_check.h"

enum { LOOK_EVERY = 64 };

static int64_t now_s(void)
{
    return clock_wall_ms() / 1000;
}

static const err *make_room(arena *a, sql *q)
{
    int64_t words = 0;
    bool found = false;
    const err *e = NULL;
    if (sql_turn(q) % LOOK_EVERY == 0)
        e = sql_run(a, q, SQL("DELETE FROM word WHERE ends_s <= ?1", sql_int(now_s())));
    if (!e)
        e = sql_numbers(a, q, (sql_say){.text = "SELECT n FROM counts WHERE what = 'word'"}, &words,
                        1, &found);
    if (e || words < BULLETIN_WORDS_MOST) return e;
    return sql_run(a, q,
                   SQL("DELETE FROM word WHERE at IN "
                       "(SELECT at FROM word ORDER BY ends_s LIMIT ?1)",
                       sql_int(BULLETIN_WORDS_MOST / 16)));
}

static const err *write_word(arena *a, sql *q, bulletin_word w, int64_t lives_s)
{
    const err *e = make_room(a, q);
    if (!e)
        e = sql_run(a, q,
                    SQL("DELETE FROM word WHERE topic = ?1 AND name = ?2", sql_text(w.topic),
                        sql_blob(w.key)));
    if (e) return e;
    int64_t lives = lives_s < BULLETIN_LIFE_MOST_S ? lives_s : BULLETIN_LIFE_MOST_S;
    return sql_run(a, q,
                   SQL("INSERT INTO word (topic, name, value, ends_s) VALUES (?1, ?2, ?3, ?4)",
                       sql_text(w.topic), sql_blob(w.key), sql_blob(w.value),
                       sql_int(now_s() + lives)));
}

static const err *append(void *ctx, arena *a, const bulletin_told *words, size_t n)
{
    sql *q = ctx;
    const err *e = bulletin_check(a, words, n);
    if (!e) e = sql_enter(a, q);
    if (e) return e;
    e = sql_begin(a, q);
    if (!e) {
        for (size_t i = 0; i < n && !e; i++) e = write_word(a, q, words[i].word, words[i].lives_s);
        e = sql_end(a, q, e);
    }
    sql_leave(q);
    return e;
}

/* A file that nobody made has no words in it, and is not made by asking. */
static const err *since(void *ctx, arena *a, int64_t after, bulletin_entry *out, size_t room,
                        size_t *n)
{
    sql *q = ctx;
    *n = 0;
    if (!sql_exists(q)) return NULL;
    const err *e = sql_enter(a, q);
    if (e) return e;
    sqlite3_stmt *row = NULL;
    e = sql_start(a, q,
                  SQL("SELECT at, topic, name, value FROM word WHERE at > ?1 AND ends_s > ?2 "
                      "ORDER BY at LIMIT ?3",
                      sql_int(after), sql_int(now_s()), sql_int((int64_t)room)),
                  &row);
    while (row) {
        out[(*n)++] = (bulletin_entry){.at = sqlite3_column_int64(row, 0),
                                       .word = {sql_bytes(a, row, 1), sql_bytes(a, row, 2),
                                                sql_bytes(a, row, 3)}};
        e = sql_next(a, q, &row);
    }
    sql_leave(q);
    return e;
}

bulletin_log bulletin_sqlite(sql *q)
{
    return (bulletin_log){.append = append, .since = since, .ctx = q};
}
