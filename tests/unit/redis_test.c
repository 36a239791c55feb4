/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* The store and the words in a real redis-server, and what is done when it goes. The ledger there
 * is held to the habits of all ledgers in ledger_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../server/redis.h"
#include "redis_rig.h"

typedef struct {
    redis_rig server;
    arena *a;
    redis *r;
    store kept;
    bulletin_log words;
} rig;

static int set_up_all(void **state)
{
    arena *a = arena_new();
    rig *r = NEW(a, rig);
    r->a = a;
    *state = r;
    return redis_rig_start(&r->server, a) ? 0 : -1;
}

static int tear_down_all(void **state)
{
    rig *r = *state;
    redis_rig_end(&r->server);
    arena_free(r->a);
    return 0;
}

static int set_up(void **state)
{
    rig *r = *state;
    const str flush[] = {S("FLUSHALL")};
    resp said;
    if (!r->server.pid && !redis_rig_up(&r->server)) return -1;
    const err *e = redis_new(r->a, r->server.url, &r->r);
    if (e || redis_ask(r->a, r->r, flush, 1, &said)) return -1;
    r->kept = store_redis(r->r);
    r->words = bulletin_redis(r->r);
    return 0;
}

static int tear_down(void **state)
{
    rig *r = *state;
    redis_free(r->r);
    return 0;
}

static const store_key one = {S("tests"), S("one")};

static void put(const rig *r, store_key key, str value, int64_t lives_s)
{
    const err *e = r->kept.put(r->kept.ctx, r->a, key, value, lives_s);
    if (e) print_error(STR_FMT "\n", STR_ARG(e->text));
    assert_null(e);
}

static str get(const rig *r, store_key key)
{
    str value = S("not asked");
    assert_null(r->kept.get(r->kept.ctx, r->a, key, &value));
    return value;
}

static void values_are_kept_replaced_dropped_and_end(void **state)
{
    const rig *r = *state;
    assert_null(get(r, one).p);
    put(r, one, S("bytes \0 of any \r\n kind \xff"), 60);
    assert_true(str_eq(get(r, one), S("bytes \0 of any \r\n kind \xff")));
    put(r, one, S(""), 60);
    assert_non_null(get(r, one).p);
    assert_int_equal(get(r, one).n, 0);
    assert_null(get(r, (store_key){S("test"), S("sone")}).p);
    assert_null(r->kept.drop(r->kept.ctx, r->a, one));
    assert_null(r->kept.drop(r->kept.ctx, r->a, one));
    assert_null(get(r, one).p);
    put(r, one, S("x"), 0);
    assert_null(get(r, one).p);
}

static void a_great_value_comes_back_whole(void **state)
{
    enum { GREAT = 2 << 20 };
    const rig *r = *state;
    char *bytes = arena_bytes(r->a, GREAT);
    for (size_t i = 0; i < GREAT; i++) bytes[i] = (char)(i * 31 + i / 251);
    put(r, one, (str){bytes, GREAT}, 60);
    assert_true(str_eq(get(r, one), (str){bytes, GREAT}));
}

static void too_great_a_value_or_name_is_refused(void **state)
{
    const rig *r = *state;
    str value, great = {arena_bytes(r->a, STORE_VALUE_MOST + 1), STORE_VALUE_MOST + 1};
    store_key long_key = {S("tests"), str_take(great, STORE_KEY_MOST + 1)};
    assert_non_null(r->kept.put(r->kept.ctx, r->a, one, great, 60));
    assert_non_null(r->kept.put(r->kept.ctx, r->a, long_key, S("x"), 60));
    assert_non_null(r->kept.get(r->kept.ctx, r->a, long_key, &value));
}

/* The script itself, with bounds that a test can reach. */
static void put_within(const rig *r, const char *space, int i, size_t bytes, const char *all)
{
    str s = {space, strlen(space)}, kind = str_take(s, str_starts(s, S("llm")) ? 13 : 15);
    char *value = arena_bytes(r->a, bytes);
    memset(value, 'x', bytes);
    const str words[] = {s,
                         kind,
                         arena_fmt(r->a, "%03d", i),
                         {value, bytes},
                         arena_fmt(r->a, "%d", 100000 + i),
                         S("1000"),
                         S("10000"),
                         {all, strlen(all)}};
    resp said;
    assert_null(redis_run(r->a, r->r, REDIS_PUT, words, 8, &said));
    assert_int_equal(said.number, 1);
}

static bool kept(const rig *r, const char *space, int i)
{
    return get(r, (store_key){{space, strlen(space)}, arena_fmt(r->a, "%03d", i)}).p != NULL;
}

