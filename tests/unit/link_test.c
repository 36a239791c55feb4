/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over HTTP to a modern server, and to a bad one. */
#include "link_fixture.h"

static void a_modern_call_carries_its_envelope(void **state)
{
    static const char schema[] = "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":"
                                 "\"string\",\"x-mcp-header\":\"Region\"},"
                                 "\"n\":{\"type\":\"integer\",\"x-mcp-header\":\"N\"},\"none\":{"
                                 "\"type\":\"string\",\"x-mcp-header\":\"None\"}}}";
    static const char args[] = "{\"region\":\"zürich\",\"n\":7,\"none\":null}";
    static const header more[] = {{S("X-Tenant"), S("t1")},
                                  {S("Mcp-Name"), S("forged")},
                                  {S("Accept"), S("x")},
                                  {{0}, {0}}};
    (void)state;
    upstream *u = against(modern_server);
    watched *w =
        rig_ask(&r, 0,
                (link_request){.to = u,
                               .name = S("zählen"),
                               .progress = true,
                               .log_level = S("info"),
                               .meta = S("\"traceparent\":\"00-1\""),
                               .headers = more,
                               .input_schema = js_view(JS_OBJECT, (str){schema, sizeof schema - 1}),
                               .arguments = js_view(JS_OBJECT, (str){args, sizeof args - 1})});
    assert_string_equal(w->why, "");
    assert_string_equal(w->result, "{\"said\":\"hi\"}");
    const char *wanted[] = {"POST /mcp HTTP/1.1",
                            "MCP-Protocol-Version: 2026-07-28\r\n",
                            "Mcp-Method: tools/call\r\n",
                            "Mcp-Name: =?base64?esOkaGxlbg==?=\r\n",
                            "Mcp-Param-Region: =?base64?esO8cmljaA==?=\r\n",
                            "Mcp-Param-N: 7\r\n",
                            "X-Tenant: t1\r\n",
                            "Accept: application/json, text/event-stream\r\n",
                            "\"params\":{\"name\":\"echo\",\"arguments\":{},\"_meta\":{",
                            "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"",
                            "\"io.modelcontextprotocol/clientCapabilities\":{}",
                            "\"io.modelcontextprotocol/logLevel\":\"info\"",
                            "\"progressToken\":",
                            "\"traceparent\":\"00-1\"}}}",
                            "\"name\":\"sallyport\""};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!strstr(f->noted, wanted[i])) fail_msg("missing %s in\n%s", wanted[i], f->noted);
    }
    assert_null(strstr(f->noted, "forged"));
    assert_null(strstr(f->noted, "Mcp-Param-None"));
    free(w);
}

static void the_era_is_probed_once(void **state)
{
    (void)state;
    upstream *u = against(modern_server);
    watched *w[8];
    for (unsigned i = 0; i < 8; i++) w[i] = rig_call(&r, i % 2, (link_request){.to = u});
    for (unsigned i = 0; i < 8; i++) {
        assert_true(watched_over(w[i], 3000));
        assert_string_equal(w[i]->result, "{\"said\":\"hi\"}");
        free(w[i]);
    }
    assert_int_equal(atomic_load(&f->requests), 9);
}

static void streaming_server(fake *s, int fd, const fake_request *rq)
{
    (void)s;
    if (discovered(fd, rq)) return;
    fake_stream(fd);
    send_text(fd, "3\r\n:x\n\r\n");
    fake_event(fd,
               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
               "progress\",\"params\":{\"progressToken\":%s,\"progress\":1.50,\"total\":"
               "18446744073709551615}}",
               rq->id);
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "progress\",\"params\":{\"progressToken\":1,\"progress\":2}}");
    fake_event(fd, "not json");
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{\"said\":\"to another\"}}");
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "message\",\"params\":{\"level\":\"debug\",\"data\":1}}");
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "message\",\"params\":{\"level\":\"error\",\"data\":2}}");
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
                   "message\",\"params\":{\"level\":\"odd\",\"data\":3}}");
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"said\":\"streamed\"}}", rq->id);
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"said\":\"twice\"}}", rq->id);
    fake_stream_end(fd);
}

