/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* mcp_list_test.c - tools/list from end to end: whose tools, which names, pages, dead servers. */
#include "door_house.h"

static void a_list_shows_what_the_caller_may_call(void **state)
{
    door *d = ((house *)*state)->d;
    heard *nobody = modern_list(d, "/mcp", ""), *alice = modern_list(d, "/mcp", as(d, "alice", ""));
    must_status(nobody, 200);
    must_have(nobody,
              "{\"jsonrpc\":\"2.0\",\"id\":\"L\",\"result\":{\"tools\":[{\"name\":\"one__echo\"");
    must_not_have(nobody, "secret");
    must_not_have(nobody, "scoped");
    must_have(alice, "one__secret");
    must_have(alice, "\"cacheScope\":\"private\"");
    must_have(alice, "\"resultType\":\"complete\"");
    must_have(alice, "18446744073709551615"); /* bytes pass */
    must_have(alice, "\"outputSchema\":{\"type\":\"array\"}");
    must_have(alice, "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"door\"");
}

static void a_long_name_is_shortened_and_found_again(void **state)
{
    door *d = ((house *)*state)->d;
    heard *list = modern_list(d, "/mcp", "");
    const char *at = strstr(list->all, "one__a_tool_with");
    assert_non_null(at);
    char name[80];
    keep_text(name, sizeof name, (str){at, strcspn(at, "\"")});
    assert_int_equal(strlen(name), 64);
    must_have(modern_call(d, "/mcp", name, "{}", ""), "\"text\":\"a_tool_with_a_name_that_is");
    must_have(modern_call(d, "/mcp",
                          "one__a_tool_with_a_name_that_is_quite_a_bit_longer_than_a_model_"
                          "provider_likes",
                          "{}", ""),
              "Unknown tool");
}

static void a_name_of_two_servers_belongs_to_neither(void **state)
{
    (void)state;
    fake *f = fake_open(modern);
    door *d = door_open(rules, true);
    door_add(d, "one", f);
    door_add(d, "two", f);
    door_start(d);
    must_have(modern_call(d, "/bare", "echo", "{}", ""), "Unknown tool: echo");
    must_not_have(modern_list(d, "/bare", ""), "\"echo\"");
    must_have(modern_list(d, "/mcp", ""), "two__echo");
    door_close(d);
    fake_close(f);
}

static void a_dead_server_misses_only_its_own_tools(void **state)
{
    (void)state;
    fake *f = fake_open(modern), *gone = fake_open(modern);
    door *d = door_open(rules, true);
    door_add(d, "dead", gone);
    door_add(d, "one", f);
    fake_close(gone);
    door_start(d);
    heard *h = modern_list(d, "/mcp", "");
    must_status(h, 200);
    must_have(h, "one__echo");
    must_have(h, "\"ttlMs\":0");
    assert_non_null(strstr(d->last_record, "missing=dead;"));
    must_have(modern_call(d, "/mcp", "dead__echo", "{}", ""), "Unknown tool: dead__echo");
    door_close(d);
    fake_close(f);
}

static void paged(fake *f, int fd, const fake_request *rq)
{
    if (strcmp(rq->method, "tools/list") != 0) {
        modern(f, fd, rq);
        return;
    }
    static char many[1 << 17];
    size_t n = 0;
    for (int i = 0; i < 1200; i++)
        n += (size_t)snprintf(many + n, sizeof many - n,
                              "%s{\"name\":\"a_tool%d\",\"inputSchema\":{\"type\":\"object\"}}",
                              i ? "," : "", i);
    fake_json(fd, 200, "",
              "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"tools\":[%"
              "s],\"ttlMs\":60000,\"cacheScope\":\"public\"}}",
              rq->id, many);
}

static heard *list_from(door *d, const char *cursor, const char *more)
{
    str body = arena_fmt(d->a,
                         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
                         "list\",\"params\":{\"cursor\":\"%s\"," MODERN_META "}}",
                         cursor);
    return door_ask(d, "POST", "/mcp", modern_head(d, "tools/list", NULL, more), body.p);
}

static void long_lists_come_in_pages_bound_to_their_caller(void **state)
{
    (void)state;
    fake *f = fake_open(paged);
    door *d = door_open(rules, true);
    door_add(d, "one", f);
    door_start(d);
    heard *h = modern_list(d, "/mcp", "");
    char cursor[400], first[400];
    size_t tools_seen = 0, pages = 0;
    for (;;) {
        for (const char *p = h->body; (p = strstr(p, "one__a_tool")); p++) tools_seen++;
        json_word(h->all, "nextCursor", cursor, sizeof cursor);
        if (!pages++) keep_text(first, sizeof first, (str){cursor, strlen(cursor)});
        if (!cursor[0]) break;
        h = list_from(d, cursor, "");
    }
    assert_int_equal(pages, 3);
    assert_int_equal(tools_seen, 1200);
    must_have(list_from(d, first, as(d, "alice", "")), "-32602");
    must_have(list_from(d, "abc", ""), "-32602");
    must_have(list_from(d, "", ""), "-32602");
    door_close(d);
    fake_close(f);
}

static void a_full_page_does_not_tell_that_more_is_hidden(void **state)
{
    (void)state;
    static const char five_hundred[] = "policy: v1\nname: test\nrules:\n"
                                       "  - {id: some, permit: [\"*/a_tool1??\", \"*/a_tool2??\", "
                                       "\"*/a_tool3??\", \"*/a_tool4??\", "
                                       "\"*/a_tool5??\"]}\n";
    fake *f = fake_open(paged);
    door *d = door_open(five_hundred, true);
    door_add(d, "one", f);
    door_start(d);
    heard *h = modern_list(d, "/mcp", "");
    must_have(h, "one__a_tool599");
    must_not_have(h, "nextCursor");
    door_close(d);
    fake_close(f);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        HOUSE(a_list_shows_what_the_caller_may_call),
        HOUSE(a_long_name_is_shortened_and_found_again),
        cmocka_unit_test(a_name_of_two_servers_belongs_to_neither),
        cmocka_unit_test(a_dead_server_misses_only_its_own_tools),
        cmocka_unit_test(a_full_page_does_not_tell_that_more_is_hidden),
        cmocka_unit_test(long_lists_come_in_pages_bound_to_their_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
