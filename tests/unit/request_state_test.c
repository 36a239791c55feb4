/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../mcp/request_state.h"

enum { NOW = 1000, LATER = 2000 };

typedef struct {
    arena *a;
    sealer *seals;
    state_bond bond;
} house;

static js_value parsed(arena *a, const char *text)
{
    js_value v = {0};
    assert_null(js_check(a, (str){text, strlen(text)}, 16, &v));
    return v;
}

static int open_house(void **state)
{
    house *h = calloc(1, sizeof *h);
    h->a = arena_new();
    assert_null(sealer_new(h->a, NULL, &h->seals));
    h->bond = (state_bond){.caller_id = S("jwt:a|b"),
                           .endpoint = S("/mcp"),
                           .method = S("tools/call"),
                           .subject = S("x__y"),
                           .arguments = parsed(h->a, "{\"a\":1,\"b\":[2.50]}")};
    *state = h;
    return 0;
}

static int close_house(void **state)
{
    house *h = *state;
    arena_free(h->a);
    free(h);
    return 0;
}

static bool opens(const house *h, str text, state_bond bond, int64_t now)
{
    request_state out;
    return state_open(h->seals, h->a, text, &bond, now, &out);
}

static void each_kind_comes_back_as_it_went(void **state)
{
    house *h = *state;
    const request_state made[] = {
        {.kind = STATE_UPSTREAM, .round = 3, .expires_ms = LATER, .theirs = S("\0\"theirs\xff")},
        {.kind = STATE_PARKED,
         .round = 255,
         .expires_ms = LATER,
         .instance = 7,
         .parked = 0x0100000200000003ULL,
         .nonce = {1, 2, 3}},
        {.kind = STATE_AGAIN, .expires_ms = LATER},
        {.kind = STATE_UPSTREAM,
         .expires_ms = LATER,
         .theirs = S("theirs"),
         .paid = true,
         .nonce = {9, 8, 7}},
        {.kind = STATE_ASKED, .expires_ms = LATER, .paid = true, .nonce = {255}},
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        request_state out;
        str text = state_seal(h->seals, h->a, &made[i], &h->bond);
        assert_true(state_open(h->seals, h->a, text, &h->bond, NOW, &out));
        assert_int_equal(out.kind, made[i].kind);
        assert_true(out.paid == made[i].paid);
        assert_int_equal(out.round, made[i].round);
        assert_true(str_eq(out.theirs, made[i].theirs));
        assert_true(out.instance == made[i].instance && out.parked == made[i].parked);
        assert_memory_equal(out.nonce, made[i].nonce, STATE_NONCE);
    }
}

static void it_is_good_for_one_call_of_one_caller_for_a_while(void **state)
{
    house *h = *state;
    const request_state made = {.kind = STATE_AGAIN, .expires_ms = LATER};
    str text = state_seal(h->seals, h->a, &made, &h->bond);
    assert_true(opens(h, text, h->bond, NOW));
    assert_false(opens(h, text, h->bond, LATER));
    state_bond other[6];
    for (size_t i = 0; i < 6; i++) other[i] = h->bond;
    other[0].caller_id = S("jwt:a|c");
    other[1].endpoint = S("/mcp2");
    other[2].method = S("prompts/get");
    other[3].subject = S("x__z");
    other[4].arguments = parsed(h->a, "{\"a\":1,\"b\":[2.51]}");
    other[5].arguments = (js_value){0};
    for (size_t i = 0; i < 6; i++)
        if (opens(h, text, other[i], NOW)) fail_msg("case %zu", i);
    /* parts do not run into each other */
    other[0] = h->bond;
    other[0].caller_id = S("jwt:a|b/");
    other[0].endpoint = S("mcp");
    assert_false(opens(h, text, other[0], NOW));
}

static void arguments_may_be_written_anew(void **state)
{
    house *h = *state;
    const request_state made = {.kind = STATE_AGAIN, .expires_ms = LATER};
    str text = state_seal(h->seals, h->a, &made, &h->bond);
    state_bond again = h->bond;
    again.arguments = parsed(h->a, "{ \"b\" : [ 2.5 ] , \"a\" : 1 }");
    assert_true(opens(h, text, again, NOW));
}

static void spoilt_or_too_long_is_nothing(void **state)
{
    house *h = *state;
    request_state made = {.kind = STATE_UPSTREAM, .expires_ms = LATER};
    made.theirs = (str){arena_bytes(h->a, STATE_THEIRS_MOST + 1), STATE_THEIRS_MOST + 1};
    assert_null(state_seal(h->seals, h->a, &made, &h->bond).p);
    made.theirs = S("x");
    str text = state_seal(h->seals, h->a, &made, &h->bond);
    for (size_t cut = 0; cut < text.n; cut++)
        assert_false(opens(h, str_take(text, cut), h->bond, NOW));
    assert_false(opens(h, seal(h->seals, h->a, SEAL_CURSOR, S("x")), h->bond, NOW));
    assert_false(opens(h, seal(h->seals, h->a, SEAL_STATE, S("\1\2\1")), h->bond, NOW));
}

#define IN_HOUSE(t) cmocka_unit_test_setup_teardown(t, open_house, close_house)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HOUSE(each_kind_comes_back_as_it_went),
        IN_HOUSE(it_is_good_for_one_call_of_one_caller_for_a_while),
        IN_HOUSE(arguments_may_be_written_anew),
        IN_HOUSE(spoilt_or_too_long_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
