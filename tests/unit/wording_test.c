/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/wording.h"
#include "own_arena.h"

static js_value described(const char *text)
{
    js_value root;
    str tool = arena_fmt(a, "{\"name\":\"x\",\"description\":\"%s\"}", text);
    assert_null(js_check(a, tool, 64, &root));
    return root;
}

static void hidden_characters_are_found_escaped_or_not(void **state)
{
    (void)state;
    static const char *const odd[] = {
        "a\\u202eb",      "a\xE2\x80\xAE", "\\u200b", "\\u2066",
        "\\udb40\\udc41", "\xEF\xBB\xBF",  "\\u00ad", "\\udb40\\udd00",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_true(wording_hidden(a, described(odd[i])).n > 0);
}

static void plain_text_of_any_language_is_plain(void **state)
{
    (void)state;
    static const char *const plain[] = {"", "hello", "gr\xC3\xBC\xC3\x9F", "\xE6\xBC\xA2",
                                        "\\u2764\\ufe0f"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_int_equal(wording_hidden(a, described(plain[i])).n, 0);
}

static void a_hidden_character_deep_in_a_schema_is_found(void **state)
{
    (void)state;
    js_value root;
    assert_null(js_check(a,
                         S("{\"inputSchema\":{\"properties\":{\"a\":{\"enum\":[\"x\\u200b\"]}}}}"),
                         64, &root));
    assert_true(wording_hidden(a, root).n > 0);
}

static wording *two_servers(void)
{
    wording *w = wording_new(a);
    wording_know(w, S("github"), S("create_issue"));
    wording_know(w, S("github"), S("search"));
    wording_know(w, S("files"), S("readFile"));
    wording_know(w, S("files"), S("x"));
    return w;
}

static void another_servers_tool_is_noticed(void **state)
{
    (void)state;
    wording *w = two_servers();
    static const char *const naming[] = {"then call create_issue.", "use `github__search`!",
                                         "(create_issue)"};
    for (size_t i = 0; i < sizeof naming / sizeof *naming; i++)
        assert_true(wording_foreign(w, a, S("files"), described(naming[i])).n > 0);
}

static void its_own_tools_and_plain_words_are_not(void **state)
{
    (void)state;
    wording *w = two_servers();
    static const char *const fine[] = {"search and you will find", "recreate_issues", "readFile"};
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        assert_int_equal(wording_foreign(w, a, S("files"), described(fine[i])).n, 0);
    wording_know(w, S("files"), S("create_issue")); /* both have it */
    assert_int_equal(wording_foreign(w, a, S("files"), described("create_issue")).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(hidden_characters_are_found_escaped_or_not),
                                       ARENA_TEST(plain_text_of_any_language_is_plain),
                                       ARENA_TEST(a_hidden_character_deep_in_a_schema_is_found),
                                       ARENA_TEST(another_servers_tool_is_noticed),
                                       ARENA_TEST(its_own_tools_and_plain_words_are_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
