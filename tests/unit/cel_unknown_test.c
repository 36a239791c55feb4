/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cel_help.h"

/* t and f are known, u and v are not, e is an error, n is not a bool. */
static void put_logic(cel_world *w)
{
    world_put(w, "t", CEL_T_DYN, cel_bool(true));
    world_put(w, "f", CEL_T_DYN, cel_bool(false));
    world_put(w, "u", CEL_T_DYN, cel_unknown(2));
    world_put(w, "v", CEL_T_DYN, cel_unknown(3));
    world_put(w, "e", CEL_T_DYN, (cel_value){.tag = CEL_ERROR, .code = CEL_OVERFLOW});
    world_put(w, "n", CEL_T_DYN, cel_int(7));
    world_json(w, "l", "[1, 2]");
    world_json(w, "m", "{\"a\": 1}");
}

/* What `a op b` gives when `decides` is the value that decides: it, else unknown, else the first
 * error, else the other value. Indices are those of the table below. */
enum { T, F, U, E, N };
static size_t expected(size_t a, size_t b, size_t decides)
{
    if (a == decides || b == decides) return decides;
    if (a == U || b == U) return U;
    if (a >= E) return a;
    return b >= E ? b : 1 - decides;
}

static void and_or_follow_their_truth_tables(void **s)
{
    static const char *const names[] = {[T] = "t", [F] = "f", [U] = "u", [E] = "e", [N] = "n"};
    static const char *const values[] = {[T] = "true",
                                         [F] = "false",
                                         [U] = "unknown u",
                                         [E] = "error: overflow",
                                         [N] = "error: no such overload"};
    cel_world *w = *s;
    put_logic(w);
    for (size_t a = T; a <= N; a++) {
        for (size_t b = T; b <= N; b++) {
            const char *got = evaluated(w, arena_fmt(w->a, "%s && %s", names[a], names[b]).p);
            assert_string_equal(got, values[expected(a, b, F)]);
            got = evaluated(w, arena_fmt(w->a, "%s || %s", names[a], names[b]).p);
            assert_string_equal(got, values[expected(a, b, T)]);
        }
    }
}

static void an_unknown_goes_through_everything_strict(void **s)
{
    static const cel_row rows[] = {
        {"u", "unknown u"},
        {"!u", "unknown u"},
        {"-u", "unknown u"},
        {"u + v", "unknown u,v"},
        {"u.a.b", "unknown u"},
        {"u['a']", "unknown u"},
        {"m[u]", "unknown u"},
        {"has(u.a)", "unknown u"},
        {"has(u.a.b)", "unknown u"},
        {"u == 1", "unknown u"},
        {"u == u", "unknown u"},
        {"u < v", "unknown u,v"},
        {"1 in u", "unknown u"},
        {"u in l", "unknown u"},
        {"u in ['a', 'b']", "unknown u"},
        {"size(u)", "unknown u"},
        {"u.startsWith('a')", "unknown u"},
        {"u.matches('a.*b')", "unknown u"},
        {"'a'.contains(u)", "unknown u"},
        {"[1, u]", "unknown u"},
        {"{'a': u}", "unknown u"},
        {"{u: 1}", "unknown u"},
        {"u.?a", "unknown u"},
        {"1/0 + u", "error: division by zero"},
        {"u + 1/0", "error: division by zero"},
        {"u == 1/0", "error: division by zero"},
        {"(u || t) && v", "unknown v"},
        {"u && v", "unknown u,v"},
        {"u || 1/0 > 0 || t", "true"},
    };
    cel_world *w = *s;
    put_logic(w);
    TRY(w, rows);
}

static void a_condition_may_be_unknown_when_the_sides_agree(void **s)
{
    static const cel_row rows[] = {
        {"u ? 1 : 2", "unknown u"},
        {"u ? 1 : 1", "unknown u"},
        {"u ? t : t", "true"},
        {"u ? false : f", "false"},
        {"u ? t : f", "unknown u"},
        {"u ? t : v", "unknown u"},
        {"u ? t : e", "unknown u"},
        {"t ? u : 1", "unknown u"},
        {"f ? u : true", "true"},
        {"e ? t : t", "error: overflow"},
        {"n ? t : t", "error: no such overload"},
    };
    cel_world *w = *s;
    put_logic(w);
    TRY(w, rows);
}

