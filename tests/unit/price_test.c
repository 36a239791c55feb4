/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../llm/price_memo.h"

#include "own_arena.h"

static problems found;

static int open_all(void **state)
{
    open_arena(state);
    problems_init(&found, a, S("s.yaml"));
    return 0;
}

static const str backends[] = {{"azure", 5}, {"local", 5}, {0}};

static prices *read_file(str text)
{
    return prices_read(a, S("prices.yaml"), text, backends, &found);
}

static int64_t cost(const prices *p, str backend, str model, llm_usage used)
{
    const price *one = price_find(p, backend, (str){0}, model);
    return one ? price_cost(one, &used) : -1;
}

static llm_usage tokens(int64_t in, int64_t out)
{
    return (llm_usage){.input = {true, in}, .output = {true, out}};
}

static void a_table_is_built_in(void **state)
{
    (void)state;
    prices *p = read_file((str){0});
    assert_int_equal(found.count, 0);
    assert_int_equal(prices_date(p).n, 10);
    assert_int_equal(cost(p, S("x"), S("gpt-4o"), tokens(1000000, 1000000)), 12500000);
    assert_int_equal(cost(p, S("x"), S("claude-sonnet-4-5-20250929"), tokens(1000, 0)), 3000);
    assert_true(cost(p, S("x"), S("mistral-large-latest"), tokens(1000, 0)) > 0);
    assert_null(price_find(p, S("x"), (str){0}, S("nobody-knows-it")));
    assert_null(price_find(p, S("x"), (str){0}, S("")));
}