static void a_full_space_drops_what_would_end_soonest(void **state)
{
    const rig *r = *state;
    for (int i = 0; i < 40; i++) put_within(r, "mcp.user_tokens", i, 900, "100000");
    for (int i = 0; i < 40; i++) assert_int_equal(kept(r, "mcp.user_tokens", i), i > 28);
}

static void when_all_is_full_the_greatest_kind_gives_way(void **state)
{
    const rig *r = *state;
    for (int i = 0; i < 4; i++) put_within(r, "mcp.user_tokens", i, 1000, "20000");
    for (int i = 0; i < 100; i++)
        put_within(r, arena_fmt(r->a, "llm.responses.%d", i % 10).p, i, 800, "20000");
    for (int i = 0; i < 4; i++) assert_true(kept(r, "mcp.user_tokens", i));
    assert_true(kept(r, "llm.responses.9", 99));
    assert_false(kept(r, "llm.responses.0", 0));
}

static void words_come_in_order_the_last_of_each_key(void **state)
{
    const rig *r = *state;
    bulletin_entry out[BULLETIN_READ_MOST];
    size_t n = 7;
    assert_null(r->words.since(r->words.ctx, r->a, 0, out, BULLETIN_READ_MOST, &n));
    assert_int_equal(n, 0);
    static const bulletin_told told[] = {{{S("t"), S("a\0b"), S("1")}, 60},
                                         {{S("u"), S("a\0b"), S("2")}, 60},
                                         {{S("t"), S("c"), S("")}, 60},
                                         {{S("t"), S("a\0b"), S("4")}, 60},
                                         {{S("t"), S("over"), S("")}, 0}};
    assert_null(r->words.append(r->words.ctx, r->a, told, 2));
    assert_null(r->words.append(r->words.ctx, r->a, told + 2, 3));
    assert_null(r->words.since(r->words.ctx, r->a, 0, out, BULLETIN_READ_MOST, &n));
    assert_int_equal(n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(str_eq(out[i].word.topic, told[i + 1].word.topic));
        assert_true(str_eq(out[i].word.key, told[i + 1].word.key));
        assert_true(str_eq(out[i].word.value, told[i + 1].word.value));
    }
    assert_null(r->words.since(r->words.ctx, r->a, out[1].at, out, BULLETIN_READ_MOST, &n));
    assert_int_equal(n, 1);
    assert_true(str_eq(out[0].word.value, S("4")));
}

static void a_killed_server_is_an_error_soon_and_is_found_again(void **state)
{
    rig *r = *state;
    str value;
    put(r, one, S("kept"), 600);
    redis_rig_kill(&r->server);
    int64_t began = clock_mono_ms();
    for (int i = 0; i < 100; i++) {
        const err *e = r->kept.get(r->kept.ctx, r->a, one, &value);
        assert_non_null(e);
        assert_int_equal(e->kind, ERR_UPSTREAM);
    }
    assert_true(clock_mono_ms() - began < 10000);
    assert_true(redis_rig_up(&r->server));
    bool back = false;
    for (int64_t end = clock_mono_ms() + 20000; !back && clock_mono_ms() < end;) {
        back = r->kept.get(r->kept.ctx, r->a, one, &value) == NULL;
        if (!back) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_true(back);
    assert_true(str_eq(value, S("kept")));
    put(r, one, S("a script it has to be told again"), 60);
}

static void a_connection_that_died_is_not_noticed(void **state)
{
    const rig *r = *state;
    const str kill_all[] = {S("CLIENT"), S("KILL"), S("TYPE"), S("normal"), S("SKIPME"), S("no")};
    redis *other = NULL;
    resp said;
    put(r, one, S("x"), 60);
    assert_null(redis_new(r->a, r->server.url, &other));
    (void)!redis_ask(r->a, other, kill_all, 6, &said);
    redis_free(other);
    assert_true(str_eq(get(r, one), S("x")));
}

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in at = redis_rig_at(0);
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void a_server_that_says_nothing_is_left_in_time(void **state)
{
    const rig *r = *state;
    uint16_t port = 0;
    int fd = listen_anywhere(&port);
    redis *mute = NULL;
    str url = arena_fmt(r->a, "redis://127.0.0.1:%u", port);
    assert_null(redis_new(r->a, url, &mute));
    store s = store_redis(mute);
    str value;
    int64_t began = clock_mono_ms();
    const err *e = s.get(s.ctx, r->a, one, &value);
    assert_non_null(e);
    assert_int_equal(e->kind, ERR_TIMEOUT);
    assert_true(clock_mono_ms() - began < 20000);
    redis_free(mute);
    close(fd);
}

/* Takes a script, then says the same to whatever it is asked. */
static pid_t say_always(int fd, const char *said)
{
    static const char hash[] = "$40\r\n0123456789012345678901234567890123456789\r\n";
    pid_t pid = fork();
    if (pid) return pid;
    alarm(30); /* not longer than a test that fails */
    char asked[65536];
    int client = accept(fd, NULL, NULL);
    for (const char *s = hash; recv(client, asked, sizeof asked, 0) > 0; s = said)
        if (send(client, s, strlen(s), MSG_NOSIGNAL) < 0) break;
    _exit(0);
}

static void a_ledger_that_cannot_be_grants_nothing(void **state)
{
    const rig *r = *state;
    static const char *const answers[] = {
        "*6\r\n:9223372036854775807\r\n:1\r\n:2562047788015\r\n:1\r\n:0\r\n:0\r\n", /* its clock */
        "*6\r\n:1900000000000\r\n:9\r\n:527777\r\n:9\r\n:0\r\n:0\r\n",  /* more than asked for */
        "*6\r\n:1900000000000\r\n:1\r\n:527778\r\n:1\r\n:0\r\n:0\r\n",  /* another window */
        "*6\r\n:1900000000000\r\n:-1\r\n:527777\r\n:0\r\n:0\r\n:0\r\n", /* less than nothing */
        "*5\r\n:1900000000000\r\n:1\r\n:527777\r\n:1\r\n:0\r\n",
        "+OK\r\n",
    };
    const ledger_ask ask = {.cell = {S("cell"), LEDGER_FIXED, 3600000},
                            .limit = 5,
                            .want = 1,
                            .least = 1,
                            .lease = S("lease")};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        uint16_t port = 0;
        int fd = listen_anywhere(&port);
        pid_t pid = say_always(fd, answers[i]);
        redis *other = NULL;
        ledger_grant g = {0};
        assert_null(redis_new(r->a, arena_fmt(r->a, "redis://127.0.0.1:%u", port), &other));
        ledger l = ledger_redis(other);
        const err *e = l.take(l.ctx, r->a, &ask, 1, &g);
        redis_free(other);
        close(fd);
        waitpid(pid, NULL, 0);
        assert_non_null(e);
    }
}

