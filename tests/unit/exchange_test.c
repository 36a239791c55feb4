/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_client.h"

static int setup(void **state)
{
    *state = rig_open((server_limits){0}, NULL);
    return 0;
}

static int teardown(void **state)
{
    rig_close(*state);
    return 0;
}

static void a_request_is_seen_as_it_was_sent(void **state)
{
    talk(*state,
         "GET /facts?a=%20b&c=d+e HTTP/1.1\r\nHost: Gw.example:81\r\nX-One:  two words "
         "\t\r\nX-Empty:\r\n\r\n",
         "|3|0", "GET|/facts|a=%20b&c=d+e|Gw.example:81|two words|127.0.0.1|3|0");
}

static void an_absolute_target_gives_its_path_when_it_names_the_host(void **state)
{
    talk(*state, "GET http://h/facts?x HTTP/1.1\r\nHost: h\r\n\r\n", "|1|0", "GET|/facts|x|h|");
    talk(*state, "GET http://other/facts HTTP/1.1\r\nHost: h\r\n\r\n", NULL, "HTTP/1.1 400");
    talk(*state, "GET http://u@h/facts HTTP/1.1\r\nHost: h\r\n\r\n", NULL, "HTTP/1.1 400");
    talk(*state, "GET ftp://h/facts HTTP/1.1\r\nHost: h\r\n\r\n", NULL, "HTTP/1.1 400");
}

/* 400 and closed. */
static void refused(const rig *g, const char *request)
{
    int fd = dial(g);
    say(fd, request);
    buf b = hear(fd, NULL);
    if (!has(&b, "HTTP/1.1 400")) print_message("not refused: %s\n", request);
    assert_true(has(&b, "HTTP/1.1 400"));
    buf_free(&b);
    close(fd);
}

