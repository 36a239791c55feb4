/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* What every ledger does (base/ledger.h), whoever keeps it; then what SQLite's does. Windows here
 * are so long that none ends in a test, but where its end is what is tested. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../server/redis.h"
#include "../../server/store_sqlite.h"
#include "redis_rig.h"

typedef struct {
    arena *a;
    ledger book;
} keeping;

#define LONG_MS (30LL * 86400 * 1000)
static const ledger_cell month_long = {{"cell \0 one", 10}, LEDGER_FIXED, LONG_MS};

static ledger_grant ask(const keeping *k, ledger_ask q)
{
    ledger_grant g = {0};
    const err *e = k->book.take(k->book.ctx, k->a, &q, 1, &g);
    if (e) print_error(STR_FMT "\n", STR_ARG(e->text));
    assert_null(e);
    return g;
}

static ledger_grant ask_for(const keeping *k, ledger_cell c, int64_t limit, int64_t want, str lease)
{
    return ask(k,
               (ledger_ask){.cell = c, .limit = limit, .want = want, .least = 1, .lease = lease});
}

static int64_t used_of(const keeping *k, ledger_cell c)
{
    return ask(k, (ledger_ask){.cell = c, .limit = 1}).used;
}

static void give_back(const keeping *k, ledger_cell c, int64_t index, str lease, int64_t unused)
{
    ledger_rest r = {.cell = c, .index = index, .lease = lease, .unused = unused};
    assert_null(k->book.give(k->book.ctx, k->a, &r, 1));
}

