/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* h1_head_test.c - heads of requests and chunked bodies, cut everywhere. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../base/buf.h"
#include "../../transport/h1_chunks.h"
#include "../../transport/h1_request_head.h"

enum { LIMIT = 512 };

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

/* Finds the end, the bytes coming in two pieces, each time in memory of just that size. */
static h1_head_found find_cut(str in, size_t cut, h1_head_scan *scan, size_t *size)
{
    h1_head_found found = H1_HEAD_MORE;
    *scan = (h1_head_scan){0};
    for (int i = 0; i < 2 && found == H1_HEAD_MORE; i++) {
        str come = i ? in : str_take(in, cut);
        char *exact = malloc(come.n ? come.n : 1);
        assert_non_null(exact);
        for (size_t k = 0; k < come.n; k++) exact[k] = come.p[k];
        found = h1_head_find(scan, (str){exact, come.n}, LIMIT, size);
        free(exact);
    }
    return found;
}

static h1_head_found find(str in, size_t *lines, size_t *size)
{
    h1_head_scan whole, scan;
    size_t n = 0;
    *size = 0;
    h1_head_found found = find_cut(in, in.n, &whole, size);
    for (size_t cut = 0; cut < in.n; cut++) {
        assert_int_equal(find_cut(in, cut, &scan, &n), found);
        if (found != H1_HEAD_WHOLE) continue;
        assert_int_equal(n, *size);
        assert_int_equal(scan.lines, whole.lines);
    }
    *lines = whole.lines;
    return found;
}

static void a_head_is_found_and_taken_apart(void **state)
{
    str in = S("POST /a?b HTTP/1.1\r\nHost: h\r\nX-One:  two words\t \r\nEmpty:\r\n\r\nbody\n\n");
    size_t lines, size;
    h1_request_head head = {0};
    assert_int_equal(find(in, &lines, &size), H1_HEAD_WHOLE);
    assert_int_equal(size, in.n - 6);
    assert_int_equal(lines, 4);
    assert_int_equal(h1_head_read(*state, str_take(in, size), lines, &head), H1_READ_OK);
    assert_true(str_eq(head.method, S("POST")));
    assert_true(str_eq(head.target, S("/a?b")));
    assert_false(head.old);
    assert_true(str_eq(head.headers[1].name, S("X-One")));
    assert_true(str_eq(head.headers[1].value, S("two words")));
    assert_true(head.headers[2].value.p && head.headers[2].value.n == 0); /* there, though empty */
    assert_null(head.headers[3].name.p);
}

static void what_can_be_no_head_is_refused_at_its_first_wrong_line(void **state)
{
    static const str bad[] = {
        S("\nGET / HTTP/1.1\r\n"),        S("GET / HTTP/1.1\nHost"),
        S("GET / HTTP/1.1\r\nHost: a\n"), S("GET / HTTP/1.1\r\nA: b\r\n\n"),
        S(" GET / HTTP/1.1\r\n"),         S("\x16\x03\x01"),
    };
    size_t lines, size;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(find(bad[i], &lines, &size), H1_HEAD_BAD);
    assert_int_equal(find(S("GET / HTTP/1.1\r\nHost: a\r"), &lines, &size), H1_HEAD_MORE);
    assert_int_equal(find(S(""), &lines, &size), H1_HEAD_MORE);
}

static void a_head_may_be_as_long_as_the_limit(void **state)
{
    for (size_t more = 0; more < 3; more++) {
        buf b = buf_new(*state, 4096);
        buf_put(&b, S("GET / HTTP/1.1\r\nA: "));
        while (b.n < LIMIT - 4 + more) buf_put(&b, S("x"));
        buf_put(&b, S("\r\n\r\n"));
        size_t lines, size;
        assert_int_equal(find(buf_str(&b), &lines, &size), more ? H1_HEAD_LONG : H1_HEAD_WHOLE);
    }
}

static h1_head_fault fault_of(arena *a, str head)
{
    size_t lines, size;
    h1_request_head out = {0};
    assert_int_equal(find(head, &lines, &size), H1_HEAD_WHOLE);
    return h1_head_read(a, head, lines, &out);
}

