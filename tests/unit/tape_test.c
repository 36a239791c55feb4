/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* tape_test.c - what is kept of a stream, for whom, and for how long. */
#include "../../mcp/session_state.h"
#include "link_rig.h"

typedef struct {
    rig r;
    session mine, other;
    tape *t;
} house;

/* One worker whose loop does not run: nothing is swept but by hand. */
static int set_up(void **state)
{
    house *h = calloc(1, sizeof *h);
    mcp_shared *s = &h->r.s;
    s->workers = 1;
    s->worker = calloc(1, sizeof(mcp_worker *));
    s->tapes = tape_names_new();
    s->sessions = session_states_new();
    mcp_worker *w = h->r.w[0] = s->worker[0] = calloc(1, sizeof *w);
    w->shared = s;
    w->loop = loop_new(0);
    w->tapes = tapes_new(w);
    h->mine.sid[0] = 1;
    h->other.sid[0] = 2;
    h->mine.expires_ms = h->other.expires_ms = INT64_MAX;
    h->t = tape_new(w, &h->mine, S("alice"), 7, NULL);
    *state = h;
    return h->t ? 0 : -1;
}

static int tear_down(void **state)
{
    house *h = *state;
    mcp_worker *w = h->r.w[0];
    tape_drop(h->t);
    session_states_free(h->r.s.sessions);
    tapes_free(w->tapes);
    tape_names_free(h->r.s.tapes);
    loop_free(w->loop);
    free(w);
    free(h->r.s.worker);
    free(h);
    return 0;
}

/* The id of the next event after *at, which moves on; its text is in `out`. */
static str next_id(house *h, uint64_t *at, buf *out)
{
    out->n = 0;
    assert_int_equal(tape_next(h->t, at, out), TAPE_SOME);
    const char *p = memmem(out->p, out->n, "id: ", 4);
    assert_non_null(p);
    return str_cut(str_drop(buf_str(out), (size_t)(p - out->p) + 4), '\n').head;
}

static void what_was_written_is_read_in_order_until_the_end(void **state)
{
    house *h = *state;
    buf b = buf_new(NULL, 1 << 16);
    uint64_t at = 0;
    tape_put(h->t, (str){0});
    tape_put(h->t, S("{\"n\":1}"));
    (void)next_id(h, &at, &b);
    assert_non_null(memmem(b.p, b.n, "retry: ", 7));
    assert_non_null(memmem(b.p, b.n, "data: \n\n", 8));
    (void)next_id(h, &at, &b);
    assert_non_null(memmem(b.p, b.n, "data: {\"n\":1}\n\n", 15));
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_WAIT);
    tape_end(h->t);
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_OVER);
    buf_free(&b);
}

static void an_id_finds_its_tape_for_its_session_alone(void **state)
{
    house *h = *state;
    buf b = buf_new(NULL, 1 << 16);
    uint64_t at = 0, after = 0;
    tape_put(h->t, S("1"));
    tape_put(h->t, S("2"));
    (void)next_id(h, &at, &b);
    str id = next_id(h, &at, &b);
    tape *found = tape_find(&h->r.s, &h->mine, id, &after);
    assert_ptr_equal(found, h->t);
    assert_int_equal(after, 2);
    tape_drop(found);
    assert_null(tape_find(&h->r.s, &h->other, id, &after));
    assert_null(tape_find(&h->r.s, &h->mine, str_take(id, id.n - 1), &after));
    assert_null(tape_find(&h->r.s, &h->mine, S(""), &after));
    buf_free(&b);
}

static void old_events_fall_off_and_are_missed(void **state)
{
    house *h = *state;
    buf b = buf_new(NULL, 1 << 16);
    uint64_t at = 0;
    for (int i = 0; i < TAPE_EVENTS + 5; i++) tape_put(h->t, S("x"));
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_LOST);
    at = 5;
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_SOME);
    at = TAPE_EVENTS + 6;
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_LOST);
    buf_free(&b);
}