static void rest(int64_t ms)
{
    struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static void what_is_taken_is_spent_until_the_limit(void **state)
{
    const keeping *k = *state;
    ledger_grant g = ask_for(k, month_long, 100, 60, S("a"));
    assert_int_equal(g.granted, 60);
    assert_int_equal(g.used, 60);
    assert_true(g.ends_in_ms > 0 && g.ends_in_ms <= LONG_MS);
    g = ask_for(k, month_long, 100, 60, S("b"));
    assert_int_equal(g.granted, 40);
    g = ask_for(k, month_long, 100, 60, S("c"));
    assert_int_equal(g.granted, 0);
    assert_int_equal(g.used, 100);
    assert_true(g.room_in_ms > 0 && g.room_in_ms <= LONG_MS);
}

static void less_than_the_least_is_nothing(void **state)
{
    const keeping *k = *state;
    assert_int_equal(ask_for(k, month_long, 100, 95, S("a")).granted, 95);
    ledger_ask q = {.cell = month_long, .limit = 100, .want = 10, .least = 6, .lease = S("b")};
    assert_int_equal(ask(k, q).granted, 0);
    q.least = 5;
    assert_int_equal(ask(k, q).granted, 5);
}

static void a_lease_asked_for_twice_is_granted_once(void **state)
{
    const keeping *k = *state;
    ledger_grant first = ask_for(k, month_long, 100, 10, S("a"));
    ledger_grant again = ask_for(k, month_long, 100, 10, S("a"));
    assert_int_equal(first.granted, 10);
    assert_int_equal(again.granted, 10);
    assert_int_equal(again.index, first.index);
    assert_int_equal(again.used, 10);
    ledger_cell other = month_long;
    other.name = S("cell two");
    assert_int_equal(ask_for(k, other, 100, 10, S("a")).used, 10);
}

static void what_was_not_used_comes_back_once(void **state)
{
    const keeping *k = *state;
    ledger_grant g = ask_for(k, month_long, 100, 50, S("a"));
    give_back(k, month_long, g.index, S("a"), 20);
    assert_int_equal(used_of(k, month_long), 30);
    give_back(k, month_long, g.index, S("a"), 20);
    give_back(k, month_long, g.index, S("never"), 20);
    give_back(k, month_long, g.index + 7, S("a"), 20);
    assert_int_equal(used_of(k, month_long), 30);
    g = ask_for(k, month_long, 100, 50, S("b"));
    give_back(k, month_long, g.index, S("b"), 1000);
    assert_int_equal(used_of(k, month_long), 30);
    g = ask_for(k, month_long, 100, 50, S("c")); /* used up: closed with nothing left */
    give_back(k, month_long, g.index, S("c"), 0);
    assert_int_equal(used_of(k, month_long), 80);
    give_back(k, month_long, g.index, S("c"), 50);
    assert_int_equal(used_of(k, month_long), 80);
}

static void what_is_spare_comes_back_without_a_lease_and_once(void **state)
{
    const keeping *k = *state;
    ledger_grant g = ask_for(k, month_long, 100, 50, S("a"));
    give_back(k, month_long, g.index, S("a"), 0);
    ledger_rest r = {month_long, g.index, S("spare"), 20, true};
    assert_null(k->book.give(k->book.ctx, k->a, &r, 1));
    assert_int_equal(used_of(k, month_long), 30);
    assert_null(k->book.give(k->book.ctx, k->a, &r, 1));
    assert_int_equal(used_of(k, month_long), 30);
    r = (ledger_rest){month_long, g.index, S("more than there is"), 1000, true};
    assert_null(k->book.give(k->book.ctx, k->a, &r, 1));
    assert_int_equal(used_of(k, month_long), 0);
    r = (ledger_rest){month_long, g.index + 1, S("of no window"), 5, true};
    assert_null(k->book.give(k->book.ctx, k->a, &r, 1));
    assert_int_equal(ask_for(k, month_long, 100, 200, S("b")).granted, 100);
}

static void what_is_owed_passes_the_limit_and_is_debited_once(void **state)
{
    const keeping *k = *state;
    ledger_ask q = {.cell = month_long,
                    .limit = 100,
                    .want = 150,
                    .lease = S("dear"),
                    .owed = true};
    assert_int_equal(ask(k, q).granted, 150);
    ledger_grant g = ask(k, q);
    assert_int_equal(g.granted, 150);
    assert_int_equal(g.used, 150);
    give_back(k, month_long, g.index, S("dear"), 150);
    assert_int_equal(used_of(k, month_long), 150);
    assert_int_equal(ask_for(k, month_long, 100, 1, S("a")).granted, 0);
}

static void questions_of_one_batch_do_not_stop_each_other(void **state)
{
    const keeping *k = *state;
    ledger_cell two = {S("two"), LEDGER_MONTH, 0}, three = {S("three"), LEDGER_SLIDING, 60000};
    const ledger_ask q[] = {
        {.cell = month_long, .limit = 5, .want = 10, .least = 10, .lease = S("a")},
        {.cell = two, .limit = 50, .want = 10, .least = 1, .lease = S("a")},
        {.cell = three, .limit = LEDGER_UNITS_MOST, .want = LEDGER_UNITS_MOST, .lease = S("a")},
        {.cell = two, .limit = 15, .want = 10, .least = 1, .lease = S("b")},
    };
    ledger_grant g[4];
    assert_null(k->book.take(k->book.ctx, k->a, q, 4, g));
    assert_int_equal(g[0].granted, 0);
    assert_int_equal(g[1].granted, 10);
    assert_true(g[2].granted == LEDGER_UNITS_MOST);
    assert_int_equal(g[3].granted, 5);
}

static void length_and_kind_are_part_of_a_cell(void **state)
{
    const keeping *k = *state;
    ledger_cell hour = month_long;
    hour.window_ms = 3600000;
    assert_int_equal(ask_for(k, month_long, 10, 10, S("a")).granted, 10);
    assert_int_equal(ask_for(k, hour, 10, 10, S("a")).granted, 10);
    hour.window = LEDGER_SLIDING;
    assert_int_equal(ask_for(k, hour, 10, 10, S("a")).granted, 10);
}

static void a_window_that_is_over_owes_nothing(void **state)
{
    const keeping *k = *state;
    ledger_cell second = {S("second"), LEDGER_FIXED, 1000};
    ledger_grant first = ask_for(k, second, 10, 10, S("a"));
    assert_int_equal(first.granted, 10);
    assert_true(first.ends_in_ms <= 1000);
    rest(first.ends_in_ms + 20);
    ledger_grant next = ask_for(k, second, 10, 10, S("a"));
    assert_int_equal(next.granted, 10);
    assert_true(next.index > first.index);
}

static void a_sliding_window_forgets_bit_by_bit(void **state)
{
    const keeping *k = *state;
    ledger_cell two = {S("sliding"), LEDGER_SLIDING, 2000};
    ledger_grant first = ask_for(k, two, 1000, 1000, S("a"));
    assert_int_equal(first.granted, 1000);
    rest(first.ends_in_ms + 50);
    ledger_grant next = ask_for(k, two, 1000, 1000, S("b"));
    if (next.index == first.index + 1) { /* else the machine slept over it */
        assert_true(next.used <= 1000);
        assert_true(next.granted < 1000);
        give_back(k, two, first.index, S("a"), 1000); /* still counted, so still given back */
        assert_true(used_of(k, two) <= next.granted);
    }
}

static void slots_are_held_up_to_the_limit_of_all(void **state)
{
    const keeping *k = *state;
    ledger_slots s[] = {{S("slots"), 10, 6, 0}, {S("other"), 2, 5, 0}};
    ledger_life life = {0};
    assert_null(k->book.hold(k->book.ctx, k->a, S("one"), s, 2, &life));
    assert_true(life.lost && life.living == 1);
    assert_int_equal(s[0].held, 6);
    assert_int_equal(s[1].held, 2);
    assert_null(k->book.hold(k->book.ctx, k->a, S("two"), s, 2, &life));
    assert_int_equal(s[0].held, 4);
    assert_int_equal(s[1].held, 0);
    s[0].want = 1;
    assert_null(k->book.hold(k->book.ctx, k->a, S("one"), s, 1, &life));
    assert_false(life.lost);
    assert_int_equal(s[0].held, 1);
    s[0].want = 20;
    assert_null(k->book.hold(k->book.ctx, k->a, S("two"), s, 1, &life));
    assert_int_equal(s[0].held, 9);
    s[0].limit = 3; /* a limit that was lowered takes nothing away */
    s[0].want = 8;
    assert_null(k->book.hold(k->book.ctx, k->a, S("two"), s, 1, &life));
    assert_int_equal(s[0].held, 8);
    s[0].want = 0;
    assert_null(k->book.hold(k->book.ctx, k->a, S("two"), s, 1, &life));
    assert_int_equal(s[0].held, 0);
    assert_null(k->book.hold(k->book.ctx, k->a, S("two"), NULL, 0, &life));
    assert_true(!life.lost && life.living == 2);
}

static void what_is_no_question_is_refused(void **state)
{
    const keeping *k = *state;
    static char bytes[LEDGER_CELL_MOST + 1] = "x";
    ledger_ask good = {.cell = month_long, .limit = 1, .want = 1, .least = 1, .lease = S("a")};
    ledger_ask bad[5];
    for (size_t i = 0; i < 5; i++) bad[i] = good;
    bad[0].cell.name = (str){bytes, sizeof bytes};
    bad[1].cell.window_ms = 1;
    bad[2].lease = (str){0};
    bad[3].lease = (str){bytes, LEDGER_LEASE_MOST + 1};
    bad[4].want = -1;
    ledger_grant g;
    for (size_t i = 0; i < 5; i++) assert_non_null(k->book.take(k->book.ctx, k->a, &bad[i], 1, &g));
    assert_int_equal(used_of(k, month_long), 0);
}

static void leases_of_a_cell_are_bounded(void **state)
{
    const keeping *k = *state;
    static ledger_ask q[LEDGER_BATCH_MOST];
    static ledger_grant g[LEDGER_BATCH_MOST];
    static char names[LEDGER_BATCH_MOST][16];
    int64_t granted = 0;
    for (int64_t round = 0; round * LEDGER_BATCH_MOST <= LEDGER_LEASES_MOST; round++) {
        for (size_t i = 0; i < LEDGER_BATCH_MOST; i++) {
            int n = snprintf(names[i], sizeof names[i], "%lld.%zu", (long long)round, i);
            q[i] = (ledger_ask){.cell = month_long,
                                .limit = 1000000,
                                .want = 1,
                                .least = 1,
                                .lease = {names[i], (size_t)n}};
        }
        assert_null(k->book.take(k->book.ctx, k->a, q, LEDGER_BATCH_MOST, g));
        for (size_t i = 0; i < LEDGER_BATCH_MOST; i++) granted += g[i].granted;
    }
    assert_int_equal(granted, LEDGER_LEASES_MOST);
    give_back(k, month_long, g[0].index, S("0.0"), 1);
    assert_int_equal(ask_for(k, month_long, 1000000, 1, S("one more")).granted, 1);
    ledger_ask owed = {.cell = month_long, .limit = 1, .want = 5, .lease = S("owed"), .owed = true};
    assert_int_equal(ask(k, owed).granted, 5);
    assert_int_equal(used_of(k, month_long), LEDGER_LEASES_MOST + 5);
}

/* SQLite */

typedef struct {
    keeping k;
    str path;
    sql *file;
} rig;

static void open_file(rig *r)
{
    r->file = sql_new(r->path);
    r->k.book = ledger_sqlite(r->file);
}

static int set_up(void **state)
{
    arena *a = arena_new();
    rig *r = NEW(a, rig);
    r->k.a = a;
    open_file(r);
    *state = r;
    return 0;
}

static int set_up_file(void **state)
{
    char path[] = "/tmp/ledger-XXXXXX";
    assert_non_null(mkdtemp(path));
    set_up(state);
    rig *r = *state;
    sql_free(r->file);
    r->path = arena_fmt(r->k.a, "%s/a.db", path);
    open_file(r);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    rig *r = *state;
    sql_free(r->file);
    if (r->path.p) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            unlink(arena_fmt(r->k.a, STR_FMT "%s", STR_ARG(r->path), ends[i]).p);
        rmdir(arena_dup(r->k.a, str_take(r->path, r->path.n - 5)).p);
    }
    arena_free(r->k.a);
    return 0;
}

