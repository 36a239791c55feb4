/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../base/clock.h"
#include "../../transport/loop.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = loop_new(3);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    loop_free(*state);
    return 0;
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

/* Runs the loop for a while. */
static void run_for(loop *l, int64_t ms)
{
    loop_timer end = {0};
    loop_timer_start(l, &end, ms, stop, l);
    loop_run(l);
}

/* Timers */

typedef struct {
    loop *l;
    loop_timer t;
    int id;
    int *order;
    size_t *n;
} ticker;

static void note(void *ctx)
{
    ticker *k = ctx;
    k->order[(*k->n)++] = k->id;
}

static void timers_fire_in_the_order_of_their_time(void **state)
{
    static const int delays[] = {9, 3, 15, 1, 12, 6, 3, 20, 0, 7};
    loop *l = *state;
    int order[10];
    size_t n = 0;
    ticker k[10] = {0};
    for (int i = 0; i < 10; i++) {
        k[i] = (ticker){.l = l, .id = delays[i], .order = order, .n = &n};
        loop_timer_start(l, &k[i].t, delays[i], note, &k[i]);
    }
    run_for(l, 40);
    assert_int_equal(n, 10);
    for (size_t i = 1; i < n; i++) assert_true(order[i - 1] <= order[i]);
}

static void a_stopped_timer_does_not_fire_and_a_restarted_one_fires_once(void **state)
{
    loop *l = *state;
    int order[8];
    size_t n = 0;
    ticker a = {.l = l, .id = 1, .order = order, .n = &n},
           b = {.l = l, .id = 2, .order = order, .n = &n};
    loop_timer_start(l, &a.t, 1, note, &a);
    loop_timer_start(l, &b.t, 1, note, &b);
    loop_timer_start(l, &b.t, 10, note, &b);
    loop_timer_stop(l, &a.t);
    loop_timer_stop(l, &a.t);
    run_for(l, 30);
    assert_int_equal(n, 1);
    assert_int_equal(order[0], 2);
}

static void random_timers_keep_the_heap_in_order(void **state)
{
    enum { N = 500 };
    loop *l = *state;
    static int order[N * 4];
    size_t n = 0, running = 0;
    ticker *k = calloc(N, sizeof *k);
    assert_non_null(k);
    unsigned seed = 7;
    for (int i = 0; i < N; i++) k[i] = (ticker){.l = l, .order = order, .n = &n};
    for (int i = 0; i < N * 8; i++) {
        seed = seed * 1103515245u + 12345u;
        ticker *at = &k[(seed >> 8) % N];
        at->id = (int)((seed >> 20) % 30);
        if ((seed >> 4) % 4)
            loop_timer_start(l, &at->t, at->id, note, at);
        else
            loop_timer_stop(l, &at->t);
    }
    for (int i = 0; i < N; i++) running += k[i].t.heap_at != 0;
    run_for(l, 60);
    assert_int_equal(n, running);
    for (size_t i = 1; i < n; i++) assert_true(order[i - 1] <= order[i]);
    free(k);
}

static void again_at_once(void *ctx)
{
    ticker *k = ctx;
    ++*k->n;
    loop_timer_start(k->l, &k->t, 0, again_at_once, k);
}

static void a_timer_that_restarts_itself_does_not_starve_the_others(void **state)
{
    loop *l = *state;
    size_t n = 0;
    ticker k = {.l = l, .n = &n};
    loop_timer_start(l, &k.t, 0, again_at_once, &k);
    for (int i = 0; i < 100 && n <= 1; i++) run_for(l, 5); /* one turn may take them all */
    loop_timer_stop(l, &k.t);
    assert_true(n > 1);
}

/* Sockets */

typedef struct {
    loop *l;
    loop_watch *mine, *other;
    int calls;
} pair;

static void take_both_away(void *ctx, uint32_t events)
{
    pair *p = ctx;
    (void)events;
    p->calls++;
    if (p->other) loop_unwatch(p->l, p->other);
    if (p->mine) loop_unwatch(p->l, p->mine);
    p->mine = p->other = NULL;
    /* their memory may be used again at once: the event still in the batch must not reach it */
}

