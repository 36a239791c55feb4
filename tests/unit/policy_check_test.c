/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* Each file of tests/golden/check is a mistake; its last lines say what must be told of it:
 *
 *   #= CODE LINE:COLUMN suggestion
 *
 * "-" is no suggestion. All that is told must be there, in that order. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../authz/policy/check.h"
#include "policy_kit.h"

#define FOLDER "tests/golden/check/"

static str contents(arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    buf b = buf_new(a, 1 << 20);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;) (void)buf_put(&b, (str){chunk, n});
    (void)fclose(f);
    return buf_str(&b);
}

static policy_world world_of(arena *a)
{
    static const cel_zones none = {0};
    policy_world w = {.zones = &none};
    const err *e =
        policy_world_read_config(a, S("sallyport.yaml"), contents(a, FOLDER "sallyport.yaml"), &w);
    assert_null(e);
    e = policy_world_read_inventory(a, contents(a, FOLDER "inventory.json"), &w);
    assert_null(e);
    return w;
}

static const policy_finding *check(arena *a, const policy_world *w, str text, size_t *count)
{
    problems out;
    policy *p = NULL;
    problems_init(&out, a, S("p.yaml"));
    const policy_source source = {S("p.yaml"), text};
    policy_check(a, &source, 1, w, &out, &p);
    const policy_finding *list = policy_findings(a, &out, count);
    bool errors = false;
    for (size_t i = 0; i < *count; i++) errors |= list[i].is_error;
    assert_int_equal(errors, !p);
    return list;
}

static str told(arena *a, const policy_finding *f)
{
    return arena_fmt(a, STR_FMT " %u:%u " STR_FMT, STR_ARG(f->code), f->line, f->column,
                     STR_ARG(f->hint.n ? f->hint : S("-")));
}

static const char *base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

/* Gives how many lines were as wanted; -1: one was not. */
static int hold(arena *a, const policy_world *w, const char *path, bool *seen)
{
    str text = contents(a, path), rest = text;
    size_t count, n = 0;
    const policy_finding *list = check(a, w, text, &count);
    while (rest.n) {
        str_pair cut = str_cut(rest, '\n');
        rest = cut.tail;
        if (!str_starts(cut.head, S("#= "))) continue;
        str want = str_drop(cut.head, 3), got = n < count ? told(a, &list[n]) : S("nothing");
        if (!str_eq(want, got)) {
            print_error("%s: wanted " STR_FMT ", got " STR_FMT "\n", base_name(path), STR_ARG(want),
                        STR_ARG(got));
            return -1;
        }
        const policy_code *code = policy_code_find(list[n++].code);
        assert_non_null(code);
        seen[code - policy_codes] = true;
    }
    if (n == count) return (int)n;
    print_error("%s: nobody wanted " STR_FMT "\n", base_name(path), STR_ARG(told(a, &list[n])));
    return -1;
}

static void every_mistake_is_told_with_place_and_advice(void **state)
{
    arena *a = *state;
    const policy_world w = world_of(a);
    struct dirent **names;
    bool seen[200] = {false}, bad = false;
    int mistakes = 0, count = scandir(FOLDER, &names, NULL, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        const char *name = names[i]->d_name, *dot = strrchr(name, '.');
        bool is_case = dot && strcmp(dot, ".yaml") == 0 && strcmp(name, "sallyport.yaml") != 0;
        int held = is_case ? hold(a, &w, arena_fmt(a, FOLDER "%s", name).p, seen) : 0;
        bad |= held < 0;
        mistakes += held > 0;
        free(names[i]);
    }
    free(names);
    assert_false(bad);
    assert_true(mistakes >= 100);
    for (const policy_code *c = policy_codes; c->code; c++) {
        bool rare = strcmp(c->code, "E008") == 0 || strcmp(c->code, "E106") == 0;
        if (!seen[c - policy_codes] && !rare) print_error("no case for %s\n", c->code);
        assert_true(seen[c - policy_codes] || rare);
    }
}

