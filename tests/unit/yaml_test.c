/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/yaml.h"

static int setup(void **s)
{
    *s = arena_new();
    return 0;
}

static int teardown(void **s)
{
    arena_free(*s);
    return 0;
}

static const yaml_node *good(arena *a, str text)
{
    yaml_node *root;
    const err *e = yaml_parse(a, S("f.yaml"), text, &root);
    if (e) fail_msg("%s", e->text.p);
    return root;
}

static const yaml_node *child(const yaml_node *n, size_t i)
{
    n = n->first;
    while (n && i--) n = n->next;
    return n;
}

static void is(const yaml_node *n, const char *text)
{
    assert_non_null(n);
    assert_int_equal(n->kind, YAML_SCALAR);
    if (!str_eq(n->text, (str){text, strlen(text)})) fail_msg("%s is not %s", n->text.p, text);
}

static void at(const yaml_node *n, unsigned line, unsigned column)
{
    assert_int_equal(n->line, line);
    assert_int_equal(n->column, column);
}

static void a_document_becomes_a_tree_with_places(void **s)
{
    const yaml_node *root = good(*s, S("# config\n"
                                       "version: 1\n"
                                       "listen:\n"
                                       "  - address: 127.0.0.1:8080\n"
                                       "    tls: { certificate: \"a b\", key: 'c' }\n"
                                       "  - [x, y]\n"
                                       "text: |\n"
                                       "  one\n"
                                       "  two\n"
                                       "empty:\n"));
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 4);
    at(root, 2, 1);
    const yaml_node *version = yaml_get(root, S("version"));
    is(version, "1");
    at(version, 2, 10);
    assert_int_equal(version->key_line, 2);
    assert_int_equal(version->key_column, 1);
    const yaml_node *listen = yaml_get(root, S("listen"));
    assert_int_equal(listen->kind, YAML_LIST);
    assert_int_equal(listen->count, 2);
    const yaml_node *tls = yaml_get(child(listen, 0), S("tls"));
    at(tls, 5, 10);
    assert_int_equal(tls->key_column, 5);
    is(yaml_get(tls, S("certificate")), "a b");
    assert_int_equal(yaml_get(tls, S("certificate"))->style, YAML_QUOTED);
    assert_int_equal(yaml_get(tls, S("key"))->style, YAML_QUOTED);
    is(child(child(listen, 1), 1), "y");
    is(yaml_get(root, S("text")), "one\ntwo\n");
    assert_int_equal(yaml_get(root, S("text"))->style, YAML_BLOCK);
    assert_true(yaml_is_null(yaml_get(root, S("empty"))));
    assert_null(yaml_get(root, S("nothing")));
    assert_null(yaml_get(version, S("x")));
    assert_null(yaml_get(NULL, S("x")));
}

static void scalars_stay_text_and_only_plain_ones_are_null(void **s)
{
    const yaml_node *list = good(*s, S("[yes, 010, 1e3, ~, null, Null, '~', \"null\", '', on]"));
    static const char *const texts[] = {"yes", "010", "1e3", "~", "null"};
    for (size_t i = 0; i < 5; i++) {
        is(child(list, i), texts[i]);
        assert_int_equal(yaml_is_null(child(list, i)), i >= 3);
    }
    for (const yaml_node *n = child(list, 5); n; n = n->next) assert_false(yaml_is_null(n));
}

static void an_empty_document_is_an_empty_map(void **s)
{
    static const str texts[] = {{0},        S(""),           S("\n\n"),        S("# only words\n"),
                                S("---\n"), S("---\n...\n"), S("\xEF\xBB\xBF")};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const yaml_node *root = good(*s, texts[i]);
        assert_int_equal(root->kind, YAML_MAP);
        assert_int_equal(root->count, 0);
        assert_null(root->first);
    }
    assert_int_equal(good(*s, S("''"))->kind, YAML_SCALAR);
}

static void an_alias_stands_for_what_its_anchor_holds(void **s)
{
    const yaml_node *root =
        good(*s, S("a: &x {k: [1, 2]}\nb: *x\nc: [*x, &y z, *y]\n&key d: *key\ne: *x\n"));
    const yaml_node *b = yaml_get(root, S("b"));
    at(b, 2, 4);
    assert_int_equal(b->count, 1);
    is(child(yaml_get(b, S("k")), 1), "2");
    const yaml_node *c = yaml_get(root, S("c"));
    assert_int_equal(c->count, 3);
    is(child(yaml_get(child(c, 0), S("k")), 0), "1");
    is(child(c, 2), "z");
    is(yaml_get(root, S("d")), "d");
    assert_int_equal(yaml_get(root, S("e"))->count, 1);
    /* a name given again means the later one from there on */
    root = good(*s, S("- &x 1\n- *x\n- &x 2\n- *x\n"));
    is(child(root, 1), "1");
    is(child(root, 3), "2");
}

