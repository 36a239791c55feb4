/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/flow.h"

/* Each letter of `plan` is what the next run of a step returns: n)ext w)ait a)gain d)one f)ail.
 * Small letters before a dot wake the flow from inside the step: k)oken l)ate g)one s)top. */
typedef struct {
    flow_run *run;
    flow_queue *queue;
    const char *plan;
    char log[600];
    unsigned refused, settled, released;
    bool let_go_in_settle, let_go_in_step, in_step;
} tale;

typedef struct {
    handle_table *handles;
    flow_queue *queue;
} world;

static int setup(void **s)
{
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->handles = handle_table_new(3);
    w->queue = flow_queue_new(w->handles);
    *s = w;
    return 0;
}

static int teardown(void **s)
{
    world *w = *s;
    assert_int_equal(handle_count(w->handles), 0);
    flow_queue_free(w->queue);
    handle_table_free(w->handles);
    free(w);
    return 0;
}

static void say(tale *t, const char *what)
{
    size_t n = strlen(t->log), m = strlen(what);
    assert_true(n + m + 2 < sizeof t->log);
    for (size_t i = 0; i <= m; i++) t->log[n + i] = what[i];
    t->log[n + m] = ' ';
    t->log[n + m + 1] = 0;
}

static flow_go answer(tale *t)
{
    assert_false(t->in_step); /* no step runs inside another */
    t->in_step = true;
    flow_go go = FLOW_NEXT;
    for (bool more = *t->plan; more;) {
        char c = *t->plan++;
        more = *t->plan == '.' || (c == '.');
        switch (c) {
        case 'k': flow_wake(t->queue, t->run->self, FLOW_WOKEN); break;
        case 'l': flow_wake(t->queue, t->run->self, FLOW_LATE); break;
        case 'g': flow_wake(t->queue, t->run->self, FLOW_GONE); break;
        case 's': flow_wake(t->queue, t->run->self, FLOW_STOP); break;
        case 'w': go = FLOW_WAIT; break;
        case 'a': go = FLOW_AGAIN; break;
        case 'd': go = FLOW_DONE; break;
        case 'f': go = FLOW_FAIL; break;
        default: break;
        }
    }
    if (t->let_go_in_step) flow_let_go(t->run);
    t->in_step = false;
    return go;
}

static flow_go step(void *x, const char *name, flow_why why)
{
    static const char *const whys[] = {"", "+woken", "+late", "+gone", "+stop"};
    char line[40];
    (void)snprintf(line, sizeof line, "%s%s", name, whys[why]);
    say(x, line);
    return answer(x);
}

static flow_go one(void *x, flow_why why)
{
    return step(x, "one", why);
}
static flow_go two(void *x, flow_why why)
{
    return step(x, "two", why);
}
static flow_go three(void *x, flow_why why)
{
    return step(x, "three", why);
}
static flow_go pick(void *x, flow_why why)
{
    return step(x, "pick", why);
}
static flow_go send(void *x, flow_why why)
{
    return step(x, "send", why);
}

static void refuse(void *x)
{
    tale *t = x;
    t->refused++;
    assert_int_equal(t->settled, 0);
    say(t, "(refuse)");
}

static void settle(void *x)
{
    tale *t = x;
    t->settled++;
    assert_int_equal(t->released, 0);
    say(t, "(settle)");
    if (t->let_go_in_settle) flow_let_go(t->run);
}

/* Frees the run itself: the engine must not look at it again. */
static void release(void *x)
{
    tale *t = x;
    t->released++;
    assert_int_equal(t->settled, 1);
    say(t, "(release)");
    free(t->run);
    t->run = NULL;
}

static const flow_step plain_steps[] = {{.name = "one", .run = one},
                                        {.name = "two", .run = two},
                                        {.name = "three", .run = three},
                                        {0}};
static const flow_step attempt[] = {{.name = "pick", .run = pick},
                                    {.name = "send", .run = send},
                                    {0}};
static const flow_step nested_steps[] = {{.name = "one", .run = one},
                                         {.name = "attempt", .sub = attempt, .most = 3},
                                         {.name = "three", .run = three},
                                         {0}};