static void a_stream_brings_notices_then_the_answer(void **state)
{
    (void)state;
    upstream *u = against(streaming_server);
    watched *w =
        rig_ask(&r, 0, (link_request){.to = u, .progress = true, .log_level = S("warning")});
    assert_string_equal(w->result, "{\"said\":\"streamed\"}");
    assert_int_equal(w->notices, 2);
    assert_string_equal(w->last, "{\"level\":\"error\",\"data\":2}");
    free(w);
    w = rig_ask(&r, 0, (link_request){.to = u, .progress = true});
    assert_int_equal(w->notices, 1);
    assert_string_equal(w->last, "{\"progress\":1.50,\"total\":18446744073709551615}");
    free(w);
    w = rig_ask(&r, 0, (link_request){.to = u});
    assert_int_equal(w->notices, 0);
    free(w);
}

static void connections_survive_streamed_answers(void **state)
{
    (void)state;
    upstream *u = against(streaming_server);
    for (int i = 0; i < 20; i++) {
        free(rig_ask(&r, 0, (link_request){.to = u}));
        nap(5);
    }
    assert_true(atomic_load(&f->connections) <= 8);
}

static void bad_server(fake *s, int fd, const fake_request *rq)
{
    static const char *const raw[] = {
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{]",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: "
        "gzip\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        "48\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":99999999,\"result\":{\"a\":1}}",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        "44\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":77,\"result\":{\"a\":1}}  ",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{",
        "HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Go\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 429 No\r\nContent-Length: 3\r\n\r\nno!",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: a "
        "b\r\nContent-Length: 2\r\n\r\n{}",
        "rubbish\r\n\r\n",
    };
    if (discovered(fd, rq)) return;
    int i = atomic_fetch_add(&s->seen[HITS], 1);
    send_text(fd, raw[i]);
}

static void every_bad_answer_is_an_upstream_error(void **state)
{
    static const char *const says[] = {"neither JSON",
                                       "unreadable",
                                       "coded",
                                       "not asked",
                                       "not asked",
                                       "too large",
                                       "neither JSON",
                                       "HTTP 500",
                                       "refused our credential (HTTP 401)",
                                       "refused our credential (HTTP 403)",
                                       "HTTP 302",
                                       "HTTP 429",
                                       "without an answer",
                                       "session id",
                                       ""};
    (void)state;
    upstream *u = against(bad_server);
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        watched *w = rig_ask(&r, 0, (link_request){.to = u});
        if (!w->why[0] || w->kind != ERR_UPSTREAM || !strstr(w->why, says[i])) {
            fail_msg("case %zu: kind %d, %s", i, (int)w->kind, w->why);
        }
        assert_string_equal(w->result, "");
        free(w);
    }
}

static void refusing_server(fake *s, int fd, const fake_request *rq)
{
    if (discovered(fd, rq)) return;
    int i = atomic_fetch_add(&s->seen[HITS], 1);
    int status = i == 0 ? 200 : i == 1 ? 404 : 400;
    int code = i == 0 ? -32602 : i == 1 ? -32601 : -32021;
    if (i == 3)
        fake_json(fd, 400, "",
                  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32020,\"message\":\"m\"}}");
    else
        fake_json(fd, status, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":\"m\"}}",
                  rq->id, code);
}

static void protocol_errors_are_passed_on(void **state)
{
    static const char *const codes[] = {"-32602", "-32601", "-32021", "-32020"};
    (void)state;
    upstream *u = against(refusing_server);
    for (size_t i = 0; i < 4; i++) {
        watched *w = rig_ask(&r, 1, (link_request){.to = u});
        assert_string_equal(w->why, "");
        if (!strstr(w->error, codes[i])) fail_msg("case %zu: %s", i, w->error);
        free(w);
    }
}

