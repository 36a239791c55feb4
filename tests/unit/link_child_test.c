/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to real child processes, in both eras, with two workers. One program plays all the
 * servers; its argument says which. */
#include "../../mcp/capability.h"
#include "link_watch.h"

static const char program[] =
    "import sys, json, os, time\n"
    "mode, note = sys.argv[1], sys.argv[2]\n"
    "def say(m): sys.stdout.write(json.dumps(m) + '\\n'); sys.stdout.flush()\n"
    "def ok(i, r): say({'jsonrpc': '2.0', 'id': i, 'result': r})\n"
    "def no(i, c): say({'jsonrpc': '2.0', 'id': i, 'error': {'code': c, 'message': 'no'}})\n"
    "def mark(t):\n"
    "    with open(note, 'a') as f: f.write(t + '\\n')\n"
    "mark('start')\n"
    "slow = None\n"
    "for line in sys.stdin:\n"
    "    m = json.loads(line)\n"
    "    i, method, p = m.get('id'), m.get('method'), m.get('params', {})\n"
    "    if mode != 'mute': mark(method or ('reply ' + json.dumps(m)))\n"
    "    if method == 'server/discover':\n"
    "        if mode == 'exits': sys.exit(3)\n"
    "        if mode == 'silent': continue\n"
    "        if mode == 'tardy': time.sleep(2)\n"
    "        if mode in ('modern', 'tardy'): ok(i, {'resultType': 'complete', 'supportedVersions': "
    "['2026-07-28'], 'capabilities': {}})\n"
    "        else: no(i, -32601)\n"
    "    elif method == 'initialize':\n"
    "        if mode == 'dies': sys.exit(4)\n"
    "        if mode == 'tardy': continue\n"
    "        ok(i, {'protocolVersion': 'later' if mode == 'alien' else p['protocolVersion'], "
    "'capabilities': {}})\n"
    "    elif method == 'tools/call':\n"
    "        name = p.get('name')\n"
    "        if name == 'crash': os._exit(9)\n"
    "        elif name == 'slow': slow = i\n"
    "        elif name == 'flood':\n"
    "            t = p['_meta']['progressToken']\n"
    "            for n in range(60000):\n"
    "                "
    "sys.stdout.write('{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
    "progress\",\"params\":{\"progressToken\":%d,\"progress\":%d,\"message\":\"%s\"}}\\n' % (t, n, "
    "'x' * 200))\n"
    "            ok(i, {'said': 'flooded'})\n"
    "        elif name == 'junk':\n"
    "            for n in range(20000): sys.stdout.write('junk %d\\n' % n)\n"
    "            ok(i, {'said': 'after junk'})\n"
    "        elif name == 'ask':\n"
    "            say({'jsonrpc': '2.0', 'id': 'q', 'method': 'ping'})\n"
    "            say({'jsonrpc': '2.0', 'id': 5, 'method': 'roots/list'})\n"
    "            slow = i\n"
    "        elif name == 'big': ok(i, {'said': 'x' * (3 << 20)})\n"
    "        elif name == 'notes':\n"
    "            say({'jsonrpc': '2.0', 'method': 'notifications/progress', 'params': "
    "{'progressToken': p['_meta']['progressToken'], 'progress': 1}})\n"
    "            say({'jsonrpc': '2.0', 'method': 'notifications/progress', 'params': "
    "{'progressToken': 1, 'progress': 2}})\n"
    "            say({'jsonrpc': '2.0', 'method': 'notifications/progress', 'params': "
    "{'progressToken': p['_meta']['progressToken'], 'progress': 'x'}})\n"
    "            say({'jsonrpc': '2.0', 'method': 'notifications/message', 'params': {'level': "
    "'error'}})\n"
    "            say({'jsonrpc': '2.0', 'method': 'notifications/message', 'params': {'level': "
    "'error', 'data': 'd'}})\n"
    "            ok(i, {'said': 'noted'})\n"
    "        elif name == 'env': ok(i, {'said': ','.join(sorted(os.environ))})\n"
    "        elif name == 'no': no(i, -32602)\n"
    "        else: ok(i, {'pid': os.getpid(), 'args': p.get('arguments'), 'meta': "
    "sorted((p.get('_meta') or {}).keys())})\n"
    "    elif method is None and m.get('id') == 5:\n"
    "        ok(slow, {'said': m['error']['code']})\n";