/* The same model may cost more at another's house. */
static void the_seller_is_asked_first(void **state)
{
    (void)state;
    prices *p = read_file((str){0});
    const llm_usage used = tokens(1000, 0);
    str model = S("us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    str alone = S("claude-sonnet-4-5-20250929");
    assert_int_equal(price_cost(price_find(p, S("x"), S("aws"), model), &used), 3300);
    assert_int_equal(price_cost(price_find(p, S("x"), S("anthropic"), alone), &used), 3000);
    assert_int_equal(price_cost(price_find(p, S("x"), S("azure"), S("gpt-4o")), &used), 2500);
}

static void what_was_asked_before_is_remembered_for_these_prices_alone(void **state)
{
    (void)state;
    price_memo memo = {0};
    prices *before = read_file(S("prices: v1\nmodels: { m: { input: 1, output: 1 } }\n"));
    prices *after = read_file(S("prices: v1\nmodels: { m: { input: 2, output: 2 } }\n"));
    char longer[PRICE_MEMO_NAME + 1];
    memset(longer, 'x', sizeof longer);
    const str names[] = {S("m"), S("nobody-knows-it"), S(""), {longer, sizeof longer}};
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            for (size_t k = 0; k < 2; k++) {
                const prices *p = k ? after : before;
                assert_ptr_equal(price_memo_find(&memo, p, backends[0], S("azure"), names[i]),
                                 price_find(p, backends[0], S("azure"), names[i]));
            }
    assert_int_equal(found.count, 0);
}

static void what_says_more_comes_first(void **state)
{
    (void)state;
    prices *p = read_file(S("prices: v1\n"
                            "models:\n"
                            "  '*': {input: 1, output: 0}\n"
                            "  'gpt-*': {input: 2, output: 0}\n"
                            "  'gpt-4o*': {input: 3, output: 0}\n"
                            "  'gpt-4?*': {input: 4, output: 0}\n"
                            "  gpt-4o: {input: 5, output: 0}\n"
                            "backends:\n"
                            "  azure: {'gpt-*': {input: 6, output: 0}}\n"
                            "  local: {'*': {input: 0, output: 0}}\n"));
    const struct {
        str backend, model;
        int64_t cost;
    } cases[] = {
        {S("x"), S("gpt-4o"), 5},     {S("x"), S("gpt-4o-mini"), 3}, {S("x"), S("gpt-4.1"), 4},
        {S("x"), S("gpt-5"), 2},      {S("x"), S("else"), 1},        {S("azure"), S("gpt-4o"), 6},
        {S("azure"), S("claude"), 1}, {S("local"), S("gpt-4o"), 0},  {S("local"), S(""), 0},
    };
    assert_int_equal(found.count, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cost(p, cases[i].backend, cases[i].model, tokens(1, 0)), cases[i].cost);
}

static void a_default_is_for_what_nobody_knows(void **state)
{
    (void)state;
    prices *p = read_file(S("prices: v1\ndefault: {input: 9, output: 9}\n"));
    assert_int_equal(cost(p, S("x"), S("nobody-knows-it"), tokens(1, 1)), 18);
    assert_int_equal(cost(p, S("x"), S("gpt-4o"), tokens(2, 1)), 15);
    p = read_file(S("prices: v1\ndefault: refuse\n"));
    assert_null(price_find(p, S("x"), (str){0}, S("nobody-knows-it")));
    assert_int_equal(found.count, 0);
}

static void each_kind_of_token_has_its_price(void **state)
{
    (void)state;
    prices *p = read_file(S("prices: v1\n"
                            "models:\n"
                            "  all: {input: 1, output: 10, cached_input: 100, cache_write: 1000,\n"
                            "        cache_write_1h: 10000, reasoning: 100000, request: 0.000007}\n"
                            "  few: {input: 1, output: 10}\n"
                            "  some: {input: 1, output: 10, cache_write: 20}\n"));
    const llm_usage one = {{true, 1}, {true, 1}, {true, 1}, {true, 1}, {true, 1}, {true, 1}};
    assert_int_equal(found.count, 0);
    assert_int_equal(cost(p, S("x"), S("all"), one), 111118);
    assert_int_equal(cost(p, S("x"), S("few"), one), 4 + 20);
    assert_int_equal(cost(p, S("x"), S("some"), one), 2 + 40 + 20);
}

static void a_call_is_rounded_up_once(void **state)
{
    (void)state;
    prices *p =
        read_file(S("prices: v1\n"
                    "models: {m: {input: 0.000001, output: 0.4}, free: {input: 0, output: 0}}\n"));
    assert_int_equal(cost(p, S("x"), S("m"), tokens(0, 0)), 0);
    assert_int_equal(cost(p, S("x"), S("m"), tokens(1, 0)), 1);
    assert_int_equal(cost(p, S("x"), S("m"), tokens(1000000, 0)), 1);
    assert_int_equal(cost(p, S("x"), S("m"), tokens(1000001, 0)), 2);
    assert_int_equal(cost(p, S("x"), S("m"), tokens(1, 2)), 1);
    assert_int_equal(cost(p, S("x"), S("m"), tokens(1, 5)), 3);
    assert_int_equal(cost(p, S("x"), S("free"), tokens(1, 1)), 0);
}

static void a_long_prompt_costs_more_for_all_of_it(void **state)
{
    (void)state;
    prices *p =
        read_file(S("prices: v1\n"
                    "models:\n"
                    "  m: {input: 1, output: 2, above: {tokens: 10, input: 3, output: 5}}\n"));
    llm_usage cached = tokens(6, 1);
    cached.cache_read = (opt_int){true, 5};
    assert_int_equal(cost(p, S("x"), S("m"), tokens(10, 1)), 12);
    assert_int_equal(cost(p, S("x"), S("m"), tokens(11, 1)), 38);
    assert_int_equal(cost(p, S("x"), S("m"), cached), 38);
}

static void no_count_is_too_large(void **state)
{
    (void)state;
    prices *p = read_file(S("prices: v1\nmodels: {m: {input: 1000000, output: 1000000}}\n"));
    const int64_t many = (int64_t)1 << 52;
    assert_true(cost(p, S("x"), S("m"), tokens(many, many)) == INT64_MAX / 1000000 + 1);
}

static bool was_said(const char *what)
{
    for (const problem *one = found.first; one; one = one->next)
        if (memmem(one->text.p, one->text.n, what, strlen(what))) return true;
    print_message("not said: %s\n", what);
    return false;
}

static void every_mistake_is_told_with_its_place(void **state)
{
    (void)state;
    (void)read_file(S("prices: v2\n"
                      "modles: {}\n"
                      "models:\n"
                      "  a: {inptu: 1, output: 2}\n"
                      "  b: {input: -1, output: 1.0000001}\n"
                      "  c: {input: 1e3, output: 1000001}\n"
                      "  d: 5\n"
                      "  e: {input: 1, output: ., above: {input: 1, output: 1}}\n"
                      "backends:\n"
                      "  azur: {}\n"
                      "  local: 1\n"
                      "default: free\n"));
    static const char *const said[] =
        {"prices.yaml:1:1: a file of prices begins with `prices: v1`",
         "prices.yaml:2:1: unknown key `modles`, did you mean `models`?",
         "prices.yaml:4:7: unknown key `inptu`, did you mean `input`?",
         "prices.yaml:4:6: `input` is missing",
         "prices.yaml:5:14: `input` wants dollars: a number from 0 to 1000000",
         "prices.yaml:5:26: `output` wants dollars",
         "prices.yaml:6:14: `input` wants dollars",
         "prices.yaml:6:27: `output` wants dollars",
         "prices.yaml:7:6: a price wants a map",
         "prices.yaml:8:25: `output` wants dollars",
         "prices.yaml:8:35: `above` wants `tokens`",
         "prices.yaml:10:3: there is no backend `azur`, did you mean `azure`?",
         "prices.yaml:11:10: `local` wants a map of models",
         "prices.yaml:12:10: `default` is refuse, or a price"};
    enum { SAID = sizeof said / sizeof *said };
    for (size_t i = 0; i < SAID; i++) assert_true(was_said(said[i]));
    assert_int_equal(found.count, SAID);
}

static void a_file_that_is_none_is_refused(void **state)
{
    (void)state;
    (void)read_file(S(""));
    (void)read_file(S("[1]"));
    (void)read_file(S("prices: v1\nmodels: {a: {}, a: {}}\n"));
    (void)read_file(S("{"));
    assert_int_equal(found.count, 4);
}

#define PRICE_TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_arena)
int main(void)
{
    const struct CMUnitTest tests[] = {
        PRICE_TEST(a_table_is_built_in),
        PRICE_TEST(the_seller_is_asked_first),
        PRICE_TEST(what_was_asked_before_is_remembered_for_these_prices_alone),
        PRICE_TEST(what_says_more_comes_first),
        PRICE_TEST(a_default_is_for_what_nobody_knows),
        PRICE_TEST(each_kind_of_token_has_its_price),
        PRICE_TEST(a_call_is_rounded_up_once),
        PRICE_TEST(a_long_prompt_costs_more_for_all_of_it),
        PRICE_TEST(no_count_is_too_large),
        PRICE_TEST(every_mistake_is_told_with_its_place),
        PRICE_TEST(a_file_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
