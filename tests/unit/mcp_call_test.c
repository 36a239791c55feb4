/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* mcp_call_test.c - the door from end to end: calls, refusals, sessions, both eras. */
#include "door_house.h"

static void a_call_carries_the_arguments_byte_for_byte(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = modern_call(d, "/mcp", "one__echo", "{\"n\":0.10,\"big\":18446744073709551615}", "");
    must_status(h, 200);
    must_have(h, "Content-Type: application/json");
    must_have(h, "\"text\":\"exact\"");
    must_have(h, "\"resultType\":\"complete\"");
    must_have(h, "\"_meta\":{\"k\":1,\"io.modelcontextprotocol/serverInfo\":{\"name\":\"door\"");
    must_not_have(h, "inner");
    assert_non_null(strstr(d->last_record, "tool=one/echo;"));
    assert_non_null(strstr(d->last_record, "verdict=permit;rule=open;"));
}

static void a_hidden_tool_is_answered_like_one_that_does_not_exist(void **state)
{
    house *hs = *state;
    door *d = hs->d;
    int before = atomic_load(&hs->f->seen[0]);
    heard *hidden = modern_call(d, "/mcp", "one__secret", "{}", ""),
          *none = modern_call(d, "/mcp", "one__absent", "{}", "");
    must_status(hidden, 200);
    must_have(hidden, "\"error\":{\"code\":-32602,\"message\":\"Unknown tool: one__secret\"}}");
    must_have(none, "\"error\":{\"code\":-32602,\"message\":\"Unknown tool: one__absent\"}}");
    assert_int_equal(strlen(hidden->all), strlen(none->all));
    assert_int_equal(atomic_load(&hs->f->seen[0]), before);
    must_have(modern_call(d, "/mcp", "one__secret", "{}", as(d, "alice", "")),
              "\"text\":\"secret\"");
    must_have(modern_call(d, "/mcp", "two__echo", "{}", ""), "Unknown tool: two__echo");
    must_have(modern_call(d, "/mcp", "echo", "{}", ""), "Unknown tool: echo");
}

static void a_call_denied_by_its_arguments_is_a_failed_result(void **state)
{
    heard *h = modern_call(((house *)*state)->d, "/mcp", "one__echo", "{\"loud\":true}", "");
    must_status(h, 200);
    must_have(h, "\"content\":[{\"type\":\"text\",\"text\":\"be "
                 "quiet\"}],\"isError\":true,\"resultType\":\"complete\"");
}

static void a_missing_scope_is_named(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = modern_call(d, "/mcp", "one__scoped", "{}", as(d, "alice", "tools:read"));
    must_status(h, 403);
    must_have(h, "WWW-Authenticate: Bearer error=\"insufficient_scope\"");
    must_have(h, "scope=\"tools:write\"");
    must_have(h, "resource_metadata=\"http://127.0.0.1/.well-known/oauth-protected-resource/mcp\"");
    must_status(modern_call(d, "/mcp", "one__scoped", "{}", as(d, "alice", "tools:write")), 200);
    must_have(modern_call(d, "/bare", "scoped", "{}", as(d, "alice", "")), "Unknown tool: scoped");
}

static void a_bad_token_is_challenged_even_where_nobody_needs_one(void **state)
{
    heard *h = modern_list(((house *)*state)->d, "/mcp", "Authorization: Bearer nonsense\r\n");
    must_status(h, 401);
    must_have(h, "WWW-Authenticate: Bearer error=\"invalid_token\"");
    must_have(h, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":401,");
}

static void a_rotated_key_is_fetched_once_and_waited_for(void **state)
{
    door *d = ((house *)*state)->d;
    const char *rotated = arena_fmt(d->a, "Authorization: Bearer %.*s\r\n",
                                    STR_ARG(door_token(d->a, S("k2"), "alice", "")))
                              .p;
    const char *unknown = arena_fmt(d->a, "Authorization: Bearer %.*s\r\n",
                                    STR_ARG(door_token(d->a, S("k3"), "alice", "")))
                              .p;
    must_have(modern_list(d, "/mcp", rotated), "one__secret");
    assert_int_equal(atomic_load(&d->wanted_keys), 1);
    must_have(modern_list(d, "/mcp", rotated), "one__secret");
    assert_int_equal(atomic_load(&d->wanted_keys), 1);
    must_status(modern_list(d, "/mcp", unknown), 401);
}