static void a_watch_taken_away_within_a_batch_gets_no_event(void **state)
{
    loop *l = *state;
    int a[2], b[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
    pair p = {.l = l};
    p.mine = loop_watch_fd(l, a[0], EPOLLIN, take_both_away, &p);
    p.other = loop_watch_fd(l, b[0], EPOLLIN, take_both_away, &p);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    run_for(l, 10);
    assert_int_equal(p.calls, 1);
    for (int i = 0; i < 2; i++) close(a[i]), close(b[i]);
}

static void count_events(void *ctx, uint32_t events)
{
    int *n = ctx;
    if (events & EPOLLIN) ++*n;
}

static void a_changed_watch_hears_only_what_it_asked_for(void **state)
{
    loop *l = *state;
    int a[2], n = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
    loop_watch *w = loop_watch_fd(l, a[0], EPOLLIN, count_events, &n);
    loop_watch_change(l, w, 0);
    assert_int_equal(write(a[1], "x", 1), 1);
    run_for(l, 5);
    assert_int_equal(n, 0);
    loop_unwatch(l, w);
    close(a[0]);
    close(a[1]);
}

/* Letters */

typedef struct {
    letter mail;
    atomic_int *delivered, *dropped;
    int number, *last;
    int stop_at;
} note_letter;

static void drop_note(letter *self)
{
    note_letter *m = (note_letter *)self;
    if (m->dropped) atomic_fetch_add(m->dropped, 1);
    free(m);
}

static void deliver_note(letter *self, loop *at)
{
    note_letter *m = (note_letter *)self;
    int n = atomic_fetch_add(m->delivered, 1) + 1;
    if (m->last) {
        assert_true(*m->last < m->number); /* one sender's letters keep their order */
        *m->last = m->number;
    }
    if (n == m->stop_at) loop_stop(at);
    free(m);
}

static void post(loop *to, note_letter m)
{
    note_letter *p = malloc(sizeof *p);
    assert_non_null(p);
    *p = m;
    p->mail = (letter){.deliver = deliver_note, .drop = drop_note};
    loop_post(to, &p->mail);
}

enum { LETTERS = 20000 };
typedef struct {
    loop *to;
    atomic_int *delivered;
    int *last;
} sender;

static void *send_letters(void *ctx)
{
    sender *s = ctx;
    for (int i = 1; i <= LETTERS; i++) {
        post(s->to, (note_letter){.delivered = s->delivered,
                                  .number = i,
                                  .last = s->last,
                                  .stop_at = 2 * LETTERS});
    }
    return NULL;
}

static void letters_of_two_threads_all_arrive_in_each_senders_order(void **state)
{
    loop *l = *state;
    atomic_int delivered = 0;
    int last[2] = {0, 0};
    sender s[2] = {{l, &delivered, &last[0]}, {l, &delivered, &last[1]}};
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, send_letters, &s[i]), 0);
    loop_run(l); /* the last letter stops it: a lost wakeup would hang here */
    for (int i = 0; i < 2; i++) pthread_join(t[i], NULL);
    assert_int_equal(atomic_load(&delivered), 2 * LETTERS);
}

/* Two workers that answer each other's letters. */
typedef struct {
    letter mail;
    loop *back;
    int left;
} ball;

static void hit(letter *self, loop *at)
{
    ball *b = (ball *)self;
    loop *to = b->back;
    if (b->left-- == 0) {
        loop_stop(at);
        loop_stop(to);
        free(b);
        return;
    }
    b->back = at;
    loop_post(to, &b->mail);
}

static void lose(letter *self)
{
    free(self);
}

static void *run_loop(void *ctx)
{
    loop_run(ctx);
    return NULL;
}

static void two_workers_play_ping_pong(void **state)
{
    loop *a = *state, *b = loop_new(4);
    for (int i = 0; i < 8; i++) {
        ball *p = calloc(1, sizeof *p);
        assert_non_null(p);
        *p = (ball){.mail = {.deliver = hit, .drop = lose}, .back = b, .left = 500};
        loop_post(a, &p->mail);
    }
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, run_loop, b), 0);
    loop_run(a);
    pthread_join(t, NULL);
    loop_free(b);
}

