/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../server/export.h"

static void line_is(const record *r, const char *want)
{
    buf out = buf_new(NULL, 1 << 16);
    export_line(&out, r, 1795391382330);
    assert_true(buf_ok(&out));
    if (!str_eq(buf_str(&out), (str){want, strlen(want)}))
        fail_msg("got  %.*s\nwanted %s", (int)out.n, out.p, want);
    buf_free(&out);
}

static void a_line_names_only_what_is_known(void **state)
{
    (void)state;
    record r = {0};
    line_is(&r, "{\"time\":\"2026-11-22T23:49:42.330Z\"}");
    record_text(&r, FACT_DOOR, S("mcp"));
    record_number(&r, FACT_STATUS, 200);
    record_text(&r, FACT_TOOL, S("notes/read_note"));
    record_number(&r, FACT_DURATION_US, 1141);
    line_is(&r, "{\"time\":\"2026-11-22T23:49:42.330Z\",\"door\":\"mcp\",\"status\":200,\"tool\":"
                "\"notes/read_note\","
                "\"duration_us\":1141}");
}

static void text_from_a_peer_cannot_end_the_line_or_turn_it_round(void **state)
{
    (void)state;
    record r = {0};
    record_text(&r, FACT_PATH, S("/a\"\n{\"door\":\"x\"}\x1b[31m"));
    record_text(&r, FACT_MODEL,
                S("gpt\xe2\x80\xae"
                  "4"));
    line_is(&r, "{\"time\":\"2026-11-22T23:49:42.330Z\",\"path\":\"/"
                "a\\\"\\n{\\\"door\\\":\\\"x\\\"}\\u001b[31m\","
                "\"model\":\"gpt\\u202e4\"}");
}

static void the_log_may_be_a_file_and_a_bad_place_is_an_error(void **state)
{
    (void)state;
    arena *a = arena_new();
    export *e = NULL;
    const err *why = export_new(a, S("/nonexistent/dir/access.log"), NULL, NULL, &e);
    assert_non_null(why);
    assert_non_null(memmem(why->text.p, why->text.n, "/nonexistent/dir/access.log", 27));
    assert_null(export_new(a, S("none"), NULL, NULL, &e));
    export_free(e);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_names_only_what_is_known),
        cmocka_unit_test(text_from_a_peer_cannot_end_the_line_or_turn_it_round),
        cmocka_unit_test(the_log_may_be_a_file_and_a_bad_place_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
