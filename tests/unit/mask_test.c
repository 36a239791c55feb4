/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/mask.h"
#include "own_arena.h"

static policy *load(const char *masks, problems *out)
{
    policy *p = NULL;
    problems_init(out, a, S("p.yaml"));
    const policy_source source = {S("p.yaml"), arena_fmt(a, "policy: v1\nmasks:\n%s", masks)};
    policy_load(a, &source, 1, NULL, out, &p);
    return p;
}

static const policy_mask *const *masks_of(const char *masks, const char *tool, str args)
{
    problems out;
    policy *p = load(masks, &out);
    assert_int_equal(out.count, 0);
    caller who = {.kind = CALLER_ANONYMOUS, .id = S("anonymous")};
    question q = {.kind = SUBJECT_TOOL,
                  .server = S("s"),
                  .name = {tool, strlen(tool)},
                  .who = &who};
    if (args.n) assert_null(js_check(a, args, 8, &q.args));
    return policy_masks(p, &q, a);
}

static str masked(const char *masks, str result)
{
    js_value v;
    const err *e = js_check(a, result, 64, &v);
    assert_null(e);
    return mask_result(a, masks_of(masks, "t", (str){0}), v).raw;
}

#define ALL      "  - { id: m, for: 's/*', "
#define IS(x, y) assert_string_equal(arena_dup(a, x).p, y)

static void a_pattern_is_looked_for_in_every_text(void **state)
{
    (void)state;
    const char *card = ALL "patterns: ['\\d{4}-\\d{4}', 'secret'] }\n";
    IS(masked(card, S("{\"content\":[{\"type\":\"text\",\"text\":\"a 1234-5678 b 1111-2222\"}]}")),
       "{\"content\":[{\"type\":\"text\",\"text\":\"a [masked] b [masked]\"}]}");
    IS(masked(card, S("{\"structuredContent\":{\"a\":[1,{\"b\":\"\\u0073ecret\"}],\"n\":1.50},"
                      "\"x\":null}")),
       "{\"structuredContent\":{\"a\":[1,{\"b\":\"[masked]\"}],\"n\":1.50},\"x\":null}");
    IS(masked(ALL "patterns: ['4111'] }\n", S("{\"structuredContent\":{\"n\":14111.0,\"m\":41}}")),
       "{\"structuredContent\":{\"n\":\"[masked]\",\"m\":41}}");
    IS(masked(card, S("{\"_meta\":{\"k\":\"secret\"},\"resultType\":\"complete\"}")),
       "{\"_meta\":{\"k\":\"[masked]\"},\"resultType\":\"complete\"}");
}

static void a_name_that_fits_hides_its_object(void **state)
{
    (void)state;
    IS(masked(ALL "patterns: ['@'] }\n",
              S("{\"structuredContent\":{\"a\":{\"x@y\":1,\"z@y\":2},\"b\":3}}")),
       "{\"structuredContent\":{\"a\":\"[masked]\",\"b\":3}}");
}

static void a_path_leads_to_a_member(void **state)
{
    (void)state;
    const char *way = ALL "paths: [user.iban, 'rows.*.card', list.name, 'first.0'] }\n";
    IS(masked(way, S("{\"structuredContent\":{\"user\":{\"iban\":\"x\",\"id\":1},\"iban\":2}}")),
       "{\"structuredContent\":{\"user\":{\"iban\":\"[masked]\",\"id\":1},\"iban\":2}}");
    IS(masked(way, S("{\"structuredContent\":{\"rows\":[{\"card\":{\"n\":1}}],\"list\":[{\"name\":"
                     "1}],\"first\":[1,2]}}")),
       "{\"structuredContent\":{\"rows\":[{\"card\":\"[masked]\"}],\"list\":[{\"name\":\"[masked]"
       "\"}],"
       "\"first\":[\"[masked]\",2]}}");
    IS(masked(way, S("{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"user\\\":{\\\"iban\\\":1}}"
                     "\"}]}")),
       "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"user\\\":{\\\"iban\\\":\\\"[masked]\\\"}}"
       "\"}]}");
}

