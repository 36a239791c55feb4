/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* client_test.c - answers, dead connections, broken answers. */
#include "call_habits.h"

/* One answer, cut at a place of its own for each connection, then closed if the text says so. */
struct cuts {
    const char *answer;
    size_t cut;
    bool close;
};

static void cut_answer(int fd, int nth, server_fake *s)
{
    const struct cuts *c = s->ctx;
    char in[4096];
    (void)nth;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    while (hear(fd, in, sizeof in)) {
        if (!say(fd, c->answer, c->cut)) return;
        if (c->cut) nap(1);
        if (!say_text(fd, c->answer + c->cut)) return;
        if (c->close) return;
    }
}

static void every_cut_of_an_answer_is_the_same_answer(void **st)
{
    static const struct {
        struct cuts cuts;
        const char *want;
    } cases[] = {
        {{OK "Content-Length: 5\r\n\r\nhello", 0, false}, "200[hello]ok"},
        {{OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: 1\r\n\r\n", 0,
          false},
         "200[abcde]ok"},
        {{OK "\r\nuntil close", 0, true}, "200[until close]ok"},
        {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n1", 0,
          false},
         "201[1]ok"},
        {{"HTTP/1.1 204 No Content\r\n\r\n", 0, false}, "204[]ok"},
    };
    (void)st;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cuts c = cases[i].cuts;
        server_fake s;
        server_start(&s, cut_answer, &c);
        for (c.cut = 0; c.cut < strlen(c.answer); c.cut++) {
            trial t;
            trial_new(&t, s.port);
            trial_run(&t);
            assert_said(&t, cases[i].want);
            assert_int_equal(client_open(t.c), c.close ? 0 : 1);
            trial_free(&t);
        }
        server_end(&s);
    }
}

static void ten_thousand_calls_use_one_connection(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Content-Length: 5\r\n\r\nhello");
    trial t;
    trial_new(&t, s.port);
    t.quiet = true;
    t.want_ends = 10000;
    t.on_end = again; /* the next call begins inside `end` */
    size_t before = descriptors();
    trial_run(&t);
    assert_said(&t, "");
    assert_int_equal(t.ends, 10000);
    assert_int_equal(t.bytes, 50000);
    assert_int_equal(atomic_load(&s.accepted), 1);
    assert_int_equal(client_open(t.c), 1);
    assert_true(descriptors() <= before + 2);
    trial_free(&t);
    server_end(&s);
}

static void a_thousand_closed_connections_leave_nothing_open(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, close_each, OK "Connection: close\r\nContent-Length: 2\r\n\r\nok");
    trial t;
    trial_new(&t, s.port);
    t.quiet = true;
    t.want_ends = 1000;
    t.on_end = again;
    size_t before = descriptors();
    trial_run(&t);
    assert_said(&t, "");
    assert_int_equal(atomic_load(&s.accepted), 1000);
    assert_int_equal(client_open(t.c), 0);
    assert_true(descriptors() <= before + 1);
    trial_free(&t);
    server_end(&s);
}

static void request_note(int fd, int nth, server_fake *s)
{
    char *in = s->ctx;
    (void)nth;
    if (hear(fd, in, 1 << 16)) (void)say_text(fd, OK "Content-Length: 0\r\n\r\n");
}

static void the_request_is_what_was_asked_for(void **st)
{
    (void)st;
    static char in[1 << 16];
    server_fake s;
    server_start(&s, request_note, in);
    trial t;
    trial_new(&t, s.port);
    static const header headers[] = {{S("Content-Type"), S("text/plain")},
                                     {S("Connection"), S("close")},
                                     {{0}, {0}}};
    t.rq.method = S("POST");
    t.rq.target = S("/a?b");
    t.rq.headers = headers;
    t.rq.body[0] = S("one ");
    t.rq.body[2] = S("two");
    trial_run(&t);
    assert_said(&t, "200[]ok");
    trial_free(&t);
    server_end(&s);
    char want[256];
    (void)snprintf(want, sizeof want,
                   "POST /a?b HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept-Encoding: "
                   "identity\r\nContent-Type: text/plain\r\n"
                   "Content-Length: 7\r\n\r\none two",
                   s.port);
    assert_string_equal(in, want);
}

