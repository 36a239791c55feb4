/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_client.h"
#include <sys/resource.h>

static int setup(void **state)
{
    *state = rig_open((server_limits){.stream_buffer = 128 * 1024}, NULL);
    return 0;
}

static int teardown(void **state)
{
    rig_close(*state);
    return 0;
}

/* Connections */

static void a_connection_is_kept_for_the_next_request(void **state)
{
    int fd = dial(*state);
    for (int i = 0; i < 20; i++) {
        say(fd, i % 2 ? "GET /late?2 HTTP/1.1\r\nHost: a\r\n\r\n"
                      : "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        buf b = hear(fd, i % 2 ? "\r\n\r\nlate" : "\r\n\r\nhello");
        assert_true(has(&b, "HTTP/1.1 200"));
        buf_free(&b);
    }
    close(fd);
}

static size_t count_of(const buf *b, const char *text)
{
    size_t n = 0, len = strlen(text);
    for (const char *at = b->p; (at = memmem(at, b->n - (size_t)(at - b->p), text, len)); at += len)
        n++;
    return n;
}

static void pipelined_requests_are_answered_in_their_order(void **state)
{
    int fd = dial(*state);
    say(fd, "GET /late?15 HTTP/1.1\r\nHost: a\r\n\r\n"
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none"
            "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    buf b = hear(fd, NULL);
    assert_int_equal(count_of(&b, "HTTP/1.1 200"), 4);
    const char *late = memmem(b.p, b.n, "\r\n\r\nlate", 8),
               *one = memmem(b.p, b.n, "\r\n\r\none", 7);
    const char *nine = memmem(b.p, b.n, "data: 9", 7),
               *hello = memmem(b.p, b.n, "\r\n\r\nhello", 9);
    assert_true(late && one && nine && hello && late < one && one < nine && nine < hello);
    buf_free(&b);
    close(fd);
}

static void close_and_http_1_0_end_the_connection_and_keep_alive_keeps_it(void **state)
{
    talk(*state, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL,
         "\r\n\r\nhello");
    talk(*state, "GET /hello HTTP/1.0\r\nHost: a\r\n\r\n", NULL, "\r\n\r\nhello");
    int fd = dial(*state);
    for (int i = 0; i < 2; i++) {
        say(fd, "GET /hello HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
        buf b = hear(fd, "\r\n\r\nhello");
        assert_true(has(&b, "200 OK"));
        buf_free(&b);
    }
    close(fd);
}

static void head_gets_the_length_and_no_body(void **state)
{
    int fd = dial(*state);
    say(fd, "HEAD /big1k HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: a\r\n\r\nGET "
            "/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    buf b = hear(fd, NULL);
    assert_int_equal(count_of(&b, "HTTP/1.1 200"), 3);
    assert_true(has(&b, "Content-Length: 1024"));
    assert_false(has(&b, "data:"));
    assert_true(b.n < 1000);
    buf_free(&b);
    close(fd);
}

static void a_thousand_requests_leave_no_descriptor_behind(void **state)
{
    talk(*state, "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL, "hello");
    int before = open_fds();
    for (int i = 0; i < 1000; i++) {
        talk(*state,
             i % 3 == 0   ? "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
             : i % 3 == 1 ? "POST /echo HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                          : "GET /nobody\r\n\r\nhello",
             NULL, i % 3 == 2 ? "" : "hello");
    }
    usleep(50000);
    assert_in_range(open_fds(), before - 2, before + 2);
}

static void a_large_answer_comes_whole_to_a_slow_reader(void **state)
{
    rig *g = *state;
    int fd = dial(g), small = 200000;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(fd, "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    usleep(20000);
    buf b = hear(fd, NULL);
    const char *body = (char *)memmem(b.p, b.n, "\r\n\r\n", 4) + 4;
    assert_int_equal(b.n - (size_t)(body - b.p), BIG);
    assert_memory_equal(body, g->big, BIG);
    buf_free(&b);
    close(fd);
}

/* Disconnects */

static void leaves(rig *g, const char *request, const char *until, bool reset)
{
    int fd = dial(g), before = atomic_load(&g->gone);
    say(fd, request);
    if (until) {
        buf b = hear(fd, until);
        assert_true(has(&b, until));
        buf_free(&b);
    } else {
        usleep(15000);
    }
    if (reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    int64_t left = clock_mono_ms();
    close(fd);
    assert_true(rig_wait_for(&g->gone, before + 1, 1000));
    assert_in_range(atomic_load(&g->gone_at_ms) - left, 0, 100);
}

static void a_client_that_leaves_is_noticed_within_100_ms(void **state)
{
    for (int reset = 0; reset < 2; reset++) {
        leaves(*state, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n", NULL, reset);
        leaves(*state, "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", NULL,
               reset);
        leaves(*state, "POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\nabc", NULL,
               reset);
        leaves(*state, "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n", "data: 0", reset);
        leaves(*state, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n", "abcdef", reset);
    }
}

static void one_that_left_before_we_began_to_wait_is_noticed_too(void **state)
{
    rig *g = *state;
    int fd = dial(g);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    close(fd);
    assert_true(rig_wait_for(&g->gone, 1, 100));
}

static void closing_one_side_counts_as_leaving_but_an_answer_at_hand_is_still_sent(void **state)
{
    rig *g = *state;
    int fd = dial(g);
    say(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(fd, SHUT_WR);
    buf b = hear(fd, NULL);
    assert_true(has(&b, "\r\n\r\nhello"));
    buf_free(&b);
    close(fd);
    fd = dial(g);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    usleep(10000);
    shutdown(fd, SHUT_WR);
    assert_true(rig_wait_for(&g->gone, 1, 100));
    close(fd);
}

/* Streams */

static void a_stream_is_chunked_and_ends_with_the_last_chunk(void **state)
{
    int64_t began = clock_mono_ms();
    int fd = dial(*state);
    say(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    buf b = hear(fd, "data: 0");
    assert_false(has(&b, "data: 9")); /* the first event does not wait for the last */
    buf_free(&b);
    b = hear(fd, "\r\n0\r\n\r\n");
    assert_true(has(&b, "data: 9"));
    assert_true(clock_mono_ms() - began <
                400); /* ten events, 5 ms apart: nothing waits for an ACK */
    buf_free(&b);
    close(fd);
}

static void a_stream_to_http_1_0_ends_with_the_connection(void **state)
{
    int fd = dial(*state);
    say(fd, "GET /stream HTTP/1.0\r\nHost: a\r\n\r\n");
    buf b = hear(fd, NULL);
    assert_true(has(&b, "data: 9\n\n"));
    assert_false(has(&b, "chunked"));
    buf_free(&b);
    close(fd);
}

static void a_slow_reader_pauses_the_source_and_bounds_the_memory(void **state)
{
    rig *g = *state;
    int fd = dial(g), small = 200000;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    say(fd, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(rig_wait_for(&g->sink_full, 1, 1000));
    long long stuck = -1, now = 0; /* until nothing has moved for a while */
    for (int i = 0; i < 100 && now != stuck; i++) {
        stuck = now;
        usleep(100000);
        now = atomic_load(&g->flood_written);
    }
    assert_int_equal(now, stuck);
    assert_true(stuck < FLOOD); /* socket buffers and ours, not all of it */
    assert_int_equal(atomic_load(&g->drained) + 1, atomic_load(&g->sink_full));
    buf b = hear(fd, "\r\n0\r\n\r\n");
    assert_true(b.n > FLOOD);
    assert_int_equal(atomic_load(&g->flood_written), FLOOD);
    assert_true(atomic_load(&g->sink_full) > 3);
    buf_free(&b);
    close(fd);
}

static void an_aborted_stream_does_not_look_like_its_end(void **state)
{
    int fd = dial(*state);
    say(fd, "GET /abort HTTP/1.1\r\nHost: a\r\n\r\n");
    buf b = hear(fd, NULL);
    assert_true(has(&b, "some bytes"));
    assert_false(has(&b, "\r\n0\r\n"));
    buf_free(&b);
    close(fd);
    fd = dial(*state);
    say(fd, "GET /abort HTTP/1.0\r\nHost: a\r\n\r\n");
    b = hear(fd, "some bytes");
    assert_true(has(&b, "some bytes"));
    assert_int_equal(ending(fd, 1000), -1); /* no chunks to miss: reset */
    buf_free(&b);
    close(fd);
}

/* Time */

static void slow_heads_are_cut_and_quiet_streams_are_not(void **state)
{
    (void)state;
    rig *g = rig_open((server_limits){.header_timeout_ms = 200, .idle_timeout_ms = 1000}, NULL);
    int silent = dial(g), slow = dial(g), stream = dial(g), waiting = dial(g), kept = dial(g);
    say(stream, "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n");
    say(waiting, "GET /late?3500 HTTP/1.1\r\nHost: a\r\n\r\n");
    say(kept, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    buf b = hear(kept, "hello");
    buf_free(&b);
    int64_t began = clock_mono_ms();
    for (int i = 0; i < 10; i++) {
        if (send(slow, "X", 1, MSG_NOSIGNAL) < 0) break;
        usleep(40000);
    }
    b = hear(slow, NULL);
    assert_true(has(&b, "HTTP/1.1 408"));
    buf_free(&b);
    assert_int_equal(ending(silent, 3000), 0);
    assert_true(clock_mono_ms() - began < 3000); /* by its head's time, not with those that wait */
    assert_int_equal(ending(kept, 4000), 0);
    assert_true(clock_mono_ms() - began > 900);
    b = hear(waiting, "late"); /* longer than idle_timeout, and not cut */
    assert_true(has(&b, "\r\n\r\nlate"));
    buf_free(&b);
    assert_int_equal(ending(stream, 100), 1);
    close(silent), close(slow), close(stream), close(waiting), close(kept);
    rig_close(g);
}

static void a_stalled_upload_is_cut_after_the_idle_timeout(void **state)
{
    (void)state;
    rig *g = rig_open((server_limits){.header_timeout_ms = 200, .idle_timeout_ms = 1000}, NULL);
    int fd = dial(g);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello");
    assert_int_equal(ending(fd, 4000), 0);
    assert_true(rig_wait_for(&g->gone, 1, 100));
    close(fd);
    rig_close(g);
}

/* Limits and drain */

static void at_the_connection_limit_new_clients_wait_their_turn(void **state)
{
    (void)state;
    rig *g = rig_open((server_limits){.connections = 4}, NULL);
    int fd[5];
    for (int i = 0; i < 5; i++) {
        fd[i] = dial(g);
        say(fd[i], "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
        if (i < 4) {
            buf b = hear(fd[i], "hello");
            buf_free(&b);
        }
    }
    assert_int_equal(ending(fd[4], 50), 1);
    close(fd[0]);
    setsockopt(fd[4], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){2, 0}, sizeof(struct timeval));
    buf b = hear(fd[4], "hello");
    assert_true(has(&b, "hello"));
    buf_free(&b);
    for (int i = 1; i < 5; i++) close(fd[i]);
    rig_close(g);
}

static void two_workers_share_one_port(void **state)
{
    (void)state;
    rig *g = rig_open((server_limits){0}, NULL);
    rig *h = rig_open_at(arena_fmt(g->a, "127.0.0.1:%u", g->port), (server_limits){0}, NULL);
    assert_int_equal(g->port, h->port);
    for (int i = 0; i < 60; i++) {
        talk(i % 2 ? g : h, "GET /late?1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", NULL,
             "late");
    }
    assert_true(atomic_load(&g->begun) > 0 && atomic_load(&h->begun) > 0);
    assert_int_equal(atomic_load(&g->begun) + atomic_load(&h->begun), 60);
    rig_close(g);
    rig_close(h);
}

static void stop_accepting(rig *g)
{
    server_stop_accepting(g->s);
}

static void draining_finishes_what_was_begun_and_takes_nothing_new(void **state)
{
    rig *g = *state;
    int idle = dial(g), busy = dial(g), stream = dial(g);
    say(idle, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    buf b = hear(idle, "hello");
    buf_free(&b);
    say(busy, "GET /late?80 HTTP/1.1\r\nHost: a\r\n\r\n");
    say(stream, "GET /quiet HTTP/1.1\r\nHost: a\r\n\r\n");
    b = hear(stream, "data: 0");
    buf_free(&b);
    usleep(10000);
    rig_do(g, stop_accepting);
    assert_int_equal(ending(idle, 1000), 0);
    assert_true(rig_wait_for(&g->stops, 1, 1000)); /* streams are told */
    b = hear(stream, NULL);
    assert_true(has(&b, "0\r\n\r\n"));
    buf_free(&b);
    b = hear(busy, NULL);
    assert_true(has(&b, "\r\n\r\nlate"));
    assert_true(has(&b, "Connection: close"));
    buf_free(&b);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)g->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), -1);
    close(fd), close(idle), close(busy), close(stream);
}

static void closing_with_everything_under_way_tells_each_flow(void **state)
{
    (void)state;
    rig *g = rig_open((server_limits){0}, NULL);
    static const char *const paths[] = {"/wait", "/quiet", "/flood", "/late?5000", "/wait"};
    int fd[20];
    for (int i = 0; i < 20; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n",
                 i % 5 == 4 ? "POST" : "GET", paths[i % 5],
                 i % 5 == 4 ? "Content-Length: 100000\r\n" : "");
        fd[i] = dial(g);
        say(fd[i], text);
    }
    usleep(50000);
    rig_close(g); /* checks that each was settled and released */
    for (int i = 0; i < 20; i++) close(fd[i]);
}

static void many_waiting_connections_cost_no_time(void **state)
{
    rig *g = *state;
    int fd[200];
    for (int i = 0; i < 200; i++) {
        fd[i] = dial(g);
        if (i % 2) say(fd[i], "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    usleep(200000);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    usleep(500000);
    getrusage(RUSAGE_SELF, &after);
    long us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec -
               before.ru_stime.tv_sec) *
                  1000000 +
              after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec -
              before.ru_stime.tv_usec;
    assert_in_range(us, 0, 50000);
    for (int i = 0; i < 200; i++) close(fd[i]);
}

static void an_address_that_cannot_be_listened_on_is_an_error(void **state)
{
    rig *g = *state;
    static const str bad[] = {{"127.0.0.1", 9},
                              {"nowhere.invalid:80", 18},
                              {"203.0.113.9:80", 14},
                              {"127.0.0.1:http", 14}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd;
        str bound;
        assert_non_null(server_listen_fd(g->a, bad[i], &fd, &bound));
        assert_int_equal(fd, -1);
    }
    int fd;
    str bound;
    const err *e = server_listen_fd(g->a, S("[::1]:0"), &fd, &bound);
    if (!e) {
        assert_true(str_starts(bound, S("[::1]:")));
        close(fd);
    }
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_connection_is_kept_for_the_next_request),
        T(pipelined_requests_are_answered_in_their_order),
        T(close_and_http_1_0_end_the_connection_and_keep_alive_keeps_it),
        T(head_gets_the_length_and_no_body),
        T(a_thousand_requests_leave_no_descriptor_behind),
        T(a_large_answer_comes_whole_to_a_slow_reader),
        T(a_client_that_leaves_is_noticed_within_100_ms),
        T(one_that_left_before_we_began_to_wait_is_noticed_too),
        T(closing_one_side_counts_as_leaving_but_an_answer_at_hand_is_still_sent),
        T(a_stream_is_chunked_and_ends_with_the_last_chunk),
        T(a_stream_to_http_1_0_ends_with_the_connection),
        T(a_slow_reader_pauses_the_source_and_bounds_the_memory),
        T(an_aborted_stream_does_not_look_like_its_end),
        cmocka_unit_test(slow_heads_are_cut_and_quiet_streams_are_not),
        cmocka_unit_test(a_stalled_upload_is_cut_after_the_idle_timeout),
        cmocka_unit_test(at_the_connection_limit_new_clients_wait_their_turn),
        cmocka_unit_test(two_workers_share_one_port),
        T(draining_finishes_what_was_begun_and_takes_nothing_new),
        cmocka_unit_test(closing_with_everything_under_way_tells_each_flow),
        T(many_waiting_connections_cost_no_time),
        T(an_address_that_cannot_be_listened_on_is_an_error),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
