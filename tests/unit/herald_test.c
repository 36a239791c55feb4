/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../base/clock.h"
#include "../../server/herald.h"
#include "../../server/store_sqlite.h"

enum { SOON_MS = 20000 };

typedef struct {
    arena *a;
    str path;
    logger *log;
    sql *file, *other;
} rig;

/* What one replica has heard, in order. */
typedef struct {
    pthread_mutex_t lock;
    char text[256];
    size_t n;
} ear;

static void heard(void *ctx, str key, str value)
{
    ear *to = ctx;
    pthread_mutex_lock(&to->lock);
    for (size_t i = 0; i < key.n && to->n < sizeof to->text - 2; i++) to->text[to->n++] = key.p[i];
    to->text[to->n++] = '=';
    for (size_t i = 0; i < value.n && to->n < sizeof to->text - 2; i++)
        to->text[to->n++] = value.p[i];
    to->text[to->n++] = ';';
    pthread_mutex_unlock(&to->lock);
}

static void wait_to_hear(ear *in, str text)
{
    bool same = false;
    for (int64_t end = clock_mono_ms() + SOON_MS; !same && clock_mono_ms() < end;) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        pthread_mutex_lock(&in->lock);
        same = str_eq((str){in->text, in->n}, text);
        pthread_mutex_unlock(&in->lock);
    }
    if (!same) print_error("heard %.*s\n", (int)in->n, in->text);
    assert_true(same);
}

static int set_up(void **state)
{
    char path[] = "/tmp/herald-XXXXXX";
    assert_non_null(mkdtemp(path));
    arena *a = arena_new();
    rig *r = NEW(a, rig);
    r->a = a;
    r->path = arena_fmt(a, "%s/a.db", path);
    r->log = log_new(2, LOG_ERROR_LEVEL);
    r->file = sql_new(r->path);
    r->other = sql_new(r->path);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    rig *r = *state;
    sql_free(r->file);
    sql_free(r->other);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        unlink(arena_fmt(r->a, STR_FMT "%s", STR_ARG(r->path), ends[i]).p);
    rmdir(arena_dup(r->a, str_take(r->path, r->path.n - 5)).p);
    log_free(r->log);
    arena_free(r->a);
    return 0;
}

static bool tell(herald *h, str topic, str key, str value)
{
    bulletin b = herald_bulletin(h);
    return b.tell(b.ctx, (bulletin_word){topic, key, value}, 60);
}

static herald *start(const rig *r, bulletin_log words, ear *in)
{
    herald *h = herald_new(words, r->log);
    bulletin b = herald_bulletin(h);
    b.hear(b.ctx, S("t"), heard, in);
    herald_start(h);
    return h;
}

static void a_word_reaches_the_others_and_its_teller(void **state)
{
    const rig *r = *state;
    ear ears[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}};
    herald *one = start(r, bulletin_sqlite(r->file), &ears[0]);
    herald *two = start(r, bulletin_sqlite(r->other), &ears[1]);
    assert_true(tell(one, S("t"), S("a"), S("1")));
    assert_true(tell(one, S("elsewhere"), S("a"), S("1")));
    assert_true(tell(one, S("t"), S("b"), S("2")));
    wait_to_hear(&ears[1], S("a=1;b=2;"));
    wait_to_hear(&ears[0], S("a=1;b=2;"));
    assert_true(tell(two, S("t"), S("c"), S("")));
    wait_to_hear(&ears[0], S("a=1;b=2;c=;"));
    herald_free(one);
    herald_free(two);
}

static void who_starts_later_hears_what_stands(void **state)
{
    const rig *r = *state;
    ear ears[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}};
    herald *one = start(r, bulletin_sqlite(r->file), &ears[0]);
    assert_true(tell(one, S("t"), S("a"), S("1")));
    assert_true(tell(one, S("t"), S("b"), S("2")));
    assert_true(tell(one, S("t"), S("a"), S("3")));
    bulletin b = herald_bulletin(one);
    assert_true(b.tell(b.ctx, (bulletin_word){S("t"), S("over"), S("x")}, 0));
    herald_stop(one);
    assert_false(tell(one, S("t"), S("a"), S("too late")));
    herald_free(one);
    herald *two = start(r, bulletin_sqlite(r->other), &ears[1]);
    herald_stop(two); /* all of it came with the start */
    wait_to_hear(&ears[1], S("b=2;a=3;"));
    herald_free(two);
}