static void a_request_that_would_split_is_never_sent(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Content-Length: 0\r\n\r\n");
    static const header headers[] = {{S("X"), S("a\r\nY: b")}, {{0}, {0}}};
    trial t;
    trial_new(&t, s.port);
    t.rq.headers = headers;
    trial_run(&t);
    assert_int_equal(t.kind, ERR_BUG);
    assert_int_equal(atomic_load(&s.accepted), 0);
    trial_free(&t);
    server_end(&s);
}

/* Heads and their views */

static void look_at_head(trial *t, const call_head *h)
{
    buf_fmt(&t->said, "%lld " STR_FMT " ", (long long)h->length,
            STR_ARG(call_head_get(h, S("x-a"))));
    assert_null(call_head_get(h, S("x-none")).p);
}

static void a_head_is_told_with_its_headers(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, "HTTP/1.1 404 Not Found\r\nX-A: one\r\nContent-Length: 2\r\n\r\nno");
    trial t;
    trial_new(&t, s.port);
    t.on_head = look_at_head;
    trial_run(&t);
    assert_said(&t, "404[2 one no]ok");
    trial_free(&t);
    server_end(&s);
}

static void a_head_answer_has_no_body(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Content-Length: 500\r\n\r\n");
    trial t;
    trial_new(&t, s.port);
    t.rq.method = S("HEAD");
    t.want_ends = 3;
    t.on_end = again;
    trial_run(&t);
    assert_said(&t, "200[]ok200[]ok200[]ok");
    assert_int_equal(atomic_load(&s.accepted), 1);
    trial_free(&t);
    server_end(&s);
}

/* Dead connections */

/* The first connection answers once and dies at the second request; later ones are well. */
static void dies_at_second(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)s;
    for (int i = 0; hear(fd, in, sizeof in); i++) {
        if (nth == 0 && i == 1) return;
        if (!say_text(fd, OK "Content-Length: 1\r\n\r\n1")) return;
    }
}

static void a_dead_kept_connection_is_retried_once(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, dies_at_second, NULL);
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 3;
    t.on_end = again;
    t.rq.method = S("POST");
    t.rq.body[1] = S("resendable");
    trial_run(&t);
    assert_said(&t, "200[1]ok200[1]ok200[1]ok");
    assert_int_equal(atomic_load(&s.accepted), 2);
    trial_free(&t);
    server_end(&s);
}

static void no_retry_means_none(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, dies_at_second, NULL);
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 2;
    t.on_end = again;
    t.rq.no_retry = true;
    trial_run(&t);
    assert_said_part(&t, "200[1]ok!upstream ");
    assert_int_equal(atomic_load(&s.accepted), 1);
    trial_free(&t);
    server_end(&s);
}

/* Every connection dies at its second request, and the first of a fresh one after the first. */
static void dies_for_good(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)s;
    if (hear(fd, in, sizeof in) && nth == 0) (void)say_text(fd, OK "Content-Length: 1\r\n\r\n1");
    if (nth == 0) (void)hear(fd, in, sizeof in);
}

static void a_fresh_connection_that_dies_is_an_error(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, dies_for_good, NULL);
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 2;
    t.on_end = again;
    trial_run(&t);
    assert_said_part(&t, "200[1]ok!upstream ");
    assert_said_part(&t, "before an answer");
    assert_int_equal(atomic_load(&s.accepted), 2);
    trial_free(&t);
    server_end(&s);
}

/* An answer has begun: the request may have had its effect. */
static void begins_and_dies(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)s;
    for (int i = 0; hear(fd, in, sizeof in); i++) {
        if (nth == 0 && i == 1) {
            (void)say_text(fd, "HTTP/1.1 2");
            return;
        }
        if (!say_text(fd, OK "Content-Length: 1\r\n\r\n1")) return;
    }
}

static void no_retry_after_the_first_byte_of_an_answer(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, begins_and_dies, NULL);
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 2;
    t.on_end = again;
    trial_run(&t);
    assert_said_part(&t, "200[1]ok!upstream ");
    assert_int_equal(atomic_load(&s.accepted), 1);
    trial_free(&t);
    server_end(&s);
}