static void progress_streams_with_the_clients_own_token(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h =
        door_ask(d, "POST", "/mcp", modern_head(d, "tools/call", "one__slow", ""),
                 "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"tools/"
                 "call\",\"params\":{\"name\":\"one__slow\",\"_meta\":{\"progressToken\":\"mine\","
                 "\"io.modelcontextprotocol/"
                 "protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/"
                 "clientCapabilities\":{}}}}");
    must_status(h, 200);
    must_have(h, "Content-Type: text/event-stream");
    must_have(h,
              "data: "
              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
              "progress\",\"params\":{\"progressToken\":\"mine\",\"progress\":1,\"total\":3}}\n\n");
    const char *third = strstr(h->all, "\"progress\":3"),
               *last = strstr(h->all, "\"id\":\"x\",\"result\"");
    assert_true(third && last && third < last);
    must_have(modern_call(d, "/mcp", "one__slow", "{}", ""),
              "Content-Type: application/json"); /* no token: nothing to stream */
}

static void upstream_failures_leak_nothing(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = modern_call(d, "/mcp", "one__admin", "{}", "");
    must_status(h, 200);
    must_have(h, "\"error\":{\"code\":-32603");
    must_not_have(h, "stack trace");
    assert_non_null(strstr(d->last_record, "error=upstream;"));
    heard *boom = modern_call(d, "/mcp", "one__boom", "{}", "");
    must_have(boom, "\"error\":{\"code\":-32603,\"message\":\"kaputt\"}}"); /* a code nobody may
                                                                               interpret */
}

static void param_headers_must_agree_with_the_body(void **state)
{
    door *d = ((house *)*state)->d;
    must_status(modern_call(d, "/mcp", "one__region", "{\"r\":\"eu\"}", ""), 400);
    must_have(modern_call(d, "/mcp", "one__region", "{\"r\":\"eu\"}", "Mcp-Param-Region: us\r\n"),
              "-32020");
    must_status(modern_call(d, "/mcp", "one__region", "{\"r\":\"eu\"}",
                            "Mcp-Param-Region: =?base64?ZXU=?=\r\n"),
                200);
    must_status(modern_call(d, "/mcp", "one__region", "{\"r\":\"eu\"}",
                            "Mcp-Param-Region: =?base64?ZXU?=\r\n"),
                400);
    must_status(modern_call(d, "/mcp", "one__region", "{}", ""), 200);
    must_status(modern_call(d, "/mcp", "one__echo", "{}", "Mcp-Param-Region: us\r\n"),
                200); /* somebody else's */
}

static void methods_and_types_that_do_not_fit_are_refused(void **state)
{
    door *d = ((house *)*state)->d;
    heard *put = door_ask(d, "PUT", "/mcp", "", "");
    must_status(put, 405);
    must_have(put, "Allow: GET, POST, DELETE");
    must_status(door_ask(d, "GET", "/mcp", "", ""), 400);
    must_status(door_ask(d, "GET", "/mcp", "MCP-Protocol-Version: 2026-07-28\r\n", ""), 405);
    must_status(door_ask(d, "DELETE", "/mcp", "MCP-Protocol-Version: 2026-07-28\r\n", ""), 405);
    must_status(door_ask(d, "POST", "/mcp", "Content-Type: text/plain\r\n", "{}"), 415);
    must_status(door_ask(d, "POST", "/mcp", "", "{"), 400);
}