static rig r;
static child_spawner *spawner;
static logger *quiet;
static int quiet_fd;
static char self[1024], dir[64], script[128], note[128];

static int open_two(void **state)
{
    static char word[] = "child";
    char *shim[] = {self, word, NULL};
    (void)state;
    keep_text(dir, sizeof dir, S("/tmp/link-child-XXXXXX"));
    assert_non_null(mkdtemp(dir));
    (void)snprintf(script, sizeof script, "%s/server.py", dir);
    (void)snprintf(note, sizeof note, "%s/note", dir);
    FILE *out = fopen(script, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(program, 1, sizeof program - 1, out), sizeof program - 1);
    (void)fclose(out);
    quiet_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    quiet = log_new(quiet_fd, LOG_ERROR_LEVEL);
    spawner = child_spawner_new(quiet, shim);
    assert_non_null(spawner);
    rig_open(&r, 2, spawner);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    rig_close_with(&r, spawner);
    log_free(quiet);
    close(quiet_fd);
    (void)unlink(script);
    (void)unlink(note);
    (void)rmdir(dir);
    return 0;
}

static upstream *serving_as(const char *mode, upstream_isolation isolation)
{
    str *argv = NEW_N(r.a, str, 5);
    str *env = NEW_N(r.a, str, 3);
    argv[0] = S("python3");
    argv[1] = arena_dup(r.a, (str){script, strlen(script)});
    argv[2] = arena_dup(r.a, (str){mode, strlen(mode)});
    argv[3] = arena_dup(r.a, (str){note, strlen(note)});
    env[0] = S("PATH=/usr/local/bin:/usr/bin:/bin");
    env[1] = S("ONLY=this");
    return rig_upstream(&r, (upstream_spec){.kind = UPSTREAM_STDIO,
                                            .argv = argv,
                                            .env = env,
                                            .isolation = isolation,
                                            .timeout_ms = 8000,
                                            .list_timeout_ms = 1000});
}

static int noted(const char *text)
{
    char all[65536], line[256];
    int fd = open(note, O_RDONLY | O_CLOEXEC), count = 0;
    ssize_t n = fd >= 0 ? read(fd, all, sizeof all - 1) : 0;
    if (fd >= 0) close(fd);
    all[n > 0 ? n : 0] = 0;
    for (const char *p = all; *p; p += strcspn(p, "\n") + 1) {
        keep_text(line, sizeof line, (str){p, strcspn(p, "\n")});
        if (!strncmp(line, text, strlen(text))) count++;
        if (!p[strcspn(p, "\n")]) break;
    }
    return count;
}

static bool wait_noted(const char *text, int n)
{
    for (int i = 0; i < 3000 && noted(text) < n; i += 5) nap(5);
    return noted(text) == n;
}

static void count_children(mcp_worker *w, void *ctx)
{
    *(int *)ctx += (int)map_count(w->links->children);
}

#define NAMED(tool) .params = S("\"name\":\"" tool "\",\"arguments\":{}")

static void a_legacy_child_is_initialized_and_called(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w =
        rig_ask(&r, 0,
                (link_request){.to = u,
                               .params = S("\"name\":\"echo\",\n\"arguments\":{\"a\":\r\n1}")});
    assert_string_equal(w->why, "");
    assert_non_null(strstr(w->result, "\"args\": {\"a\": 1}"));
    assert_non_null(strstr(w->result, "\"meta\": []"));
    assert_int_equal(noted("server/discover"), 1);
    assert_int_equal(noted("initialize"), 1);
    assert_int_equal(noted("notifications/initialized"), 1);
    assert_int_equal(upstream_era_now(u, 0), ERA_LEGACY);
    free(w);
}

