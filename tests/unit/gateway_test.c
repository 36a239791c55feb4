/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* The whole gateway in this process: started from files, asked over sockets, told by signals. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../base/buf.h"
#include "../../server/files.h"
#include "../../server/gateway.h"
#include "../../server/net_address.h"
#include "../../server/process.h"

typedef struct {
    arena *a;
    char directory[64];
    logger *log;
    gateway *g;
    pthread_t thread;
    int signals, code;
} rig;

static const char *const shim[] = {"/bin/false", "child", NULL};

#define CONFIG                                                                                     \
    "version: 1\nlisten: [\"127.0.0.1:0\"]\nadmin: { address: \"127.0.0.1:0\", token: "            \
    "\"file:token\" }\n"                                                                           \
    "identity: { anonymous: allow, jwt: [{ issuer: \"http://127.0.0.1:1\" }] }\nworkers: 2\n"      \
    "mcp: { servers: { a: { url: \"http://127.0.0.1:1/mcp\", timeout: 1s } } }\n"                  \
    "policies: [\"rules/*.yaml\"]\ntelemetry: { access_log: { to: access.log } }\n"

static str path_of(rig *r, const char *name)
{
    return arena_fmt(r->a, "%s/%s", r->directory, name);
}

static void put(rig *r, const char *name, const char *text)
{
    str path = path_of(r, name), next = path_of(r, "next.tmp");
    (void)unlink(next.p);
    assert_null(files_create(r->a, next, (str){text, strlen(text)}));
    assert_int_equal(rename(next.p, path.p), 0);
}

static int set_up(void **state)
{
    rig *r = calloc(1, sizeof *r);
    r->a = arena_new();
    r->log = log_new(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_ERROR_LEVEL); /* quiet */
    (void)snprintf(r->directory, sizeof r->directory, "/tmp/sallyport-test-XXXXXX");
    assert_non_null(mkdtemp(r->directory));
    assert_int_equal(mkdir(path_of(r, "rules").p, 0700), 0);
    put(r, "sallyport.yaml", CONFIG);
    put(r, "token", "operator\n");
    put(r, "rules/one.yaml", "policy: v1\nrules: [{ id: all, permit: \"*\" }]\n");
    assert_null(process_signals(r->a, &r->signals));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig *r = *state;
    static const char *const names[] = {"sallyport.yaml", "token", "rules/one.yaml",
                                        "access.log",     "rules", ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) (void)remove(path_of(r, names[i]).p);
    close(r->signals);
    log_free(r->log);
    arena_free(r->a);
    free(r);
    return 0;
}

static const err *start(rig *r)
{
    gateway_options o = {.file = path_of(r, "sallyport.yaml"),
                         .shim = (char *const *)(uintptr_t)shim,
                         .signals = r->signals};
    return gateway_start(r->a, &o, r->log, &r->g);
}

static void *run(void *ctx)
{
    rig *r = ctx;
    r->code = gateway_run(r->g);
    return NULL;
}

static void begin(rig *r)
{
    const err *e = start(r);
    if (e) fail_msg("%.*s", (int)e->text.n, e->text.p);
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

static void end(rig *r)
{
    kill(getpid(), SIGTERM);
    pthread_join(r->thread, NULL);
    assert_int_equal(r->code, 0);
    gateway_free(r->g);
}

/* The whole answer to one request on a connection of its own. */
static str ask(rig *r, str address, const char *request)
{
    net_address at;
    assert_true(net_address_parse(address, &at));
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)at.port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) return close(fd), S("");
    str whole = arena_fmt(r->a, "%s", request);
    assert_int_equal(send(fd, whole.p, whole.n, MSG_NOSIGNAL), (ssize_t)whole.n);
    buf b = buf_new(r->a, 1 << 20);
    char some[4096];
    for (ssize_t n; (n = recv(fd, some, sizeof some, 0)) > 0;) buf_put(&b, (str){some, (size_t)n});
    close(fd);
    return buf_str(&b);
}

static str get(rig *r, str address, const char *path, const char *headers)
{
    str request =
        arena_fmt(r->a, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n", path,
                  headers);
    return ask(r, address, request.p);
}

