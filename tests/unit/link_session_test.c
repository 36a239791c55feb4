/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over HTTP to legacy servers: eras, sessions, and what is mended unseen. */
#include "link_fixture.h"

static void legacy_refusal(int fd)
{
    fake_json(fd, 400, "",
              "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Server not "
              "initialized\"},\"id\":null}");
}

static void legacy_server(fake *s, int fd, const fake_request *rq)
{
    if (strcmp(rq->verb, "DELETE") == 0) {
        atomic_fetch_add(&s->seen[GOODBYES], 1);
        fake_empty(fd, 200);
    } else if (strcmp(rq->method, "server/discover") == 0) {
        legacy_refusal(fd);
    } else if (strcmp(rq->method, "initialize") == 0) {
        char more[64];
        int n = atomic_fetch_add(&s->seen[INITS], 1);
        (void)snprintf(more, sizeof more, "Mcp-Session-Id: s%d\r\n", n);
        fake_json(fd, 200, more,
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"protocolVersion\":\"2025-06-18\","
                  "\"capabilities\":{},\"serverInfo\":{\"name\":\"x\",\"version\":\"1\"}}}",
                  rq->id);
    } else if (strcmp(rq->method, "notifications/cancelled") == 0) {
        atomic_fetch_add(&s->seen[CANCELS], 1);
        fake_empty(fd, 202);
    } else if (strcmp(rq->method, "notifications/initialized") == 0) {
        fake_empty(fd, 202);
    } else if (!rq->session[0] || !strstr(rq->head, "MCP-Protocol-Version: 2025-06-18\r\n")) {
        legacy_refusal(fd);
    } else if (strcmp(rq->method, "slow") == 0) {
        atomic_fetch_add(&s->seen[HITS], 1);
        char c;
        (void)!read(fd, &c, 1);
    } else if (atomic_load(&s->seen[STAGE]) == 1 && strcmp(rq->session, "s0") == 0) {
        fake_json(fd, 404, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32001,\"message\":"
                  "\"Session not found\"}}");
    } else if (atomic_load(&s->seen[STAGE]) == 2) {
        fake_empty(fd, 404);
    } else {
        answer(fd, rq, rq->session);
    }
}

static void a_legacy_server_gets_one_session_per_caller(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    watched *w[12];
    for (unsigned i = 0; i < 12; i++) {
        w[i] = rig_call(&r, i % 2,
                        (link_request){.to = u, .caller_id = i % 3 ? S("alice") : S("bob")});
    }
    char alice[64] = "", bob[64] = "";
    for (unsigned i = 0; i < 12; i++) {
        assert_true(watched_over(w[i], 3000));
        char *who = i % 3 ? alice : bob;
        if (!who[0]) keep_text(who, 64, (str){w[i]->result, strlen(w[i]->result)});
        assert_string_equal(w[i]->result, who);
        free(w[i]);
    }
    assert_string_not_equal(alice, bob);
    assert_int_equal(atomic_load(&f->seen[INITS]), 2);
    assert_null(strstr(f->noted, "_meta"));
}

static void a_shared_server_gets_one_session(void **state)
{
    (void)state;
    f = fake_open(legacy_server);
    upstream_spec spec = fake_spec(f);
    spec.isolation = ISOLATION_SHARED;
    upstream *u = rig_upstream(&r, spec);
    for (unsigned i = 0; i < 6; i++) {
        watched *w =
            rig_ask(&r, i % 2, (link_request){.to = u, .caller_id = i % 2 ? S("alice") : S("bob")});
        assert_string_equal(w->result, "{\"said\":\"s0\"}");
        free(w);
    }
    assert_int_equal(atomic_load(&f->seen[INITS]), 1);
}

