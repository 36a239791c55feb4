/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../server/lsp/lsp_frame.h"
#include "../../server/lsp/lsp_text.h"
#include "../../server/lsp/lsp_where.h"

static str view(const char *s)
{
    return (str){s, strlen(s)};
}

static void places_count_units_of_utf16(void **state)
{
    (void)state;
    str text = S("ab\r\n\xF0\x9F\x98\x80x\n\xC3\xA9y");
    static const struct {
        uint32_t line, character;
        size_t offset;
    } rows[] = {{0, 0, 0}, {0, 2, 2},  {1, 0, 4},  {1, 2, 8},
                {1, 3, 9}, {2, 0, 10}, {2, 1, 12}, {2, 2, 13}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        lsp_position p = {rows[i].line, rows[i].character},
                     back = lsp_text_position(text, rows[i].offset);
        assert_int_equal(lsp_text_offset(text, p), rows[i].offset);
        assert_int_equal(back.line, p.line);
        assert_int_equal(back.character, p.character);
    }
    assert_int_equal(lsp_text_offset(text, (lsp_position){1, 1}), 4);  /* within the pair */
    assert_int_equal(lsp_text_offset(text, (lsp_position){0, 99}), 2); /* before the \r */
    assert_int_equal(lsp_text_offset(text, (lsp_position){99, 99}), text.n);
}

static void any_split_of_the_stream_gives_the_same_messages(void **state)
{
    (void)state;
    str stream = S("Content-Length: 2\r\n\r\n{}Content-Type: a\r\ncontent-LENGTH:  3 \r\n\r\n[1]");
    for (size_t cut = 0; cut <= stream.n; cut++) {
        arena *a = arena_new();
        lsp_frames f = lsp_frames_new();
        buf got = buf_new(a, 100);
        for (int part = 0; part < 2; part++) {
            lsp_frames_feed(&f, part ? str_drop(stream, cut) : str_take(stream, cut));
            for (str body;;) {
                assert_null(lsp_frames_next(&f, a, &body));
                if (!body.n) break;
                (void)buf_fmt(&got, STR_FMT ";", STR_ARG(body));
            }
        }
        assert_true(str_eq(buf_str(&got), S("{};[1];")));
        lsp_frames_free(&f);
        arena_free(a);
    }
}

static void frames_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Content-Length: 8388609\r\n\r\n",
                                      "Content-Length: -1\r\n\r\n",
                                      "Content-Length: 1x\r\n\r\n",
                                      "Content-Length:\r\n\r\n",
                                      "Content-Length: 0\r\n\r\n",
                                      "X: 1\r\n\r\n",
                                      "nonsense\r\n\r\n",
                                      "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                                      "Content-Length: 99999999999999999999999999\r\n\r\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arena *a = arena_new();
        lsp_frames f = lsp_frames_new();
        str body;
        lsp_frames_feed(&f, view(bad[i]));
        assert_non_null(lsp_frames_next(&f, a, &body));
        lsp_frames_free(&f);
        arena_free(a);
    }
}

/* clang-format off */
static const struct { const char *text, *path; bool in_key; fmt_role role; } places[] = { /* | is the place */
    {"|", "", true, FMT_FILE},
    {"rules:\n  - id: a\n    when: jwt.|", "rules - when", false, FMT_EXPR},
    {"rules:\n- id: a\n  wh|en: x", "rules -", true, FMT_RULE},
    {"rules:\n- id: a\n  |", "rules -", true, FMT_RULE},
    {"rules:\n  - id: a\n    args:\n      path: this.|", "rules - args path", false, FMT_ARG},
    {"rules:\n  - id: a\n    args:\n      |", "rules - args", true, FMT_ARGS},
    {"rules:\n  - id: a\n    args: { path: this.|", "rules - args path", false, FMT_ARG},
    {"rules:\n  - id: a\n    args: { path: { in: [a], |", "rules - args path", true, FMT_ARG},
    {"rules:\n  - permit: { tools: [fs/|", "rules - permit tools -", false, FMT_OTHER},
    {"rules:\n  - permit:\n      - fs/|", "rules - permit -", false, FMT_OTHER},
    {"rules:\n  - id: a\n    when: |\n      x &&\n      y.@", "rules - when", false, FMT_EXPR},
    {"vars:\n  # c\n  a: 1\n\n  b: vars.|", "vars b", false, FMT_EXPR},
    {"tests:\n  - because: [a, |", "tests - because -", false, FMT_OTHER},
    {"rules: []\n|", "", true, FMT_FILE},
    {"policy: v|", "policy", false, FMT_OTHER},
};
/* clang-format on */

static void places_are_told_from_the_lines_above(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        arena *a = arena_new();
        buf path = buf_new(a, 200);
        const char *mark = strchr(places[i].text, '@') ? strchr(places[i].text, '@')
                                                       : strrchr(places[i].text, '|');
        str text = arena_fmt(a, "%.*s%s", (int)(mark - places[i].text), places[i].text, mark + 1);
        lsp_where w = lsp_where_at(text, (size_t)(mark - places[i].text));
        for (size_t k = 0; k < w.depth; k++)
            (void)buf_fmt(&path, "%s" STR_FMT, k ? " " : "", STR_ARG(w.path[k]));
        if (!str_eq(buf_str(&path), view(places[i].path)))
            print_error("%s\n-> " STR_FMT "\n", places[i].text, STR_ARG(buf_str(&path)));
        assert_true(str_eq(buf_str(&path), view(places[i].path)));
        assert_int_equal(w.in_key, places[i].in_key);
        assert_int_equal(w.role, places[i].role);
        arena_free(a);
    }
}

static void chains_go_back_over_dots(void **state)
{
    (void)state;
    static const struct {
        const char *text, *before, *word;
        bool after_value;
    } rows[] = {{"args.path", "args", "path", false},
                {"a && args.?x.", "args.?x", "", false},
                {"f(x).si", "", "si", true},
                {"jwt", "", "jwt", false},
                {"x == http.headers.a", "http.headers", "a", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str text = view(rows[i].text);
        lsp_chain c = lsp_chain_at(text, 0, text.n);
        assert_true(str_eq(c.before, view(rows[i].before)) && str_eq(c.word, view(rows[i].word)));
        assert_int_equal(c.after_value, rows[i].after_value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_count_units_of_utf16),
        cmocka_unit_test(any_split_of_the_stream_gives_the_same_messages),
        cmocka_unit_test(frames_that_are_none_are_refused),
        cmocka_unit_test(places_are_told_from_the_lines_above),
        cmocka_unit_test(chains_go_back_over_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