static bool has(str text, const char *what)
{
    return text.n && memmem(text.p, text.n, what, strlen(what));
}

#define assert_says(answer, what)                                                                  \
    do {                                                                                           \
        str said_ = (answer);                                                                      \
        if (!has(said_, what)) fail_msg("no `%s` in: %.*s", what, (int)said_.n, said_.p);          \
    } while (0)

static bool comes_true(rig *r, const char *path, const char *what)
{
    for (int i = 0; i < 100; i++, usleep(30000))
        if (has(get(r, gateway_admin_address(r->g), path, ""), what)) return true;
    return false;
}

/* --- doors
 * ------------------------------------------------------------------------------------------------
 */

static void every_path_has_a_door_or_is_404(void **state)
{
    rig *r = *state;
    begin(r);
    str at = gateway_address(r->g, 0);
    assert_says(get(r, at, "/", ""), "HTTP/1.1 200");
    assert_says(ask(r, at, "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                "HTTP/1.1 200");
    assert_says(ask(r, at, "DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
                "HTTP/1.1 405");
    assert_says(get(r, at, "/nothing", ""), "HTTP/1.1 404");
    assert_says(get(r, at, "/v1/models", ""), "HTTP/1.1 404"); /* no backends: no such door */
    assert_says(get(r, at, "/.well-known/oauth-protected-resource/mcp", ""),
                "\"resource\":\"http://127.0.0.1/mcp\"");
    assert_says(get(r, at, "/.well-known/oauth-protected-resource/other", ""), "HTTP/1.1 404");
    assert_says(get(r, at, "/mcp", "Origin: https://evil.example\r\n"), "HTTP/1.1 403");
    end(r);
    str log;
    files *f = files_new(r->a, S("/"));
    assert_null(files_read(f, r->a, path_of(r, "access.log"), &log));
    assert_says(log, "\"door\":\"wellknown\",\"http.method\":\"GET\"");
    assert_says(log, "\"path\":\"/"
                     "nothing\",\"host\":\"127.0.0.1\",\"peer\":\"127.0.0.1\",\"status\":404");
}

static void the_admin_listener_says_secrets_to_nobody_and_little_to_strangers(void **state)
{
    rig *r = *state;
    begin(r);
    str at = gateway_admin_address(r->g);
    assert_says(get(r, at, "/livez", ""), "HTTP/1.1 200");
    assert_says(get(r, at, "/metrics", ""), "sallyport_connections");
    assert_says(get(r, at, "/config", ""), "HTTP/1.1 401");
    assert_says(get(r, at, "/config", "Authorization: Bearer operato\r\n"), "HTTP/1.1 401");
    assert_says(get(r, at, "/config", "Authorization: Bearer operator2\r\n"), "HTTP/1.1 401");
    str shown = get(r, at, "/config", "Authorization: Bearer operator\r\n");
    assert_says(shown, "\"token\":\"file:token\"");
    assert_false(has(shown, "operator"));
    assert_says(get(r, at, "/livez", "Origin: https://evil.example\r\n"), "HTTP/1.1 403");
    assert_says(get(r, at, "/livez", "Sec-Fetch-Site: same-site\r\n"), "HTTP/1.1 403");
    assert_says(ask(r, at,
                    "GET /livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
                "HTTP/1.1 403");
    assert_says(ask(r, at,
                    "POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: "
                    "close\r\n\r\n"),
                "HTTP/1.1 405");
    end(r);
}

static void models_are_not_for_pages_of_other_sites(void **state)
{
    rig *r = *state;
    put(r, "sallyport.yaml",
        CONFIG "llm: { backends: { b: { schema: openai, url: \"http://127.0.0.1:1\" } },\n"
               "       routes: [{ name: r, models: [m], to: [b] }] }\n"
               "allowed_origins: [\"https://app.example\"]\n");
    put(r, "rules/one.yaml",
        "policy: v1\nrules: [{ id: all, permit: { models: [\"*\"], endpoints: [\"*\"] } }]\n");
    begin(r);
    str at = gateway_address(r->g, 0);
    assert_says(get(r, at, "/v1/models", ""), "\"id\":\"m\"");
    assert_says(get(r, at, "/v1/models", "Origin: https://app.example\r\n"), "HTTP/1.1 200");
    assert_says(get(r, at, "/v1/models", "Origin: https://evil.example\r\n"), "HTTP/1.1 403");
    assert_says(get(r, at, "/v1/models", "Authorization: Bearer nonsense\r\n"), "HTTP/1.1 401");
    assert_says(ask(r, at,
                    "GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
                "HTTP/1.1 403");
    end(r);
}

/* --- reload
 * -----------------------------------------------------------------------------------------------
 */

static void a_bad_file_keeps_what_runs_and_says_so(void **state)
{
    rig *r = *state;
    begin(r);
    assert_true(comes_true(r, "/readyz", "\"current\":true"));
    put(r, "rules/one.yaml", "policy: v1\nrules: [{ id: all, permt: \"*\" }]\n");
    kill(getpid(), SIGHUP);
    assert_true(comes_true(r, "/readyz", "rules/one.yaml:2:"));
    assert_true(comes_true(r, "/readyz", "\"ready\":true"));
    assert_says(get(r, gateway_address(r->g, 0), "/", ""), "HTTP/1.1 200");
    put(r, "rules/one.yaml", "policy: v1\nrules: [{ id: all, permit: \"*\" }]\n");
    kill(getpid(), SIGHUP);
    assert_true(comes_true(r, "/readyz", "\"current\":true"));
    assert_true(comes_true(r, "/metrics", "sallyport_reloads_total{outcome=\"refused\"} "));
    end(r);
}

static void a_changed_file_needs_no_signal(void **state)
{
    rig *r = *state;
    begin(r);
    put(r, "sallyport.yaml", CONFIG "store: x\n");
    assert_true(comes_true(r, "/readyz", "sallyport.yaml:9:8: `x` is no store of this version"));
    put(r, "sallyport.yaml", CONFIG "allowed_hosts: [gw.example.com]\n");
    assert_true(comes_true(r, "/readyz", "\"current\":true"));
    str answer = ask(r, gateway_address(r->g, 0),
                     "GET /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\nHost: "
                     "gw.example.com\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 50 && !has(answer, "HTTP/1.1 200");
         i++, usleep(20000)) /* each worker gets it by letter */
        answer = ask(r, gateway_address(r->g, 0),
                     "GET /.well-known/oauth-protected-resource/mcp HTTP/1.1\r\nHost: "
                     "gw.example.com\r\nConnection: close\r\n\r\n");
    assert_says(answer, "HTTP/1.1 200");
    end(r);
}

/* Start */

static void a_busy_port_is_said_and_nothing_is_left_behind(void **state)
{
    rig *r = *state;
    begin(r);
    str text = arena_fmt(r->a, "version: 1\nlisten: [\"" STR_FMT "\"]\n",
                         STR_ARG(gateway_address(r->g, 0)));
    gateway *other = NULL;
    put(r, "other.yaml", text.p);
    gateway_options o = {.file = path_of(r, "other.yaml"),
                         .shim = (char *const *)(uintptr_t)shim,
                         .signals = r->signals};
    const err *e = gateway_start(r->a, &o, r->log, &other);
    assert_non_null(e);
    assert_says(e->text, "is in use");
    (void)unlink(path_of(r, "other.yaml").p);
    end(r);
}

static void a_wrong_configuration_does_not_start(void **state)
{
    rig *r = *state;
    put(r, "sallyport.yaml", "version: 1\nadmin: { address: \"0.0.0.0:0\" }\n");
    FILE *keep = stderr;
    stderr = fopen("/dev/null", "w");
    const err *e = start(r);
    fclose(stderr);
    stderr = keep;
    assert_non_null(e);
    assert_says(e->text, "1 problem in the configuration");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_path_has_a_door_or_is_404, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_admin_listener_says_secrets_to_nobody_and_little_to_strangers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(models_are_not_for_pages_of_other_sites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_bad_file_keeps_what_runs_and_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_changed_file_needs_no_signal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_busy_port_is_said_and_nothing_is_left_behind, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_configuration_does_not_start, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
