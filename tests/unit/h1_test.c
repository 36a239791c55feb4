/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* h1_test.c - answers cut everywhere, answers that must be refused, requests that must not be sent.
 */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../transport/h1_request.h"
#include "../../transport/h1_response.h"

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

typedef struct {
    buf log; /* status, length and keep, then the data; then D, E (eof ended it), X (refused) or C
                (cut off) */
    size_t left;
    const char *why;
} reading;

static bool take(h1_response *r, str *in, reading *out)
{
    for (;;) {
        str data = {0};
        switch (h1_next(r, in, &data)) {
        case H1_MORE: return false;
        case H1_HEAD:
            buf_fmt(&out->log, "%d %lld %s ", r->status, (long long)r->length,
                    r->keep ? "keep" : "close");
            for (const header *h = r->headers; h->name.p; h++)
                if (header_name_is(h->name, S("x")))
                    buf_fmt(&out->log, "x=" STR_FMT " ", STR_ARG(h->value));
            break;
        case H1_DATA: buf_put(&out->log, data); break;
        case H1_DONE: buf_put(&out->log, S("|D")); return true;
        case H1_BAD:
            buf_put(&out->log, S("|X"));
            out->why = r->why;
            return true;
        }
    }
}

/* Reads `in` in the pieces [0,a) [a,b) [b,end), each an exact copy. */
static reading read_cut(arena *m, str in, const size_t cuts[2], bool head)
{
    reading out = {.log = buf_new(m, 1 << 20)};
    h1_response r = {0};
    h1_begin(&r, head, 512);
    size_t ends[] = {cuts[0], cuts[1], in.n}, from = 0;
    bool over = false;
    for (int i = 0; i < 3 && !over; i++) {
        size_t n = ends[i] - from;
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        for (size_t k = 0; k < n; k++) exact[k] = in.p[from + k];
        str piece = {exact, n};
        over = take(&r, &piece, &out);
        from = ends[i] - piece.n;
        free(exact);
    }
    out.left = in.n - from;
    if (!over) buf_put(&out.log, h1_eof(&r) ? S("|E") : S("|C"));
    if (!over && !out.why) out.why = r.why;
    buf_put(&out.log, (str){"", 1});
    h1_free(&r);
    return out;
}

#define OK "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *in, *want;
    size_t left;
    bool head;
} answers[] = {
    {OK "Content-Length: 5\r\n\r\nhello", "200 5 keep hello|D", 0, false},
    {OK "content-LENGTH:5\r\n\r\nhelloEXTRA", "200 5 keep hello|D", 5, false},
    {OK "Content-Length: 0\r\n\r\n", "200 0 keep |D", 0, false},
    {OK "Content-Length: 5\r\n\r\nhel", "200 5 keep hel|C", 0, false},
    {OK "Content-Length: 5\r\nConnection: close\r\n\r\nhello", "200 5 close hello|D", 0, false},
    {OK "Connection: x, Close ,y\r\nContent-Length: 1\r\n\r\n1", "200 1 close 1|D", 0, false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1", "200 1 close 1|D", 0, false},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\n1", "200 1 keep 1|D", 0,
     false},
    {OK "\r\nto the end", "200 -1 close to the end|E", 0, false},
    {OK "X: a b\t\r\nX:\r\nx:  \xc3\xa9 \r\n\r\n", "200 -1 close x=a b x= x=\xc3\xa9 |E", 0, false},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 0 keep |D", 0, false},
    {"HTTP/1.1 204 No Content\r\n\r\n", "204 -1 keep |D", 0, false},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304 9 keep |D", 0, false},
    {OK "Content-Length: 9\r\n\r\n", "200 9 keep |D", 0, true},
    {OK "Transfer-Encoding: chunked\r\n\r\n", "200 -1 keep |D", 0, true},
    {OK "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n1;a=\"b;c\"\r\n!\r\n0\r\n\r\n",
     "200 -1 keep hello!|D", 0, false},
    {OK "Transfer-Encoding: chunked\r\n\r\n00a\r\n0123456789\r\n000\r\nX-Sum: 1\r\nY:\r\n\r\nZ",
     "200 -1 keep 0123456789|D", 1, false},
    {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "200 -1 keep hello|C", 0, false},
    {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", "200 -1 keep |C", 0, false},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: no\r\nContent-Length: "
     "7\r\n\r\n" OK "Content-Length: 1\r\n\r\n1",
     "200 1 keep 1|D", 0, false},
    {"", "|C", 0, false},
    {"HTTP/1.1 2", "|C", 0, false},
};

static void every_cut_of_an_answer_reads_the_same(void **st)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        str in = {answers[i].in, strlen(answers[i].in)};
        for (size_t a = 0; a <= in.n; a++) {
            for (size_t b = a; b <= in.n; b++) {
                arena *m = arena_new();
                reading got = read_cut(m, in, (size_t[]){a, b}, answers[i].head);
                assert_string_equal(got.log.p, answers[i].want);
                assert_int_equal(got.left, answers[i].left);
                arena_free(m);
            }
        }
    }
    (void)st;
}