static void silent_server(fake *s, int fd, const fake_request *rq)
{
    if (discovered(fd, rq)) return;
    atomic_fetch_add(&s->seen[HITS], 1);
    char c;
    if (read(fd, &c, 1) == 0) atomic_fetch_add(&s->closed_early, 1);
}

static bool wait_closed(int n)
{
    for (int i = 0; i < 2000 && atomic_load(&f->closed_early) < n; i++) nap(2);
    return atomic_load(&f->closed_early) == n;
}

static void silence_is_a_timeout_and_closes_the_stream(void **state)
{
    (void)state;
    upstream *u = against(silent_server);
    watched *w = rig_ask(&r, 0, (link_request){.to = u, .timeout_ms = 100});
    assert_int_equal(w->kind, ERR_TIMEOUT);
    assert_true(wait_closed(1));
    rig_no_calls_left(&r);
    free(w);
}

static void cancelling_closes_the_stream(void **state)
{
    (void)state;
    upstream *u = against(silent_server);
    watched *w = rig_call(&r, 1, (link_request){.to = u});
    assert_true(wait_seen(HITS, 1));
    rig_on(&r, 1, watched_cancel, w);
    assert_true(wait_closed(1));
    rig_no_calls_left(&r);
    assert_int_equal(atomic_load(&w->ends), 0);
    free(w);
}

static void cancelling_from_inside_a_notice_is_safe(void **state)
{
    (void)state;
    upstream *u = against(streaming_server);
    watched *w = calloc(1, sizeof *w);
    w->cancel_on_notice = true;
    w->rq = (link_request){.to = u,
                           .method = S("tools/call"),
                           .params = S(""),
                           .caller_id = S("a"),
                           .progress = true};
    rig_on(&r, 0, watched_start, w);
    assert_true(watched_over(w, 2000));
    nap(20);
    assert_int_equal(w->notices, 1);
    assert_string_equal(w->result, "");
    rig_no_calls_left(&r);
    free(w);
}

static void calls_are_counted_by_outcome(void **state)
{
    (void)state;
    upstream *u = against(refusing_server);
    for (int i = 0; i < 3; i++) free(rig_ask(&r, 0, (link_request){.to = u}));
    buf b = buf_new(r.a, 1 << 20);
    metrics_write(r.s.meters, &b);
    const char *text = arena_dup(r.a, buf_str(&b)).p;
    assert_non_null(strstr(text, "{upstream=\"test\",outcome=\"error\"} 3"));
    assert_non_null(strstr(text, "seconds_count{upstream=\"test\"} 3"));
}

static void an_owner_that_vanishes_is_never_called(void **state)
{
    (void)state;
    upstream *u = against(streaming_server);
    watched *w = calloc(1, sizeof *w);
    w->rq =
        (link_request){.to = u, .method = S("tools/call"), .caller_id = S("a"), .progress = true};
    rig_on(&r, 0, watched_start_and_vanish, w);
    rig_no_calls_left(&r);
    assert_int_equal(w->notices + atomic_load(&w->ends), 0);
    free(w);
}

static void a_server_that_is_not_there_is_an_outage_not_an_era(void **state)
{
    (void)state;
    upstream *u = rig_upstream(&r, (upstream_spec){.kind = UPSTREAM_HTTP,
                                                   .url = S("http://127.0.0.1:1/mcp"),
                                                   .timeout_ms = 2000});
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_int_equal(w->kind, ERR_UPSTREAM);
    assert_int_equal(upstream_era_now(u, 0), ERA_UNKNOWN);
    assert_true(rig_logged(&r, "upstream is down"));
    free(w);
}

static void work_in_flight_ends_with_the_workers(void **state)
{
    (void)state;
    upstream *u = against(silent_server);
    watched *w = rig_call(&r, 0, (link_request){.to = u});
    assert_true(wait_seen(HITS, 1));
    close_all(state);
    assert_int_equal(atomic_load(&w->ends), 0);
    free(w);
    open_two(state);
}

