/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* What a legacy server asks in the middle of a call: who is asked, and what becomes of it. */
#include "../../mcp/capability.h"
#include "link_fixture.h"

static void note(fake *s, const fake_request *rq)
{
    pthread_mutex_lock(&s->lock);
    size_t n = strlen(s->noted);
    keep_text(s->noted + n, sizeof s->noted - n, (str){rq->body, strlen(rq->body)});
    pthread_mutex_unlock(&s->lock);
}

static void hold_until(const fake *s, int which)
{
    for (int i = 0; i < 4000 && !atomic_load(&s->seen[which]); i++) nap(2);
}

/* Asks for roots, then answers with what it got; STAGE 1: takes the question back first. */
static void asking(fake *s, int fd, const fake_request *rq)
{
    fake_stream(fd);
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"q 1\",\"method\":\"roots/list\"}");
    atomic_fetch_add(&s->seen[HITS], 1);
    if (atomic_load(&s->seen[STAGE]) == 1) {
        fake_event(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
                       "{\"requestId\":\"q 1\"}}");
    } else {
        hold_until(s, REPLIES);
    }
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"said\":\"after\"}}", rq->id);
    fake_stream_end(fd);
}

static void server(fake *s, int fd, const fake_request *rq)
{
    if (strcmp(rq->method, "server/discover") == 0) {
        fake_json(fd, 400, "",
                  "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no\"},\"id\":"
                  "null}");
    } else if (strcmp(rq->method, "initialize") == 0) {
        char more[64];
        note(s, rq);
        int n = atomic_fetch_add(&s->seen[INITS], 1);
        (void)snprintf(more, sizeof more, "Mcp-Session-Id: s%d\r\n", n);
        fake_json(fd, 200, more,
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"protocolVersion\":\"2025-06-18\"}}",
                  rq->id);
    } else if (strcmp(rq->method, "tools/call") == 0) {
        asking(s, fd, rq);
    } else {
        note(s, rq);
        if (!rq->method[0]) atomic_fetch_add(&s->seen[REPLIES], 1);
        if (strcmp(rq->method, "notifications/cancelled") == 0)
            atomic_fetch_add(&s->seen[CANCELS], 1);
        fake_empty(fd, 202);
    }
}

static watched *asked(unsigned worker, link_request rq, bool takes)
{
    watched *w = calloc(1, sizeof *w);
    w->takes_questions = takes;
    rq.method = S("tools/call");
    rq.params = S("\"name\":\"ask\"");
    if (!rq.caller_id.p) rq.caller_id = S("alice");
    w->rq = rq;
    rig_on(&r, worker, watched_start, w);
    return w;
}

static bool has_question(watched *w, int n)
{
    for (int i = 0; i < 4000 && atomic_load(&w->questions) != n; i += 2) nap(2);
    return atomic_load(&w->questions) == n;
}

static void a_question_is_answered_by_its_call(void **state)
{
    (void)state;
    upstream *u = against(server);
    watched *w = asked(1, (link_request){.to = u, .capabilities = CAN_LIST_ROOTS}, true);
    assert_true(has_question(w, 1));
    assert_string_equal(w->asked, "roots/list");
    rig_on(&r, 1, watched_answer, w);
    assert_true(watched_over(w, 4000));
    assert_string_equal(w->result, "{\"said\":\"after\"}");
    assert_non_null(strstr(f->noted, "\"id\":\"q 1\",\"result\":{\"roots\":[]}}"));
    assert_non_null(strstr(f->noted, "\"capabilities\":{\"roots\":{}}"));
    free(w);
}

static void nobody_is_asked_who_cannot_be(void **state)
{
    (void)state;
    static const unsigned can[] = {0, CAN_LIST_ROOTS};
    upstream *u = against(server);
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&f->seen[REPLIES], 0);
        watched *w = asked(0, (link_request){.to = u, .capabilities = can[i]}, can[i] == 0);
        assert_true(watched_over(w, 4000));
        assert_int_equal(atomic_load(&w->questions), 0);
        assert_non_null(strstr(f->noted, "\"id\":\"q 1\",\"error\":{\"code\":-32601"));
        free(w);
    }
    assert_int_equal(atomic_load(&f->seen[INITS]), 2);
}

static void a_shared_server_asks_nobody(void **state)
{
    (void)state;
    f = fake_open(server);
    upstream_spec spec = fake_spec(f);
    spec.isolation = ISOLATION_SHARED;
    upstream *u = rig_upstream(&r, spec);
    watched *w = asked(0, (link_request){.to = u, .capabilities = CAN_ALL}, true);
    assert_true(watched_over(w, 4000));
    assert_int_equal(atomic_load(&w->questions), 0);
    assert_non_null(strstr(f->noted, "\"capabilities\":{},"));
    free(w);
}

static void a_call_that_ends_declines_what_is_open(void **state)
{
    (void)state;
    upstream *u = against(server);
    watched *w = asked(0, (link_request){.to = u, .capabilities = CAN_LIST_ROOTS}, true);
    assert_true(has_question(w, 1));
    rig_on(&r, 0, watched_cancel, w);
    assert_true(wait_seen(CANCELS, 1));
    assert_true(wait_seen(REPLIES, 1));
    assert_non_null(strstr(f->noted, "\"id\":\"q 1\",\"error\":{\"code\":-32603"));
    rig_no_calls_left(&r);
    free(w);
}

static void a_server_may_take_a_question_back(void **state)
{
    (void)state;
    upstream *u = against(server);
    atomic_store(&f->seen[STAGE], 1);
    watched *w = asked(0, (link_request){.to = u, .capabilities = CAN_LIST_ROOTS}, true);
    assert_true(watched_over(w, 4000));
    assert_int_equal(atomic_load(&w->questions), 0);
    assert_string_equal(w->asked, "roots/list");
    free(w);
}

/* The answer is late: the call's own time has to stand still meanwhile. */
static void time_stands_still_while_somebody_thinks(void **state)
{
    (void)state;
    upstream *u = against(server);
    link_request rq = {.to = u, .capabilities = CAN_LIST_ROOTS, .timeout_ms = 600};
    watched *w = asked(0, rq, true);
    assert_true(has_question(w, 1));
    nap(900);
    assert_int_equal(atomic_load(&w->ends), 0);
    rig_on(&r, 0, watched_answer, w);
    assert_true(watched_over(w, 4000));
    assert_string_equal(w->result, "{\"said\":\"after\"}");
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_question_is_answered_by_its_call),
        HTTP_TEST(nobody_is_asked_who_cannot_be),
        HTTP_TEST(a_shared_server_asks_nobody),
        HTTP_TEST(a_call_that_ends_declines_what_is_open),
        HTTP_TEST(a_server_may_take_a_question_back),
        HTTP_TEST(time_stands_still_while_somebody_thinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