static const flow_step unbound_steps[] = {{.name = "attempt", .sub = attempt}, {0}};
static const flow_step inner[] = {{.name = "attempt", .sub = attempt, .most = 2},
                                  {.name = "two", .run = two},
                                  {0}};
static const flow_step deep_steps[] = {{.name = "inner", .sub = inner, .most = 2}, {0}};
static flow_go turn(void *x, flow_why why);
static const flow_step turning_steps[] = {{.name = "one", .run = one},
                                          {.name = "turn", .run = turn},
                                          {0}};
static const flow_step turned_steps[] = {{.name = "one", .run = one},
                                         {.name = "turn", .run = turn},
                                         {.name = "three", .run = three},
                                         {0}};
static flow_go turn_inside(void *x, flow_why why);
static const flow_step turning_attempt[] = {{.name = "turn", .run = turn_inside},
                                            {.name = "send", .run = send},
                                            {0}};
static const flow_step turning_inside_steps[] = {{.name = "attempt",
                                                  .sub = turning_attempt,
                                                  .most = 2},
                                                 {0}};
static const flow_step turned_inside_steps[] =
    {{.name = "attempt", .sub = turning_attempt, .most = 2}, {.name = "three", .run = three}, {0}};
static const flow_step empty_steps[] = {{0}};

static const flow plain = {"plain", plain_steps, refuse, settle, release, FLOW_CANCEL};
static const flow detached = {"detached", plain_steps, refuse, settle, release, FLOW_DETACH};
static const flow nested = {"nested", nested_steps, refuse, settle, release, FLOW_CANCEL};
static const flow unbound = {"unbound", unbound_steps, refuse, settle, release, FLOW_CANCEL};
static const flow deep = {"deep", deep_steps, refuse, settle, release, FLOW_CANCEL};
static const flow empty = {"empty", empty_steps, refuse, settle, release, FLOW_CANCEL};

static const flow turning = {"turning", turning_steps, refuse, NULL, NULL, FLOW_CANCEL};
static const flow turned = {"turned", turned_steps, refuse, settle, release, FLOW_CANCEL};
static const flow turning_inside = {"turning", turning_inside_steps, refuse, NULL,
                                    NULL,      FLOW_CANCEL};
static const flow turned_inside = {"turned", turned_inside_steps, refuse, settle,
                                   release,  FLOW_CANCEL};
static flow_go turn_inside(void *x, flow_why why)
{
    flow_become(((tale *)x)->run, &turned_inside);
    return step(x, "turn", why);
}
static flow_go turn(void *x, flow_why why)
{
    flow_become(((tale *)x)->run, &turned);
    return step(x, "turn", why);
}

static tale begin(world *w, const flow *f, const char *plan, tale *t)
{
    *t = (tale){.run = calloc(1, sizeof(flow_run)), .queue = w->queue, .plan = plan};
    assert_non_null(t->run);
    flow_start(t->run, w->queue, f, t);
    return *t;
}

static void finish(world *w, tale *t)
{
    if (t->run) flow_let_go(t->run);
    while (flow_queue_run(w->queue)) {
    }
    assert_int_equal(t->settled, 1);
    assert_int_equal(t->released, 1);
}

static void play(world *w, const flow *f, const char *plan, const char *want)
{
    tale t;
    begin(w, f, plan, &t);
    assert_true(flow_queue_run(w->queue));
    finish(w, &t);
    assert_string_equal(t.log, want);
}

static void steps_run_once_in_the_order_of_the_table(void **s)
{
    play(*s, &plain, "nnn", "one two three (settle) (release) ");
    play(*s, &plain, "nd", "one two (settle) (release) ");
    play(*s, &plain, "d", "one (settle) (release) ");
    play(*s, &empty, "", "(settle) (release) ");
    assert_false(flow_queue_run(((world *)*s)->queue));
}

static void a_failed_step_is_refused_once_and_nothing_follows(void **s)
{
    play(*s, &plain, "f", "one (refuse) (settle) (release) ");
    play(*s, &plain, "nf", "one two (refuse) (settle) (release) ");
    play(*s, &plain, "nnf", "one two three (refuse) (settle) (release) ");
    play(*s, &nested, "nf", "one pick (refuse) (settle) (release) ");
}