static void letters_that_nobody_read_are_dropped(void **state)
{
    (void)state;
    atomic_int delivered = 0, dropped = 0;
    loop *l = loop_new(0);
    for (int i = 0; i < 3; i++)
        post(l, (note_letter){.delivered = &delivered, .dropped = &dropped});
    loop_free(l);
    assert_int_equal(atomic_load(&delivered), 0);
    assert_int_equal(atomic_load(&dropped), 3);
}

/* Flows and hooks */

typedef struct {
    loop *l;
    flow_run run;
    loop_timer late;
    int late_at_ms, released;
    int64_t began_ms;
} sleeper;

static flow_go sleep_step(void *x, flow_why why)
{
    sleeper *s = x;
    if (why == FLOW_LATE) return FLOW_DONE;
    loop_wake_late(s->l, &s->late, 8, &s->run);
    return FLOW_WAIT;
}

static void sleep_settle(void *x)
{
    sleeper *s = x;
    s->late_at_ms = (int)(clock_mono_ms() - s->began_ms);
    loop_stop(s->l);
}

static void sleep_release(void *x)
{
    ((sleeper *)x)->released++;
}

static void a_late_timer_wakes_its_flow(void **state)
{
    static const flow_step steps[] = {{.name = "sleep", .run = sleep_step}, {0}};
    static const flow sleeping = {.name = "sleeping",
                                  .steps = steps,
                                  .settle = sleep_settle,
                                  .release = sleep_release};
    sleeper s = {.l = *state, .began_ms = clock_mono_ms()};
    flow_start(&s.run, loop_flows(s.l), &sleeping, &s);
    flow_let_go(&s.run);
    loop_run(s.l);
    assert_in_range(s.late_at_ms, 7, 2000);
    assert_int_equal(s.released, 1);
}

typedef struct {
    loop *l;
    int turns, ran_in_turn;
    flow_run run;
} hooked;

static flow_go hooked_step(void *x, flow_why why)
{
    hooked *h = x;
    (void)why;
    h->ran_in_turn = h->turns;
    loop_stop(h->l);
    return FLOW_DONE;
}

static const flow_step hooked_steps[] = {{.name = "only", .run = hooked_step}, {0}};
static const flow hooked_flow = {.name = "hooked", .steps = hooked_steps};

static int64_t start_a_flow(void *ctx)
{
    hooked *h = ctx;
    if (h->turns++ == 0) flow_start(&h->run, loop_flows(h->l), &hooked_flow, h);
    return -1;
}

static void a_flow_made_ready_by_a_hook_runs_before_the_loop_sleeps(void **state)
{
    hooked h = {.l = *state};
    loop_on_turn(h.l, start_a_flow, &h);
    loop_run(h.l); /* nothing else would ever wake it */
    assert_int_equal(h.ran_in_turn, 1);
    assert_true(h.turns >= 2); /* the hook saw what the flow did */
    loop_off_turn(h.l, start_a_flow, &h);
}

static int64_t every_three_ms(void *ctx)
{
    ++*(int *)ctx;
    return 3;
}

static void a_hook_is_called_again_after_the_time_it_asked_for(void **state)
{
    int calls = 0;
    loop_on_turn(*state, every_three_ms, &calls);
    run_for(*state, 30);
    assert_in_range(calls, 4, 40);
    loop_off_turn(*state, every_three_ms, &calls);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(timers_fire_in_the_order_of_their_time),
        T(a_stopped_timer_does_not_fire_and_a_restarted_one_fires_once),
        T(random_timers_keep_the_heap_in_order),
        T(a_timer_that_restarts_itself_does_not_starve_the_others),
        T(a_watch_taken_away_within_a_batch_gets_no_event),
        T(a_changed_watch_hears_only_what_it_asked_for),
        T(letters_of_two_threads_all_arrive_in_each_senders_order),
        T(two_workers_play_ping_pong),
        T(letters_that_nobody_read_are_dropped),
        T(a_late_timer_wakes_its_flow),
        T(a_flow_made_ready_by_a_hook_runs_before_the_loop_sleeps),
        T(a_hook_is_called_again_after_the_time_it_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
