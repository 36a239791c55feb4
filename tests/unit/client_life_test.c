/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* client_life_test.c - the life of a call: too slow, held back, cancelled, early, kept. */
#include "call_habits.h"

/* Not reached, too slow */

static void a_refused_connection_is_an_error_later(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, "");
    server_end(&s); /* now nobody listens there */
    trial t;
    trial_new(&t, s.port);
    trial_run(&t);
    assert_said_part(&t, "!upstream ");
    assert_said_part(&t, "refused");
    assert_int_equal(client_open(t.c), 0);
    trial_free(&t);
}

static void a_name_that_does_not_resolve_is_an_error_later(void **st)
{
    (void)st;
    trial t = {0};
    trial_url(&t, "http://does-not-exist.invalid", NULL);
    trial_run(&t);
    assert_said_part(&t, "!upstream ");
    assert_said_part(&t, "resolve");
    trial_free(&t);
}

/* "localhost" is often ::1 first: nobody listens there, the next address is taken. */
static void the_next_address_is_tried(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Content-Length: 1\r\n\r\n1");
    char url[64];
    (void)snprintf(url, sizeof url, "http://localhost:%u", s.port);
    trial t = {0};
    trial_url(&t, url, NULL);
    trial_run(&t);
    assert_said(&t, "200[1]ok");
    trial_free(&t);
    server_end(&s);
}

/* A full accept queue: the kernel drops our SYN. */
static void connecting_is_bounded(void **st)
{
    (void)st;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fill[8];
    assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    for (size_t i = 0; i < 8; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fill[i], (struct sockaddr *)&at, n);
    }
    nap(20);
    trial t;
    trial_new(&t, ntohs(at.sin_port));
    t.rq.connect_ms = 200;
    int64_t before = clock_mono_ms();
    trial_run(&t);
    int64_t took = clock_mono_ms() - before;
    assert_said_part(&t, "!timeout ");
    assert_true(took >= 190 && took < 3000);
    trial_free(&t);
    for (size_t i = 0; i < 8; i++) close(fill[i]);
    close(fd);
}

static void a_silent_server_times_out(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, silent, NULL);
    trial t;
    trial_new(&t, s.port);
    t.rq.answer_ms = 150;
    trial_run(&t);
    assert_said_part(&t, "!timeout ");
    assert_int_equal(client_open(t.c), 0);
    trial_free(&t);
    server_end(&s);
}

static void an_answer_that_stops_coming_times_out(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, silent, OK "Content-Length: 100\r\n\r\nhalf");
    trial t;
    trial_new(&t, s.port);
    t.rq.idle_ms = 150;
    trial_run(&t);
    assert_said_part(&t, "200[half!timeout ");
    trial_free(&t);
    server_end(&s);
}

static void drips(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth;
    (void)s;
    if (!hear(fd, in, sizeof in) || !say_text(fd, OK "Content-Length: 8\r\n\r\n")) return;
    for (int i = 0; i < 8; i++) {
        nap(60);
        if (!say_text(fd, "x")) return;
    }
}

static void slow_but_steady_is_no_timeout(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, drips, NULL);
    trial t;
    trial_new(&t, s.port);
    t.rq.idle_ms = 200;
    t.rq.answer_ms = 200;
    trial_run(&t);
    assert_said(&t, "200[xxxxxxxx]ok");
    trial_free(&t);
    server_end(&s);
}

/* Back-pressure */

enum { BIG = 8 << 20 };

struct flood {
    atomic_size_t sent;
};

static void floods(int fd, int nth, server_fake *s)
{
    struct flood *f = s->ctx;
    char in[4096], *block = malloc(65536);
    (void)nth;
    for (int i = 0; i < 65536; i++)
        block[i] = (char)('a' + i % 61); /* 61 does not divide what is read */
    if (hear(fd, in, sizeof in) && say_text(fd, OK "Content-Length: 8388608\r\n\r\n")) {
        for (size_t i = 0; i < BIG; i += 65536) {
            if (!say(fd, block, 65536)) break;
            atomic_fetch_add(&f->sent, 65536);
        }
    }
    free(block);
}

/* Looks at every byte; pauses now and then, and resumes by a timer or before the sockets are
 * served. */
static void pause_each(trial *t, str piece)
{
    static const size_t step = 100000;
    for (size_t i = 0; i < piece.n; i++) {
        size_t at = (t->bytes - piece.n + i) % 65536;
        if (piece.p[i] != (char)('a' + at % 61))
            fail_msg("byte %zu is not what was sent", t->bytes - piece.n + i);
    }
    if (t->bytes / step == t->mark) return;
    t->mark = t->bytes / step;
    call_pause(t->k);
    if (t->mark % 2)
        t->resume_next_turn = 2;
    else
        loop_timer_start(t->l, &t->other, 3, resume_after, t);
}

static int64_t resume_in_turn(void *ctx)
{
    trial *t = ctx;
    if (t->resume_next_turn == 1 && t->k) call_resume(t->k);
    if (t->resume_next_turn) t->resume_next_turn--;
    return t->resume_next_turn ? 1 : -1;
}