static void starting_runs_no_step(void **s)
{
    world *w = *s;
    tale t;
    begin(w, &plain, "nnn", &t);
    assert_string_equal(t.log, "");
    assert_int_equal(handle_worker(t.run->self), 3);
    finish(w, &t);
}

static void a_step_that_waits_runs_again_with_the_reason(void **s)
{
    world *w = *s;
    static const struct {
        flow_why why;
        const char *want;
    } whys[] = {{FLOW_WOKEN, "one one+woken two three (settle) (release) "},
                {FLOW_LATE, "one one+late two three (settle) (release) "},
                {FLOW_STOP, "one one+stop two three (settle) (release) "},
                {FLOW_GONE, "one one+gone (settle) (release) "}};
    for (size_t i = 0; i < sizeof whys / sizeof *whys; i++) {
        tale t;
        begin(w, &plain, "wnnn", &t);
        assert_true(flow_queue_run(w->queue));
        assert_false(flow_queue_run(w->queue));
        assert_string_equal(t.log, "one ");
        flow_wake(w->queue, t.run->self, whys[i].why);
        assert_string_equal(t.log, "one "); /* a wake runs nothing */
        finish(w, &t);
        assert_string_equal(t.log, whys[i].want);
    }
}

static void wakes_of_one_kind_coalesce_and_the_gravest_comes_first(void **s)
{
    world *w = *s;
    tale t;
    begin(w, &plain, "wwwwnnn", &t);
    flow_queue_run(w->queue);
    for (int i = 0; i < 3; i++) {
        flow_wake(w->queue, t.run->self, FLOW_WOKEN);
        flow_wake(w->queue, t.run->self, FLOW_LATE);
        flow_wake(w->queue, t.run->self, FLOW_STOP);
    }
    while (flow_queue_run(w->queue)) {
    }
    assert_string_equal(t.log, "one one+stop one+late one+woken ");
    flow_wake(w->queue, t.run->self, FLOW_WOKEN);
    flow_wake(w->queue, t.run->self, FLOW_GONE);
    finish(w, &t);
    assert_string_equal(t.log, "one one+stop one+late one+woken one+gone (settle) (release) ");
}

static void a_wake_inside_a_step_is_delivered_after_it_waits(void **s)
{
    play(*s, &plain, "k.wnnn", "one one+woken two three (settle) (release) ");
    play(*s, &plain, "k.l.s.wwwnnn",
         "one one+stop one+late one+woken two three (settle) (release) ");
    /* kept for the step that waits, not lost with the one that did not */
    play(*s, &plain, "k.nwnn", "one two two+woken three (settle) (release) ");
    play(*s, &plain, "g.nwnn", "one two two+gone (settle) (release) ");
    play(*s, &plain, "g.nnn", "one two three (settle) (release) ");
    play(*s, &plain, "k.wk.wk.wnnn",
         "one one+woken one+woken one+woken two three (settle) (release) ");
}

static void gone_ends_the_flow_whatever_the_step_says(void **s)
{
    world *w = *s;
    static const char *const plans[] = {"nww", "nwn", "nwa", "nwd", "nwf"};
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        tale t;
        begin(w, &plain, plans[i], &t);
        flow_queue_run(w->queue);
        handle self = t.run->self;
        flow_wake(w->queue, self, FLOW_GONE);
        flow_wake(w->queue, self, FLOW_WOKEN);
        flow_queue_run(w->queue);
        assert_true(t.run->over && t.run->failed);
        flow_wake(w->queue, self, FLOW_WOKEN);
        flow_wake(w->queue, self, FLOW_GONE);
        assert_false(flow_queue_run(w->queue));
        finish(w, &t);
        assert_int_equal(t.refused, 0);
        assert_string_equal(t.log, "one two two+gone (settle) (release) ");
    }
}

