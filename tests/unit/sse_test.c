/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* sse_test.c - the stream is cut everywhere; the events must not notice. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../transport/sse.h"
#include <time.h>

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

struct seen {
    buf log;
    sse_reader *reader;
    int stop_after; /* 0: never */
    int n;
};

/* [event|data|id] with - for what an event does not have, then its retry. */
static void note(void *ctx, sse_event ev)
{
    struct seen *s = ctx;
    str data = ev.has_data ? ev.data : S("-"), id = ev.has_id ? ev.id : S("-");
    assert_true(ev.has_data || ev.data.n == 0);
    assert_true(ev.has_id || ev.id.n == 0);
    buf_fmt(&s->log, "[" STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(ev.event), STR_ARG(data),
            STR_ARG(id));
    if (ev.retry_ms >= 0) buf_fmt(&s->log, "|%lld", (long long)ev.retry_ms);
    buf_put(&s->log, S("]"));
    if (++s->n == s->stop_after) sse_stop(s->reader);
}

static struct seen seen_new(arena *a, size_t limit)
{
    struct seen s = {.log = buf_new(a, 1 << 20)};
    (void)limit;
    return s;
}

/* An exact heap copy, so that a read past a feed is seen; freed at once, so that a kept view is. */
static const err *feed(sse_reader *r, const char *p, size_t n)
{
    arena *a = arena_new();
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    for (size_t i = 0; i < n; i++) exact[i] = p[i];
    const err *e = sse_feed(r, (str){exact, n});
    free(exact);
    arena_free(a);
    return e;
}

static const struct {
    const char *in, *want;
    bool idle;
} streams[] = {
    {":hi\r\nevent: a\r\ndata:{1}\r\n\r\ndata: x\ndata: y\n\ndata\r\rdata: z\r\n\r\n",
     "[a|{1}|-][|x\ny|-][||-][|z|-]", true},
    {"\xEF\xBB\xBF"
     "data: bom\n\n",
     "[|bom|-]", true},
    {"\xEF\xBB"
     "data: not a bom\n\ndata: 1\n\n",
     "[|1|-]", true}, /* an unknown field */
    {"\n\xEF\xBB\xBF"
     "data: late bom\n\n",
     "", true},
    {"id: 7\ndata:\n\n", "[||7]", true},
    {"id: 7\n\n", "[|-|7]", true},
    {"id\n\n", "[|-|]", true},
    {"retry: 1500\n\n", "[|-|-|1500]", true},
    {"retry: 15x\n\n", "", true},
    {"retry:\n\n", "", true},
    {"retry: 99999999999999999999\n\n", "", true},
    {"retry: 10\nretry: -1\ndata: a\n\n", "[|a|-|10]", true},
    {"event: only\n\ndata: a\n\n", "[|a|-]", true},
    {"event: a\nevent: b\ndata: 1\n\n", "[b|1|-]", true},
    {"data:  two spaces\n\n", "[| two spaces|-]", true},
    {"data:a:b\n\n", "[|a:b|-]", true},
    {"datax: a\nDATA: b\n data: c\n\n", "", true},
    {"data: a\n\ndata: cut", "[|a|-]", false},
    {"data: a\n\ndata: cut\n", "[|a|-]", false},
    {"id: a\n", "", false},
    {"retry: 1\n", "", false},
    {": comment\n", "", true},
    {"data: a\r", "", false},
    {"\r\r\r\n\n\n", "", true},
    {"data: a\r\r\ndata: b\r\n\r", "[|a|-][|b|-]", true},
};

static void every_cut_of_a_stream_gives_the_same_events(void **st)
{
    arena *a = *st;
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        const char *in = streams[i].in;
        size_t n = strlen(in);
        for (size_t cut = 0; cut <= n; cut++) {
            for (size_t second = cut; second <= n; second++) {
                struct seen s = seen_new(a, 64);
                sse_reader *r = sse_reader_new(a, 64, note, &s);
                assert_null(feed(r, in, cut));
                assert_null(feed(r, in + cut, second - cut));
                assert_null(feed(r, in + second, n - second));
                buf_put(&s.log, (str){"", 1});
                assert_string_equal(s.log.p, streams[i].want);
                assert_int_equal(sse_idle(r), streams[i].idle);
            }
        }
    }
}

static void one_byte_at_a_time_gives_the_same_events(void **st)
{
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++) {
        struct seen s = seen_new(*st, 64);
        sse_reader *r = sse_reader_new(*st, 64, note, &s);
        for (const char *p = streams[i].in; *p; p++) assert_null(feed(r, p, 1));
        buf_put(&s.log, (str){"", 1});
        assert_string_equal(s.log.p, streams[i].want);
    }
}

static void an_id_with_a_nul_is_ignored(void **st)
{
    struct seen s = seen_new(*st, 64);
    sse_reader *r = sse_reader_new(*st, 64, note, &s);
    assert_null(sse_feed(r, S("id: a\0b\ndata: 1\n\n")));
    assert_true(str_eq(buf_str(&s.log), S("[|1|-]")));
}