static const struct {
    str text;
    const char *want;
} wrongs[] = {
    /* clang-format off */
    {S("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: duplicate key \"a\", first on line 1"},
    {S("x: {a: 1, \"a\": 2}\n"), "f.yaml:1:11: duplicate key \"a\", first on line 1"},
    {S("a: &x {b: 1}\nc:\n  <<: *x\n"), "f.yaml:3:3: merge keys (<<) are not supported: write the entries out, or alias a whole value (key: *name)"},
    {S("a: !!str 1\n"), "f.yaml:1:4: a value that begins with '!' is a tag (tag:yaml.org,2002:str), and tags are not supported; quote the value: a: '!!str 1'"},
    {S("rules:\n  - when: !admin\n"), "f.yaml:2:11: a value that begins with '!' is a tag (!admin), and tags are not supported; quote the expression: when: '!admin'"},
    {S("a: ! [x]\n"), "f.yaml:1:4: a value that begins with '!' is a tag (!), and tags are not supported; quote the value: a: '! [x]'"},
    {S("a: ! {x: 1}\n"), "f.yaml:1:4: a value that begins with '!' is a tag (!), and tags are not supported; quote the value: a: '! {x: 1}'"},
    {S("a: 1\n---\nb: 2\n"), "f.yaml:2:1: more than one document in the file"},
    {S("a: &x [1, *x]\n"), "f.yaml:1:11: alias *x is inside its own anchor"},
    {S("a: &x {b: {c: *x}}\n"), "f.yaml:1:15: alias *x is inside its own anchor"},
    {S("a: *nobody\n"), "f.yaml:1:4: alias *nobody names no anchor above it; quote the value: a: '*nobody'"},
    {S("a: &x b\n*x : 1\n"), "f.yaml:2:1: an alias cannot be a key"},
    {S("? [a, b]\n: 1\n"), "f.yaml:1:3: a key must be plain text, not a list or a map"},
    {S("{{a: 1}: 2}\n"), "f.yaml:1:2: a key must be plain text, not a list or a map"},
    {S("a:\n\t- b\n"), "f.yaml:2:1: while scanning for the next token found character that cannot start any token; indent with spaces, not tabs"},
    {S("rules:\n  - when: args.x == \"a: b\" ? c : d\n"), "f.yaml:2:23: mapping values are not allowed in this context; quote the expression: when: 'args.x == \"a: b\" ? c : d'"},
    {S("rules:\n  - when: \"a\" in b\n"), "f.yaml:2:15: while parsing a block mapping did not find expected key; quote the expression: when: '\"a\" in b'"},
    {S("rules:\n  - when: 'a' in b\n"), "f.yaml:2:15: while parsing a block mapping did not find expected key; quote the expression, or put it on lines of its own after `when: |`"},
    {S("a: @b\n"), "f.yaml:1:4: while scanning for the next token found character that cannot start any token; quote the value: a: '@b'"},
    {S("a: [1, 2\nb: 3\n"), "f.yaml:2:2: while parsing a flow sequence did not find expected ',' or ']' (it began on line 1)"},
    {S("a: \"no end\n"), "f.yaml:2:1: while scanning a quoted scalar found unexpected end of stream (it began on line 1)"},
    {S("a: 1\nb: \xFF\n"), "f.yaml:2:4: invalid leading UTF-8 octet"},
    {S("a: \x01\n"), "f.yaml:1:4: control characters are not allowed"},
    {S("%YAML 3.0\n---\na: 1\n"), "f.yaml:1:1: found incompatible YAML document"},
    /* clang-format on */
};

static void what_is_wrong_is_said_with_its_place(void **s)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        yaml_node *root = (yaml_node *)s;
        const err *e = yaml_parse(*s, S("f.yaml"), wrongs[i].text, &root);
        if (!e) fail_msg("case %zu was taken: %s", i, wrongs[i].text.p);
        assert_null(root);
        assert_int_equal(e->kind, ERR_MALFORMED);
        if (strcmp(e->text.p, wrongs[i].want) != 0)
            fail_msg("case %zu: %s\nwant: %s", i, e->text.p, wrongs[i].want);
    }
}

static str levels(arena *a, const char *open, size_t n, const char *close)
{
    char *p = NEW_N(a, char, n * 2 + 2);
    memset(p, *open, n);
    p[n] = '1';
    memset(p + n + 1, *close, n);
    return (str){p, n * 2 + 1};
}

static const err *refused(arena *a, str text)
{
    yaml_node *root;
    const err *e = yaml_parse(a, S("f"), text, &root);
    assert_non_null(e);
    return e;
}