static void passwords_and_databases_are_used(void **state)
{
    const rig *r = *state;
    const str set[] = {S("CONFIG"), S("SET"), S("requirepass"), S("p@ss")};
    const str clear[] = {S("CONFIG"), S("SET"), S("requirepass"), S("")};
    resp said;
    assert_null(redis_ask(r->a, r->r, set, 4, &said));
    static const struct {
        const char *user;
        bool good;
    } cases[] = {{":p%40ss@", true}, {"default:p%40ss@", true}, {"", false}, {":no@", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        redis *other = NULL;
        str url = arena_fmt(r->a, "redis://%s127.0.0.1:%u/3", cases[i].user, r->server.port);
        assert_null(redis_new(r->a, url, &other));
        store s = store_redis(other);
        const err *e = s.put(s.ctx, r->a, one, S("x"), 60);
        assert_int_equal(e == NULL, cases[i].good);
        if (e) assert_null(memmem(e->text.p, e->text.n, "p@ss", 4));
        redis_free(other);
    }
    assert_null(redis_ask(r->a, r->r, clear, 4, &said));
    assert_null(get(r, one).p); /* it is in database 3 */
}

static void what_it_should_not_be_is_doubted(void **state)
{
    const rig *r = *state;
    const str off[] = {S("CONFIG"), S("SET"), S("appendonly"), S("no")};
    const str on[] = {S("CONFIG"), S("SET"), S("appendonly"), S("yes")};
    str doubts = {0};
    resp said;
    assert_null(redis_doubts(r->a, r->r, &doubts));
    assert_null(doubts.p);
    assert_null(redis_ask(r->a, r->r, off, 4, &said));
    assert_null(redis_doubts(r->a, r->r, &doubts));
    assert_non_null(doubts.p);
    assert_null(redis_ask(r->a, r->r, on, 4, &said));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_kept_replaced_dropped_and_end),
        TEST(a_great_value_comes_back_whole),
        TEST(too_great_a_value_or_name_is_refused),
        TEST(a_full_space_drops_what_would_end_soonest),
        TEST(when_all_is_full_the_greatest_kind_gives_way),
        TEST(words_come_in_order_the_last_of_each_key),
        TEST(a_connection_that_died_is_not_noticed),
        TEST(a_server_that_says_nothing_is_left_in_time),
        TEST(a_ledger_that_cannot_be_grants_nothing),
        TEST(passwords_and_databases_are_used),
        TEST(a_killed_server_is_an_error_soon_and_is_found_again),
        TEST(what_it_should_not_be_is_doubted), /* last: its file is written anew */
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