static void what_cannot_be_read_is_withheld(void **state)
{
    (void)state;
    const char *way = ALL "paths: [a] }\n", *pattern = ALL "patterns: [x] }\n";
    const char *hidden = "{\"content\":[{\"type\":\"text\",\"text\":\"[masked]\"}]}";
    IS(masked(way, S("{\"content\":[{\"type\":\"text\",\"text\":\"a: 1\"}]}")), hidden);
    IS(masked(way, S("{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"a\\\":1,\\\"a\\\":2}\"}]}")),
       hidden);
    IS(masked(way, S("{\"content\":[{\"type\":\"resource_link\",\"uri\":\"u\"}]}")), hidden);
    IS(masked(pattern, S("{\"content\":[{\"type\":\"image\",\"data\":\"AAAA\"}]}")), hidden);
    IS(masked(pattern, S("{\"content\":[{\"type\":\"resource\",\"resource\":{\"blob\":\"AA\"}}]}")),
       hidden);
    IS(masked(pattern, S("{\"content\":[7]}")), hidden);
    IS(masked(pattern,
              S("{\"content\":[{\"type\":\"resource\",\"resource\":{\"text\":\"axb\"}}]}")),
       "{\"content\":[{\"type\":\"resource\",\"resource\":{\"text\":\"a[masked]b\"}}]}");
    assert_int_equal(mask_result(a, masks_of(pattern, "t", (str){0}), js_view(JS_ARRAY, S("[]")))
                         .kind,
                     JS_ABSENT);
}

static void a_mark_that_grows_too_much_withholds_all(void **state)
{
    (void)state;
    buf b = buf_new(a, SIZE_MAX / 2);
    js_value v;
    buf_put(&b, S("{\"x\":\""));
    for (int i = 0; i < 100000; i++) buf_put(&b, S("x"));
    buf_put(&b, S("\"}"));
    const err *e = js_check(a, buf_str(&b), 4, &v);
    assert_null(e);
    assert_int_equal(mask_result(a, masks_of(ALL "patterns: [x] }\n", "t", (str){0}), v).kind,
                     JS_ABSENT);
}

static void masks_apply_by_name_and_condition(void **state)
{
    (void)state;
    assert_null(masks_of("  - { id: m, for: 's/u*', paths: [a] }\n", "t", (str){0}));
    const char *some = ALL "when: args.kind == 'x', paths: [a] }\n";
    assert_non_null(masks_of(some, "t", S("{\"kind\":\"x\"}")));
    assert_null(masks_of(some, "t", S("{\"kind\":\"y\"}")));
    assert_non_null(masks_of(some, "t", S("{\"other\":1}"))); /* it cannot be told */
    assert_null(
        masks_of(ALL "when: caller.kind == 'anonymous' && false, paths: [a] }\n", "t", (str){0}));
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *masks, *says;
    } cases[] = {
        {"  - { for: 's/*', paths: [a] }\n", "the mask has no id"},
        {"  - { id: m, paths: [a] }\n", "no `for`"},
        {"  - { id: m, for: 's/*' }\n", "neither `paths` nor `patterns`"},
        {"  - { id: m, for: {models: ['*']}, paths: [a] }\n", "results of tools"},
        {ALL "patterns: ['('] }\n", "this is no pattern"},
        {ALL "patterns: ['x*'] }\n", "fits an empty text"},
        {ALL "paths: [a..b] }\n", "is no path"},
        {ALL "paths: [a], wen: x }\n", "unknown key 'wen'"},
        {ALL "paths: [a] }\n" ALL "paths: [b] }\n", "mask 'm' is already defined"},
        {ALL "paths: [a], when: quota.q.remaining > 1 }\n", "what remains of quotas"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problems out;
        assert_null(load(cases[i].masks, &out));
        bool found = false;
        for (const problem *p = out.first; p; p = p->next)
            found |= memmem(p->text.p, p->text.n, cases[i].says, strlen(cases[i].says)) != NULL;
        assert_true(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_pattern_is_looked_for_in_every_text),
        ARENA_TEST(a_name_that_fits_hides_its_object),
        ARENA_TEST(a_path_leads_to_a_member),
        ARENA_TEST(what_cannot_be_read_is_withheld),
        ARENA_TEST(a_mark_that_grows_too_much_withholds_all),
        ARENA_TEST(masks_apply_by_name_and_condition),
        ARENA_TEST(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