/* Takes leases without end and says of each, once it has it, that it does. */
static void spend(const rig *r, int say)
{
    sql *file = sql_new(r->path);
    ledger book = ledger_sqlite(file);
    for (int i = 0;; i++) {
        ledger_ask q = {.cell = month_long,
                        .limit = 1000000,
                        .want = 3,
                        .least = 3,
                        .lease = arena_fmt(r->k.a, "lease %d", i)};
        ledger_grant g;
        if (book.take(book.ctx, r->k.a, &q, 1, &g) || g.granted != 3) _exit(1);
        if (write(say, "3", 1) != 1) _exit(1);
    }
}

static void kill_9_keeps_every_debit_that_was_answered(void **state)
{
    rig *r = *state;
    int64_t said = 0;
    for (int round = 0; round < 2; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) spend(r, ends[1]);
        close(ends[1]);
        char bytes[64];
        for (int64_t heard = 0; heard < 10;) {
            ssize_t n = read(ends[0], bytes, sizeof bytes);
            assert_true(n > 0);
            heard += n, said += n;
        }
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;) said += n;
        close(ends[0]);
        /* The one it was about to say, of each run, may be there too. Leases of the next run have
         * the names of this one's, so only what is new is debited. */
        int64_t used = used_of(&r->k, month_long);
        assert_true(used % 3 == 0);
        ledger_grant first = ask_for(&r->k, month_long, 1000000, 3, S("lease 0"));
        assert_int_equal(first.granted, 3);
        assert_int_equal(first.used, used);
        for (int64_t i = 0; i < used / 3; i++)
            give_back(&r->k, month_long, first.index, arena_fmt(r->k.a, "lease %lld", (long long)i),
                      0);
        assert_true(used >= said * 3 && used <= (said + round + 1) * 3);
    }
}

