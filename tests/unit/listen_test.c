/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* listen_test.c - subscriptions/listen at the door: what is acknowledged, refused, and ended. */
#include "door_house.h"

#define LISTEN(id, wishes)                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"subscriptions/listen\",\"params\":{"          \
    "\"notifications\":" wishes "," MODERN_META "}}"

#define FOLLOWS                                                                                    \
    "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","                       \
    "\"io.modelcontextprotocol/clientCapabilities\":{\"extensions\":{"                             \
    "\"io.modelcontextprotocol/tasks\":{}}}}"

static int begin(door *d, const char *more, const char *body)
{
    int fd = door_dial(d);
    const char *head = modern_head(d, "subscriptions/listen", NULL, more);
    str all =
        arena_fmt(d->a,
                  "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                  "%sContent-Length: %zu\r\n\r\n%s",
                  head, strlen(body), body);
    assert_int_equal(send(fd, all.p, all.n, 0), (ssize_t)all.n);
    return fd;
}

/* Reads until `word` came. */
static void read_until(int fd, char *text, size_t room, const char *word)
{
    size_t n = 0;
    text[0] = 0;
    while (!strstr(text, word) && n < room - 1) {
        ssize_t got = recv(fd, text + n, room - 1 - n, 0);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = 0;
    }
}

static void the_acknowledgement_comes_first_and_names_what_is_honoured(void **state)
{
    door *d = ((house *)*state)->d;
    char text[4096];
    int fd = begin(d, "", LISTEN("\"x\"", "{\"toolsListChanged\":true,\"weather\":true}"));
    read_until(fd, text, sizeof text, "true}}}");
    assert_non_null(strstr(text, "text/event-stream"));
    assert_non_null(strstr(text,
                           "\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":"
                           "\"x\"},\"notifications\":{\"toolsListChanged\":true}}}"));
    close(fd);
}

static void a_stream_is_a_place_among_its_callers(void **state)
{
    door *d = ((house *)*state)->d;
    char text[4096];
    int fd[2];
    for (int i = 0; i < 2; i++) {
        fd[i] = begin(d, as(d, "alice", ""), LISTEN("1", "{}"));
        read_until(fd[i], text, sizeof text, "acknowledged");
    }
    int third = begin(d, as(d, "alice", ""), LISTEN("2", "{}"));
    read_until(third, text, sizeof text, "too many streams");
    assert_non_null(strstr(text, "HTTP/1.1 429"));
    close(third);
    close(fd[0]);
    close(fd[1]);
}

static void what_is_no_wish_is_refused(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = door_ask(d, "POST", "/mcp", modern_head(d, "subscriptions/listen", NULL, ""),
                        LISTEN("3", "[]"));
    must_status(h, 200);
    must_have(h, "\"code\":-32602");
}

static void tasks_are_told_of_to_who_follows_tasks(void **state)
{
    door *d = ((house *)*state)->d;
    heard *h = door_ask(d, "POST", "/mcp", modern_head(d, "subscriptions/listen", NULL, ""),
                        LISTEN("4", "{\"taskIds\":[\"x\"]}"));
    must_status(h, 400);
    must_have(h, "\"code\":-32021");
    must_have(h,
              "\"requiredCapabilities\":{\"extensions\":{\"io.modelcontextprotocol/tasks\":{}}}");
}

static void ids_that_were_given_to_nobody_are_left_out(void **state)
{
    static const char *const bodies[] = {"{\"taskIds\":[\"x\",7,null,\"\",{\"a\":1}]}",
                                         "{\"taskIds\":\"x\"}", "{\"taskIds\":[]}"};
    door *d = ((house *)*state)->d;
    char text[4096];
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        str body = arena_fmt(d->a,
                             "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"subscriptions/listen\","
                             "\"params\":{\"notifications\":%s," FOLLOWS "}}",
                             bodies[i]);
        int fd = begin(d, "", body.p);
        read_until(fd, text, sizeof text, "\"notifications\":{}}}");
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE(the_acknowledgement_comes_first_and_names_what_is_honoured),
        HOUSE(a_stream_is_a_place_among_its_callers),
        HOUSE(what_is_no_wish_is_refused),
        HOUSE(tasks_are_told_of_to_who_follows_tasks),
        HOUSE(ids_that_were_given_to_nobody_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
