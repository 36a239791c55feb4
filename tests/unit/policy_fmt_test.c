/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/policy/fmt.h"
#include "policy_kit.h"
#include <dirent.h>
#include <stdio.h>

static void formats(void **state, const char *text, const char *expected)
{
    str out, again;
    const err *e = policy_fmt(*state, S("f.yaml"), view(text), &out);
    if (e) print_error(STR_FMT "\n", STR_ARG(e->text));
    assert_null(e);
    out = arena_dup(*state, out);
    assert_string_equal(out.p, expected);
    assert_null(policy_fmt(*state, S("f.yaml"), out, &again));
    assert_true(str_eq(out, again));
}

static void refuses(void **state, const char *text, const char *why)
{
    str out;
    const err *e = policy_fmt(*state, S("f.yaml"), view(text), &out);
    assert_non_null(e);
    str got = arena_dup(*state, e->text);
    if (!strstr(got.p, why)) print_error("%s\n", got.p);
    assert_non_null(strstr(got.p, why));
}

static void keys_come_in_their_order(void **state)
{
    formats(state,
            "rules:\n- when: a\n  permit: x/y\n  id: r\n  args: {b: this==1}\ndefault: deny\nname: "
            "n\npolicy: v1\n",
            "policy: v1\nname: n\ndefault: deny\n\nrules:\n  - id: r\n    permit: x/y\n    when: "
            "a\n"
            "    args: { b: this == 1 }\n");
}

static void vars_keep_their_order(void **state)
{
    formats(state, "vars:\n  z: 1\n  a: vars.z\npolicy: v1\n",
            "policy: v1\n\nvars:\n  z: 1\n  a: vars.z\n");
}

static void comments_stay_where_they_belong(void **state)
{
    formats(state,
            "# head\n\n# more\nrules:\n- id: a # one\n  # above\n  permit: x/y\n  # end of "
            "a\n\n\n# of b\n- id: b\n"
            "  permit: [x/y, # first\n    x/z]\n# last\n",
            "# head\n\n# more\nrules:\n  - id: a  # one\n    # above\n    permit: x/y\n    # end "
            "of a\n\n"
            "  # of b\n  - id: b\n    permit:\n      - x/y  # first\n      - x/z\n# last\n");
}

static void comments_of_neighbours_stand_in_one_column(void **state)
{
    formats(state, "policy: v1 # a\nname: something # b\ndescription: x\ndefault: deny # c\n",
            "policy: v1       # a\nname: something  # b\ndescription: x\ndefault: deny  # c\n");
}

/* clang-format off */
static const struct { const char *when, *printed; } expressions[] = {
    {"jwt.x ? b : c", "'jwt.x ? b : c'"},
    {"!has(jwt.a)", "'!has(jwt.a)'"},
    {"[1,2].exists(x, x==1)", "'[1, 2].exists(x, x == 1)'"},
    {"{'a':1}.a == 1", "\"{'a': 1}.a == 1\""},
    {"\"x\" in jwt.groups", "'\"x\" in jwt.groups'"},
    {"\"x\" in jwt.groups # why", "'\"x\" in jwt.groups'  # why"},
    {"args.q == \"a # b\"", "'args.q == \"a # b\"'"},
    {"'(a||b)&&c'", "(a || b) && c"},
    {"\"x == 'a'\"", "x == 'a'"},
    {"'x.matches(r\"\\d\")'", "x.matches(r\"\\d\")"},
    {"|\n     a &&\n     b", "|\n      a &&\n      b"},
    {">\n     a &&\n     b", "a && b"},
    {"&c  (a)", "&c a"},
    {"a[ \"b\" ]  ==  1   # tail", "a[\"b\"] == 1  # tail"},
};
/* clang-format on */

static void expressions_are_laid_out_and_quoted_as_yaml_needs(void **state)
{
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        str in = arena_fmt(*state, "rules:\n  - id: a\n    when: %s\n", expressions[i].when);
        str out = arena_fmt(*state, "rules:\n  - id: a\n    when: %s\n", expressions[i].printed);
        formats(state, in.p, out.p);
    }
}