static void what_two_readers_could_read_in_two_ways_is_refused(void **state)
{
    static const char *const cases[] = {
        "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nX: y\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: u@b\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\ncontent-length: 3\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nhi",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
        "5\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Leng: 5\r\n th\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encod: chunked\r\n ing\r\n\r\n0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: a\r\n b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: a\r\n\tb\r\nX-Two: c\r\n\r\n",
        "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One : b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX One: b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX(One): b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b\rc\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b\x01c\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b\x7f\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\nX-One: b\r\n\r\n",
        "GET /hello HTTP/1.1\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b\r\n\n",
        "GET /hello HTTP/1.1\nHost: a\n\n",
        "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET\t/hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "G@T /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hel\x01lo HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hel\x7flo HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hel\xc3\xa4lo HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello#top HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Type: "
        "a/b\r\nContent-Length: 0\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nauthorization: Bearer "
        "y\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nOrigin: http://b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: 1\r\nmcp-session-id: 2\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nMcp-Method: tools/call\r\nX: y\r\nMCP-Method: "
        "tools/list\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused(*state, cases[i]);
}

static void nul_bytes_in_the_head_are_refused(void **state)
{
    static const char *const cases[] = {
        "GET /he@llo HTTP/1.1\r\nHost: a\r\n\r\n",
        "G@ET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b@c\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-@One: b\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a@\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX-One: b@\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        size_t n = strlen(cases[i]);
        for (size_t k = 0; k < n; k++) text[k] = cases[i][k] == '@' ? 0 : cases[i][k];
        int fd = dial(*state);
        assert_int_equal(send(fd, text, n, 0), (ssize_t)n);
        buf b = hear(fd, NULL);
        assert_false(has(&b, "HTTP/1.1 200")); /* 400, or closed without a word */
        buf_free(&b);
        close(fd);
    }
}

static void a_refusal_is_json_and_closes(void **state)
{
    rig *g = *state;
    int fd = dial(g);
    say(fd, "GET /hello HTTP/1.1\r\nX: y\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    buf b = hear(fd, NULL);
    assert_true(has(&b, "Connection: close"));
    assert_false(has(&b, "HTTP/1.1 200"));
    buf_free(&b);
    close(fd);
    fd = dial(g);
    say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    b = hear(fd, NULL);
    assert_true(has(&b, "Content-Type: application/json"));
    assert_true(has(&b, "{\"error\":{\"code\":400"));
    buf_free(&b);
    close(fd);
    assert_int_equal(atomic_load(&g->begun), 0);
}

static void what_is_well_formed_is_not_refused(void **state)
{
    static const char *const cases[] = {
        "GET /hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost:a\r\nX:\r\nY: \t b\tc  \r\n\r\n",
        "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=\"d\"; e\r\nCookie: f=g\r\n\r\n",
        "GET /hello?a=b&c&&=d&%zz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nX: \xc3\xa4\r\nX: again\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\nMcp-Method: x\r\nMcp-Name: y\r\nMcp: z\r\nMcp:z\r\n\r\n",
        "DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "PURGE /hello HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        talk(*state, cases[i], "hello", "HTTP/1.1 200");
    talk(*state, "GET /hello HTTP/1.0\r\n\r\n", NULL, "hello");
}

static void a_head_sent_byte_by_byte_is_the_same_head(void **state)
{
    static const char text[] =
        "POST /echo?q=1&r HTTP/1.1\r\nHost: a\r\nX-One: b\r\nContent-Length: 5\r\n\r\nhello";
    int fd = dial(*state), on = 1;
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_int_equal(send(fd, text + i, 1, 0), 1);
        if (i % 8 == 0) usleep(200);
    }
    buf b = hear(fd, "\r\n\r\nhello");
    assert_true(has(&b, "HTTP/1.1 200"));
    buf_free(&b);
    close(fd);
}

/* Sends a head with one header of n bytes, in pieces, and tells the status. */
static int status_of_head(const rig *g, size_t n, size_t piece)
{
    buf r = buf_new(NULL, 1 << 20);
    buf_put(&r, S("GET /hello?a=b HTTP/1.1\r\nHost: a\r\nX-Long: "));
    for (size_t i = 0; i < n; i++) buf_put(&r, S("x"));
    buf_put(&r, S("\r\nX-Last: y\r\n\r\n"));
    int fd = dial(g);
    for (size_t i = 0; i < r.n;) {
        size_t k = r.n - i < piece ? r.n - i : piece;
        if (send(fd, r.p + i, k, MSG_NOSIGNAL) < 0) break;
        i += k;
        if (piece < 4000) usleep(100);
    }
    buf b = hear(fd, "\r\n\r\n");
    int status = b.n > 12 ? number((str){b.p + 9, 3}) : 0;
    buf_free(&b);
    buf_free(&r);
    close(fd);
    return status;
}

static void a_long_head_is_read_and_a_longer_one_is_431(void **state)
{
    rig *g = *state;
    assert_int_equal(status_of_head(g, 12000, 100000), 200);
    assert_int_equal(status_of_head(g, 12000, 300), 200);
    assert_int_equal(status_of_head(g, 7000, 611), 200);
    assert_int_equal(status_of_head(g, 13000, 100000), 431);
    assert_int_equal(status_of_head(g, 40000, 100000), 431);
    assert_int_equal(status_of_head(g, 200000, 100000), 431);
}

/* Bodies */

static void chunks_may_have_extensions_and_the_coding_spaces_behind_it(void **state)
{
    talk(*state,
         "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked "
         "\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
         "hello", "\r\nContent-Length: 5\r\n");
    talk(*state,
         "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
         "chunked\r\n\r\n4;x=y\r\ndefg\r\n0\r\n\r\n",
         "defg", "\r\nContent-Length: 4\r\n");
}

static void a_chunked_upload_is_put_together(void **state)
{
    talk(*state,
         "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
         "chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\nT: x\r\n\r\n",
         "abcdefg", "\r\nContent-Length: 7\r\n");
    talk(*state, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
         "\r\n\r\n", "Content-Length: 0");
}

static void an_empty_body_is_whole_at_once(void **state)
{
    talk(*state, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n",
         "HTTP/1.1 200");
    talk(*state, "POST /echo HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n", "HTTP/1.1 200");
}

static void large_bodies_come_whole(void **state)
{
    rig *g = *state;
    static const size_t sizes[] = {1, 8191, 8192, 16384, 16385, 65536, 65537, 300000, 1 << 20};
    int fd = dial(g);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char head[128];
        snprintf(head, sizeof head, "POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
                 i % 2 ? "echo" : "lazy", sizes[i]);
        say(fd, head);
        for (size_t sent = 0; sent < sizes[i];) {
            ssize_t n = send(fd, g->big + sent, sizes[i] - sent, 0);
            assert_true(n > 0);
            sent += (size_t)n;
        }
        buf b = hear(fd, "\r\n\r\n");
        size_t head_n = (size_t)((char *)memmem(b.p, b.n, "\r\n\r\n", 4) + 4 - b.p);
        while (b.n - head_n < sizes[i]) {
            char some[65536];
            ssize_t n = recv(fd, some, sizeof some, 0);
            assert_true(n > 0);
            buf_put(&b, (str){some, (size_t)n});
        }
        assert_true(has(&b, "HTTP/1.1 200"));
        assert_int_equal(b.n - head_n, sizes[i]);
        assert_memory_equal(b.p + head_n, g->big, sizes[i]);
        buf_free(&b);
    }
    close(fd);
}

static void a_declared_body_over_the_limit_is_refused_before_it_is_read(void **state)
{
    rig *g = *state;
    talk(g, "POST /limit HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n", NULL,
         "HTTP/1.1 413");
    talk(g, "POST /limit HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", NULL,
         "HTTP/1.1 413");
    talk(g,
         "POST /limit HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n",
         NULL, "HTTP/1.1 413");
    assert_int_equal(atomic_load(&g->bodies_refused), 3);
}

/* A client that goes on sending must still find the answer, not a reset. */
static void refused_while_sending(const rig *g, const char *head, size_t body, const char *want)
{
    int fd = dial(g);
    say(fd, head);
    size_t sent = 0;
    while (sent < body) {
        ssize_t n =
            send(fd, g->big + sent % 4096, body - sent < 65536 ? body - sent : 65536, MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += (size_t)n;
    }
    buf b = hear(fd, NULL);
    if (!has(&b, want)) print_message("sent %zu, heard: %s\n", sent, b.p);
    assert_true(has(&b, want));
    buf_free(&b);
    close(fd);
}

static void a_refusal_reaches_a_client_that_is_still_sending(void **state)
{
    refused_while_sending(*state,
                          "POST /limit HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n",
                          2000000, "HTTP/1.1 413");
    refused_while_sending(*state,
                          "POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n",
                          2000000, "HTTP/1.1 401");
    refused_while_sending(*state, "POST /deny HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n", 2000000,
                          "HTTP/1.1 400");
    /* one endless chunk, counted as it comes */
    refused_while_sending(*state,
                          "POST /limit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                          "chunked\r\n\r\nFFFFFFF\r\n",
                          3000000, "HTTP/1.1 413");
    refused_while_sending(*state,
                          "POST /limit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                          "chunked\r\n\r\nFFFFFFF\r\n",
                          5000, "HTTP/1.1 413");
}

static void a_small_body_nobody_wants_does_not_cost_the_connection(void **state)
{
    int fd = dial(*state);
    say(fd, "POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /hello "
            "HTTP/1.1\r\nHost: a\r\n\r\n");
    buf b = hear(fd, "\r\n\r\nhello");
    assert_true(has(&b, "HTTP/1.1 401"));
    assert_true(has(&b, "HTTP/1.1 200"));
    buf_free(&b);
    close(fd);
}

static void
a_chunked_body_over_the_limit_is_413_and_keeps_the_connection_when_it_ends_soon(void **state)
{
    buf r = buf_new(NULL, 1 << 20);
    buf_put(&r, S("POST /limit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"));
    for (int i = 0; i < 2000; i++) buf_put(&r, S("x"));
    buf_put(&r, S("\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
    int fd = dial(*state);
    assert_int_equal(send(fd, r.p, r.n, 0), (ssize_t)r.n);
    buf b = hear(fd, "\r\n\r\nhello");
    assert_true(has(&b, "HTTP/1.1 413"));
    assert_true(has(&b, "HTTP/1.1 200"));
    buf_free(&b);
    buf_free(&r);
    close(fd);
}

static void a_client_that_expects_100_is_told_to_go_on_only_when_the_body_is_wanted(void **state)
{
    int fd = dial(*state);
    say(fd, "POST /lazy HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    int64_t began = clock_mono_ms();
    buf b = hear(fd, "\r\n\r\n");
    assert_true(has(&b, "HTTP/1.1 100"));
    assert_true(clock_mono_ms() - began >= 25); /* not before it was asked for */
    buf_free(&b);
    say(fd, "hello");
    b = hear(fd, "\r\n\r\nhello");
    assert_true(has(&b, "HTTP/1.1 200"));
    buf_free(&b);
    close(fd);
    fd = dial(*state);
    say(fd, "POST /deny HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    b = hear(fd, NULL);
    assert_false(has(&b, "HTTP/1.1 100"));
    assert_true(has(&b, "HTTP/1.1 401"));
    buf_free(&b);
    close(fd);
}

static void a_coded_body_is_unsupported(void **state)
{
    talk(*state,
         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
         "\r\n\r\nrefused", "HTTP/1.1 415");
    talk(*state,
         "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity\r\nContent-Length: "
         "2\r\n\r\nhi",
         "\r\n\r\nhi", "HTTP/1.1 200");
}

static void a_body_that_never_comes_whole_tells_the_flow_that_the_client_is_gone(void **state)
{
    rig *g = *state;
    int fd = dial(g);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello");
    usleep(20000);
    close(fd);
    assert_true(rig_wait_for(&g->gone, 1, 100));
}

static void a_flow_that_ends_without_a_reply_is_a_500(void **state)
{
    talk(*state, "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n", "HTTP/1.1 500");
}

/* Pieces of requests in any order, cut anywhere: the front must live, and still answer after. */
static void random_requests_do_no_harm(void **state)
{
    static const char *const pieces[] = {
        "GET ",
        "POST ",
        "/echo",
        "/stream",
        "/flood",
        "/abort",
        "/wait",
        " HTTP/1.1",
        " HTTP/1.0",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        " ",
        "Host: a\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 70000\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "X: y\r\n",
        "\t z\r\n",
        ":",
        "hello",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "\xff\x01",
        "?a&b=c&&",
        "POST /echo HTTP/1.1\r\nHost: a\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    rig *g = *state;
    unsigned seed = 12345;
    for (int i = 0; i < 400; i++) {
        int fd = dial(g);
        for (int k = 0; k < 12; k++) {
            seed = seed * 1103515245u + 12345u;
            const char *p = pieces[(seed >> 8) % (sizeof pieces / sizeof *pieces)];
            if (send(fd, p, strlen(p), MSG_NOSIGNAL) < 0) break;
            if ((seed >> 24) % 8 == 0) usleep(300);
        }
        if (i % 3 == 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        close(fd);
    }
    talk(g, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", "hello", "HTTP/1.1 200");
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_request_is_seen_as_it_was_sent),
        T(an_absolute_target_gives_its_path_when_it_names_the_host),
        T(what_two_readers_could_read_in_two_ways_is_refused),
        T(nul_bytes_in_the_head_are_refused),
        T(a_refusal_is_json_and_closes),
        T(what_is_well_formed_is_not_refused),
        T(a_head_sent_byte_by_byte_is_the_same_head),
        T(a_long_head_is_read_and_a_longer_one_is_431),
        T(chunks_may_have_extensions_and_the_coding_spaces_behind_it),
        T(a_chunked_upload_is_put_together),
        T(an_empty_body_is_whole_at_once),
        T(large_bodies_come_whole),
        T(a_declared_body_over_the_limit_is_refused_before_it_is_read),
        T(a_refusal_reaches_a_client_that_is_still_sending),
        T(a_small_body_nobody_wants_does_not_cost_the_connection),
        T(a_chunked_body_over_the_limit_is_413_and_keeps_the_connection_when_it_ends_soon),
        T(a_client_that_expects_100_is_told_to_go_on_only_when_the_body_is_wanted),
        T(a_coded_body_is_unsupported),
        T(a_body_that_never_comes_whole_tells_the_flow_that_the_client_is_gone),
        T(a_flow_that_ends_without_a_reply_is_a_500),
        T(random_requests_do_no_harm),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
