/* SPDX-License-Identifier: Apache-2.0 */
/* link_http.c - a call over HTTP, in either era.
 *
 * The request goes out on the asking worker's own connections. A legacy one needs the session
 * of its isolation id, which its owner opens; the modern one needs nothing. Two refusals mean
 * that the request was not executed, and are mended once each, unseen: a session the server has
 * forgotten (404, or 400 from servers that do not know better), and a server whose era has
 * changed under us. (MCP 2026-07-28 basic/transports/streamable-http, and 2025-11-25.) */
#include "announcement.h"
#include "authority.h"
#include "link_apart.h"
#include "link_log.h"
#include "link_param.h"
#include "link_session.h"
#include "link_token.h"
#include "link_user.h"
#include "offer.h"

enum { OWN_HEADERS = 5, ENVELOPE = 512 };

static bool is_modern_refusal(const link_message *m)
{
    int64_t code = link_message_code(m);
    return code <= -32020 && code >= -32022;
}

/* Forwarded headers never speak for us. */
static bool is_ours(const link_call *c, str name)
{
    static const str ours[] = {S("content-type"), S("accept"), S("last-event-id")};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (header_name_is(name, ours[i])) return true;
    }
    if (name.n >= 4 && header_name_is(str_take(name, 4), S("mcp-"))) return true;
    return header_name_is(name, S("authorization")) || header_get(c->u->spec.auth, name).p != NULL;
}

static size_t count(const header *list)
{
    size_t n = 0;
    while (list && list[n].name.p) n++;
    return n;
}

static const header *headers(const link_call *c, arena *a)
{
    size_t n = 0;
    header *out =
        NEW_N(a, header, OWN_HEADERS + count(c->param_headers) + count(c->rq.headers) + 1);
    if (c->era == ERA_MODERN) {
        out[n++] = (header){S("MCP-Protocol-Version"), LINK_MODERN};
        out[n++] = (header){S("Mcp-Method"), c->rq.method};
        if (c->rq.name.p) out[n++] = (header){S("Mcp-Name"), link_param_encode(a, c->rq.name)};
        for (const header *h = c->param_headers; h && h->name.p; h++) out[n++] = *h;
    } else {
        n += link_session_headers(a, c->session, out);
    }
    for (const header *h = c->rq.headers; h && h->name.p; h++) {
        if (!is_ours(c, h->name)) out[n++] = *h;
    }
    return out;
}

static void hear_log(link_call *c, const link_message *m)
{
    if (c->era != ERA_LEGACY || !js_text_is(m->method, S("notifications/message"))) return;
    if (c->listens)
        link_log_apart(c, m->params);
    else
        atomic_store(&c->session->logs_inline, true);
}

static void began(void *c_)
{
    link_call *c = c_;
    if (c->listens) link_call_began(c);
}

static void noticed(void *c_, arena *scratch, const link_message *m)
{
    link_call *c = c_;
    str method;
    js_value params;
    if (js_text_is(m->method, S("notifications/cancelled"))) {
        js_value id = js_get(m->params, S("requestId"));
        if (c->listens)
            link_apart_withdrawn(c, id);
        else
            link_call_withdrawn(c, id);
    }
    announcement_heard(c->u, c->isolation, m->method, m->params);
    hear_log(c, m);
    if (c->rq.endless) {
        (void)link_call_hears(c, js_text(scratch, m->method), m->params);
        return;
    }
    link_wanted want = {c->rq.progress ? c->id : 0, c->rq.log_level};
    if (link_message_wanted(scratch, m, want, &method, &params))
        (void)link_call_hears(c, method, params);
}

static void write_reply(buf *b, const void *m)
{
    link_message_reply(b, m);
}
static void write_cancelled(buf *b, const void *id)
{
    link_message_cancelled(b, *(const int64_t *)id);
}

/* A legacy server may ask its client something; silence would hang it. */
static void asked(void *c_, const link_message *m)
{
    link_call *c = c_;
    if (c->era != ERA_LEGACY) return;
    bool ping = js_text_is(m->method, S("ping"));
    if (!ping && c->listens) {
        link_apart_asked(c, m);
        return;
    }
    if (!ping && link_call_asked(c, m, 0)) return;
    link_session_tell(c->t, c->u, c->session, write_reply, m);
}

typedef struct {
    str id, said;
} answer;

static void write_answer(buf *b, const void *a_)
{
    const answer *a = a_;
    link_message_say(b, a->id, a->said);
}

void link_http_say(link_call *c, str id, str said)
{
    const answer a = {id, said};
    if (c->session) link_session_tell(c->t, c->u, c->session, write_answer, &a);
}

void link_http_leave(link_call *c)
{
    if (!c->session) return;
    link_log_leave(c);
    if (c->listens) atomic_fetch_sub(&c->session->ears, 1);
    c->listens = false;
    link_session_give(c->session, loop_now_ms(c->t->w->loop));
    c->session = NULL;
}