/* One of many misfortunes, chosen by the call's number. */
static void fickle_server(fake *s, int fd, const fake_request *rq)
{
    int i = atomic_fetch_add(&s->seen[HITS], 1);
    if (i % 11 == 0) {
        fake_empty(fd, 503);
        return;
    }
    if (discovered(fd, rq)) return;
    switch (i % 7) {
    case 0: streaming_server(s, fd, rq); break;
    case 1: answer(fd, rq, "quick"); break;
    case 2: fake_stream(fd); break; /* and nothing more */
    case 3:
        fake_stream(fd);
        fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", rq->id);
        break; /* a stream that never ends */
    case 4: shutdown(fd, SHUT_RDWR); break;
    case 5:
        send_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                      "9\r\n\r\n{");
        break;
    default: fake_json(fd, 400, "", "{\"error\":{\"code\":-32000}}"); break;
    }
}

static void count_posts(mcp_worker *w, void *ctx)
{
    *(int *)ctx += w->links->posts != NULL;
}

static void whatever_happens_nothing_is_left(void **state)
{
    enum { MANY = 300 };
    static watched *w[MANY];
    (void)state;
    upstream *u = against(fickle_server);
    for (unsigned i = 0; i < MANY; i++) {
        w[i] =
            rig_call(&r, i % 2,
                     (link_request){.to = u, .progress = i % 3 == 0, .timeout_ms = 20 + i % 200});
        if (i % 5 == 1) rig_on(&r, i % 2, watched_cancel, w[i]);
        if (i % 16 == 0) nap(10);
    }
    rig_no_calls_left(&r);
    for (int i = 0; i < 1000 && rig_count(&r, count_posts); i++) nap(5);
    assert_int_equal(rig_count(&r, count_posts), 0); /* those that were draining have ended too */
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(atomic_load(&w[i]->ends) <= 1);
        free(w[i]);
    }
}

static void big_server(fake *s, int fd, const fake_request *rq)
{
    if (discovered(fd, rq)) return;
    bool streamed = atomic_fetch_add(&s->seen[HITS], 1) % 2;
    size_t n = strstr(rq->body, "huge") ? 17u << 20 : 8u << 20;
    char *fill = malloc(n + 1);
    memset(fill, 'x', n);
    fill[n] = 0;
    if (streamed) {
        fake_stream(fd);
        fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"said\":\"%s\"}}", rq->id,
                   fill);
        fake_stream_end(fd);
    } else {
        answer(fd, rq, fill);
    }
    free(fill);
}

static void a_big_answer_arrives_whole_and_a_bigger_one_does_not(void **state)
{
    (void)state;
    upstream *u = against(big_server);
    for (int i = 0; i < 2; i++) {
        watched *w = rig_ask(&r, 0, (link_request){.to = u});
        assert_int_equal(w->result_n, (8u << 20) + strlen("{\"said\":\"\"}"));
        free(w);
    }
    for (int i = 0; i < 2; i++) {
        watched *w = rig_ask(&r, 0, (link_request){.to = u, .params = S("\"huge\":1")});
        assert_int_equal(w->kind, ERR_UPSTREAM);
        free(w);
    }
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_modern_call_carries_its_envelope),
        HTTP_TEST(the_era_is_probed_once),
        HTTP_TEST(a_stream_brings_notices_then_the_answer),
        HTTP_TEST(connections_survive_streamed_answers),
        HTTP_TEST(every_bad_answer_is_an_upstream_error),
        HTTP_TEST(protocol_errors_are_passed_on),
        HTTP_TEST(silence_is_a_timeout_and_closes_the_stream),
        HTTP_TEST(cancelling_closes_the_stream),
        HTTP_TEST(cancelling_from_inside_a_notice_is_safe),
        HTTP_TEST(calls_are_counted_by_outcome),
        HTTP_TEST(whatever_happens_nothing_is_left),
        HTTP_TEST(an_owner_that_vanishes_is_never_called),
        HTTP_TEST(a_server_that_is_not_there_is_an_outage_not_an_era),
        HTTP_TEST(work_in_flight_ends_with_the_workers),
        HTTP_TEST(a_big_answer_arrives_whole_and_a_bigger_one_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
