/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../mcp/inflight.h"

/* A flow that waits until it is stopped, on a loop of its own. */
typedef struct {
    flow_run run;
    loop *l;
    int stops;
} waiter;

static flow_go wait_for_stop(void *x, flow_why why)
{
    waiter *w = x;
    if (why == FLOW_STOP) w->stops++;
    return why == FLOW_STOP ? FLOW_DONE : FLOW_WAIT;
}

static const flow_step steps[] = {{.name = "wait", .run = wait_for_stop}, {0}};
static const flow waiting = {.name = "waiting", .steps = steps};

typedef struct {
    mcp_shared s;
    mcp_worker *row[2], w[2];
    waiter at[2];
    inflight_entry entry[2];
    session who;
} house;

static int set_up(void **state)
{
    house *h = calloc(1, sizeof *h);
    h->s = (mcp_shared){.workers = 2, .worker = h->row};
    h->who.sid[3] = 9;
    for (unsigned i = 0; i < 2; i++) {
        h->row[i] = &h->w[i];
        h->w[i] =
            (mcp_worker){.shared = &h->s, .index = i, .loop = loop_new(i), .calls = inflight_new()};
        h->at[i].l = h->w[i].loop;
        flow_start(&h->at[i].run, loop_flows(h->w[i].loop), &waiting, &h->at[i]);
        h->entry[i] = (inflight_entry){.sid = h->who.sid,
                                       .id = i ? S("\"1\"") : S("1"),
                                       .caller_id = S("alice"),
                                       .flow = h->at[i].run.self};
        inflight_add(h->w[i].calls, &h->entry[i]);
    }
    *state = h;
    return 0;
}

static int tear_down(void **state)
{
    house *h = *state;
    for (unsigned i = 0; i < 2; i++) {
        inflight_remove(&h->entry[i]);
        inflight_remove(&h->entry[i]);
        inflight_free(h->w[i].calls);
        loop_free(h->w[i].loop);
    }
    free(h);
    return 0;
}

typedef struct {
    loop *l;
    loop_timer t;
    int left;
} turns;

/* A loop's clock may be old when it begins: some turns, rather than some time. */
static void next_turn(void *ctx)
{
    turns *t = ctx;
    if (t->left-- == 0)
        loop_stop(t->l);
    else
        loop_timer_start(t->l, &t->t, 1, next_turn, t);
}

static void turn_both(house *h)
{
    for (unsigned i = 0; i < 2; i++) {
        turns t = {.l = h->w[i].loop, .left = 5};
        next_turn(&t);
        loop_run(t.l);
        loop_timer_stop(t.l, &t.t);
    }
}

static void a_cancellation_finds_the_call_on_any_worker(void **state)
{
    house *h = *state;
    inflight_cancel(&h->w[0], &h->who, S("\"1\""), S("alice"));
    turn_both(h);
    assert_int_equal(h->at[0].stops, 0); /* 1 is not "1" */
    assert_int_equal(h->at[1].stops, 1);
}

static void nobody_cancels_for_somebody_else(void **state)
{
    house *h = *state;
    session other = h->who;
    other.sid[0]++;
    inflight_cancel(&h->w[1], &h->who, S("1"), S("bob"));
    inflight_cancel(&h->w[1], &other, S("1"), S("alice"));
    inflight_remove(&h->entry[1]);
    inflight_cancel(&h->w[1], &h->who, S("\"1\""), S("alice")); /* over already */
    turn_both(h);
    assert_int_equal(h->at[0].stops + h->at[1].stops, 0);
}

static void a_letter_nobody_reads_is_freed(void **state)
{
    house *h = *state;
    inflight_cancel(&h->w[0], &h->who, S("\"1\""),
                    S("alice")); /* the other loop never runs again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cancellation_finds_the_call_on_any_worker, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nobody_cancels_for_somebody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_letter_nobody_reads_is_freed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