static void a_modern_child_gets_the_envelope_and_no_handshake(void **state)
{
    (void)state;
    upstream *u = serving_as("modern", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 1, (link_request){.to = u, .progress = true, .meta = S("\"x/y\":1")});
    assert_non_null(
        strstr(w->result,
               "[\"io.modelcontextprotocol/clientCapabilities\", "
               "\"io.modelcontextprotocol/clientInfo\", "
               "\"io.modelcontextprotocol/protocolVersion\", \"progressToken\", \"x/y\"]"));
    assert_int_equal(noted("initialize"), 0);
    assert_int_equal(upstream_era_now(u, 0), ERA_MODERN);
    free(w);
}

static void a_child_that_exits_when_probed_is_started_again(void **state)
{
    (void)state;
    upstream *u = serving_as("exits", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->why, "");
    assert_int_equal(noted("start"), 2);
    assert_int_equal(noted("server/discover"), 1);
    free(w);
}

static void a_child_silent_when_probed_is_legacy(void **state)
{
    (void)state;
    upstream *u = serving_as("silent", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->why, "");
    assert_int_equal(noted("start"), 1);
    assert_int_equal(upstream_era_now(u, 0), ERA_LEGACY);
    free(w);
}

static void an_answer_after_the_silence_still_counts(void **state)
{
    (void)state;
    upstream *u = serving_as("tardy", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->why, "");
    assert_int_equal(noted("initialize"), 1);
    assert_int_equal(upstream_era_now(u, 0), ERA_MODERN);
    free(w);
}

static void callers_have_children_of_their_own_and_share_them_across_workers(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w[10];
    for (unsigned i = 0; i < 10; i++) {
        w[i] = rig_call(&r, i % 2,
                        (link_request){.to = u, .caller_id = i < 5 ? S("alice") : S("bob")});
    }
    for (unsigned i = 0; i < 10; i++) {
        assert_true(watched_over(w[i], 5000));
        assert_string_equal(w[i]->result, w[i < 5 ? 0 : 5]->result);
    }
    assert_string_not_equal(w[0]->result, w[5]->result);
    assert_int_equal(noted("start"), 2);
    for (unsigned i = 0; i < 10; i++) free(w[i]);
}

static void a_shared_child_serves_everybody(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_SHARED);
    free(rig_ask(&r, 0, (link_request){.to = u, .caller_id = S("alice")}));
    free(rig_ask(&r, 1, (link_request){.to = u, .caller_id = S("bob")}));
    assert_int_equal(noted("start"), 1);
}

static void errors_and_notices_come_through(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 1, (link_request){.to = u, NAMED("no")});
    assert_non_null(strstr(w->error, "-32602"));
    free(w);
    for (unsigned i = 0; i < 2; i++) {
        w = rig_ask(&r, i,
                    (link_request){.to = u,
                                   NAMED("notes"),
                                   .progress = true,
                                   .log_level = S("info")});
        assert_int_equal(w->notices, 2);
        assert_string_equal(w->last, "{\"level\": \"error\", \"data\": \"d\"}");
        free(w);
    }
    w = rig_ask(&r, 0, (link_request){.to = u, NAMED("notes"), .progress = true});
    assert_int_equal(w->notices, 1);
    assert_string_equal(w->last, "{\"progress\":1}");
    free(w);
}

static void a_child_that_dies_fails_its_calls_and_is_started_again(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *slow = rig_call(&r, 1, (link_request){.to = u, NAMED("slow")});
    assert_true(wait_noted("tools/call", 1));
    watched *w = rig_ask(&r, 0, (link_request){.to = u, NAMED("crash")});
    assert_int_equal(w->kind, ERR_UPSTREAM);
    assert_non_null(strstr(w->why, "ended"));
    assert_true(watched_over(slow, 2000));
    assert_int_equal(slow->kind, ERR_UPSTREAM);
    free(w);
    free(slow);
    w = rig_ask(&r, 0, (link_request){.to = u});
    assert_string_equal(w->why, "");
    assert_int_equal(noted("start"), 2);
    assert_true(rig_logged(&r, "upstream is down"));
    assert_true(rig_logged(&r, "upstream is up"));
    free(w);
}

