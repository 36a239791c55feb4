/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../authz/digest.h"
#include "../../mcp/capability.h"
#include "../../mcp/session.h"

static const session_bond alice = {{"jwt:https://a|alice", 19}, {"/mcp", 4}};

typedef struct {
    arena *a;
    sealer *seals;
} house;

static int set_up(void **state)
{
    const str none[] = {{0}};
    house *h = calloc(1, sizeof *h);
    h->a = arena_new();
    const err *e = sealer_new(h->a, none, &h->seals);
    *state = h;
    return e ? -1 : 0;
}

static int tear_down(void **state)
{
    house *h = *state;
    arena_free(h->a);
    free(h);
    return 0;
}

static session example(uint8_t first)
{
    session s = {.version = MCP_2025_06_18,
                 .capabilities = CAN_LIST_ROOTS | CAN_ELICIT_URL,
                 .instance = 0x1122334455667788u,
                 .issued_ms = 1000,
                 .expires_ms = 5000,
                 .client_name = S("a client"),
                 .client_version = S("1.2.3")};
    digest_random(s.sid, sizeof s.sid);
    s.sid[0] = first;
    return s;
}

static void a_session_opens_as_it_was_sealed(void **state)
{
    house *h = *state;
    session s = example(1), out;
    str id = session_seal(h->seals, h->a, &s, alice);
    assert_true(session_open(h->seals, h->a, id, alice, 4999, &out));
    assert_memory_equal(out.sid, s.sid, SESSION_SID);
    assert_int_equal(out.version, s.version);
    assert_int_equal(out.capabilities, s.capabilities);
    assert_true(out.instance == s.instance);
    assert_int_equal(out.issued_ms, 1000);
    assert_true(str_eq(out.client_name, s.client_name) &&
                str_eq(out.client_version, s.client_version));
}

static void the_longest_id_keeps_its_bound_and_is_visible_ascii(void **state)
{
    house *h = *state;
    char *big = arena_bytes(h->a, 5000);
    memset(big, 'n', 5000);
    session s = example(2), out;
    s.client_name = s.client_version = (str){big, 5000};
    session_bond bond = {.caller_id = {big, 5000}, .endpoint = {big, 5000}};
    str id = session_seal(h->seals, h->a, &s, bond);
    assert_true(id.n <= SESSION_MOST);
    for (size_t i = 0; i < id.n; i++) assert_true(id.p[i] > 0x20 && id.p[i] < 0x7F);
    assert_true(session_open(h->seals, h->a, id, bond, 2000, &out));
    assert_int_equal(out.client_name.n, SESSION_NAME_MOST);
}

static void a_name_is_not_cut_inside_a_character(void **state)
{
    house *h = *state;
    session s = example(3), out;
    s.client_name =
        S("nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn\xE2\x82\xAC\xE2\x82\xAC"); /* 38 + 3 + 3 */
    str id = session_seal(h->seals, h->a, &s, alice);
    assert_true(session_open(h->seals, h->a, id, alice, 2000, &out));
    assert_int_equal(out.client_name.n, 38);
}

static void nobody_else_can_use_it(void **state)
{
    house *h = *state;
    session s = example(4), out;
    str id = session_seal(h->seals, h->a, &s, alice);
    session_bond bob = {S("jwt:https://a|bob"), S("/mcp")},
                 elsewhere = {alice.caller_id, S("/other")};
    assert_false(session_open(h->seals, h->a, id, bob, 2000, &out));
    assert_false(session_open(h->seals, h->a, id, elsewhere, 2000, &out));
    assert_false(session_open(h->seals, h->a, id, alice, 5000, &out)); /* over */
    sealer *other = NULL;
    const str none[] = {{0}};
    assert_null(sealer_new(h->a, none, &other));
    assert_false(session_open(other, h->a, id, alice, 2000, &out));
}

static void tampering_and_other_seals_are_refused(void **state)
{
    house *h = *state;
    session s = example(5), out;
    str id = session_seal(h->seals, h->a, &s, alice);
    for (size_t i = 0; i < id.n; i++) {
        str copy = arena_dup(h->a, id);
        char *p = arena_bytes(h->a, copy.n);
        memcpy(p, copy.p, copy.n);
        p[i] = p[i] == 'A' ? 'B' : 'A';
        assert_false(session_open(h->seals, h->a, (str){p, copy.n}, alice, 2000, &out));
        assert_false(session_open(h->seals, h->a, str_take(id, i), alice, 2000, &out));
    }
    str cursor = seal(h->seals, h->a, SEAL_CURSOR, S("0123456789012345678901234567890123456789"));
    assert_false(session_open(h->seals, h->a, cursor, alice, 2000, &out));
    assert_false(session_open(h->seals, h->a, seal(h->seals, h->a, SEAL_SESSION, S("short")), alice,
                              2000, &out));
    char *big = arena_bytes(h->a, 4000);
    memset(big, 'A', 4000);
    assert_false(session_open(h->seals, h->a, (str){big, 4000}, alice, 2000, &out));
}

static void an_ended_session_stays_ended(void **state)
{
    (void)state;
    session_revoked *r = session_revoked_new();
    session s = example(6), other = example(6), third = example(7);
    assert_false(session_is_revoked(r, &s));
    session_revoke(r, &s, 2000);
    session_revoke(r, &s, 2000);
    assert_true(session_is_revoked(r, &s));
    assert_false(session_is_revoked(r, &other));
    assert_false(session_is_revoked(r, &third));
    session_revoked_free(r);
}

static void the_list_of_ended_ones_is_bounded(void **state)
{
    (void)state;
    session_revoked *r = session_revoked_new();
    session first = example(8), last = example(8);
    first.expires_ms = 100000; /* the others expire earlier */
    session_revoke(r, &first, 2000);
    for (int i = 0; i < 5000; i++) {
        session s = example(8);
        session_revoke(r, &s, 2000);
    }
    session_revoke(r, &last, 2000);
    assert_true(session_is_revoked(r, &first));
    assert_true(session_is_revoked(r, &last));
    session_revoked_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_session_opens_as_it_was_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_longest_id_keeps_its_bound_and_is_visible_ascii, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_is_not_cut_inside_a_character, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_else_can_use_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tampering_and_other_seals_are_refused, set_up, tear_down),
        cmocka_unit_test(an_ended_session_stays_ended),
        cmocka_unit_test(the_list_of_ended_ones_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