static void comprehensions_go_element_by_element(void **s)
{
    static const cel_row rows[] = {
        {"u.exists(x, x == 1)", "unknown u"},
        {"u.all(x, false)", "unknown u"},
        {"u.map(x, 1)", "unknown u"},
        {"l.exists(x, x == 2 || u)", "true"},
        {"l.exists(x, x == 3 || u)", "unknown u"},
        {"l.exists(x, x == 1 ? u : x == 2)", "true"},
        {"l.all(x, x == 1 && u)", "false"},
        {"l.all(x, x > 0 && u)", "unknown u"},
        {"l.exists(x, x == 1 ? u : 1/0 > 0)", "unknown u"},
        {"l.exists(x, x == 1 ? 1/0 > 0 : x == 2)", "true"},
        {"l.all(x, x == 1 ? n : false)", "false"},
        {"l.exists_one(x, x == 1 || u)", "unknown u"},
        {"l.exists_one(x, x == 1 ? u : 1/0 > 0)", "error: division by zero"},
        {"l.map(x, u)", "unknown u"},
        {"l.map(x, u, x)", "unknown u"},
        {"l.filter(x, u)", "unknown u"},
        {"l.filter(x, x == 1 ? u : 1/0 > 0)", "error: division by zero"},
        {"l.map(x, n, x)", "error: no such overload"},
        {"l.transformMap(i, x, u)", "unknown u"},
        {"cel.bind(x, u, t || x)", "true"},
        {"cel.bind(x, u, x && t)", "unknown u"},
        {"[].exists(x, u)", "false"},
        {"[].all(x, u)", "true"},
    };
    cel_world *w = *s;
    put_logic(w);
    TRY(w, rows);
}

static void an_unknown_member_of_a_hosts_map_is_unknown(void **s)
{
    cel_world *w = *s;
    cel_entry entries[] = {{cel_string(S("known")), cel_int(1)},
                           {cel_string(S("later")), cel_unknown(0)}};
    world_put(w, "llm", CEL_T_DYN, cel_fields(w->a, entries, 2));
    static const cel_row rows[] = {
        {"llm.known == 1", "true"},
        {"llm.later == 1", "unknown llm"},
        {"llm.later.deep == 1", "unknown llm"},
        {"llm.later == 1 || llm.known == 1", "true"},
        {"has(llm.later)", "unknown llm"},
        {"'later' in llm", "unknown llm"},
        {"llm.?later", "unknown llm"},
        {"has(llm.known) && !has(llm.missing)", "true"},
        {"llm.missing", "error: no such key"},
        {"llm == {'known': 1, 'later': 2}", "unknown llm"},
        {"llm != {'known': 1, 'later': 2}", "unknown llm"},
        {"llm == {'known': 2, 'later': 2}", "false"},
        {"llm == {'known': 1}", "false"},
        {"{'known': 1, 'later': 2} in [llm]", "unknown llm"},
        {"llm.exists(k, k == 'later')", "true"},
        {"llm.exists(k, v, v == 2)", "unknown llm"},
        {"llm.exists(k, v, v == 1)", "true"},
    };
    TRY(w, rows);
}

static void slots_past_the_last_bit_share_it(void **s)
{
    (void)s;
    assert_true(cel_unknown(63).u.unknown == cel_unknown(100).u.unknown);
    assert_true(cel_unknown(62).u.unknown != cel_unknown(63).u.unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CEL_TEST(and_or_follow_their_truth_tables),
        CEL_TEST(an_unknown_goes_through_everything_strict),
        CEL_TEST(a_condition_may_be_unknown_when_the_sides_agree),
        CEL_TEST(comprehensions_go_element_by_element),
        CEL_TEST(an_unknown_member_of_a_hosts_map_is_unknown),
        CEL_TEST(slots_past_the_last_bit_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
