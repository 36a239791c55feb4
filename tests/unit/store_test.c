/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../server/redis.h"
#include "../../server/store.h"
#include "../../server/store_sqlite.h"

typedef struct {
    arena *a;
    str directory;
    store_keeper *keeper;
    store kept;
} rig;

static void open_it(rig *r, str where)
{
    const err *e = store_keeper_new(r->a, where, r->directory, &r->keeper);
    assert_null(e);
    r->kept = store_keeper_store(r->keeper);
}

static int set_up(void **state)
{
    char path[] = "/tmp/store-XXXXXX";
    arena *a = arena_new();
    rig *r = NEW(a, rig);
    r->a = a;
    assert_non_null(mkdtemp(path));
    r->directory = arena_fmt(a, "%s", path);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm"};
    rig *r = *state;
    store_keeper_free(r->keeper);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(arena_fmt(r->a, STR_FMT "/%s", STR_ARG(r->directory), names[i]).p);
    rmdir(r->directory.p);
    arena_free(r->a);
    return 0;
}

static void put(const rig *r, store_key key, str value, int64_t lives_s)
{
    assert_null(r->kept.put(r->kept.ctx, r->a, key, value, lives_s));
}

static str get(const rig *r, store_key key)
{
    str value = S("not asked");
    assert_null(r->kept.get(r->kept.ctx, r->a, key, &value));
    return value;
}

static const store_key one = {S("tests"), S("one")};

static void what_was_put_is_there_after_a_restart(void **state)
{
    rig *r = *state;
    open_it(r, S("sqlite:a.db"));
    put(r, one, S("bytes \0 of any kind \xff"), 60);
    store_keeper_free(r->keeper);
    open_it(r, S("sqlite:a.db"));
    assert_true(str_eq(get(r, one), S("bytes \0 of any kind \xff")));
}