static void bytes_are_bounded_but_the_newest_event_stays(void **state)
{
    house *h = *state;
    buf big = buf_new(NULL, TAPE_BYTES), b = buf_new(NULL, 2 * TAPE_BYTES);
    for (int i = 0; i < TAPE_BYTES / 2 / 16; i++) buf_put(&big, S("0123456789abcdef"));
    uint64_t at = 0;
    for (int i = 0; i < 4; i++) tape_put(h->t, buf_str(&big));
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_LOST);
    at = 3;
    assert_int_equal(tape_next(h->t, &at, &b), TAPE_SOME);
    buf_free(&b);
    buf_free(&big);
}

static void a_caller_has_so_many_tapes(void **state)
{
    house *h = *state;
    tape *row[TAPES_PER_CALLER] = {0};
    size_t n = 0;
    while (n < TAPES_PER_CALLER &&
           (row[n] = tape_new(h->r.w[0], &h->mine, S("alice"), 7, NULL)) != NULL)
        n++;
    assert_int_equal(n, TAPES_PER_CALLER - 1);
    tape *bobs = tape_new(h->r.w[0], &h->other, S("bob"), 7, NULL);
    assert_non_null(bobs);
    tape_drop(bobs);
    while (n > 0) tape_drop(row[--n]);
}

static void a_session_has_one_get_stream_until_its_client_is_away(void **state)
{
    house *h = *state;
    session_states *st = h->r.s.sessions;
    tape *next = tape_new(h->r.w[0], &h->mine, S("alice"), 8, NULL);
    assert_int_equal(session_take_get(st, &h->mine, S("alice"), h->t), GET_TAKEN);
    assert_int_equal(session_take_get(st, &h->mine, S("alice"), next), GET_OCCUPIED);
    tape_away(h->t, 7, 1);
    assert_int_equal(session_take_get(st, &h->mine, S("alice"), next), GET_TAKEN);
    session_leave_get(st, &h->mine, h->t); /* the one that was replaced says nothing any more */
    assert_int_equal(session_rows(st), 1);
    session_leave_get(st, &h->mine, next);
    assert_int_equal(session_rows(st), 0);
    tape_drop(next);
}

static void a_session_costs_nothing_until_it_differs(void **state)
{
    house *h = *state;
    session_states *st = h->r.s.sessions;
    assert_int_equal(session_level(st, &h->mine), SESSION_LEVEL_NONE);
    assert_int_equal(session_rows(st), 0);
    assert_true(session_set_level(st, &h->mine, S("alice"), 3));
    assert_int_equal(session_level(st, &h->mine), 3);
    assert_int_equal(session_level(st, &h->other), SESSION_LEVEL_NONE);
    session_forget(st, &h->mine);
    assert_int_equal(session_rows(st), 0);
}

static void a_caller_has_so_many_sessions_that_differ(void **state)
{
    house *h = *state;
    session_states *st = h->r.s.sessions;
    session s = h->mine;
    for (unsigned i = 0; i < SESSION_ROWS_PER_CALLER; i++) {
        s.sid[2] = (uint8_t)i;
        assert_true(session_set_level(st, &s, S("alice"), 1));
    }
    s.sid[3] = 1;
    assert_false(session_set_level(st, &s, S("alice"), 1));
    assert_true(session_set_level(st, &s, S("bob"), 1));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_in_order_until_the_end),
        TEST(an_id_finds_its_tape_for_its_session_alone),
        TEST(old_events_fall_off_and_are_missed),
        TEST(bytes_are_bounded_but_the_newest_event_stays),
        TEST(a_caller_has_so_many_tapes),
        TEST(a_session_has_one_get_stream_until_its_client_is_away),
        TEST(a_session_costs_nothing_until_it_differs),
        TEST(a_caller_has_so_many_sessions_that_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