static void nesting_and_expansion_are_bounded(void **s)
{
    assert_int_equal(good(*s, levels(*s, "[", 64, "]"))->count, 1);
    assert_int_equal(refused(*s, levels(*s, "[", 65, "]"))->kind, ERR_TOO_LARGE);
    assert_non_null(refused(*s, levels(*s, "[", 100000, "]")));
    assert_non_null(refused(*s, levels(*s, "{", 100000, "}")));
    /* an alias counts with all its levels */
    (void)good(*s, S("- &a [[[1]]]\n- "
                     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]"
                     "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"));
    (void)refused(*s, S("- &a [[[[1]]]]\n- "
                        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]"
                        "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"));
    (void)good(*s,
               S("- &a [[[[1]]]]\n- [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ *a "
                 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"));
    /* the laughs: each line is ten times the one before */
    arena *a = *s;
    str text = S("a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n");
    for (int i = 1; i < 12; i++)
        text =
            arena_fmt(a, STR_FMT "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n",
                      STR_ARG(text), i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
                      i - 1, i - 1);
    const err *e = refused(a, text);
    assert_int_equal(e->kind, ERR_TOO_LARGE);
    assert_true(str_starts(e->text, S("f:6:")));
}

static size_t walk(const yaml_node *n)
{
    size_t count = 1;
    for (const yaml_node *c = n->first; c; c = c->next) count += walk(c);
    return count;
}

static void as_many_nodes_as_allowed_are_read(void **s)
{
    char *p = NEW_N(*s, char, YAML_NODES * 2 + 8);
    size_t n = 0;
    p[n++] = '[';
    for (size_t i = 0; i + 1 < YAML_NODES; i++) {
        p[n++] = 'x';
        p[n++] = ',';
    }
    p[n] = ']';
    assert_int_equal(walk(good(*s, (str){p, n + 1})), YAML_NODES);
    p[n++] = 'x';
    p[n++] = ']';
    assert_int_equal(refused(*s, (str){p, n})->kind, ERR_TOO_LARGE);
    /* aliases count as often as they are walked */
    assert_int_equal(walk(good(*s, S("[&a [1, 2, &b [3]], *a, *b, *a]"))), 1 + 5 + 5 + 2 + 5);
}

static void a_map_of_many_keys_takes_no_quadratic_time(void **s)
{
    char *p = NEW_N(*s, char, 90000 * 12 + 8);
    size_t n = 0;
    for (int i = 0; i < 90000; i++) n += (size_t)snprintf(p + n, 20, "k%07d: x\n", i);
    assert_int_equal(good(*s, (str){p, n})->count, 90000);
}

static void problems_are_kept_in_order(void **s)
{
    problems p;
    problems_init(&p, *s, S("sallyport.yaml"));
    assert_int_equal(p.count, 0);
    problems_add(&p, 3, 5, "unknown key \"%s\"", "prot");
    problems_add(&p, 9, 1, "too late");
    assert_int_equal(p.count, 2);
    assert_string_equal(p.first->text.p, "sallyport.yaml:3:5: unknown key \"prot\"");
    assert_string_equal(p.first->next->text.p, "sallyport.yaml:9:1: too late");
    assert_null(p.first->next->next);
}

static void the_nearest_name_is_meant(void **s)
{
    (void)s;
    static const str names[] = {S("when"),    S("timeout"),
                                S("address"), S("workers"),
                                S("path"),    S("allowed_origins"),
                                S("id"),      S("stream_idle_timeout"),
                                {0}};
    static const struct {
        str word;
        const char *want;
    } words[] = {{S("wehn"), "when"},
                 {S("WHEN"), "when"},
                 {S("timeuot"), "timeout"},
                 {S("Adress"), "address"},
                 {S("worker"), "workers"},
                 {S("allowed_origin"), "allowed_origins"},
                 {S("allowedOrigins"), "allowed_origins"},
                 {S("stream_idel_timout"), "stream_idle_timeout"},
                 {S("pat"), "path"},
                 {S("ID"), "id"},
                 {S("xyzzy"), NULL},
                 {S(""), NULL},
                 {S("x"), NULL},
                 {S("qq"), NULL},
                 {S("a_very_long_word_that_is_longer_than_sixty_four_letters_and_near_nothing"),
                  NULL},
                 {S("worxxxx"), NULL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        str got = yaml_did_you_mean(words[i].word, names);
        const char *want = words[i].want;
        bool right = want ? str_eq(got, (str){want, strlen(want)}) : got.p == NULL;
        if (!right) fail_msg("%s: %.*s", words[i].word.p, (int)got.n, got.p);
    }
}

int main(void)
{
    static const struct CMUnitTest t[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_document_becomes_a_tree_with_places),
        T(scalars_stay_text_and_only_plain_ones_are_null),
        T(an_empty_document_is_an_empty_map),
        T(an_alias_stands_for_what_its_anchor_holds),
        T(what_is_wrong_is_said_with_its_place),
        T(nesting_and_expansion_are_bounded),
        T(as_many_nodes_as_allowed_are_read),
        T(a_map_of_many_keys_takes_no_quadratic_time),
        T(problems_are_kept_in_order),
        T(the_nearest_name_is_meant),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