static void a_long_expression_is_broken(void **state)
{
    formats(state,
            "vars:\n  x: jwt.groups.exists(g, g.startsWith(\"engineering-\")) && jwt.tenant == "
            "\"acme\" && "
            "jwt.level > 3 && jwt.x\n",
            "vars:\n  x: |\n    jwt.groups.exists(g, g.startsWith(\"engineering-\"))\n    && "
            "jwt.tenant == "
            "\"acme\"\n    && jwt.level > 3\n    && jwt.x\n");
}

static void anchors_and_aliases_stay(void **state)
{
    formats(state,
            "tests:\n- name: a\n  as: &e {jwt: {sub: x}}\n  call: a/b\n- name: b\n  as: *e\n  "
            "call: a/b\n",
            "tests:\n  - name: a\n    as: &e { jwt: { sub: x } }\n    call: a/b\n  - name: b\n    "
            "as: *e\n"
            "    call: a/b\n");
    /* the order of keys would put the alias first */
    formats(state, "rules:\n- message: &m hello\n  id: *m\n",
            "rules:\n  - message: &m hello\n    id: *m\n");
}

static void quotes_that_make_a_number_text_stay(void **state)
{
    formats(state, "tests:\n- args: {a: '1', b: 1, c: \"x\", d: null, e: 'say \"hi\"'}\n",
            "tests:\n  - args: { a: \"1\", b: 1, c: \"x\", d: null, e: 'say \"hi\"' }\n");
}

static void long_texts_keep_their_lines(void **state)
{
    formats(state, "description: |\n     a\n\n       b\nname: >-\n   c\n   d\n",
            "name: >-\n  c\n  d\ndescription: |\n  a\n\n    b\n");
}

static void a_text_over_several_lines_is_folded_when_it_is_long(void **state)
{
    formats(state, "name: a\n  b\n", "name: a b\n");
    formats(state,
            "name: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
            "  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\n",
            "name: >-\n  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
            "  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c\n");
}

static void what_is_wrong_has_a_place(void **state)
{
    refuses(state, "rules:\n  - id: a\n    when: jwt.x ==\n", "f.yaml:3:19: error E002");
    refuses(state, "rules:\n  - id: a\n    when: x.matches(\"\\d\")\n", "f.yaml:3:22: error E001");
    refuses(state, "a: b: c: d\n", "f.yaml:1:");
    refuses(state, "a: 1\na: 2\n", "duplicate key");
}

static void nothing_and_comments_alone_are_files_too(void **state)
{
    formats(state, "", "");
    formats(state, "# only\n\n\n# this\n", "# only\n\n# this\n");
}

static size_t check_folder(void **state, const char *folder)
{
    size_t count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        str path = arena_fmt(*state, "%s/%s", folder, e->d_name), out, again;
        FILE *f = strstr(e->d_name, ".yaml") ? fopen(path.p, "r") : NULL;
        if (!f) continue;
        char *text = arena_bytes(*state, 1 << 20);
        str source = {text, fread(text, 1, 1 << 20, f)};
        (void)fclose(f);
        assert_null(policy_fmt(*state, path, source, &out));
        assert_null(policy_fmt(*state, path, out, &again));
        assert_true(str_eq(out, again));
        policy *p; /* time zones have no names here, which is a problem before and after */
        size_t before = load(*state, arena_dup(*state, source).p, &p).count;
        assert_int_equal(load(*state, arena_dup(*state, out).p, &p).count, before);
        count++;
    }
    if (d) (void)closedir(d);
    return count;
}

static void the_policies_that_ship_can_be_formatted(void **state)
{
    size_t count = check_folder(state, "policies") + check_folder(state, "examples/demo/policies");
    assert_true(count >= 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(keys_come_in_their_order),
        T(vars_keep_their_order),
        T(comments_stay_where_they_belong),
        T(comments_of_neighbours_stand_in_one_column),
        T(expressions_are_laid_out_and_quoted_as_yaml_needs),
        T(a_long_expression_is_broken),
        T(anchors_and_aliases_stay),
        T(quotes_that_make_a_number_text_stay),
        T(long_texts_keep_their_lines),
        T(a_text_over_several_lines_is_folded_when_it_is_long),
        T(what_is_wrong_has_a_place),
        T(nothing_and_comments_alone_are_files_too),
        T(the_policies_that_ship_can_be_formatted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