/* Whether the server did not look at the request, and another try has a chance. */
static bool mended(link_call *c, const link_post_end *end)
{
    int64_t code = link_message_code(&end->answer);
    if (c->era == ERA_LEGACY && c->session->id.n && !c->renewed) {
        bool lost =
            end->status == 404 || (end->status == 400 && (code == -32000 || code == -32001));
        if (!lost) return false;
        c->renewed = true;
        c->stale_epoch = c->session->epoch;
        link_http_leave(c);
        return true;
    }
    bool refused =
        end->status == 400 || end->status == 404 || end->status == 405 || end->status == 406;
    if (c->era != ERA_MODERN || c->reprobed || !refused || is_modern_refusal(&end->answer))
        return false;
    if (end->answer.kind == LINK_ANSWER && code != -32000) return false; /* it understood us */
    c->reprobed = true;
    upstream_era_is(c->u, ERA_UNKNOWN, 0);
    return true;
}

/* The server wants scopes that the caller was not yet asked to give. (MCP 2025-11-25
 * basic/authorization, scope challenges) */
static bool must_step_up(link_call *c, const link_post_end *end)
{
    str error = authority_challenge(c->arena, end->challenge, S("error"));
    str scope = authority_challenge(c->arena, end->challenge, S("scope"));
    return end->status == 403 && scope.n && str_eq(error, S("insufficient_scope")) &&
           link_token_lacks(c, scope);
}

static void ended(void *c_, const link_post_end *end)
{
    link_call *c = c_;
    str name = c->u->spec.name;
    c->post = NULL;
    c->sent |= !end->unsent;
    if (end->status == 401 && link_token_refused(c)) {
        link_http_leave(c);
        link_call_go(c);
    } else if (must_step_up(c, end)) {
        link_user_absent(c);
    } else if (end->status >= 500 || end->status == 401 || end->status == 403) {
        const char *what = end->status >= 500 ? "failed" : "refused our credential";
        link_call_fail(c, ERR_UPSTREAM,
                       arena_fmt(c->arena, STR_FMT " %s (HTTP %d)", STR_ARG(name), what,
                                 end->status));
    } else if (end->status == 405 && c->rq.endless && c->era == ERA_LEGACY) {
        link_call_fail(c, ERR_UNSUPPORTED,
                       arena_fmt(c->arena, STR_FMT " has no stream", STR_ARG(name)));
    } else if (end->status >= 300 && mended(c, end)) {
        link_call_go(c);
    } else if (end->answer.kind == LINK_ANSWER) {
        if (!link_log_hold(c, end->answer.result, end->answer.error))
            link_call_done(c, end->answer.result, end->answer.error, NULL);
    } else if (end->status >= 300) {
        link_call_fail(c, ERR_UPSTREAM,
                       arena_fmt(c->arena, STR_FMT " answered HTTP %d", STR_ARG(name),
                                 end->status));
    } else if (end->why) {
        if (!end->status) upstream_is_down(c->u, end->why->text);
        link_call_done(c, (js_value){0}, (js_value){0}, end->why);
    } else {
        link_call_fail(c, ERR_UPSTREAM,
                       arena_fmt(c->arena, STR_FMT " gave no answer", STR_ARG(name)));
    }
}

static void write_level(buf *b, const void *level)
{
    link_message_level(b, 1, *(const int *)level); /* nobody waits for the answer */
}

static void tell_level(const link_call *c)
{
    int level;
    if (c->era == ERA_LEGACY && link_log_wants(&c->session->log, c->rq.log_level, &level))
        link_session_tell(c->t, c->u, c->session, write_level, &level);
}

static void send(link_call *c)
{
    static const link_post_events events = {began, noticed, asked, ended};
    tell_level(c);
    link_log_begin(c);
    c->post = link_post_new(c->t, c->u);
    buf *body = link_post_body(c->post);
    bool get = c->rq.endless && c->era == ERA_LEGACY;
    (void)buf_need(body, c->rq.params.n + c->rq.meta.n + ENVELOPE);
    if (!get) link_message_request(body, c->era, c->id, &c->rq);
    const link_post_request rq = {.verb = get ? S("GET") : S("POST"),
                                  .id = c->id,
                                  .headers = headers(c, link_post_arena(c->post)),
                                  .authorization = c->authorization,
                                  .no_retry =
                                      str_eq(c->rq.method, S("tools/call")) && !c->rq.repeatable,
                                  .resumable = c->era == ERA_LEGACY && !get,
                                  .events = &events,
                                  .ctx = c};
    link_post_send(c->post, &rq);
}

void link_http_go(link_call *c)
{
    int64_t now = loop_now_ms(c->t->w->loop);
    if (!link_token_go(c)) return;
    c->era = upstream_era_now(c->u, now);
    if (!offer_covers(c->u, c->rq.method)) {
        link_call_fail_soon(c, ERR_UNSUPPORTED, S("the server does not offer this"));
        return;
    }
    if (c->era == ERA_UNKNOWN) {
        link_want_post(c, c->u->owner, link_era_want);
        return;
    }
    if (c->era == ERA_LEGACY) {
        c->session = link_session_take(c->u, c->isolation, c->stale_epoch, now);
        if (!c->session) {
            link_want_post(c, upstream_worker_of(c->u, c->rq.caller_id), link_session_want);
            return;
        }
        c->listens = c->rq.endless;
        if (c->listens) atomic_fetch_add(&c->session->ears, 1);
    }
    send(c);
}

void link_http_cancel(link_call *c)
{
    if (!c->post) return;
    link_post_cancel(c->post); /* a modern server takes the closed stream for it */
    c->post = NULL;
    if (c->era == ERA_LEGACY && !c->listens)
        link_session_tell(c->t, c->u, c->session, write_cancelled, &c->id);
    link_http_leave(c);
}