static void pausing_loses_and_doubles_nothing(void **st)
{
    (void)st;
    struct flood f = {0};
    server_fake s;
    server_start(&s, floods, &f);
    trial t;
    trial_new(&t, s.port);
    t.quiet = true;
    t.on_bytes = pause_each;
    loop_on_turn(t.l, resume_in_turn, &t);
    trial_run(&t);
    assert_said(&t, "");
    assert_int_equal(t.ends, 1);
    assert_int_equal(t.bytes, BIG);
    trial_free(&t);
    server_end(&s);
}

static void pause_for_good(trial *t)
{
    call_pause(t->k);
}

static void a_paused_call_gets_nothing_and_the_server_is_held_back(void **st)
{
    (void)st;
    struct flood f = {0};
    server_fake s;
    server_start(&s, floods, &f);
    trial t;
    trial_new(&t, s.port);
    t.quiet = true;
    t.on_data = pause_for_good;
    t.rq.idle_ms = 50; /* does not run while paused */
    loop_timer_start(t.l, &t.other, 500, stop_soon, &t);
    trial_run(&t);
    assert_said(&t, "");
    assert_true(t.bytes > 0 && t.bytes <= 65536);
    assert_true(atomic_load(&f.sent) < BIG);
    trial_free(&t); /* with the call still open */
    server_end(&s);
}

static void pause_at_head(trial *t, const call_head *h)
{
    (void)h;
    call_pause(t->k);
    loop_timer_start(t->l, &t->other, 50, resume_after, t);
}

static void pause_and_resume_at_once(trial *t)
{
    call_pause(t->k);
    call_resume(t->k);
}

static void a_small_answer_survives_pauses_anywhere(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, close_each,
                OK "Transfer-Encoding: chunked\r\nConnection: "
                   "close\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    trial t;
    trial_new(&t, s.port);
    t.on_head = pause_at_head;
    t.on_data = pause_and_resume_at_once;
    trial_run(&t);
    assert_said(&t, "200[abc]ok");
    trial_free(&t);
    server_end(&s);
}

static void an_end_waits_for_the_resume(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, close_each, OK "\r\nall");
    trial t;
    trial_new(&t, s.port);
    t.on_data = pause_briefly;
    trial_run(&t);
    assert_said(&t, "200[all]ok");
    trial_free(&t);
    server_end(&s);
}

/* Cancelling */

static void cancel_now(trial *t)
{
    call_cancel(t->k);
    t->k = NULL;
    loop_timer_start(t->l, &t->other, 100, stop_soon, t);
}

static void cancel_at_head(trial *t, const call_head *h)
{
    (void)h;
    cancel_now(t);
}