static void a_child_that_cannot_start_fails_soon_and_not_hotly(void **state)
{
    (void)state;
    upstream *u = serving_as("dies", ISOLATION_CALLER);
    for (int i = 0; i < 8; i++) {
        watched *w = rig_ask(&r, 0, (link_request){.to = u});
        assert_int_equal(w->kind, ERR_UPSTREAM);
        free(w);
    }
    assert_true(noted("start") >= 2 && noted("start") <= 12);
    static const str none[] = {S("/no/such/program"), {0}};
    u = rig_upstream(&r, (upstream_spec){.name = S("none"),
                                         .kind = UPSTREAM_STDIO,
                                         .argv = none,
                                         .timeout_ms = 3000});
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_int_equal(w->kind, ERR_UPSTREAM);
    free(w);
}

static void a_child_of_an_unknown_revision_is_refused(void **state)
{
    (void)state;
    upstream *u = serving_as("alien", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 0, (link_request){.to = u});
    assert_int_equal(w->kind, ERR_UPSTREAM);
    assert_non_null(strstr(w->why, "no revision"));
    free(w);
}

static void a_cancelled_call_is_told_to_the_child(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w = rig_call(&r, 0, (link_request){.to = u, NAMED("slow")});
    assert_true(wait_noted("tools/call", 1));
    rig_on(&r, 0, watched_cancel, w);
    assert_true(wait_noted("notifications/cancelled", 1));
    free(w);
    w = rig_ask(&r, 1, (link_request){.to = u, NAMED("slow"), .timeout_ms = 100});
    assert_int_equal(w->kind, ERR_TIMEOUT);
    assert_true(wait_noted("notifications/cancelled", 2));
    free(w);
    w = rig_ask(&r, 1, (link_request){.to = u});
    assert_string_equal(w->why, "");
    assert_int_equal(noted("start"), 1);
    free(w);
}

static void who_listens_to_a_child_that_asks_waits_for_no_call(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w =
        rig_call(&r, 0, (link_request){.to = u, .capabilities = CAN_LIST_ROOTS, NAMED("slow")});
    assert_true(wait_noted("tools/call", 1));
    watched *listens = rig_call(&r, 1,
                                (link_request){.to = u,
                                               .capabilities = CAN_LIST_ROOTS,
                                               .method = S("subscriptions/listen"),
                                               .endless = true});
    for (int i = 0; i < 3000 && !atomic_load(&listens->begins); i += 5) nap(5);
    assert_int_equal(atomic_load(&listens->begins), 1);
    assert_int_equal(noted("subscriptions/listen"), 0);
    rig_on(&r, 1, watched_cancel, listens);
    rig_on(&r, 0, watched_cancel, w);
    free(listens);
    free(w);
}

static void an_owner_that_vanishes_is_never_called(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    free(rig_ask(&r, 0, (link_request){.to = u}));
    for (unsigned i = 0; i < 2; i++) {
        watched *w = calloc(1, sizeof *w);
        w->rq = (link_request){.to = u,
                               .method = S("tools/call"),
                               NAMED("notes"),
                               .caller_id = S("alice"),
                               .progress = true};
        rig_on(&r, i, watched_start_and_vanish, w);
        rig_no_calls_left(&r);
        assert_int_equal(atomic_load(&w->ends), 0);
        free(w);
    }
}

static void questions_of_a_child_are_answered(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 0, (link_request){.to = u, NAMED("ask")});
    assert_string_equal(w->result, "{\"said\": -32601}");
    assert_int_equal(noted("reply {\"jsonrpc\": \"2.0\", \"id\": \"q\", \"result\": {}}"), 1);
    free(w);
}

static void a_flood_is_paced_and_the_answer_still_comes(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w =
        rig_ask(&r, 1,
                (link_request){.to = u, NAMED("flood"), .progress = true, .timeout_ms = 9500});
    assert_string_equal(w->result, "{\"said\": \"flooded\"}");
    assert_true(w->notices > 0);
    free(w);
    w = rig_ask(&r, 0, (link_request){.to = u, NAMED("junk")});
    assert_string_equal(w->result, "{\"said\": \"after junk\"}");
    free(w);
}