#define CHUNKS OK "Transfer-Encoding: chunked\r\n\r\n"

static void what_could_be_framed_in_two_ways_is_refused(void **st)
{
    static const char *const cases[] = {
        OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        OK "Content-Length: 5, 5\r\n\r\nhello",
        OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        OK "Transfer-Encoding: identity\r\n\r\n",
        OK "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        OK "Content-Length: -1\r\n\r\n",
        OK "Content-Length: +1\r\n\r\n1",
        OK "Content-Length: 1 2\r\n\r\n1",
        OK "Content-Length: 0x1\r\n\r\n1",
        OK "Content-Length:\r\n\r\n",
        OK "Content-Length: 9999999999999999999\r\n\r\n",
        OK "X: a\r\n folded\r\n\r\n",
        OK "X: a\r\n\tfolded\r\n\r\n",
        OK " X: a\r\n\r\n",
        OK "X : a\r\n\r\n",
        OK ": a\r\n\r\n",
        OK "X\r\n\r\n",
        OK "X(: a\r\n\r\n",
        OK "X\x80: a\r\n\r\n",
        OK "X: a\nY: b\r\n\r\n",
        OK "X: a\rY: b\r\n\r\n",
        OK "X: a\r\r\n\r\n",
        OK "X: a\x01\r\n\r\n",
        OK "X: a\x7f\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "\r\n" OK "\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 600 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 O\rK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "SSH-2.0-x\r\n",
        " HTTP/1.1 200 OK\r\n\r\n",
        CHUNKS "\r\n",
        CHUNKS " 5\r\nhello\r\n",
        CHUNKS "5 \r\nhello\r\n",
        CHUNKS "0x5\r\nhello\r\n",
        CHUNKS "-5\r\n",
        CHUNKS "5\nhello\r\n",
        CHUNKS "5\rhello\r\n",
        CHUNKS ";a\r\n",
        CHUNKS "5\r\nhelloX\r\n",
        CHUNKS "5\r\nhello\n0\r\n\r\n",
        CHUNKS "5\r\nhello\rX",
        CHUNKS "10000000000000000\r\n",
        CHUNKS "fffffffffffffffff\r\n",
        CHUNKS "1000000000000000\r\n",
        CHUNKS "5;a\x01\r\n",
        CHUNKS "5;a\nb\r\n",
        CHUNKS "0\r\nX\r\n\r\n",
        CHUNKS "0\r\n X: a\r\n\r\n",
        CHUNKS "0\r\nX: a\n\r\n",
        CHUNKS "0\r\n\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str in = {cases[i], strlen(cases[i])};
        for (size_t cut = 0; cut <= in.n; cut++) {
            reading got = read_cut(*st, in, (size_t[]){cut, cut}, false);
            size_t n = strlen(got.log.p);
            if (n < 2 || strcmp(got.log.p + n - 2, "|X") != 0)
                fail_msg("case %zu, cut %zu: %s\n%s", i, cut, got.log.p, cases[i]);
            assert_non_null(got.why);
        }
    }
}

static void a_nul_in_a_head_is_refused(void **st)
{
    static const str cases[] = {S(OK "X: a\0b\r\n\r\n"),        S(OK "X\0: a\r\n\r\n"),
                                S("HTTP/1.1 200 O\0K\r\n\r\n"), S(CHUNKS "5\0\r\n"),
                                S(CHUNKS "5;\0\r\n"),           S(CHUNKS "0\r\nX: \0\r\n\r\n")};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reading got = read_cut(*st, cases[i], (size_t[]){0, 0}, false);
        assert_non_null(strstr(got.log.p, "|X"));
    }
}

static bool refused(arena *a, str in)
{
    reading got = read_cut(a, in, (size_t[]){0, 0}, false);
    return strstr(got.log.p, "|X") != NULL;
}

static void everything_in_a_head_is_bounded(void **st)
{
    arena *a = *st;
    str head = arena_fmt(a, OK "X: %0*d\r\n\r\n", 512 - 24, 1); /* exactly 512 bytes */
    assert_int_equal(head.n, 512);
    assert_false(refused(a, head));
    assert_true(refused(a, arena_fmt(a, OK "X: %0*d\r\n\r\n", 512 - 23, 1)));
    assert_true(refused(a, arena_fmt(a, OK "X: %0600d", 1))); /* before the line has ended */
    assert_true(refused(a, arena_fmt(a, CHUNKS "1;%0300d\r\n", 1)));
    assert_true(refused(a, arena_fmt(a, CHUNKS "%0300d\r\n", 1)));
    assert_true(refused(a, arena_fmt(a, CHUNKS "0\r\nX: %0600d\r\n\r\n", 1)));
    buf interim = buf_new(a, 4096);
    for (int i = 0; i < 17; i++) buf_put(&interim, S("HTTP/1.1 100 C\r\n\r\n"));
    assert_true(refused(a, buf_str(&interim)));
    h1_response r = {0};
    h1_begin(&r, false, 65536);
    buf headers = buf_new(a, 65536);
    buf_put(&headers, S(OK));
    for (int i = 0; i < 129; i++) buf_put(&headers, S("X: y\r\n"));
    str in = buf_str(&headers), data;
    assert_int_equal(h1_next(&r, &in, &data), H1_BAD);
    h1_free(&r);
}

