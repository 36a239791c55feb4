/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* client_upload_test.c - a body that follows its call: in step with who takes it. */
#include "call_habits.h"

enum { TOTAL = 12 << 20, PIECE = 50000 };

static char bytes[PIECE];
static unsigned wants; /* how often */
static void (*on_wants)(trial *t);

static void wanted(void *owner)
{
    wants++;
    on_wants(owner);
}

static void give(trial *t)
{
    while (t->mark < t->rq.upload) {
        size_t left = (size_t)t->rq.upload - t->mark;
        size_t n = left < PIECE ? left : PIECE;
        t->mark += n;
        if (!call_upload(t->k, (str){bytes, n})) return;
    }
}

/* Reads as slowly as it is told to, and answers with how much came behind the head. */
static void count(int fd, int nth, server_fake *s)
{
    char in[65536];
    size_t n = 0, head = 0;
    (void)nth;
    while (head == 0 || n < head + TOTAL + 3) {
        ssize_t k = recv(fd, in, sizeof in - 1, 0);
        if (k <= 0) return;
        in[k] = 0;
        const char *end = head ? NULL : strstr(in, "\r\n\r\n");
        if (end) head = n + (size_t)(end - in) + 4;
        n += (size_t)k;
        if (s->ctx && n < 300000) nap(5);
    }
    assert_int_equal(n, head + TOTAL + 3);
    (void)say_text(fd, OK "Content-Length: 3\r\n\r\nall");
    (void)sees_close(fd);
}

static void trial_upload(trial *t, unsigned port)
{
    trial_new(t, port);
    t->rq.method = S("POST");
    t->rq.body[0] = S("abc");
    t->rq.upload = TOTAL;
    t->rq.wants = wanted;
    t->rq.answer_ms = 1000;
    on_wants = give;
    wants = 0;
}

/* One upload to such a server: how often more of it was wanted. */
static unsigned upload(serve_fn *serve, void *ctx, void (*on)(trial *t), const char *said,
                       size_t kept)
{
    server_fake s;
    server_start(&s, serve, ctx);
    trial t;
    trial_upload(&t, s.port);
    on_wants = on;
    trial_run(&t);
    if (*said) assert_said_part(&t, said);
    assert_int_equal(t.said.n > 0, *said != 0);
    assert_int_equal(client_open(t.c), kept); /* never with half a request on it */
    assert_true(atomic_load(&s.accepted) <= 1);
    trial_free(&t);
    server_end(&s);
    return wants;
}

static void an_upload_is_sent_as_fast_as_it_is_taken(void **st)
{
    char slowly;
    (void)st;
    assert_true(upload(count, NULL, give, "200[all]ok", 1) >= 1);
    assert_true(upload(count, &slowly, give, "200[all]ok", 1) > 1); /* it was told to wait */
}

static void give_later(void *ctx)
{
    give(ctx);
}

static void wait_and_give(trial *t)
{
    if (wants == 1)
        loop_timer_start(t->l, &t->other, 1200, give_later, t);
    else
        give(t);
}

static void who_has_nothing_to_give_yet_is_not_late(void **st)
{
    (void)st;
    (void)upload(count, NULL, wait_and_give, "200[all]ok", 1);
}

static void refuse_early(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth, (void)s;
    assert_true(recv(fd, in, sizeof in, 0) > 0);
    (void)say_text(fd, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    while (recv(fd, in, sizeof in, 0) > 0) {
    }
}

static void give_little(trial *t)
{
    t->mark += 10;
    (void)call_upload(t->k, (str){bytes, 10});
}

static void an_answer_in_the_middle_ends_an_upload(void **st)
{
    (void)st;
    (void)upload(refuse_early, NULL, give_little, "413[no]ok", 0);
}

static void hang_up(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth, (void)s;
    assert_true(recv(fd, in, sizeof in, 0) > 0);
}

static void an_upload_is_never_sent_twice(void **st)
{
    (void)st;
    (void)upload(hang_up, NULL, give, "!upstream ", 0);
}

static void cancel_it(trial *t)
{
    call_cancel(t->k);
    loop_stop(t->l);
}

static void an_upload_may_be_cancelled_where_it_is_wanted(void **st)
{
    (void)st;
    (void)upload(hang_up, NULL, cancel_it, "", 0);
}

static void lose_owner(trial *t)
{
    handle_drop(loop_handles(t->l), t->self);
    (void)call_upload(t->k, (str){bytes, PIECE});
    loop_timer_start(t->l, &t->other, 300, stop_soon, t);
}

static void an_upload_without_its_owner_ends(void **st)
{
    (void)st;
    (void)upload(count, NULL, lose_owner, "", 1);
}

int main(void)
{
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upload_is_sent_as_fast_as_it_is_taken),
        cmocka_unit_test(who_has_nothing_to_give_yet_is_not_late),
        cmocka_unit_test(an_answer_in_the_middle_ends_an_upload),
        cmocka_unit_test(an_upload_is_never_sent_twice),
        cmocka_unit_test(an_upload_may_be_cancelled_where_it_is_wanted),
        cmocka_unit_test(an_upload_without_its_owner_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
