/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

#include "../../authz/cel/times.h"
#include "../../authz/cel/zone.h"
#include "../../base/buf.h"

/* A file of version 2: one type for each offset, a change at each time to the next of them. */
typedef struct {
    const int64_t *times;
    size_t time_count;
    const int32_t *offsets;
    size_t offset_count;
    const char *rule;
} zone_made;

static void put_number(buf *b, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0;) {
        char byte = (char)(value >> (8 * i) & 0xFF);
        (void)buf_put(b, (str){&byte, 1});
    }
}

static void put_header(buf *b, size_t times, size_t types)
{
    (void)buf_put(b, S("TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
    const size_t counts[] = {0, 0, 0, times, types, 4};
    for (size_t i = 0; i < 6; i++) put_number(b, counts[i], 4);
}

static str made(arena *a, zone_made z)
{
    buf b = buf_new(a, 4096);
    put_header(&b, 0, 1);
    (void)buf_put(&b, S("\0\0\0\0\0\0UTC\0"));
    put_header(&b, z.time_count, z.offset_count);
    for (size_t i = 0; i < z.time_count; i++) put_number(&b, (uint64_t)z.times[i], 8);
    for (size_t i = 0; i < z.time_count; i++) put_number(&b, (i + 1) % z.offset_count, 1);
    for (size_t i = 0; i < z.offset_count; i++) {
        put_number(&b, (uint32_t)z.offsets[i], 4);
        put_number(&b, 0, 2);
    }
    (void)buf_put(&b, S("ABC\0\n"));
    (void)buf_put(&b, text_of_c(z.rule));
    (void)buf_put(&b, S("\n"));
    assert_true(buf_ok(&b));
    return buf_str(&b);
}

static int64_t moment(const char *text)
{
    cel_value v = cel_time_parse(text_of_c(text));
    assert_int_equal(v.tag, CEL_TIMESTAMP);
    return v.u.i;
}

static void changes_hold_until_the_next(void **s)
{
    cel_world *w = *s;
    static const int64_t times[] = {-1000, 0, 5000};
    static const int32_t offsets[] = {60, 3600, -7200};
    const cel_zone *z = cel_zone_parse(w->a, made(w->a, (zone_made){times, 3, offsets, 3, ""}));
    assert_non_null(z);
    assert_int_equal(cel_zone_offset(z, -1001), 60);
    assert_int_equal(cel_zone_offset(z, INT64_MIN / 2), 60);
    assert_int_equal(cel_zone_offset(z, -1000), 3600);
    assert_int_equal(cel_zone_offset(z, -1), 3600);
    assert_int_equal(cel_zone_offset(z, 0), -7200);
    assert_int_equal(cel_zone_offset(z, 4999), -7200);
    assert_int_equal(cel_zone_offset(z, 5000), 60);
    assert_int_equal(cel_zone_offset(z, INT64_MAX / 2), 60);
}

static void behind_the_last_change_the_rule_decides(void **s)
{
    cel_world *w = *s;
    static const int32_t offset[] = {0};
    static const struct {
        const char *rule, *at;
        int64_t offset;
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2024-01-15T12:00:00Z", 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2024-03-31T00:59:59Z", 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2024-03-31T01:00:00Z", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2024-10-27T00:59:59Z", 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2024-10-27T01:00:00Z", 3600},
        {"EST5EDT,M3.2.0,M11.1.0", "2040-03-11T06:59:59Z", -18000},
        {"EST5EDT,M3.2.0,M11.1.0", "2040-03-11T07:00:00Z", -14400},
        {"EST5EDT,M3.2.0,M11.1.0", "2040-11-04T06:00:00Z", -18000},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-01-01T00:00:00Z",
         39600}, /* summer is over new year */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-12-31T23:00:00Z", 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2024-07-01T00:00:00Z", 36000},
        {"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2024-03-31T00:59:59Z", -10800},
        {"<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "2024-03-31T01:00:00Z", -7200},
        {"<+0530>-5:30", "2024-06-01T00:00:00Z", 19800},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2024-07-01T00:00:00Z", 3600}, /* winter is the exception */
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2024-12-01T00:00:00Z", 0},
        {"XXX0YYY,J60/0,J300/0", "2024-02-29T12:00:00Z", 0}, /* J60 is the first of March */
        {"XXX0YYY,J60/0,J300/0", "2024-03-01T00:00:00Z", 3600},
        {"XXX0YYY,59/0,300/0", "2024-02-29T00:00:00Z", 3600}, /* 59 is the 60th day */
        {"XXX0YYY,59/0,300/0", "2023-02-28T23:59:59Z", 0},
        {"XXX0YYY,59/0,300/0", "2023-03-01T00:00:00Z", 3600},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str file = made(w->a, (zone_made){NULL, 0, offset, 1, rows[i].rule});
        const cel_zone *z = cel_zone_parse(w->a, file);
        assert_non_null(z);
        int64_t got = cel_zone_offset(z, moment(rows[i].at));
        if (got != rows[i].offset) print_error("%s at %s\n", rows[i].rule, rows[i].at);
        assert_int_equal(got, rows[i].offset);
    }
}

static void what_is_no_zone_is_refused_at_every_length(void **s)
{
    cel_world *w = *s;
    static const int64_t times[] = {10, 20};
    static const int32_t offsets[] = {0, 3600};
    str whole = made(w->a, (zone_made){times, 2, offsets, 2, "CET-1CEST,M3.5.0,M10.5.0/3"});
    assert_non_null(cel_zone_parse(w->a, whole));
    for (size_t n = 0; n < whole.n; n++) {
        /* of that very size, so that a read past the end is seen */
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        for (size_t i = 0; i < n; i++) exact[i] = whole.p[i];
        assert_null(cel_zone_parse(w->a, (str){exact, n}));
        free(exact);
    }
}

static void a_zone_that_cannot_be_is_refused(void **s)
{
    cel_world *w = *s;
    static const int64_t falling[] = {20, 10}, same[] = {10, 10}, one[] = {10};
    static const int32_t fine[] = {0, 3600}, far_off[] = {0, 93600}, far_back[] = {-93600, 0};
    const zone_made zones[] = {
        {falling, 2, fine, 2, ""},
        {same, 2, fine, 2, ""},
        {one, 1, far_off, 2, ""},
        {one, 1, far_back, 2, ""},
        {one, 1, fine, 2, "C"},
        {one, 1, fine, 2, "CET"},
        {one, 1, fine, 2, "CET-1CEST"},
        {one, 1, fine, 2, "CET-1CEST,M3.5.0"},
        {one, 1, fine, 2, "CET-25"},
        {one, 1, fine, 2, "CET-1CEST,M0.5.0,M10.5.0"},
        {one, 1, fine, 2, "CET-1CEST,M13.5.0,M10.5.0"},
        {one, 1, fine, 2, "CET-1CEST,M3.6.0,M10.5.0"},
        {one, 1, fine, 2, "CET-1CEST,M3.5.7,M10.5.0"},
        {one, 1, fine, 2, "CET-1CEST,J0,J365"},
        {one, 1, fine, 2, "CET-1CEST,J1,J366"},
        {one, 1, fine, 2, "CET-1CEST,M3.5.0/168,M10.5.0"},
        {one, 1, fine, 2, "CET-1CEST,M3.5.0,M10.5.0 "},
        {one, 1, fine, 2, "<CET-1"},
        {one, 1, fine, 2, "CET-1:60"},
        {one, 1, fine, 2, "CET-99999999999999999999"},
    };
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (cel_zone_parse(w->a, made(w->a, zones[i]))) print_error("%s\n", zones[i].rule);
        assert_null(cel_zone_parse(w->a, made(w->a, zones[i])));
    }
}