static void one_reader_serves_many_messages(void **st)
{
    h1_response r = {0};
    str data = {0};
    for (int i = 0; i < 50; i++) {
        str in =
            arena_fmt(*st,
                      OK "Keep-Alive: max=2, timeout=%d\r\nX: %0*d\r\nContent-Length: 1\r\n\r\n%d",
                      i, i * 100 + 1, 7, i % 10);
        h1_begin(&r, false, 65536);
        assert_int_equal(h1_next(&r, &in, &data), H1_HEAD);
        assert_int_equal(r.keep_ms, i * 1000);
        assert_int_equal(r.headers[1].value.n, i * 100 + 1);
        assert_int_equal(r.headers[1].value.p[i * 100], '7');
        assert_int_equal(h1_next(&r, &in, &data), H1_DATA);
        assert_int_equal(h1_next(&r, &in, &data), H1_DONE);
        assert_int_equal(h1_next(&r, &in, &data), H1_DONE);
        if (i % 7 == 0) h1_shrink(&r);
    }
    h1_free(&r);
}

static void a_request_is_written_once_and_framed_by_us(void **st)
{
    static const header headers[] = {{S("Authorization"), S("Bearer x")},
                                     {S("host"), S("evil")},
                                     {S("Content-LENGTH"), S("9")},
                                     {S("Transfer-Encoding"), S("chunked")},
                                     {S("Connection"), S("close")},
                                     {S("accept-encoding"), S("gzip")},
                                     {S("TE"), S("trailers")},
                                     {S("Expect"), S("100-continue")},
                                     {S("X-Empty"), S("")},
                                     {{0}, {0}}};
    buf b = buf_new(*st, 4096);
    h1_request rq = {.method = S("POST"),
                     .target = S("/a?b=c"),
                     .authority = S("h:8"),
                     .headers = headers,
                     .body_n = 12};
    assert_true(h1_request_write(&b, &rq));
    buf_put(&b, (str){"", 1});
    assert_string_equal(b.p, "POST /a?b=c HTTP/1.1\r\nHost: h:8\r\nAccept-Encoding: identity\r\n"
                             "Authorization: Bearer x\r\nX-Empty: \r\nContent-Length: 12\r\n\r\n");
    b = buf_new(*st, 4096);
    rq = (h1_request){.method = S("GET"), .target = S("/"), .authority = S("h")};
    assert_true(h1_request_write(&b, &rq));
    assert_true(
        str_eq(buf_str(&b), S("GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n\r\n")));
    b = buf_new(*st, 4096);
    rq.method = S("POST");
    assert_true(h1_request_write(&b, &rq));
    assert_non_null(strstr(b.p, "Content-Length: 0\r\n"));
}

static void a_request_that_would_split_is_not_written(void **st)
{
    static const struct {
        str method, target, name, value;
    } cases[] = {
        {S("GET"), S("/"), S("X"), S("a\r\nY: b")},
        {S("GET"), S("/"), S("X"), S("a\nb")},
        {S("GET"), S("/"), S("X"), S("a\0b")},
        {S("GET"), S("/"), S("X\r\nY"), S("a")},
        {S("GET"), S("/"), S("X:"), S("a")},
        {S("GET"), S("/"), S(""), S("a")},
        {S("GET"), S("/"), S("Host"), S("a\r\nb")},
        {S("GE T"), S("/"), S("X"), S("a")},
        {S(""), S("/"), S("X"), S("a")},
        {S("GET"), S("/a b"), S("X"), S("a")},
        {S("GET"), S("/\r\nX: y"), S("X"), S("a")},
        {S("GET"), S("x"), S("X"), S("a")},
        {S("GET"), S(""), S("X"), S("a")},
        {S("GET"), S("http://h/"), S("X"), S("a")},
        {S("GET"), S("/\xc3\xa9"), S("X"), S("a")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        header headers[] = {{cases[i].name, cases[i].value}, {{0}, {0}}};
        buf b = buf_new(*st, 4096);
        h1_request rq = {.method = cases[i].method,
                         .target = cases[i].target,
                         .authority = S("h"),
                         .headers = headers};
        assert_false(h1_request_write(&b, &rq));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_cut_of_an_answer_reads_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_could_be_framed_in_two_ways_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_nul_in_a_head_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(everything_in_a_head_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(one_reader_serves_many_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_request_is_written_once_and_framed_by_us, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_request_that_would_split_is_not_written, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
