/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../base/clock.h"
#include "../../base/json.h"
#include "../../base/log.h"
#include "../../base/record.h"

typedef struct {
    int in, out;
    logger *log;
    arena *a;
    buf text;
} pipe_log;

static int setup(void **s)
{
    pipe_log *p = calloc(1, sizeof *p);
    int ends[2];
    assert_non_null(p);
    assert_int_equal(pipe(ends), 0);
    *p = (pipe_log){ends[0], ends[1], log_new(ends[1], LOG_INFO_LEVEL), arena_new(), {0}};
    p->text = buf_new(NULL, 1 << 24);
    *s = p;
    return 0;
}

static int teardown(void **s)
{
    pipe_log *p = *s;
    (void)close(p->in);
    if (p->out >= 0) (void)close(p->out);
    log_free(p->log);
    buf_free(&p->text);
    arena_free(p->a);
    free(p);
    return 0;
}

/* Everything written so far; the writing end is closed. */
static str all(pipe_log *p)
{
    (void)close(p->out);
    p->out = -1;
    for (ssize_t n = 1; n > 0;) {
        assert_true(buf_need(&p->text, 4096));
        n = read(p->in, p->text.p + p->text.n, 4096);
        if (n > 0) p->text.n += (size_t)n;
    }
    return buf_str(&p->text);
}

static js_value line(arena *a, str text)
{
    js_value root;
    const err *e = js_check(a, text, 4, &root);
    if (e) fail_msg("%s: %.*s", e->text.p, (int)text.n, text.p);
    return root;
}

static void an_event_is_one_line_of_json(void **s)
{
    pipe_log *p = *s;
    log_say(p->log, LOG_WARN_LEVEL, "upstream is down",
            (log_fact[]){{"server", S("github")},
                         {"error", S("a\nb\"\xE2\x80\xAE\xC2\x9B\x7f\xFF")},
                         {0}});
    log_say(p->log, LOG_DEBUG_LEVEL, "not said", NULL);
    log_say(p->log, LOG_ERROR_LEVEL, "bare", NULL);
    log_raw(p->log, S("{\"x\":1}"));
    str_pair cut = str_cut(all(p), '\n');
    assert_true(str_starts(cut.head, S("{\"time\":\"20")));
    js_value v = line(p->a, cut.head);
    assert_true(js_text_is(js_get(v, S("level")), S("warn")));
    assert_true(js_text_is(js_get(v, S("event")), S("upstream is down")));
    assert_true(
        str_eq(js_get(v, S("error")).raw, S("\"a\\nb\\\"\\u202e\\u009b\\u007f\xEF\xBF\xBD\"")));
    cut = str_cut(cut.tail, '\n');
    assert_true(js_text_is(js_get(line(p->a, cut.head), S("event")), S("bare")));
    assert_true(str_eq(cut.tail, S("{\"x\":1}\n")));
}

static void endless_values_are_cut_and_the_line_stays_whole(void **s)
{
    pipe_log *p = *s;
    buf big = buf_new(p->a, 1 << 20);
    while (big.n < 300000) buf_put(&big, S("\xE2\x82\xAC"));
    log_say(p->log, LOG_INFO_LEVEL, "big",
            (log_fact[]){{"v", buf_str(&big)}, {"after", S("seen")}, {0}});
    str text = all(p);
    js_value v = line(p->a, str_cut(text, '\n').head);
    assert_true(js_text_is(js_get(v, S("after")), S("seen")));
    str value = js_text(p->a, js_get(v, S("v")));
    assert_true(value.n > 4000 && value.n <= 4096 && value.n % 3 == 0);
}

static void a_line_that_grows_too_long_says_so(void **s)
{
    pipe_log *p = *s;
    char noise[4096] = {0};
    log_fact facts[20] = {{0}};
    for (size_t i = 0; i < 19; i++)
        facts[i] = (log_fact){(const char *[]){"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                               "k", "l", "m", "n", "o", "p", "q", "r", "s"}[i],
                              {noise, sizeof noise}};
    log_say(p->log, LOG_INFO_LEVEL, "long", facts);
    js_value v = line(p->a, str_cut(all(p), '\n').head);
    assert_true(js_bool(js_get(v, S("cut")), false));
    assert_int_equal(js_get(v, S("a")).kind, JS_STRING);
    assert_int_equal(js_get(v, S("s")).kind, JS_ABSENT);
}

static void *shout(void *x)
{
    for (int i = 0; i < 100; i++)
        log_say(x, LOG_INFO_LEVEL, "from a thread", (log_fact[]){{"text", S("0123456789")}, {0}});
    return NULL;
}

static void lines_of_several_threads_do_not_mix(void **s)
{
    pipe_log *p = *s;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, shout, p->log), 0);
    for (size_t i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    str rest = all(p);
    size_t count = 0;
    for (; rest.n; count++) {
        str_pair cut = str_cut(rest, '\n');
        assert_true(cut.ok);
        (void)line(p->a, cut.head);
        rest = cut.tail;
    }
    assert_int_equal(count, 400);
}

static void times_are_written_as_rfc_3339(void **s)
{
    pipe_log *p = *s;
    static const struct {
        int64_t ms;
        const char *want;
    } times[] = {{0, "1970-01-01T00:00:00.000Z"},
                 {1795341600123, "2026-11-22T10:00:00.123Z"},
                 {951782399999, "2000-02-28T23:59:59.999Z"},
                 {951782400000, "2000-02-29T00:00:00.000Z"},
                 {-1, "1969-12-31T23:59:59.999Z"},
                 {-1000, "1969-12-31T23:59:59.000Z"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        assert_string_equal(clock_rfc3339(p->a, times[i].ms).p, times[i].want);
    assert_non_null(clock_rfc3339(p->a, INT64_MAX).p);
    assert_non_null(clock_rfc3339(p->a, INT64_MIN).p);
    int64_t before = clock_mono_us();
    assert_true(clock_mono_us() >= before && clock_mono_ms() >= before / 1000);
    assert_true(clock_wall_ms() > 1700000000000);
}

static void every_fact_has_a_name_of_its_own(void **s)
{
    (void)s;
    for (int i = 0; i < FACT_COUNT; i++) {
        assert_non_null(fact_names[i]);
        for (int k = 0; k < i; k++) assert_string_not_equal(fact_names[i], fact_names[k]);
    }
    record r = {0};
    record_text(&r, FACT_TOOL, S("github/create_issue"));
    record_number(&r, FACT_STATUS, 200);
    record_number(&r, FACT_STATUS, 404);
    assert_true(r.v[FACT_TOOL].set && r.v[FACT_TOOL].is_text && !r.v[FACT_DOOR].set);
    assert_true(r.v[FACT_STATUS].set && !r.v[FACT_STATUS].is_text &&
                r.v[FACT_STATUS].number == 404);
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test_setup_teardown(an_event_is_one_line_of_json, setup, teardown),
        cmocka_unit_test_setup_teardown(endless_values_are_cut_and_the_line_stays_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_line_that_grows_too_long_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_of_several_threads_do_not_mix, setup, teardown),
        cmocka_unit_test_setup_teardown(times_are_written_as_rfc_3339, setup, teardown),
        cmocka_unit_test(every_fact_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