static void each_line_is_held_to_the_letter(void **state)
{
    static const struct {
        str head;
        h1_head_fault fault;
    } cases[] = {
        {S("GET / HTTP/1.1\r\n\r\n"), H1_READ_OK},
        {S("GET / HTTP/1.0\r\nA:b\r\n\r\n"), H1_READ_OK},
        {S("\r\n"), H1_READ_SYNTAX},
        {S("GET /\r\n\r\n"), H1_READ_SYNTAX},
        {S("GET  / HTTP/1.1\r\n\r\n"), H1_READ_SYNTAX},
        {S("GET /  HTTP/1.1\r\n\r\n"), H1_READ_SYNTAX},
        {S("GET / HTTP/1.1 \r\n\r\n"), H1_READ_SYNTAX},
        {S("GET / HTTP/1.2\r\n\r\n"), H1_READ_SYNTAX},
        {S("GET / HTTP/2.0\r\n\r\n"), H1_READ_SYNTAX},
        {S("GET / http/1.1\r\n\r\n"), H1_READ_SYNTAX},
        {S("GE\tT / HTTP/1.1\r\n\r\n"), H1_READ_SYNTAX},
        {S("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n"), H1_READ_SYNTAX},
        {S("GET / HTTP/1.1\r\nA\r\n\r\n"), H1_READ_NAME},
        {S("GET / HTTP/1.1\r\nA : b\r\n\r\n"), H1_READ_NAME},
        {S("GET / HTTP/1.1\r\n: b\r\n\r\n"), H1_READ_NAME},
        {S("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"), H1_READ_NAME},
        {S("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"), H1_READ_VALUE},
        {S("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n"), H1_READ_VALUE},
        {S("GET / HTTP/1.1\r\nA: 0123456789abcdef\x7f\r\n\r\n"), H1_READ_VALUE},
        {S("GET / HTTP/1.1\r\nA: 0123456789abcdef\tg\xff\r\n\r\n"), H1_READ_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(fault_of(*state, cases[i].head), cases[i].fault);
}

static void more_headers_than_anybody_sends_are_too_many(void **state)
{
    for (size_t n = H1_REQUEST_HEADERS_MOST; n < H1_REQUEST_HEADERS_MOST + 2; n++) {
        buf b = buf_new(*state, 4096);
        buf_put(&b, S("GET / HTTP/1.1\r\n"));
        for (size_t i = 0; i < n; i++) buf_put(&b, S("a:\r\n"));
        buf_put(&b, S("\r\n"));
        h1_request_head out = {0};
        h1_head_fault want = n > H1_REQUEST_HEADERS_MOST ? H1_READ_MANY : H1_READ_OK;
        assert_int_equal(h1_head_read(*state, buf_str(&b), n + 1, &out), want);
    }
}

/* The data, then D (done), X (refused) or M (more is to come). */
static str chunks_cut(arena *a, str in, size_t cut)
{
    buf log = buf_new(a, 4096);
    h1_chunks c = h1_chunks_new(64);
    h1_chunks_event e = CHUNKS_MORE;
    for (int i = 0; i < 2 && e == CHUNKS_MORE; i++) {
        str piece = i ? str_drop(in, cut) : str_take(in, cut), data = {0};
        while ((e = h1_chunks_next(&c, &piece, &data)) == CHUNKS_DATA) buf_put(&log, data);
        if (e == CHUNKS_DONE && i) buf_fmt(&log, "+%zu", piece.n);
    }
    buf_put(&log, e == CHUNKS_DONE ? S("D") : e == CHUNKS_BAD ? S("X") : S("M"));
    return buf_str(&log);
}

static void chunks_are_put_together_however_they_are_cut(void **state)
{
    static const struct {
        str in, want;
    } cases[] = {
        {S("3\r\nabc\r\n0004;x=\"y\"\r\ndefg\r\n0\r\n\r\n"), S("abcdefg+0D")},
        {S("1\r\na\r\n0;q\r\nT: x\r\nU:\r\n\r\n"), S("a+0D")},
        {S("A\r\n0123456789\r\n"), S("0123456789M")},
        {S("\r\n"), S("X")},
        {S("g\r\n"), S("X")},
        {S(" 1\r\na"), S("X")},
        {S("1 \r\na"), S("X")},
        {S("-1\r\na"), S("X")},
        {S("0x1\r\na"), S("X")},
        {S(";x\r\n"), S("X")},
        {S("1\na"), S("X")},
        {S("1\r\nab\r\n"), S("aX")},
        {S("1\r\na\n"), S("aX")},
        {S("1;a\nb\r\n"), S("X")},
        {S("10000000000000000\r\n"), S("X")},
        {S("FFFFFFFFFFFFFFFF\r\n"), S("X")},
        {S("0\r\n T: x\r\n\r\n"), S("X")},
        {S("0\r\nT x\r\n\r\n"), S("X")},
        {S("0\r\nT: x\n\r\n"), S("X")},
        {S("0\r\nT: 0123456789012345678901234567890123456789012345678901234567890\r\n\r\n"),
         S("X")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t cut = 0; cut < cases[i].in.n; cut++) {
            str got = chunks_cut(*state, cases[i].in, cut);
            if (!str_eq(got, cases[i].want))
                print_message("case %zu cut %zu: " STR_FMT "\n", i, cut, STR_ARG(got));
            assert_true(str_eq(got, cases[i].want));
        }
    }
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_head_is_found_and_taken_apart),
        T(what_can_be_no_head_is_refused_at_its_first_wrong_line),
        T(a_head_may_be_as_long_as_the_limit),
        T(each_line_is_held_to_the_letter),
        T(more_headers_than_anybody_sends_are_too_many),
        T(chunks_are_put_together_however_they_are_cut),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
