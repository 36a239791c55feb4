/* SPDX-License-Identifier: Apache-2.0 */
/* door_house.h - a door with one server behind it and rules for two callers. */
#ifndef SP_TEST_DOOR_HOUSE_H
#define SP_TEST_DOOR_HOUSE_H
#include "door_client.h"

/* One server in the modern manner. Tools: echo, secret, admin, slow (progress), boom, old, typed.
 */
static const char tools[] =
    "[{\"name\":\"echo\",\"description\":\"says "
    "it\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"n\":{\"default\":"
    "18446744073709551615}}}},"
    "{\"name\":\"secret\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"admin\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"slow\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"boom\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"scoped\",\"inputSchema\":{\"type\":\"object\"}},"
    "{\"name\":\"typed\",\"outputSchema\":{\"type\":\"array\"},\"inputSchema\":{\"type\":"
    "\"object\"}},"
    "{\"name\":\"region\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"r\":{\"type\":"
    "\"string\",\"x-mcp-header\":\"Region\"}}}},"
    "{\"name\":\"a_tool_with_a_name_that_is_quite_a_bit_longer_than_a_model_provider_likes\","
    "\"inputSchema\":{\"type\":\"object\"}}]";

DOOR void slow(int fd, const fake_request *rq)
{
    char token[64];
    json_word(rq->body, "progressToken", token, sizeof token);
    fake_stream(fd);
    for (int i = 1; i <= 3; i++)
        fake_event(fd,
                   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "progress\",\"params\":{\"progressToken\":%s,\"progress\":%d,\"total\":3}}",
                   token, i);
    nap(30);
    fake_event(fd,
               "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\",\"content\":"
               "[]}}",
               rq->id);
    fake_stream_end(fd);
}

DOOR void answer_call(fake *f, int fd, const fake_request *rq)
{
    char name[128];
    head_value(rq->head, "mcp-name", name, sizeof name);
    atomic_fetch_add(&f->seen[0], 1);
    if (!strcmp(name, "slow"))
        slow(fd, rq);
    else if (!strcmp(name, "boom"))
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32010,\"message\":"
                  "\"kaputt\",\"data\":{\"inner\":1}}}",
                  rq->id);
    else if (!strcmp(name, "admin"))
        fake_json(fd, 500, "", "stack trace of the server");
    else if (!strcmp(name, "typed"))
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\","
                  "\"content\":[],\"structuredContent\":[1,2]}}",
                  rq->id);
    else {
        const char *args = strstr(rq->body, "\"arguments\":");
        bool exact = args && strstr(args, "{\"n\":0.10,\"big\":18446744073709551615}");
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\","
                  "\"content\":[{\"type\":\"text\",\"text\":\"%s\"}],\"_meta\":{\"k\":1,\"io."
                  "modelcontextprotocol/serverInfo\":{\"name\":\"inner\"}}}}",
                  rq->id, exact ? "exact" : name);
    }
}

DOOR void modern(fake *f, int fd, const fake_request *rq)
{
    if (!strcmp(rq->method, "server/discover"))
        fake_discover(fd, rq);
    else if (!strcmp(rq->method, "tools/list"))
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"resultType\":\"complete\","
                  "\"tools\":%s,\"ttlMs\":60000,\"cacheScope\":\"public\"}}",
                  rq->id, tools);
    else if (!strcmp(rq->method, "tools/call"))
        answer_call(f, fd, rq);
    else
        fake_empty(fd, 202);
}

DOOR void hangs(fake *f, int fd, const fake_request *rq)
{
    if (!strcmp(rq->method, "tools/call")) {
        atomic_fetch_add(&f->seen[0], 1);
        char one;
        (void)recv(fd, &one, 1, 0); /* until the caller gives up */
        atomic_fetch_add(&f->seen[1], 1);
        shutdown(fd, SHUT_RDWR);
        return;
    }
    modern(f, fd, rq);
}

static const char rules[] =
    "policy: v1\n"
    "name: test\n"
    "rules:\n"
    "  - {id: open, permit: [\"*/echo\", \"*/slow\", \"*/boom\", \"*/typed\", \"*/region\", "
    "\"*/a_tool*\", \"*/admin\"]}\n"
    "  - {id: secrets, permit: [\"*/secret\"], when: jwt.sub == \"alice\"}\n"
    "  - {id: scoped, permit: [\"*/scoped\"], scopes: [\"tools:write\"]}\n"
    "  - {id: calm, forbid: [\"*/echo\"], when: \"has(args.loud)\", message: be quiet}\n";

typedef struct {
    door *d;
    fake *f;
} house;

DOOR int open_house(void **state)
{
    house *h = calloc(1, sizeof *h);
    h->f = fake_open(modern);
    h->d = door_open(rules, true);
    door_add(h->d, "one", h->f);
    door_start(h->d);
    *state = h;
    return 0;
}

DOOR int close_house(void **state)
{
    house *h = *state;
    door_close(h->d);
    fake_close(h->f);
    free(h);
    return 0;
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, open_house, close_house)
#endif