static void sessions_tell_anonymous_callers_apart(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    static const str who[] = {S("anonymous"), S("anonymous"), S("anonymous"), S("alice"),
                              S("alice")};
    static const str session[] = {S("x"), S("y"), S("x"), S("x"), S("y")};
    static const char *const gets[] = {"s0", "s1", "s0", "s2", "s2"};
    for (size_t i = 0; i < 5; i++) {
        watched *w =
            rig_ask(&r, 0, (link_request){.to = u, .caller_id = who[i], .session_id = session[i]});
        if (!strstr(w->result, gets[i])) fail_msg("case %zu: %s %s", i, w->result, w->why);
        free(w);
    }
}

static void a_forgotten_session_is_renewed_unseen(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    free(rig_ask(&r, 0, (link_request){.to = u}));
    atomic_store(&f->seen[STAGE], 1);
    watched *w[6];
    for (unsigned i = 0; i < 6; i++) w[i] = rig_call(&r, i % 2, (link_request){.to = u});
    for (unsigned i = 0; i < 6; i++) {
        assert_true(watched_over(w[i], 3000));
        assert_string_equal(w[i]->result, "{\"said\":\"s1\"}");
        free(w[i]);
    }
    assert_int_equal(atomic_load(&f->seen[INITS]), 2);
}

static void renewing_is_tried_once(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    atomic_store(&f->seen[STAGE], 2);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_int_equal(w->kind, ERR_UPSTREAM);
    assert_int_equal(atomic_load(&f->seen[INITS]), 2);
    free(w);
}

static void a_legacy_server_is_told_of_a_cancel(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    watched *w = rig_call(&r, 0, (link_request){.to = u, .method = S("slow")});
    assert_true(wait_seen(HITS, 1));
    rig_on(&r, 0, watched_cancel, w);
    assert_true(wait_seen(CANCELS, 1));
    free(w);
}

static void draining(mcp_worker *w, void *ctx)
{
    (void)ctx;
    link_table_drain(w);
}

static void draining_ends_sessions(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    free(rig_ask(&r, 0, (link_request){.to = u}));
    free(rig_ask(&r, 0, (link_request){.to = u, .caller_id = S("bob")}));
    rig_on(&r, 0, draining, NULL);
    rig_on(&r, 1, draining, NULL);
    assert_true(wait_seen(GOODBYES, 2));
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_not_equal(w->why, "");
    free(w);
}

static void a_server_no_config_names_loses_its_sessions(void **state)
{
    (void)state;
    upstream *u = against(legacy_server);
    free(rig_ask(&r, 0, (link_request){.to = u}));
    upstream_drop(u);
    r.made_count = 0;
    assert_true(wait_seen(GOODBYES, 1));
}

static void a_caller_has_a_bounded_number_of_sessions(void **state)
{
    (void)state;
    f = fake_open(legacy_server);
    upstream_spec spec = fake_spec(f);
    spec.isolation = ISOLATION_SESSION;
    upstream *u = rig_upstream(&r, spec);
    char name[16];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "sid%d", i);
        watched *w = rig_ask(&r, 0, (link_request){.to = u, .session_id = {name, strlen(name)}});
        assert_string_equal(w->why, "");
        free(w);
    }
    assert_true(wait_seen(GOODBYES, 2));
    assert_int_equal(atomic_load(&f->seen[INITS]), 10);
}

static void sessionless_server(fake *s, int fd, const fake_request *rq)
{
    (void)s;
    if (strcmp(rq->method, "initialize") == 0) {
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"protocolVersion\":\"2024-11-05\"}}",
                  rq->id);
    } else if (!strncmp(rq->method, "notif", 5)) {
        fake_empty(fd, 202);
    } else if (!strcmp(rq->method, "server/discover")) {
        fake_json(fd, 200, "",
                  "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":-32601,\"message\":\"m\"}}",
                  rq->id);
    } else {
        answer(fd, rq, strcasestr(rq->head, "\r\nmcp-") ? "headers" : "none");
    }
}

