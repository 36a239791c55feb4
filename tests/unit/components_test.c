/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* components_test.c - another gateway's own cases of its functions, where one of ours does the same
 * (../shared/conformance/llm/components.json): which region a host is in, which tools a selector
 * takes, how a body is changed. The others have no counterpart. */
#include "../../llm/body.h"
#include "../../mcp/selector.h"
#include "../../server/config_cloud.h"

#include "own_arena.h"
#include <stdio.h>

enum { NAMES = 16 };

static json_t *cases;

static str text_of(const json_t *v)
{
    return (str){json_string_value(v), json_string_length(v)};
}

static const json_t *expected(const json_t *one)
{
    return json_object_get(json_array_get(json_object_get(one, "expect"), 0), "value");
}

static void say(const json_t *one)
{
    print_message("%s\n", json_string_value(json_object_get(one, "id")));
}

/* How many there are of this function; each is asked about. */
static size_t each(const char *function, void (*ask)(const json_t *one))
{
    size_t i, count = 0;
    json_t *one;
    json_array_foreach(cases, i, one)
    {
        const char *of = json_string_value(json_object_get(one, "function"));
        if (!of || strcmp(of, function) != 0) continue;
        say(one);
        ask(one);
        count++;
    }
    return count;
}

/* Regions */

static void ask_region(const json_t *one)
{
    str host = text_of(json_object_get(json_object_get(one, "args"), "host"));
    assert_true(str_eq(config_aws_region(host), text_of(expected(one))));
}

static void a_region_is_read_off_a_host(void **state)
{
    (void)state;
    if (!cases) skip();
    assert_int_equal(each("AWSBedrockRegionFromHost", ask_region), 8);
}

/* Selectors */

static const selector *selector_of(const json_t *receiver, const char *names, const char *patterns)
{
    str *list = NEW_N(a, str, NAMES), *to = list;
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(receiver, names), i, one) *to++ = text_of(one);
    json_array_foreach(json_object_get(receiver, patterns), i, one)
    {
        str pattern = text_of(json_object_get(one, "$regex"));
        *to++ = arena_fmt(a, "/" STR_FMT "/", STR_ARG(pattern));
    }
    return selector_new(a, list);
}

static void ask_selector(const json_t *one)
{
    const json_t *receiver = json_object_get(one, "receiver");
    const selector *in = selector_of(receiver, "include", "includeRegexps");
    const selector *out = selector_of(receiver, "exclude", "excludeRegexps");
    str tool = text_of(json_object_get(json_object_get(one, "args"), "tool"));
    bool taken = (selector_is_empty(in) || selector_takes(in, tool, false)) &&
                 !selector_takes(out, tool, true);
    assert_int_equal(taken, json_is_true(expected(one)));
}

static void a_selector_takes_what_it_says(void **state)
{
    (void)state;
    if (!cases) skip();
    assert_int_equal(each("toolSelector.allows", ask_selector), 10);
}

/* Bodies */

static const body_edit *edits_of(const json_t *mutations)
{
    body_edit *list = NEW_N(a, body_edit, NAMES), *to = list;
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(mutations, "set"), i, one) *to++ =
        (body_edit){text_of(json_object_get(one, "path")), text_of(json_object_get(one, "value"))};
    json_array_foreach(json_object_get(mutations, "remove"), i, one) *to++ =
        (body_edit){.name = text_of(one)};
    return list;
}

static bool same(const json_t *x, const json_t *y)
{
    if (json_is_number(x) && json_is_number(y)) return json_number_value(x) == json_number_value(y);
    return json_equal(x, y);
}

static const json_t *at(const json_t *root, str pointer)
{
    while (root && pointer.n) {
        str_pair cut = str_cut(str_drop(pointer, 1), '/');
        str name = cut.ok ? cut.head : str_drop(pointer, 1);
        root = json_object_get(root, arena_dup(a, name).p);
        pointer = str_drop(pointer, name.n + 1);
    }
    return root;
}

static void check(const json_t *body, str text, const json_t *want)
{
    const char *op = json_string_value(json_object_get(want, "op"));
    const json_t *value = json_object_get(want, "value"), *bytes = NULL;
    const json_t *there = at(body, text_of(json_object_get(want, "path")));
    if ((bytes = json_object_get(value, "$bytes_json"))) value = bytes;
    if (strcmp(op, "equals") == 0)
        assert_true(same(there, value));
    else if (strcmp(op, "null_or_absent") == 0)
        assert_true(!there || json_is_null(there));
    else if (strcmp(op, "not_contains") == 0)
        assert_null(strstr(text.p, json_string_value(value)));
    else
        assert_string_equal(op, "ok");
}

static void ask_body(const json_t *one)
{
    const json_t *made = json_object_get(json_object_get(one, "constructor"), "args");
    const json_t *sent = json_object_get(json_object_get(one, "args"), "requestBody");
    char *bytes = json_dumps(json_object_get(sent, "$bytes_json"), JSON_COMPACT);
    js_value root;
    assert_null(js_check(a, arena_dup(a, (str){bytes, strlen(bytes)}), 32, &root));
    free(bytes);
    str text = arena_dup(a, body_edited(a, root, edits_of(json_object_get(made, "bodyMutations"))));
    json_t *body = json_loadb(text.p, text.n, 0, NULL), *want;
    size_t i;
    assert_non_null(body);
    json_array_foreach(json_object_get(one, "expect"), i, want) check(body, text, want);
    json_decref(body);
}

static void a_body_is_changed_as_asked(void **state)
{
    (void)state;
    if (!cases) skip();
    assert_int_equal(each("BodyMutator.Mutate", ask_body), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(a_region_is_read_off_a_host),
        ARENA_TEST(a_selector_takes_what_it_says),
        ARENA_TEST(a_body_is_changed_as_asked),
    };
    cases = json_load_file("../shared/conformance/llm/components.json", 0, NULL);
    if (!cases) print_message("skipped: ../shared/conformance/llm is not here\n");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_decref(cases);
    return failed;
}