static void gone_is_nothing_to_a_detached_flow(void **s)
{
    world *w = *s;
    tale t;
    begin(w, &detached, "wnnn", &t);
    flow_queue_run(w->queue);
    flow_wake(w->queue, t.run->self, FLOW_GONE);
    flow_let_go(t.run);
    assert_false(flow_queue_run(w->queue));
    assert_string_equal(t.log, "one ");
    flow_wake(w->queue, t.run->self, FLOW_WOKEN);
    assert_true(flow_queue_run(w->queue));
    assert_string_equal(t.log, "one one+woken two three (settle) (release) ");
}

static void again_restarts_the_innermost_list_up_to_its_bound(void **s)
{
    play(*s, &nested, "nnnn", "one pick send three (settle) (release) ");
    play(*s, &nested, "nnannnn", "one pick send pick send three (settle) (release) ");
    play(*s, &nested, "naannn", "one pick pick pick send three (settle) (release) ");
    play(*s, &nested, "naaa", "one pick pick pick (refuse) (settle) (release) ");
    play(*s, &nested, "nd", "one pick (settle) (release) ");
    play(*s, &plain, "a", "one (refuse) (settle) (release) ");
    play(*s, &unbound, "na", "pick send (refuse) (settle) (release) ");
    /* an inner list that is begun anew has its whole bound again */
    play(*s, &deep, "annaannn", "pick pick send two pick pick send two (settle) (release) ");
    play(*s, &deep, "annaaa", "pick pick send two pick pick (refuse) (settle) (release) ");
    play(*s, &deep, "annannn", "pick pick send two pick send two (settle) (release) ");
    play(*s, &deep, "nnannana", "pick send two pick send two (refuse) (settle) (release) ");
}

static void waiting_inside_a_nested_list_resumes_there(void **s)
{
    world *w = *s;
    tale t;
    begin(w, &nested, "nnwannn", &t);
    flow_queue_run(w->queue);
    flow_wake(w->queue, t.run->self, FLOW_WOKEN);
    finish(w, &t);
    assert_string_equal(t.log, "one pick send send+woken pick send three (settle) (release) ");
}

static void release_waits_for_both_ends_in_either_order(void **s)
{
    world *w = *s;
    tale t;
    begin(w, &plain, "nnn", &t);
    flow_queue_run(w->queue);
    assert_true(t.run->over);
    assert_int_equal(t.released, 0);
    flow_let_go(t.run);
    assert_int_equal(t.released, 1);

    begin(w, &plain, "wnnn", &t);
    flow_queue_run(w->queue);
    flow_let_go(t.run);
    assert_int_equal(t.released, 0);
    flow_wake(w->queue, t.run->self, FLOW_WOKEN);
    flow_queue_run(w->queue);
    assert_int_equal(t.released, 1);

    begin(w, &plain, "nnn", &t);
    t.let_go_in_settle = true;
    flow_queue_run(w->queue);
    assert_int_equal(t.released, 1);

    begin(w, &plain, "nnn", &t);
    t.let_go_in_step = true;
    flow_let_go(t.run); /* before it ran at all */
    flow_queue_run(w->queue);
    assert_int_equal(t.released, 1);
}

static void a_stale_handle_wakes_nobody_even_when_its_slot_is_used_again(void **s)
{
    world *w = *s;
    tale old, now;
    begin(w, &plain, "nnn", &old);
    handle stale = old.run->self;
    finish(w, &old);
    begin(w, &plain, "wnnn", &now);
    flow_queue_run(w->queue);
    flow_wake(w->queue, stale, FLOW_WOKEN);
    flow_wake(w->queue, 0, FLOW_GONE);
    flow_wake(w->queue, now.run->self ^ (handle)1 << 56, FLOW_GONE); /* another worker's */
    assert_false(flow_queue_run(w->queue));
    flow_wake(w->queue, now.run->self, FLOW_WOKEN);
    finish(w, &now);
}