static void the_file_is_its_owners_alone_and_made_when_needed(void **state)
{
    rig *r = *state;
    struct stat st;
    open_it(r, S("sqlite:a.db"));
    str path = arena_fmt(r->a, STR_FMT "/a.db", STR_ARG(r->directory));
    assert_int_not_equal(stat(path.p, &st), 0);
    put(r, one, S("x"), 60);
    assert_int_equal(stat(path.p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_has_ended_is_not_given_out(void **state)
{
    rig *r = *state;
    open_it(r, S("memory:"));
    put(r, one, S("x"), 0);
    assert_null(get(r, one).p);
    put(r, one, S(""), 60);
    assert_non_null(get(r, one).p);
    assert_int_equal(get(r, one).n, 0);
}

static void a_second_value_replaces_and_a_dropped_one_is_gone(void **state)
{
    rig *r = *state;
    open_it(r, S("memory:"));
    put(r, one, S("first"), 60);
    put(r, one, S("second"), 60);
    assert_true(str_eq(get(r, one), S("second")));
    assert_null(r->kept.drop(r->kept.ctx, r->a, one));
    assert_null(r->kept.drop(r->kept.ctx, r->a, one));
    assert_null(get(r, one).p);
}

static void spaces_do_not_meet(void **state)
{
    rig *r = *state;
    open_it(r, S("memory:"));
    put(r, one, S("x"), 60);
    assert_null(get(r, (store_key){S("others"), S("one")}).p);
}

static void too_long_a_key_or_value_is_refused(void **state)
{
    rig *r = *state;
    open_it(r, S("memory:"));
    char *bytes = calloc(1, STORE_VALUE_MOST + 1);
    assert_non_null(bytes);
    str value, big = {bytes, STORE_VALUE_MOST + 1};
    const err *e = r->kept.put(r->kept.ctx, r->a, one, big, 60);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
    store_key key = {S("tests"), {bytes, STORE_KEY_MOST + 1}};
    assert_non_null(r->kept.put(r->kept.ctx, r->a, key, S("x"), 60));
    assert_non_null(r->kept.get(r->kept.ctx, r->a, key, &value));
    free(bytes);
}

static void another_programs_file_is_left_alone(void **state)
{
    rig *r = *state;
    str path = arena_fmt(r->a, STR_FMT "/a.db", STR_ARG(r->directory));
    FILE *f = fopen(path.p, "w");
    assert_non_null(f);
    (void)fputs("somebody's notes, which are no database and longer than its header of a hundred "
                "bytes, so that there is no doubt about it\n",
                f);
    (void)fclose(f);
    open_it(r, S("sqlite:a.db"));
    str doubts;
    const err *e = store_keeper_try(r->a, r->keeper, &doubts);
    assert_non_null(e);
}

static void two_keepers_share_a_file(void **state)
{
    rig *r = *state;
    store_keeper *other = NULL;
    open_it(r, S("sqlite:a.db"));
    put(r, one, S("x"), 60);
    const err *e = store_keeper_new(r->a, S("sqlite:a.db"), r->directory, &other);
    assert_null(e);
    store second = store_keeper_store(other);
    assert_null(second.put(second.ctx, r->a, one, S("y"), 60));
    assert_true(str_eq(get(r, one), S("y")));
    store_keeper_free(other);
}

static void only_stores_we_know_are_taken(void **state)
{
    rig *r = *state;
    static const str odd[] = {S(""),
                              S("sqlite:"),
                              S("redis:127.0.0.1"),
                              S("redis://"),
                              S("redis://:6379"),
                              S("redis://h:0"),
                              S("redis://h:65536"),
                              S("redis://h:"),
                              S("redis://h/x"),
                              S("redis://h/-1"),
                              S("redis://u:%zz@h"),
                              S("redis://[::1"),
                              S("redis://[::1]x"),
                              S("a.db"),
                              S("memory:x"),
                              {0}};
    for (const str *s = odd; s->p; s++) {
        assert_non_null(store_keeper_check(r->a, *s));
        assert_non_null(store_keeper_new(r->a, *s, r->directory, &r->keeper));
    }
}

static void addresses_of_redis_are_read(void **state)
{
    const rig *r = *state;
    static const struct {
        str url, host, user, password;
        int64_t port, db;
        bool tls;
    } cases[] = {
        {S("redis://h"), S("h"), {0}, {0}, 6379, 0, false},
        {S("rediss://h.example:7000/3"), S("h.example"), {0}, {0}, 7000, 3, true},
        {S("redis://:p%40ss+word@h"), S("h"), {0}, S("p@ss+word"), 6379, 0, false},
        {S("redis://me:a:b@[::1]:1/"), S("::1"), S("me"), S("a:b"), 1, 0, false},
        {S("redis://me:p@x@h/2"), S("h"), S("me"), S("p@x"), 6379, 2, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        redis_place p;
        assert_null(redis_parse(r->a, cases[i].url, &p));
        assert_true(str_eq(p.at.host, cases[i].host));
        assert_true(str_eq(p.user, cases[i].user));
        assert_true(str_eq(p.password, cases[i].password));
        assert_int_equal(p.at.port, cases[i].port);
        assert_int_equal(p.db, cases[i].db);
        assert_int_equal(p.tls, cases[i].tls);
    }
}

/* Bounds */

static bool kept(const rig *r, store s, str space, int i)
{
    str value = {0};
    assert_null(s.get(s.ctx, r->a, (store_key){space, arena_fmt(r->a, "%03d", i)}, &value));
    return value.p != NULL;
}

static void keep(const rig *r, store s, str space, int i, size_t bytes, int64_t lives_s)
{
    str value = {arena_bytes(r->a, bytes), bytes};
    memset((char *)(uintptr_t)value.p, 'x', bytes);
    store_key key = {space, arena_fmt(r->a, "%03d", i)};
    assert_null(s.put(s.ctx, r->a, key, value, lives_s));
}

static void a_full_space_drops_what_would_end_soonest(void **state)
{
    const rig *r = *state;
    store_file by_bytes = {sql_new((str){0}), 1000, 10000, 100000};
    store_file by_rows = {sql_new((str){0}), 10, 10000, 100000};
    store_file *const files[] = {&by_bytes, &by_rows};
    for (size_t f = 0; f < 2; f++) {
        store s = store_sqlite(files[f]);
        keep(r, s, S("a.b"), 0, 500, 10000);
        for (int i = 1; i < 40; i++) keep(r, s, S("a.b"), i, f ? 10 : 900, 100 + i);
        keep(r, s, S("other"), 0, 500, 50);
        assert_true(kept(r, s, S("a.b"), 0));
        assert_true(kept(r, s, S("a.b"), 39));
        assert_false(kept(r, s, S("a.b"), 1));
        assert_true(kept(r, s, S("other"), 0));
        int left = 0;
        for (int i = 0; i < 40; i++) left += kept(r, s, S("a.b"), i);
        assert_in_range(left, 8, 11);
        sql_free(files[f]->file);
    }
}

static void when_all_is_full_the_greatest_kind_gives_way(void **state)
{
    const rig *r = *state;
    store_file f = {sql_new((str){0}), 1000, 10000, 20000};
    store s = store_sqlite(&f);
    for (int i = 0; i < 4; i++) keep(r, s, S("mcp.user_tokens"), i, 1000, 50);
    for (int i = 0; i < 300; i++) {
        str space = arena_fmt(r->a, "llm.responses.caller %d", i % 30);
        keep(r, s, space, i / 30, 800, 1000);
    }
    for (int i = 0; i < 4; i++) assert_true(kept(r, s, S("mcp.user_tokens"), i));
    assert_true(kept(r, s, S("llm.responses.caller 29"), 9));
    sql_free(f.file);
}

static void counts_follow_what_is_replaced_and_dropped(void **state)
{
    const rig *r = *state;
    store_file f = {sql_new((str){0}), 1000, 10000, 20000};
    store s = store_sqlite(&f);
    for (int i = 0; i < 200; i++) keep(r, s, S("a.b"), i % 3, (size_t)(i * 37 % 2000), 100);
    for (int i = 0; i < 3; i++)
        assert_null(s.drop(s.ctx, r->a, (store_key){S("a.b"), arena_fmt(r->a, "%03d", i)}));
    int64_t n[3];
    bool found = false;
    assert_null(sql_enter(r->a, f.file));
    assert_null(sql_numbers(r->a, f.file,
                            (sql_say){.text = "SELECT sum(spaces.bytes), sum(n), "
                                              "(SELECT sum(bytes) FROM kinds) FROM spaces"},
                            n, 3, &found));
    sql_leave(f.file);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 0);
    assert_int_equal(n[2], 0);
    sql_free(f.file);
}

static void a_file_of_format_1_is_taken_over(void **state)
{
    rig *r = *state;
    str path = arena_fmt(r->a, STR_FMT "/a.db", STR_ARG(r->directory));
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path.p, &db), SQLITE_OK);
    static const char old[] =
        "CREATE TABLE kept (space TEXT NOT NULL, name BLOB NOT NULL, ends_s INTEGER NOT NULL, "
        "value BLOB NOT NULL, PRIMARY KEY (space, name));"
        "CREATE INDEX kept_until ON kept (space, ends_s);"
        "INSERT INTO kept VALUES ('tests', x'6f6e65', 9999999999, x'6f6c64');"
        "INSERT INTO kept VALUES ('llm.responses.x', x'6f6e65', 9999999999, x'6f6c64');"
        "INSERT INTO kept VALUES ('llm.responses.y', x'6f6e65', 9999999999, x'6f6c64');"
        "PRAGMA user_version = 1;";
    assert_int_equal(sqlite3_exec(db, old, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    open_it(r, S("sqlite:a.db"));
    assert_true(str_eq(get(r, one), S("old")));
    put(r, one, S("newer"), 60);
    int64_t n[2];
    bool found = false;
    sql *file = sql_new(path);
    assert_null(sql_enter(r->a, file));
    assert_null(sql_numbers(r->a, file,
                            (sql_say){.text = "SELECT (SELECT bytes FROM kinds WHERE kind = "
                                              "'llm.responses'), (SELECT bytes FROM spaces "
                                              "WHERE space = 'tests')"},
                            n, 2, &found));
    sql_leave(file);
    assert_int_equal(n[0], 12);
    assert_int_equal(n[1], 8);
    sql_free(file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_there_after_a_restart),
        TEST(the_file_is_its_owners_alone_and_made_when_needed),
        TEST(what_has_ended_is_not_given_out),
        TEST(a_second_value_replaces_and_a_dropped_one_is_gone),
        TEST(spaces_do_not_meet),
        TEST(too_long_a_key_or_value_is_refused),
        TEST(another_programs_file_is_left_alone),
        TEST(two_keepers_share_a_file),
        TEST(only_stores_we_know_are_taken),
        TEST(addresses_of_redis_are_read),
        TEST(a_full_space_drops_what_would_end_soonest),
        TEST(when_all_is_full_the_greatest_kind_gives_way),
        TEST(counts_follow_what_is_replaced_and_dropped),
        TEST(a_file_of_format_1_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
