/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* ticket_test.c - what a call has paid is kept, given back once, and settled in the end. */
#include "../../mcp/ticket.h"
#include "link_rig.h"

/* A worker that stands still: what it would put away later waits in its mail. */
static rig r;

static int open_one(void **state)
{
    (void)state;
    rig_make(&r, 1, NULL);
    r.s.tickets = tickets_new();
    return 0;
}

static int close_all(void **state)
{
    struct tickets *t = r.s.tickets;
    (void)state;
    tickets_drain(r.w[0]);
    rig_close(&r);
    tickets_free(t);
    return 0;
}

static charge paid(void)
{
    return (charge){.a = arena_new(), .sent = true};
}

static bool keep(str who, uint8_t nonce[STATE_NONCE])
{
    charge c = paid();
    bool kept = ticket_keep(r.w[0], who, &c, nonce);
    assert_true(kept == !c.a);
    charge_settle(&c, QUOTA_UNSENT);
    return kept;
}

static void one_is_given_back_once(void **state)
{
    uint8_t nonce[STATE_NONCE], other[STATE_NONCE] = {1};
    charge back = {0};
    (void)state;
    assert_true(keep(S("alice"), nonce));
    assert_false(ticket_take(&r.s, other, &back));
    assert_true(ticket_take(&r.s, nonce, &back));
    assert_true(back.a && back.sent);
    assert_false(ticket_take(&r.s, nonce, &back));
    charge_settle(&back, QUOTA_DONE);
}

static void a_caller_has_a_bounded_number(void **state)
{
    uint8_t nonce[STATE_NONCE];
    int n = 0;
    (void)state;
    while (keep(S("bob"), nonce)) assert_true(++n < 100);
    assert_int_equal(n, 16);
    assert_true(keep(S("carol"), nonce));
    tickets_drain(r.w[0]);
    assert_true(keep(S("bob"), nonce));
}

static void what_is_not_there_is_not_kept(void **state)
{
    uint8_t nonce[STATE_NONCE];
    charge none = {0}, late = paid();
    (void)state;
    assert_false(ticket_keep(r.w[0], S("alice"), &none, nonce));
    r.w[0]->draining = true;
    assert_false(ticket_keep(r.w[0], S("alice"), &late, nonce));
    charge_settle(&late, QUOTA_DONE);
}

#define TICKET_TEST(t) cmocka_unit_test_setup_teardown(t, open_one, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TICKET_TEST(one_is_given_back_once),
        TICKET_TEST(a_caller_has_a_bounded_number),
        TICKET_TEST(what_is_not_there_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