static void a_server_without_session_ids_works(void **state)
{
    (void)state;
    upstream *u = against(sessionless_server);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->result, "{\"said\":\"none\"}");
    free(w);
}

static void asking_server(fake *s, int fd, const fake_request *rq)
{
    if (strcmp(rq->method, "tools/call") != 0 && rq->method[0]) {
        legacy_server(s, fd, rq);
        return;
    }
    if (!rq->method[0]) {
        pthread_mutex_lock(&s->lock);
        size_t n = strlen(s->noted);
        keep_text(s->noted + n, sizeof s->noted - n, (str){rq->body, strlen(rq->body)});
        pthread_mutex_unlock(&s->lock);
        atomic_fetch_add(&s->seen[REPLIES], 1);
        fake_empty(fd, 202);
        return;
    }
    fake_stream(fd);
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"method\":\"ping\"}");
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"sampling/"
                   "createMessage\",\"params\":{}}");
    for (int i = 0; i < 2000 && atomic_load(&s->seen[REPLIES]) < 2; i++) nap(2);
    fake_event(fd, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"said\":\"after\"}}", rq->id);
    fake_stream_end(fd);
}

static void a_legacy_server_that_asks_is_answered(void **state)
{
    (void)state;
    upstream *u = against(asking_server);
    watched *w = rig_ask(&r, 1, (link_request){.to = u});
    assert_string_equal(w->result, "{\"said\":\"after\"}");
    assert_non_null(strstr(f->noted, "{\"jsonrpc\":\"2.0\",\"id\":\"p1\",\"result\":{}}"));
    assert_non_null(strstr(f->noted, "\"id\":2,\"error\":{\"code\":-32601"));
    free(w);
}

static void turncoat_server(fake *s, int fd, const fake_request *rq)
{
    if (atomic_load(&s->seen[STAGE]) == 0)
        modern_server(s, fd, rq);
    else
        legacy_server(s, fd, rq);
}

static void a_server_that_fell_back_is_probed_again(void **state)
{
    (void)state;
    upstream *u = against(turncoat_server);
    free(rig_ask(&r, 0, (link_request){.to = u}));
    atomic_store(&f->seen[STAGE], 3);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->result, "{\"said\":\"s0\"}");
    free(w);
}

static void unsure_server(fake *s, int fd, const fake_request *rq)
{
    static const int statuses[] = {503, 401, 403, 429, 302};
    int i = atomic_fetch_add(&s->seen[HITS], 1);
    if (i < 5)
        fake_empty(fd, statuses[i]);
    else
        modern_server(s, fd, rq);
}

static void outages_and_refused_credentials_decide_no_era(void **state)
{
    (void)state;
    upstream *u = against(unsure_server);
    for (int i = 0; i < 5; i++) {
        watched *w = rig_ask(&r, 0, (link_request){.to = u});
        assert_int_equal(w->kind, ERR_UPSTREAM);
        assert_int_equal(upstream_era_now(u, 0), ERA_UNKNOWN);
        free(w);
    }
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->result, "{\"said\":\"hi\"}");
    free(w);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_legacy_server_gets_one_session_per_caller),
        HTTP_TEST(a_shared_server_gets_one_session),
        HTTP_TEST(sessions_tell_anonymous_callers_apart),
        HTTP_TEST(a_forgotten_session_is_renewed_unseen),
        HTTP_TEST(renewing_is_tried_once),
        HTTP_TEST(a_legacy_server_is_told_of_a_cancel),
        HTTP_TEST(draining_ends_sessions),
        HTTP_TEST(a_server_no_config_names_loses_its_sessions),
        HTTP_TEST(a_caller_has_a_bounded_number_of_sessions),
        HTTP_TEST(a_server_without_session_ids_works),
        HTTP_TEST(a_legacy_server_that_asks_is_answered),
        HTTP_TEST(a_server_that_fell_back_is_probed_again),
        HTTP_TEST(outages_and_refused_credentials_decide_no_era),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