static void the_limit_is_exact_and_stays_broken(void **st)
{
    static const struct {
        const char *in;
        bool ok;
    } cases[] = {
        {"data: 0123456789\n\n", true}, /* 16 bytes of line */
        {"data: 0123456789a\n\n", false},
        {"data: 0123456789a", false},       /* before its end has come */
        {"data: 0123\ndata: 45\n\n", true}, /* 4 held + 8 of line */
        {"data: 0123456\ndata: 456\n\n", true},
        {"data: 0123456\ndata: 4567\n\n", false},
        {"id: 0123456789\ndata: 1\n\n", false},
        {": 345678901234567\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].in);
        for (size_t cut = 0; cut <= n; cut++) {
            struct seen s = seen_new(*st, 16);
            sse_reader *r = sse_reader_new(*st, 16, note, &s);
            const err *e = feed(r, cases[i].in, cut);
            const err *e2 = feed(r, cases[i].in + cut, n - cut);
            if (cases[i].ok) {
                assert_null(e);
                assert_null(e2);
                continue;
            }
            assert_non_null(e2);
            assert_int_equal(e2->kind, ERR_TOO_LARGE);
            assert_non_null(sse_feed(r, S("\n\n")));
        }
    }
}

static void endless_comments_and_small_events_are_no_limit(void **st)
{
    struct seen s = seen_new(*st, 16);
    sse_reader *r = sse_reader_new(*st, 16, note, &s);
    for (int i = 0; i < 1000; i++) assert_null(feed(r, ": ping\n", 7));
    for (int i = 0; i < 1000; i++) assert_null(feed(r, "data: 1\n\n", 9));
    assert_int_equal(s.n, 1000);
}

static void stopping_inside_the_callback_ends_the_stream(void **st)
{
    struct seen s = seen_new(*st, 64);
    s.stop_after = 2;
    sse_reader *r = s.reader = sse_reader_new(*st, 64, note, &s);
    assert_null(sse_feed(r, S("data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4")));
    assert_null(sse_feed(r, S("\n\n")));
    assert_int_equal(s.n, 2);
}

static void count(void *ctx, sse_event ev)
{
    (void)ev;
    ++*(size_t *)ctx;
}

static int64_t worked_us(void)
{
    struct timespec t = {0};
    assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* How much work n bytes of the same line end are, in microseconds of this thread. */
static int64_t line_ends_take(arena *a, char end, char *p, size_t n)
{
    size_t events = 0;
    for (size_t i = 0; i < n; i++) p[i] = end;
    sse_reader *r = sse_reader_new(a, 64, count, &events);
    int64_t before = worked_us();
    assert_null(sse_feed(r, (str){p, n}));
    assert_int_equal(events, 0);
    return worked_us() - before;
}

/* Lone CRs, then lone LFs: eight times as many take about eight times as long, not sixty-four. */
static void many_lines_cost_linear_time(void **st)
{
    enum { FEW = 1 << 18 };
    char *p = malloc(FEW * 8);
    assert_non_null(p);
    for (int lf = 0; lf < 2; lf++) {
        int64_t few = line_ends_take(*st, lf ? '\n' : '\r', p, FEW);
        int64_t many = line_ends_take(*st, lf ? '\n' : '\r', p, FEW * 8);
        assert_true(many < (few + 1) * 32);
    }
    free(p);
}

static void what_is_written_is_read_back(void **st)
{
    static const struct {
        const char *event, *id, *data, *wire;
    } cases[] = {
        {"message", "1", "{}", "event: message\nid: 1\ndata: {}\n\n"},
        {"", "", "{}", "data: {}\n\n"},
        {"", "1", "", "id: 1\ndata: \n\n"},
        {"", "", "a\nb", "data: a\ndata: b\n\n"},
        {"", "", "a\r\nb\rc\n", "data: a\ndata: b\ndata: c\ndata: \n\n"},
        {"", "", "\n\n", "data: \ndata: \ndata: \n\n"},
        {"a\ndata: forged", "x\ry", "1", "data: 1\n\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf b = buf_new(*st, 4096);
        sse_write(&b, (str){cases[i].event, strlen(cases[i].event)},
                  (str){cases[i].id, strlen(cases[i].id)},
                  (str){cases[i].data, strlen(cases[i].data)});
        assert_true(buf_ok(&b));
        buf_put(&b, (str){"", 1});
        assert_string_equal(b.p, cases[i].wire);
    }
    buf b = buf_new(*st, 4096);
    sse_write(&b, (str){0}, (str){0}, (str){0});
    assert_true(str_eq(buf_str(&b), S("data: \n\n")));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_cut_of_a_stream_gives_the_same_events, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(one_byte_at_a_time_gives_the_same_events, setup, teardown),
        cmocka_unit_test_setup_teardown(an_id_with_a_nul_is_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_is_exact_and_stays_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(endless_comments_and_small_events_are_no_limit, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(stopping_inside_the_callback_ends_the_stream, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(many_lines_cost_linear_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