static void a_file_nobody_made_is_not_made_by_listening(void **state)
{
    const rig *r = *state;
    ear in = {.lock = PTHREAD_MUTEX_INITIALIZER};
    herald_free(start(r, bulletin_sqlite(r->file), &in));
    assert_int_not_equal(access(r->path.p, F_OK), 0);
}

/* A store that is away as long as `out` says. */
typedef struct {
    bulletin_log real;
    atomic_bool out;
} flaky;

static const err *flaky_append(void *ctx, arena *a, const bulletin_told *words, size_t n)
{
    flaky *f = ctx;
    if (f->out) return err_new(a, ERR_UPSTREAM, "away");
    return f->real.append(f->real.ctx, a, words, n);
}

static const err *flaky_since(void *ctx, arena *a, int64_t after, bulletin_entry *out, size_t room,
                              size_t *n)
{
    flaky *f = ctx;
    *n = 0;
    if (f->out) return err_new(a, ERR_UPSTREAM, "away");
    return f->real.since(f->real.ctx, a, after, out, room, n);
}

static void what_was_told_while_the_store_was_away_is_heard_later(void **state)
{
    const rig *r = *state;
    flaky f = {.real = bulletin_sqlite(r->file), .out = true};
    ear ears[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}};
    bulletin_log words = {flaky_append, flaky_since, &f};
    herald *one = start(r, words, &ears[0]);
    herald *two = start(r, bulletin_sqlite(r->other), &ears[1]);
    assert_true(tell(one, S("t"), S("a"), S("1")));
    assert_true(tell(one, S("t"), S("b"), S("2")));
    f.out = false;
    wait_to_hear(&ears[1], S("a=1;b=2;"));
    herald_free(one);
    herald_free(two);
}

static void many_words_come_in_their_order(void **state)
{
    const rig *r = *state;
    ear in = {.lock = PTHREAD_MUTEX_INITIALIZER};
    herald *one = start(r, bulletin_sqlite(r->other), &in);
    for (int i = 0; i < 1000; i++)
        assert_true(tell(one, S("elsewhere"), arena_fmt(r->a, "%d", i), S("x")));
    assert_true(tell(one, S("t"), S("last"), S("1")));
    wait_to_hear(&in, S("last=1;"));
    herald_free(one);
}

static void what_is_too_large_or_too_much_is_not_taken(void **state)
{
    const rig *r = *state;
    static char bytes[BULLETIN_VALUE_MOST + 1];
    flaky f = {.real = bulletin_sqlite(r->file), .out = true};
    ear in = {.lock = PTHREAD_MUTEX_INITIALIZER};
    bulletin_log words = {flaky_append, flaky_since, &f};
    herald *h = start(r, words, &in);
    assert_false(tell(h, S("t"), S("a"), (str){bytes, sizeof bytes}));
    assert_false(tell(h, S("t"), (str){bytes, BULLETIN_KEY_MOST + 1}, S("")));
    assert_false(tell(h, S(""), S("a"), S("")));
    for (int i = 0; i < BULLETIN_QUEUE_MOST; i++) assert_true(tell(h, S("t"), S("a"), S("1")));
    assert_false(tell(h, S("t"), S("a"), S("1")));
    herald_free(h);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_word_reaches_the_others_and_its_teller),
        TEST(who_starts_later_hears_what_stands),
        TEST(a_file_nobody_made_is_not_made_by_listening),
        TEST(what_was_told_while_the_store_was_away_is_heard_later),
        TEST(many_words_come_in_their_order),
        TEST(what_is_too_large_or_too_much_is_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