static void two_processes_share_one_limit(void **state)
{
    rig *r = *state;
    sql *other = sql_new(r->path);
    ledger second = ledger_sqlite(other);
    assert_int_equal(ask_for(&r->k, month_long, 100, 70, S("a")).granted, 70);
    ledger_ask q = {.cell = month_long, .limit = 100, .want = 70, .least = 1, .lease = S("b")};
    ledger_grant g = {0};
    assert_null(second.take(second.ctx, r->k.a, &q, 1, &g));
    assert_int_equal(g.granted, 30);
    sql_free(other);
}

static void windows_that_ended_are_cleaned(void **state)
{
    const rig *r = *state;
    int64_t n[2] = {0};
    bool found = false;
    ledger_cell c = {S("old"), LEDGER_FIXED, 1000};
    for (int i = 0; i < 40; i++) ask_for(&r->k, c, 100, 1, arena_fmt(r->k.a, "%d", i));
    assert_null(sql_enter(r->k.a, r->file));
    assert_null(sql_run(r->k.a, r->file, (sql_say){.text = "UPDATE cell SET ends_ms = 5"}));
    assert_null(sql_run(r->k.a, r->file, (sql_say){.text = "UPDATE lease SET ends_ms = 5"}));
    sql_leave(r->file);
    c.name = S("new");
    for (int i = 0; i < 40; i++) (void)used_of(&r->k, c);
    assert_null(sql_enter(r->k.a, r->file));
    assert_null(sql_numbers(r->k.a, r->file,
                            (sql_say){.text = "SELECT (SELECT n FROM counts WHERE what = 'cell'), "
                                              "(SELECT count(*) FROM lease)"},
                            n, 2, &found));
    sql_leave(r->file);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 0);
}

static void a_silent_holder_loses_its_slots(void **state)
{
    const rig *r = *state;
    ledger_slots s = {S("slots"), 10, 10, 0};
    ledger_life life = {0};
    assert_null(r->k.book.hold(r->k.book.ctx, r->k.a, S("one"), &s, 1, &life));
    assert_null(sql_enter(r->k.a, r->file));
    assert_null(sql_run(r->k.a, r->file, (sql_say){.text = "UPDATE holder SET ends_ms = 5"}));
    sql_leave(r->file);
    assert_null(r->k.book.hold(r->k.book.ctx, r->k.a, S("two"), &s, 1, &life));
    assert_int_equal(s.held, 10);
    assert_null(r->k.book.hold(r->k.book.ctx, r->k.a, S("one"), &s, 1, &life));
    assert_true(life.lost);
    assert_int_equal(s.held, 0);
}

