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

#include "../../server/store.h"

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
    const err *e = store_keeper_try(r->a, r->keeper);
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
    static const str odd[] = {S(""),     S("sqlite:"),  S("redis://127.0.0.1"),
                              S("a.db"), S("memory:x"), {0}};
    for (const str *s = odd; s->p; s++) {
        assert_false(store_keeper_knows(*s));
        assert_non_null(store_keeper_new(r->a, *s, r->directory, &r->keeper));
    }
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
