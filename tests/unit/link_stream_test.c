/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* link_stream_test.c - which addresses for messages are taken from an event stream. */
#include "../../mcp/link_stream.h"

#include "own_arena.h"

static void an_address_is_of_the_servers_own_origin(void **state)
{
    (void)state;
    static const struct {
        str base, said, target; /* target {0}: refused */
    } cases[] = {
        {S("http://h:1/sse"), S("/messages?of=1"), S("/messages?of=1")},
        {S("http://h:1/a/sse?x=/y"), S("messages"), S("/a/messages")},
        {S("http://h:1/a/sse?x=/y"), S("?of=1"), S("/a/sse?of=1")},
        {S("http://h:1/sse"), S("http://h:1/m?s=2"), S("/m?s=2")},
        {S("https://H/sse"), S("https://h:443/m"), S("/m")},
        {S("http://h:1/sse"), S("http://h:2/m"), {0}},
        {S("http://h:1/sse"), S("http://other:1/m"), {0}},
        {S("http://h:1/sse"), S("https://h:1/m"), {0}},
        {S("http://h:1/sse"), S("//other/m"), {0}},
        {S("http://h:1/sse"), S("/m#x"), {0}},
        {S("http://h:1/sse"), S("/m\r\nX: y"), {0}},
        {S("http://h:1/sse"), S("/\\other"), {0}},
        {S("http://h:1/sse"), S(""), {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str target = {0};
        const err *e = link_stream_target(a, cases[i].base, cases[i].said, &target);
        assert_int_equal(!e, cases[i].target.p != NULL);
        if (!e) assert_true(str_eq(target, cases[i].target));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(an_address_is_of_the_servers_own_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