static void a_big_answer_crosses_workers_whole(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    for (unsigned i = 0; i < 2; i++) {
        watched *w = rig_ask(&r, i, (link_request){.to = u, NAMED("big")});
        assert_int_equal(w->result_n, (3u << 20) + strlen("{\"said\": \"\"}"));
        free(w);
    }
}

static void a_child_sees_its_own_environment_only(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_CALLER);
    watched *w = rig_ask(&r, 0, (link_request){.to = u, NAMED("env")});
    assert_non_null(strstr(w->result, "ONLY"));
    assert_null(strstr(w->result, "HOME"));
    free(w);
}

static void a_caller_has_a_bounded_number_of_children(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_SESSION);
    char name[16];
    watched *busy[4];
    for (int i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof name, "sid%d", i);
        free(rig_ask(&r, 0, (link_request){.to = u, .session_id = {name, strlen(name)}}));
    }
    assert_true(rig_count(&r, count_children) <= 4);
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "sid%d", i + 1);
        busy[i] =
            rig_call(&r, 0,
                     (link_request){.to = u, .session_id = {name, strlen(name)}, NAMED("slow")});
    }
    watched *w = rig_ask(&r, 0, (link_request){.to = u, .session_id = S("another")});
    assert_int_equal(w->kind, ERR_QUOTA);
    free(w);
    for (int i = 0; i < 4; i++) {
        rig_on(&r, 0, watched_cancel, busy[i]);
        free(busy[i]);
    }
}

static void draining(mcp_worker *w, void *ctx)
{
    (void)ctx;
    link_table_drain(w);
}

static void draining_ends_children_when_they_are_idle(void **state)
{
    (void)state;
    upstream *u = serving_as("legacy", ISOLATION_SHARED);
    watched *w = rig_call(&r, 0, (link_request){.to = u, NAMED("slow")});
    assert_true(wait_noted("tools/call", 1));
    for (unsigned i = 0; i < 2; i++) rig_on(&r, i, draining, NULL);
    assert_int_equal(rig_count(&r, count_children), 1);
    rig_on(&r, 0, watched_cancel, w);
    free(w);
    for (int i = 0; i < 1000 && rig_count(&r, count_children); i++) nap(2);
    assert_int_equal(rig_count(&r, count_children), 0);
}

#define CHILD_TEST(t) cmocka_unit_test_setup_teardown(t, open_two, close_all)

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0) return child_shim_main(argc - 1, argv + 1);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return 1;
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        CHILD_TEST(a_legacy_child_is_initialized_and_called),
        CHILD_TEST(a_modern_child_gets_the_envelope_and_no_handshake),
        CHILD_TEST(a_child_that_exits_when_probed_is_started_again),
        CHILD_TEST(a_child_silent_when_probed_is_legacy),
        CHILD_TEST(an_answer_after_the_silence_still_counts),
        CHILD_TEST(callers_have_children_of_their_own_and_share_them_across_workers),
        CHILD_TEST(a_shared_child_serves_everybody),
        CHILD_TEST(errors_and_notices_come_through),
        CHILD_TEST(a_child_that_dies_fails_its_calls_and_is_started_again),
        CHILD_TEST(a_child_that_cannot_start_fails_soon_and_not_hotly),
        CHILD_TEST(a_child_of_an_unknown_revision_is_refused),
        CHILD_TEST(a_cancelled_call_is_told_to_the_child),
        CHILD_TEST(who_listens_to_a_child_that_asks_waits_for_no_call),
        CHILD_TEST(an_owner_that_vanishes_is_never_called),
        CHILD_TEST(questions_of_a_child_are_answered),
        CHILD_TEST(a_flood_is_paced_and_the_answer_still_comes),
        CHILD_TEST(a_big_answer_crosses_workers_whole),
        CHILD_TEST(a_child_sees_its_own_environment_only),
        CHILD_TEST(a_caller_has_a_bounded_number_of_children),
        CHILD_TEST(draining_ends_children_when_they_are_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