static void an_old_session_works_and_ends(void **state)
{
    door *d = ((house *)*state)->d;
    const char *s = legacy_session(d, "/mcp", "2025-06-18", "");
    must_status(door_ask(d, "POST", "/mcp", s,
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"),
                202);
    heard *pong =
        door_ask(d, "POST", "/mcp", s, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}");
    must_have(pong, "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}");
    heard *list =
        door_ask(d, "POST", "/mcp", s, "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/list\"}");
    must_have(list, "one__echo");
    must_not_have(list, "ttlMs");
    must_not_have(list, "resultType");
    must_have(list, "\"outputSchema\":{\"type\":\"object\",\"properties\":{\"result\":{\"type\":"
                    "\"array\"}},\"required\":[\"result\"]}");
    heard *typed = door_ask(d, "POST", "/mcp", s,
                            "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/"
                            "call\",\"params\":{\"name\":\"one__typed\"}}");
    must_have(typed, "\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"[1,2]\"}],"
                     "\"structuredContent\":{\"result\":[1,2]}}");
    must_status(door_ask(d, "POST", "/bare", s,
                         "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}"),
                404);
    const char *stolen = arena_fmt(d->a, "%s%s", s, as(d, "alice", "")).p;
    must_status(door_ask(d, "POST", "/mcp", stolen,
                         "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}"),
                404);
    heard *unknown =
        door_ask(d, "POST", "/mcp", s, "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"nope\"}");
    must_status(unknown, 200);
    must_have(unknown, "-32601");
    must_status(door_ask(d, "DELETE", "/mcp", s, ""), 204);
    must_status(door_ask(d, "POST", "/mcp", s,
                         "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}"),
                404);
    must_status(door_ask(d, "DELETE", "/mcp", s, ""), 404);
}

static void a_batch_is_answered_only_where_it_is_legal(void **state)
{
    door *d = ((house *)*state)->d;
    const char *two = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"},{\"jsonrpc\":\"2.0\","
                      "\"method\":\"notifications/initialized\"},"
                      "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
                      "call\",\"params\":{\"name\":\"one__echo\"}},"
                      "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\",\"params\":{}}]";
    heard *h = door_ask(d, "POST", "/mcp", legacy_session(d, "/mcp", "2025-03-26", ""), two);
    must_status(h, 200);
    must_have(h, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":2,"
                 "\"result\":{\"content\":");
    must_have(h, "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32600");
    assert_non_null(strstr(d->last_record, "tool=one/echo;"));
    must_status(door_ask(d, "POST", "/mcp", legacy_session(d, "/mcp", "2025-11-25", ""), two), 400);
    must_status(door_ask(d, "POST", "/mcp", "", two), 400);
    must_status(door_ask(d, "POST", "/mcp", legacy_session(d, "/mcp", "2025-03-26", ""),
                         "[{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]"),
                202);
}

static void the_modern_handshake_says_what_is_served(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = door_ask(d, "POST", "/mcp", modern_head(d, "server/discover", NULL, ""),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server/"
                        "discover\",\"params\":{" MODERN_META "}}");
    must_status(h, 200);
    must_have(h, "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{"
                 "\"listChanged\":true},\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}},"
                 "\"ttlMs\":");
    heard *gone =
        door_ask(d, "POST", "/mcp", modern_head(d, "ping", NULL, ""),
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{" MODERN_META "}}");
    must_status(gone, 404);
    must_have(gone, "\"id\":1,\"error\":{\"code\":-32601");
}

static void the_resource_is_described_where_the_challenge_says(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = door_ask(d, "GET", "/.well-known/oauth-protected-resource/mcp", "", "");
    must_status(h, 200);
    must_have(h, "{\"resource\":\"http://127.0.0.1/mcp\",\"authorization_servers\":[\"https://"
                 "login.example\"],\"scopes_supported\":[\"tools:read\"]");
    must_status(door_ask(d, "GET", "/.well-known/oauth-protected-resource/nope", "", ""), 404);
    must_status(door_ask(d, "GET", "/.well-known/oauth-protected-resource", "", ""), 200);
}

static void a_client_that_leaves_cancels_the_call(void **state)
{
    (void)state;
    fake *f = fake_open(hangs);
    door *d = door_open(rules, true);
    door_add(d, "one", f);
    door_start(d);
    must_have(modern_list(d, "/mcp", ""), "one__echo");
    int fd = door_dial(d), before = atomic_load(&d->finished);
    const char *body = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/"
                       "call\",\"params\":{\"name\":\"one__echo\"," MODERN_META "}}";
    send_text(fd, arena_fmt(d->a,
                            "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                            "application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
                            modern_head(d, "tools/call", "one__echo", ""), strlen(body), body)
                      .p);
    for (int i = 0; i < 2000 && !atomic_load(&f->seen[0]); i++) nap(1);
    close(fd);
    for (int i = 0; i < 2000 && !atomic_load(&f->seen[1]); i++) nap(1);
    assert_int_equal(atomic_load(&f->seen[1]), 1);
    for (int i = 0; i < 2000 && atomic_load(&d->finished) == before; i++) nap(1);
    assert_int_equal(atomic_load(&d->finished), before + 1);
    door_close(d);
    fake_close(f);
}

static void an_old_client_cancels_by_its_id(void **state)
{
    (void)state;
    fake *f = fake_open(hangs);
    door *d = door_open(rules, true);
    door_add(d, "one", f);
    door_start(d);
    const char *s = legacy_session(d, "/mcp", "2025-11-25", "");
    must_have(door_ask(d, "POST", "/mcp", s,
                       "{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"tools/list\"}"),
              "one__echo");
    int fd = door_dial(d);
    heard *h = NEW(d->a, heard);
    const char *body = "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"tools/"
                       "call\",\"params\":{\"name\":\"one__echo\"}}";
    send_text(fd, arena_fmt(d->a,
                            "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: "
                            "close\r\nContent-Type: application/json\r\n%sContent-Length: "
                            "%zu\r\n\r\n%s",
                            s, strlen(body), body)
                      .p);
    for (int i = 0; i < 2000 && !atomic_load(&f->seen[0]); i++) nap(1);
    must_status(door_ask(d, "POST", "/mcp", s,
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                         "cancelled\",\"params\":{\"requestId\":\"other\"}}"),
                202);
    assert_int_equal(atomic_load(&f->seen[1]), 0);
    must_status(door_ask(d, "POST", "/mcp", s,
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                         "cancelled\",\"params\":{\"requestId\":\"c\"}}"),
                202);
    door_hear(fd, h);
    must_status(h, 200);
    must_have(h, "text/event-stream");
    must_not_have(h, "jsonrpc");
    for (int i = 0; i < 2000 && !atomic_load(&f->seen[1]); i++) nap(1);
    assert_int_equal(atomic_load(&f->seen[1]), 1);
    door_close(d);
    fake_close(f);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        HOUSE(a_call_carries_the_arguments_byte_for_byte),
        HOUSE(a_hidden_tool_is_answered_like_one_that_does_not_exist),
        HOUSE(a_call_denied_by_its_arguments_is_a_failed_result),
        HOUSE(a_missing_scope_is_named),
        HOUSE(a_bad_token_is_challenged_even_where_nobody_needs_one),
        HOUSE(a_rotated_key_is_fetched_once_and_waited_for),
        HOUSE(progress_streams_with_the_clients_own_token),
        HOUSE(upstream_failures_leak_nothing),
        HOUSE(param_headers_must_agree_with_the_body),
        HOUSE(methods_and_types_that_do_not_fit_are_refused),
        HOUSE(an_old_session_works_and_ends),
        HOUSE(a_batch_is_answered_only_where_it_is_legal),
        HOUSE(the_modern_handshake_says_what_is_served),
        HOUSE(the_resource_is_described_where_the_challenge_says),
        cmocka_unit_test(a_client_that_leaves_cancels_the_call),
        cmocka_unit_test(an_old_client_cancels_by_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