#define HABITS(T)                                                                                  \
    T(what_is_taken_is_spent_until_the_limit), T(less_than_the_least_is_nothing),                  \
        T(a_lease_asked_for_twice_is_granted_once), T(what_was_not_used_comes_back_once),          \
        T(what_is_spare_comes_back_without_a_lease_and_once),                                      \
        T(what_is_owed_passes_the_limit_and_is_debited_once),                                      \
        T(questions_of_one_batch_do_not_stop_each_other), T(length_and_kind_are_part_of_a_cell),   \
        T(a_window_that_is_over_owes_nothing), T(a_sliding_window_forgets_bit_by_bit),             \
        T(slots_are_held_up_to_the_limit_of_all), T(what_is_no_question_is_refused),               \
        T(leases_of_a_cell_are_bounded)

/* Redis: one server for all, emptied before each */

static redis_rig server;

typedef struct {
    keeping k;
    redis *r;
} redis_keeping;

static int set_up_redis(void **state)
{
    arena *a = arena_new();
    redis_keeping *r = NEW(a, redis_keeping);
    const str flush[] = {S("FLUSHALL")};
    resp said;
    r->k.a = a;
    *state = r;
    const err *e = redis_new(a, server.url, &r->r);
    if (e || redis_ask(a, r->r, flush, 1, &said)) return -1;
    r->k.book = ledger_redis(r->r);
    return 0;
}

static int tear_down_redis(void **state)
{
    redis_keeping *r = *state;
    redis_free(r->r);
    arena_free(r->k.a);
    return 0;
}

static int start_redis(void **state)
{
    (void)state;
    return redis_rig_start(&server, arena_new()) ? 0 : -1;
}

static int end_redis(void **state)
{
    (void)state;
    redis_rig_end(&server);
    arena_free(server.a);
    return 0;
}

static void a_killed_redis_keeps_every_debit_that_was_answered(void **state)
{
    const redis_keeping *r = *state;
    int64_t granted = 0;
    for (int i = 0; i < 20; i++)
        granted += ask_for(&r->k, month_long, 1000, 3, arena_fmt(r->k.a, "%d", i)).granted;
    redis_rig_kill(&server);
    ledger_ask q = {.cell = month_long, .limit = 1000, .want = 3, .least = 3, .lease = S("lost")};
    ledger_grant g;
    assert_non_null(r->k.book.take(r->k.book.ctx, r->k.a, &q, 1, &g));
    assert_true(redis_rig_up(&server));
    const err *e = NULL;
    for (int64_t end = clock_mono_ms() + 20000; clock_mono_ms() < end; rest(20)) {
        e = r->k.book.take(r->k.book.ctx, r->k.a, &q, 1, &g);
        if (!e) break;
    }
    assert_null(e);
    assert_int_equal(g.granted, 3);
    assert_int_equal(g.used, granted + 3);
}

/* Both compute windows; what a month is must be the same to both. */
static void redis_and_this_machine_agree_on_windows(void **state)
{
    const redis_keeping *r = *state;
    static const ledger_cell cells[] = {{S("a"), LEDGER_MONTH, 0},
                                        {S("b"), LEDGER_FIXED, 86400000},
                                        {S("c"), LEDGER_SLIDING, LONG_MS}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ask_for(&r->k, cells[i], 10, 1, S("x")).granted, 1);
}

#define REDIS_TEST(f) cmocka_unit_test_setup_teardown(f, set_up_redis, tear_down_redis)
#define TEST(f)       cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define FILE_TEST(f)  cmocka_unit_test_setup_teardown(f, set_up_file, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HABITS(TEST),
        TEST(windows_that_ended_are_cleaned),
        TEST(a_silent_holder_loses_its_slots),
        FILE_TEST(what_is_taken_is_spent_until_the_limit),
        FILE_TEST(kill_9_keeps_every_debit_that_was_answered),
        FILE_TEST(two_processes_share_one_limit),
        HABITS(REDIS_TEST),
        REDIS_TEST(redis_and_this_machine_agree_on_windows),
        REDIS_TEST(a_killed_redis_keeps_every_debit_that_was_answered),
    };
    return cmocka_run_group_tests(tests, start_redis, end_redis);
}