static void answers_then_closes(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth;
    (void)s;
    if (hear(fd, in, sizeof in)) (void)say_text(fd, OK "Content-Length: 1\r\n\r\n1");
}

static void an_idle_connection_that_closes_is_dropped(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, answers_then_closes, NULL);
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 0;
    loop_timer_start(t.l, &t.other, 300, stop_soon, &t);
    trial_run(&t);
    assert_said(&t, "200[1]ok");
    assert_int_equal(client_open(t.c), 0);
    trial_free(&t);
    server_end(&s);
}

static void speaks_unasked(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)s;
    if (!hear(fd, in, sizeof in)) return;
    (void)say_text(fd, OK "Content-Length: 1\r\n\r\n1");
    nap(50);
    (void)say_text(fd, OK "Content-Length: 6\r\n\r\nforged");
    (void)nth;
    assert_true(sees_close(fd));
}

static void an_answer_nobody_asked_for_is_not_given_to_the_next_call(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, speaks_unasked, NULL);
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 0;
    loop_timer_start(t.l, &t.other, 300, stop_soon, &t);
    trial_run(&t);
    assert_said(&t, "200[1]ok");
    assert_int_equal(client_open(t.c), 0);
    trial_free(&t);
    server_end(&s);
}

static void bytes_after_the_end_close_the_connection(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Content-Length: 1\r\n\r\n1" OK "Content-Length: 6\r\n\r\nforged");
    trial t;
    trial_new(&t, s.port);
    t.want_ends = 2;
    t.on_end = again;
    trial_run(&t);
    assert_said(&t, "200[1]ok200[1]ok");
    assert_int_equal(atomic_load(&s.accepted), 2);
    trial_free(&t);
    server_end(&s);
}

/* Broken answers */

static void a_broken_answer_is_an_error(void **st)
{
    static const struct {
        const char *answer, *want;
    } cases[] = {
        {OK "Content-Length: 9\r\n\r\nhello", "200[hello!upstream "},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "200[hello!upstream "},
        {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nXX", "200[hello!upstream "},
        {OK "Content-Le", "!upstream "},
        {"", "!upstream "},
        {OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n11", "!upstream "},
        {"HTTP/1.1 101 Switching\r\n\r\n", "!upstream "},
        {"nonsense\r\n\r\n", "!upstream "},
    };
    (void)st;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        server_fake s;
        server_text(&s, close_each, cases[i].answer);
        trial t;
        trial_new(&t, s.port);
        trial_run(&t);
        assert_said_part(&t, cases[i].want);
        assert_int_equal(client_open(t.c), 0);
        assert_int_equal(atomic_load(&s.accepted), 1);
        trial_free(&t);
        server_end(&s);
    }
}

static void a_head_over_its_limit_is_an_error(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always,
                OK "X: 0123456789012345678901234567890123456789\r\nContent-Length: 0\r\n\r\n");
    trial t;
    trial_new(&t, s.port);
    t.rq.head_limit = 40;
    trial_run(&t);
    assert_said_part(&t, "!upstream ");
    trial_free(&t);
    server_end(&s);
}

int main(void)
{
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_of_an_answer_is_the_same_answer),
        cmocka_unit_test(ten_thousand_calls_use_one_connection),
        cmocka_unit_test(a_thousand_closed_connections_leave_nothing_open),
        cmocka_unit_test(the_request_is_what_was_asked_for),
        cmocka_unit_test(a_request_that_would_split_is_never_sent),
        cmocka_unit_test(a_head_is_told_with_its_headers),
        cmocka_unit_test(a_head_answer_has_no_body),
        cmocka_unit_test(a_dead_kept_connection_is_retried_once),
        cmocka_unit_test(no_retry_means_none),
        cmocka_unit_test(a_fresh_connection_that_dies_is_an_error),
        cmocka_unit_test(no_retry_after_the_first_byte_of_an_answer),
        cmocka_unit_test(an_idle_connection_that_closes_is_dropped),
        cmocka_unit_test(an_answer_nobody_asked_for_is_not_given_to_the_next_call),
        cmocka_unit_test(bytes_after_the_end_close_the_connection),
        cmocka_unit_test(a_broken_answer_is_an_error),
        cmocka_unit_test(a_head_over_its_limit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