/* An example is some rules, or the rest of a file. */
static str whole_file(arena *a, const char *example)
{
    const char *before = example[0] == '-' ? "policy: v1\nrules:\n" : "policy: v1\n";
    return arena_fmt(a, "%s%s", before, example);
}

static void the_examples_of_the_codes_are_true(void **state)
{
    arena *a = *state;
    const policy_world w = world_of(a);
    for (const policy_code *c = policy_codes; c->code; c++) {
        size_t count = 0;
        bool found = !c->wrong;
        const policy_finding *list =
            c->wrong ? check(a, &w, whole_file(a, c->wrong), &count) : NULL;
        for (size_t i = 0; i < count; i++) found |= str_eq(list[i].code, view(c->code));
        if (!found) print_error("the wrong example of %s has it not\n", c->code);
        assert_true(found);
        if (!c->right) continue;
        list = check(a, &w, whole_file(a, c->right), &count);
        if (count) print_error("%s: right is: " STR_FMT "\n", c->code, STR_ARG(told(a, list)));
        assert_int_equal(count, 0);
    }
}

static void the_page_of_codes_is_up_to_date(void **state)
{
    arena *a = *state;
    bool same = str_eq(policy_codes_page(a), contents(a, "docs/checks.md"));
    if (!same) print_error("write it anew: sallyport help codes > docs/checks.md\n");
    assert_true(same);
    assert_null(policy_code_find(S("E9")));
    assert_ptr_equal(policy_code_find(S("e001")), policy_codes);
}

static void without_a_world_nothing_is_concluded_from_it(void **state)
{
    arena *a = *state;
    size_t count;
    (void)check(a, NULL,
                S("policy: v1\nrules:\n  - id: r\n    permit: fs/raed_file\n"
                  "    when: args.pth == 'a' && 'a' in jwt.gruops\n"),
                &count);
    assert_int_equal(count, 0);
    policy_world half = {0};
    const err *e = policy_world_read_config(a, S("c.yaml"),
                                            S("identity:\n  jwt:\n    - { issuer: a, claims: { "
                                              "tier: string } }\n    - { issuer: b }\n"),
                                            &half);
    assert_null(e);
    assert_true(half.claims_open);
    (void)check(a, &half,
                S("policy: v1\nrules:\n  - id: r\n    permit: a/b\n"
                  "    when: has(jwt.tieer)\n"),
                &count);
    assert_int_equal(count, 0);
}

static void a_type_of_a_claim_that_is_none_is_refused(void **state)
{
    policy_world w = {0};
    const err *e =
        policy_world_read_config(*state, S("c.yaml"),
                                 S("identity:\n  jwt:\n    - claims: { a: [int], b: strng }\n"),
                                 &w);
    assert_non_null(e);
    assert_true(str_starts(e->text, S("c.yaml:3:30: a claim is a string")));
    assert_non_null(memmem(e->text.p, e->text.n, "did you mean `string`?", 22));
}

static void an_inventory_that_is_none_is_refused(void **state)
{
    arena *a = *state;
    policy_world w = {0};
    assert_non_null(policy_world_read_inventory(a, S("{"), &w));
    assert_non_null(policy_world_read_inventory(a, S("[]"), &w));
    assert_non_null(policy_world_read_inventory(a, S("{\"servers\":[]}"), &w));
    assert_null(policy_world_read_inventory(a,
                                            S("{\"servers\":{\"a\":{\"tools\":[1,{\"name\":2}]}}}"),
                                            &w));
    assert_int_equal(w.tool_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_mistake_is_told_with_place_and_advice, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_examples_of_the_codes_are_true, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_page_of_codes_is_up_to_date, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_world_nothing_is_concluded_from_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_type_of_a_claim_that_is_none_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_inventory_that_is_none_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
