/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* client_tunnel_test.c - what a proxy is asked, and what is made of its answer, however it is cut.
 */
#include "../../transport/client_tunnel.h"

#include "own_arena.h"
#include <string.h>
#include <unistd.h>

enum { ASKED_MOST = 512 };

typedef struct {
    origin *to;
    tunnel *t;
    int ours, theirs;
} rig;

static rig rig_of(const char *url, str authorization)
{
    rig r = {0};
    int pair[2];
    url_parts u;
    const proxy_at via = {.host = S("127.0.0.1"), .port = 1, .authorization = authorization};
    assert_null(url_parse(a, (str){url, strlen(url)}, &u));
    assert_null(origin_new_via(a, &u, NULL, &via, &r.to));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    r.ours = pair[0];
    r.theirs = pair[1];
    r.t = tunnel_new(r.to);
    return r;
}

static void rig_end(rig *r)
{
    tunnel_free(r->t);
    origin_free(r->to);
    close(r->ours);
    close(r->theirs);
}

static void the_question_names_the_origin_and_shows_the_credential(void **state)
{
    (void)state;
    static const struct {
        const char *url, *shown, *asked;
    } cases[] = {
        {"http://models.test/x", "",
         "CONNECT models.test:80 HTTP/1.1\r\nHost: models.test:80\r\n\r\n"},
        {"http://[::1]:8443/", "Basic dTpw",
         "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nProxy-Authorization: Basic "
         "dTpw\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char asked[ASKED_MOST];
        rig r = rig_of(cases[i].url, (str){cases[i].shown, strlen(cases[i].shown)});
        assert_int_equal(tunnel_advance(r.t, r.ours), TUNNEL_WAITS);
        ssize_t n = read(r.theirs, asked, sizeof asked);
        assert_true(n > 0);
        assert_true(str_eq((str){asked, (size_t)n}, (str){cases[i].asked, strlen(cases[i].asked)}));
        rig_end(&r);
    }
}

/* The answer in two pieces, cut at `cut`; then the proxy leaves. */
static tunnel_state answered(rig *r, str answer, size_t cut)
{
    tunnel_state state = tunnel_advance(r->t, r->ours);
    str pieces[] = {str_take(answer, cut), str_drop(answer, cut)};
    for (size_t i = 0; i < 2 && state == TUNNEL_WAITS; i++) {
        if (!pieces[i].n) continue;
        assert_int_equal(write(r->theirs, pieces[i].p, pieces[i].n), pieces[i].n);
        state = tunnel_advance(r->t, r->ours);
    }
    if (state != TUNNEL_WAITS) return state;
    (void)shutdown(r->theirs, SHUT_WR);
    return tunnel_advance(r->t, r->ours);
}

static void an_answer_means_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *why; /* NULL: the tunnel is open */
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n\r\n", NULL},
        {"HTTP/1.0 200 Connection established\r\nVia: x\r\nContent-Length: 9\r\n\r\n", NULL},
        {"HTTP/1.1 407 Who\r\nContent-Length: 2\r\n\r\nno",
         "the proxy opens no tunnel: it says 407"},
        {"HTTP/1.1 301 There\r\nLocation: /\r\n\r\n", "the proxy opens no tunnel: it says 301"},
        {"SSH-2.0-x\r\n\r\n", "the proxy's answer is no HTTP"},
        {"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "the proxy's answer is no HTTP"},
        {"HTTP/1.1 200", "the proxy closed the connection"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str answer = {cases[i].answer, strlen(cases[i].answer)};
        for (size_t cut = 0; cut < answer.n; cut++) {
            rig r = rig_of("http://models.test", (str){0});
            tunnel_state got = answered(&r, answer, cut);
            assert_int_equal(got, cases[i].why ? TUNNEL_REFUSED : TUNNEL_OPEN);
            if (cases[i].why) assert_string_equal(tunnel_why(r.t), cases[i].why);
            rig_end(&r);
        }
    }
}

static void what_is_said_before_we_speak_is_not_the_origins(void **state)
{
    (void)state;
    rig r = rig_of("http://models.test", (str){0});
    str answer = S("HTTP/1.1 200 OK\r\n\r\nhello");
    assert_int_equal(answered(&r, answer, answer.n), TUNNEL_REFUSED);
    assert_string_equal(tunnel_why(r.t), "the proxy said more than its answer");
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(the_question_names_the_origin_and_shows_the_credential),
        ARENA_TEST(an_answer_means_the_same_however_it_is_cut),
        ARENA_TEST(what_is_said_before_we_speak_is_not_the_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