static void single_bytes_of_the_head_matter(void **s)
{
    cel_world *w = *s;
    static const int64_t times[] = {10};
    static const int32_t offsets[] = {0, 3600};
    str whole = made(w->a, (zone_made){times, 1, offsets, 2, ""});
    enum { SECOND = 44 + 6 + 4 };
    static const struct {
        size_t at;
        char byte;
    } changes[] = {
        {0, 'X'},           {4, '1'},           {4, '\0'},          {SECOND, 'X'},
        {SECOND + 20, 1},   {SECOND + 23, 100}, {SECOND + 31, 1},   {SECOND + 35, 2},
        {SECOND + 32, 127}, {SECOND + 39, 0},   {SECOND + 38, 127}, {SECOND + 44 + 8, 2},
        {SECOND + 43, 5},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *copy = malloc(whole.n);
        assert_non_null(copy);
        for (size_t k = 0; k < whole.n; k++) copy[k] = whole.p[k];
        copy[changes[i].at] = changes[i].byte;
        if (cel_zone_parse(w->a, (str){copy, whole.n})) print_error("change %zu\n", i);
        assert_null(cel_zone_parse(w->a, (str){copy, whole.n}));
        free(copy);
    }
}

static void a_name_is_never_a_path_out_of_a_folder(void **s)
{
    (void)s;
    static const char *const good[] = {"Europe/Paris", "America/Port-au-Prince", "UTC", "Etc/GMT+5",
                                       "America/North_Dakota/New_Salem"};
    static const char *const bad[] =
        {"",
         "/etc/passwd",
         "../passwd",
         "Europe/../x",
         "Europe//Paris",
         "Europe/",
         "Europe/.x",
         "a b",
         "-x",
         "+05:30x",
         "localtime",
         "Europe/Par\xC3\xADs",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(cel_zone_name(text_of_c(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(cel_zone_name(text_of_c(bad[i])));
    assert_false(cel_zone_name((str){"a\0b", 3}));
}

/* Knows Test/Zone (+01:00) alone and counts how often it is asked. */
typedef struct {
    unsigned asked;
} source;

static const err *load_test_zone(void *ctx, arena *a, str name, str *tzif)
{
    static const int32_t offsets[] = {3600};
    ((source *)ctx)->asked++;
    if (str_eq(name, S("Test/Broken"))) {
        *tzif = S("TZif2");
        return NULL;
    }
    if (!str_eq(name, S("Test/Zone"))) return err_new(a, ERR_NOT_FOUND, "no such zone");
    *tzif = made(a, (zone_made){NULL, 0, offsets, 1, ""});
    return NULL;
}

static const char *with_zones(cel_world *w, source *from, const char *text)
{
    cel_env env = {w->variables, w->count};
    cel_options options = {.zones = {.load = load_test_zone, .ctx = from}};
    cel_program *p;
    const cel_problem *bad = cel_compile_with(w->a, text_of_c(text), &env, &options, &p);
    if (bad) return problem_text(w->a, bad);
    cel_bindings b = {.values = w->values, .count = w->count};
    return value_text(w, cel_eval(p, &b, w->a, 0), text_of_c(text));
}

static void a_named_zone_is_loaded_once_while_compiling(void **s)
{
    cel_world *w = *s;
    source from = {0};
    world_put(w, "t", CEL_T_TIMESTAMP, (cel_value){.tag = CEL_TIMESTAMP, .u.i = 86399});
    cel_env env = {w->variables, w->count};
    cel_options options = {.zones = {.load = load_test_zone, .ctx = &from}};
    cel_program *p;
    str text =
        S("t.getHours('Test/Zone') == 0 && t.getDate('Test/Zone') == 2 && t.getHours() == 23");
    assert_null(cel_compile_with(w->a, text, &env, &options, &p));
    assert_int_equal(from.asked, 1);
    cel_bindings b = {.values = w->values, .count = w->count};
    for (int i = 0; i < 3; i++) assert_true(cel_is_true(cel_eval(p, &b, w->a, 0)));
    assert_int_equal(from.asked, 1);
}

static void a_zone_named_by_the_request_is_loaded_then(void **s)
{
    cel_world *w = *s;
    source from = {0};
    world_put(w, "t", CEL_T_TIMESTAMP, (cel_value){.tag = CEL_TIMESTAMP, .u.i = 86399});
    world_json(w, "zones",
               "[\"Test/Zone\", \"Test/None\", \"Test/Broken\", \"../../etc/passwd\", \"\"]");
    assert_string_equal(with_zones(w, &from, "t.getHours(zones[0])"), "0");
    assert_string_equal(with_zones(w, &from, "t.getHours(zones[1])"), "error: bad argument");
    assert_string_equal(with_zones(w, &from, "t.getHours(zones[2])"), "error: bad argument");
    assert_int_equal(from.asked, 3);
    assert_string_equal(with_zones(w, &from, "t.getHours(zones[3])"), "error: bad argument");
    assert_string_equal(with_zones(w, &from, "t.getHours(zones[4])"), "error: bad argument");
    assert_int_equal(from.asked, 3);
    /* each one costs, so a rule cannot make the host read without end */
    assert_string_equal(with_zones(w, &from, "lists.range(1000).all(i, t.getHours(zones[0]) == 0)"),
                        "error: the expression costs too much");
    assert_true(from.asked < 150);
}

static void a_zone_nobody_knows_is_a_problem_of_the_rule(void **s)
{
    cel_world *w = *s;
    source from = {0};
    world_put(w, "t", CEL_T_TIMESTAMP, (cel_value){.tag = CEL_TIMESTAMP});
    const char *hint = "a zone is 'UTC', '+05:30' or a name like 'Europe/Paris'";
    const char *got = with_zones(w, &from, "t.getHours('Test/None')");
    assert_string_equal(got,
                        arena_fmt(w->a, "E009 11+11 'Test/None': no such time zone | %s", hint).p);
    got = with_zones(w, &from, "t.getHours('../x')");
    assert_string_equal(got,
                        arena_fmt(w->a, "E009 11+6 '../x': no name of a time zone | %s", hint).p);
    got = evaluated(w, "t.getHours('Europe/Paris')");
    assert_string_equal(got, arena_fmt(w->a,
                                       "E009 11+14 'Europe/Paris': names of time zones are not "
                                       "known here | %s",
                                       hint)
                                 .p);
    w->unchecked = true;
    assert_string_equal(evaluated(w, "t.getHours('Europe/Paris')"), "error: bad argument");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(changes_hold_until_the_next),
        CEL_TEST(behind_the_last_change_the_rule_decides),
        CEL_TEST(what_is_no_zone_is_refused_at_every_length),
        CEL_TEST(a_zone_that_cannot_be_is_refused),
        CEL_TEST(single_bytes_of_the_head_matter),
        CEL_TEST(a_name_is_never_a_path_out_of_a_folder),
        CEL_TEST(a_named_zone_is_loaded_once_while_compiling),
        CEL_TEST(a_zone_named_by_the_request_is_loaded_then),
        CEL_TEST(a_zone_nobody_knows_is_a_problem_of_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