static void a_cancelled_call_is_silent_and_its_connection_closed(void **st)
{
    (void)st;
    for (int at_head = 0; at_head < 2; at_head++) {
        server_fake s;
        server_text(&s, silent, OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n");
        trial t;
        trial_new(&t, s.port);
        if (at_head)
            t.on_head = cancel_at_head;
        else
            t.on_data = cancel_now;
        trial_run(&t);
        assert_said(&t, at_head ? "200[" : "200[a");
        assert_int_equal(t.ends, 0);
        assert_int_equal(client_open(t.c), 0);
        trial_free(&t);
        server_end(&s);
    }
}

static void cancel_k(void *ctx)
{
    cancel_now(ctx);
}

static void cancelling_before_anything_happened_is_fine(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Content-Length: 0\r\n\r\n");
    trial t;
    trial_new(&t, s.port);
    loop_timer_start(t.l, &t.start, 0, go, &t);
    loop_timer_start(t.l, &t.watchdog, 0, cancel_k, &t);
    loop_run(t.l);
    assert_said(&t, "");
    assert_int_equal(client_open(t.c), 0);
    trial_free(&t);
    server_end(&s);
}

static void lose_owner(trial *t)
{
    handle_drop(loop_handles(t->l), t->self);
    loop_timer_start(t->l, &t->other, 100, stop_soon, t);
}

static void a_stale_owner_cancels_the_call(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, silent, OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n");
    trial t;
    trial_new(&t, s.port);
    t.on_data = lose_owner;
    trial_run(&t);
    assert_said(&t, "200[a");
    assert_int_equal(client_open(t.c), 0);
    trial_free(&t);
    server_end(&s);
}

/* Large and early */

static void drains(int fd, int nth, server_fake *s)
{
    char in[65536];
    size_t total = 0, want = *(size_t *)s->ctx;
    (void)nth;
    nap(50); /* let the client's writev run full */
    while (total < want) {
        ssize_t n = recv(fd, in, sizeof in, 0);
        if (n <= 0) return;
        total += (size_t)n;
    }
    (void)say_text(fd, OK "Content-Length: 2\r\n\r\nok");
    (void)hear(fd, in, sizeof in);
}

static void a_large_request_is_sent_whole(void **st)
{
    (void)st;
    size_t n = 6u << 20;
    char *big = calloc(1, n);
    assert_non_null(big);
    server_fake s;
    server_start(&s, drains, &n);
    trial t;
    trial_new(&t, s.port);
    t.rq.method = S("POST");
    t.rq.body[0] = S("{");
    t.rq.body[1] = (str){big, n - 2};
    t.rq.body[2] = S("}");
    trial_run(&t);
    assert_said(&t, "200[ok]ok");
    assert_int_equal(client_open(t.c), 1);
    trial_free(&t);
    server_end(&s);
    free(big);
}

struct early {
    bool then_drain;
    size_t want;
};

static void answers_early(int fd, int nth, server_fake *s)
{
    const struct early *e = s->ctx;
    char in[65536];
    (void)nth;
    if (recv(fd, in, 1000, 0) <= 0) return;
    if (!e->then_drain) {
        (void)say_text(fd, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        (void)shutdown(fd, SHUT_WR);
        assert_true(sees_close(fd) || recv(fd, in, sizeof in, 0) >= 0);
        while (recv(fd, in, sizeof in, 0) > 0) {
        }
        return;
    }
    (void)say_text(fd, OK "Content-Length: 4\r\n\r\nhe");
    size_t total = 1000;
    while (total < e->want) {
        ssize_t k = recv(fd, in, sizeof in, 0);
        if (k <= 0) return;
        total += (size_t)k;
    }
    (void)say_text(fd, "ad");
    assert_true(sees_close(fd) || true);
}

static char *early_body;

static void free_body(trial *t, const call_head *h)
{
    (void)t;
    (void)h;
    free(early_body); /* the request's views may go at `head` */
    early_body = NULL;
}

static void an_early_answer_is_taken_while_the_request_is_sent(void **st)
{
    (void)st;
    for (int drain = 0; drain < 2; drain++) {
        size_t n = 16u << 20;
        early_body = calloc(1, n);
        assert_non_null(early_body);
        struct early e = {drain, n};
        server_fake s;
        server_start(&s, answers_early, &e);
        trial t;
        trial_new(&t, s.port);
        t.rq.method = S("POST");
        t.rq.body[1] = (str){early_body, n};
        t.on_head = free_body;
        trial_run(&t);
        assert_said(&t, drain ? "200[head]ok" : "413[big]ok");
        trial_free(&t);
        server_end(&s);
    }
}

/* Idle connections */

static void the_idle_pool_is_capped(void **st)
{
    (void)st;
    server_fake s[1];
    server_text(s, always, OK "Content-Length: 1\r\n\r\n1");
    trial t;
    trial_new(&t, s->port);
    client_free(t.c);
    t.c = client_new(t.l, t.log, 0); /* keeps none */
    t.want_ends = 3;
    t.on_end = again;
    trial_run(&t);
    assert_said(&t, "200[1]ok200[1]ok200[1]ok");
    assert_int_equal(client_open(t.c), 0);
    assert_int_equal(atomic_load(&s->accepted), 3);
    trial_free(&t);
    server_end(s);
}

static void a_short_keep_alive_is_believed(void **st)
{
    (void)st;
    server_fake s;
    server_text(&s, always, OK "Keep-Alive: timeout=0\r\nContent-Length: 1\r\n\r\n1");
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

static void retire(void *ctx)
{
    trial *t = ctx;
    origin_free(t->to);
    t->to = NULL;
}

static void a_retired_origin_finishes_its_calls(void **st)
{
    (void)st;
    server_fake s;
    server_start(&s, drips, NULL);
    trial t;
    trial_new(&t, s.port);
    loop_timer_start(t.l, &t.other, 100, retire, &t);
    trial_run(&t);
    assert_said(&t, "200[xxxxxxxx]ok");
    assert_int_equal(client_open(t.c), 0); /* not kept: nobody will ask for it again */
    trial_free(&t);
    server_end(&s);
}

int main(void)
{
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_connection_is_an_error_later),
        cmocka_unit_test(a_name_that_does_not_resolve_is_an_error_later),
        cmocka_unit_test(the_next_address_is_tried),
        cmocka_unit_test(connecting_is_bounded),
        cmocka_unit_test(a_silent_server_times_out),
        cmocka_unit_test(an_answer_that_stops_coming_times_out),
        cmocka_unit_test(slow_but_steady_is_no_timeout),
        cmocka_unit_test(pausing_loses_and_doubles_nothing),
        cmocka_unit_test(a_paused_call_gets_nothing_and_the_server_is_held_back),
        cmocka_unit_test(a_small_answer_survives_pauses_anywhere),
        cmocka_unit_test(an_end_waits_for_the_resume),
        cmocka_unit_test(a_cancelled_call_is_silent_and_its_connection_closed),
        cmocka_unit_test(cancelling_before_anything_happened_is_fine),
        cmocka_unit_test(a_stale_owner_cancels_the_call),
        cmocka_unit_test(a_large_request_is_sent_whole),
        cmocka_unit_test(an_early_answer_is_taken_while_the_request_is_sent),
        cmocka_unit_test(the_idle_pool_is_capped),
        cmocka_unit_test(a_short_keep_alive_is_believed),
        cmocka_unit_test(a_retired_origin_finishes_its_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