/* Every list of answers up to five long, with a wake from outside whenever the flow waits. */
static void whatever_the_steps_answer_each_end_comes_once(void **s)
{
    world *w = *s;
    static const char *const answers[] = {"n",   "w",   "a",   "d",   "f",
                                          "k.w", "g.w", "l.n", "g.n", "s.a"};
    enum { KINDS = sizeof answers / sizeof *answers, LENGTH = 5 };
    static const flow *const flows[] = {&plain, &detached, &nested, &deep, &unbound};
    unsigned total = 1;
    for (int i = 0; i < LENGTH; i++) total *= KINDS;
    for (unsigned code = 0; code < total; code += 7) {
        char plan[LENGTH * 3 + 1] = "";
        unsigned rest = code;
        size_t at = 0;
        for (int i = 0; i < LENGTH; i++, rest /= KINDS)
            at += (size_t)snprintf(plan + at, sizeof plan - at, "%s", answers[rest % KINDS]);
        tale t;
        begin(w, flows[code % 5], plan, &t);
        handle self = t.run->self;
        if (code % 3 == 0) flow_let_go(t.run);
        static const flow_why whys[] = {FLOW_WOKEN, FLOW_LATE, FLOW_STOP, FLOW_GONE};
        for (unsigned turn = 0; turn < 40; turn++) {
            flow_queue_run(w->queue);
            flow_wake(w->queue, self, whys[(code + turn) % 4]);
        }
        finish(w, &t);
        assert_true(t.refused <= 1);
    }
}

static void trace(void *x, const char *name, bool entered)
{
    char line[40];
    (void)snprintf(line, sizeof line, "%c%s", entered ? '>' : '<', name);
    say(x, line);
}

static void every_step_that_was_entered_is_left(void **s)
{
    world *w = *s;
    static const struct {
        const char *plan, *want;
    } traces[] = {
        {"nnnn", ">one one <one >attempt >pick pick <pick >send send <send <attempt >three three "
                 "<three (settle) (release) "},
        {"nannn", ">one one <one >attempt >pick pick <pick >pick pick <pick >send send <send "
                  "<attempt >three three <three (settle) (release) "},
        {"nnf", ">one one <one >attempt >pick pick <pick >send send <send <attempt (refuse) "
                "(settle) (release) "},
        {"d", ">one one <one (settle) (release) "},
    };
    for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
        tale t;
        begin(w, &nested, traces[i].plan, &t);
        t.run->trace = trace;
        flow_queue_run(w->queue);
        finish(w, &t);
        assert_string_equal(t.log, traces[i].want);
    }
}

static void ready_flows_take_turns(void **s)
{
    world *w = *s;
    tale a, b;
    begin(w, &plain, "k.wk.wnnn", &a);
    begin(w, &plain, "nnn", &b);
    flow_queue_run(w->queue);
    assert_true(a.run->over && b.run->over);
    assert_string_equal(b.log, "one two three (settle) ");
    finish(w, &a);
    finish(w, &b);
}

static void a_flow_that_became_another_goes_its_way_to_its_ends(void **s)
{
    world *w = *s;
    tale t;
    begin(w, &turning, "nnn", &t);
    flow_queue_run(w->queue);
    assert_string_equal(t.log, "one turn three (settle) ");
    finish(w, &t);
    assert_int_equal(t.released, 1);
    begin(w, &turning_inside, "nannn", &t);
    flow_queue_run(w->queue);
    finish(w, &t);
    assert_string_equal(t.log, "turn send turn send three (settle) (release) ");
}

int main(void)
{
    static const struct CMUnitTest t[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(steps_run_once_in_the_order_of_the_table),
        T(a_failed_step_is_refused_once_and_nothing_follows),
        T(starting_runs_no_step),
        T(a_step_that_waits_runs_again_with_the_reason),
        T(wakes_of_one_kind_coalesce_and_the_gravest_comes_first),
        T(a_wake_inside_a_step_is_delivered_after_it_waits),
        T(gone_ends_the_flow_whatever_the_step_says),
        T(gone_is_nothing_to_a_detached_flow),
        T(again_restarts_the_innermost_list_up_to_its_bound),
        T(waiting_inside_a_nested_list_resumes_there),
        T(release_waits_for_both_ends_in_either_order),
        T(a_stale_handle_wakes_nobody_even_when_its_slot_is_used_again),
        T(whatever_the_steps_answer_each_end_comes_once),
        T(every_step_that_was_entered_is_left),
        T(ready_flows_take_turns),
        T(a_flow_that_became_another_goes_its_way_to_its_ends),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
