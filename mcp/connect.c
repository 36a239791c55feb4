/* SPDX-License-Identifier: Apache-2.0 */
/* connect.c - the two pages a browser sees: one that sends it on, one to which it comes back; and
 * the document in which an authorization server reads who we are (consent_self).
 *
 * Everything is decided from what is sealed in the address and from the cookie set at the start; a
 * second browser with the same address has another cookie, or none. What blocks is an errand
 * (connect_leg.h). Pages say what happened, never why a stranger's server failed: that is in the
 * log. (MCP 2025-11-25 client/elicitation, URL mode.) */
#include "../base/clock.h"
#include "../base/form.h"
#include "connect_leg.h"
#include "corridor.h"
#include "resource_metadata.h"
#include "upstream_state.h"
#include <stdlib.h>

#define COOKIE "sallyport_consent"
enum { QUERY_MOST = 16 << 10 };

typedef struct page {
    mcp_worker *w;
    exchange *x;
    arena *a;
    mcp_request rq;
    flow_run run;
    handle self;
    bool asked;
    str document;     /* {0}: it is a page */
    const char *said; /* NULL: not over; shown */
    int status;
    str location, cookie;
} page;

typedef struct {
    errand head;
    letter back;
    connect_job job;
    mcp_worker *w;
    handle page;
    bool ends;
    const err *why;
} work;

static const char page_type;

/* The errand and its letter */

static work *of_letter(letter *self)
{
    return (work *)(void *)((char *)self - offsetof(work, back));
}

static void work_free(work *k)
{
    upstream_release(k->job.u);
    arena_free(k->job.a);
}

static void deliver(letter *self, loop *at)
{
    work *k = of_letter(self);
    page *p = handle_get(loop_handles(at), &page_type, k->page);
    if (p) {
        bool theirs = k->why && k->why->kind == ERR_FORBIDDEN;
        p->status = theirs ? 403 : k->why ? 502 : k->job.location.n ? 302 : 200;
        p->location = arena_dup(p->a, k->job.location);
        p->said = theirs   ? "You are not the one who asked for this. Nothing was connected."
                  : k->why ? "The account could not be connected. The operator's log says why."
                           : "Your account is connected. You can close this page.";
        flow_wake(loop_flows(at), p->run.self, FLOW_WOKEN);
    }
    work_free(k);
}

static void drop_letter(letter *self)
{
    work_free(of_letter(self));
}

static void run_errand(errand *self)
{
    work *k = (work *)(void *)self;
    k->why = k->ends ? connect_end(&k->job) : connect_begin(&k->job);
    if (k->why)
        log_say(k->w->shared->log, LOG_WARN_LEVEL, "an account could not be connected",
                (log_fact[]){{"server", k->job.u->spec.name}, {"error", k->why->text}, {0}});
    loop_post(k->w->loop, &k->back);
}

static void drop_errand(errand *self)
{
    work_free((work *)(void *)self);
}

/* The page */

static flow_go say(page *p, int status, const char *text)
{
    p->status = status;
    p->said = text;
    return FLOW_NEXT;
}

static upstream *server_of(const page *p, str name)
{
    const mcp_config *c = p->rq.config;
    for (size_t i = 0; i < c->endpoint_count; i++)
        for (upstream *const *u = c->endpoints[i].servers; *u; u++)
            if (str_eq((*u)->spec.name, name) && (*u)->spec.grant.kind == GRANT_USER) return *u;
    return NULL;
}

static str copy(arena *a, str s)
{
    return s.p ? arena_dup(a, s) : s;
}

/* The issuer of the caller's tokens as it is configured now; a login that is gone ends it here. */
static bool copy_login(const page *p, arena *a, str issuer, jwt_issuer *out)
{
    const identity *id = p->rq.config->who;
    *out = (jwt_issuer){0};
    for (size_t i = 0; issuer.n && i < id->issuer_count; i++) {
        const jwt_issuer *from = &id->issuers[i];
        size_t n = 0;
        if (!str_eq(from->issuer, issuer) || !from->login_client.n || !from->keys) continue;
        while (from->algorithms[n] != ALG_NONE) n++;
        jwt_alg *algorithms = NEW_N(a, jwt_alg, n + 1);
        for (size_t k = 0; k < n; k++) algorithms[k] = from->algorithms[k];
        *out = (jwt_issuer){.issuer = arena_dup(a, from->issuer),
                            .algorithms = algorithms,
                            .keys = from->keys,
                            .login_client = arena_dup(a, from->login_client),
                            .login_secret = copy(a, from->login_secret)};
    }
    return !issuer.n || out->issuer.n;
}

static flow_go start_work(page *p, str sealed, const consent *c, str code)
{
    upstream *u = server_of(p, c->server);
    errands *web = p->w->shared->web;
    if (!u || !web) return say(p, 404, "That server is not here any more.");
    arena *a = arena_new();
    work *k = NEW(a, work);
    *k = (work){.head = {.run = run_errand, .drop = drop_errand},
                .back = {.deliver = deliver, .drop = drop_letter},
                .w = p->w,
                .page = p->self,
                .ends = code.n > 0};
    k->job = (connect_job){.a = a, .u = upstream_hold(u), .code = copy(a, code)};
    /* opened once more, for views that live as long as the errand */
    bool fine =
        copy_login(p, a, c->login, &k->job.login) &&
        consent_open(p->w->shared->seals, a, arena_dup(a, sealed), clock_wall_ms(), &k->job.c);
    if (c->leg == CONSENT_START) k->job.c.browser = arena_dup(a, c->browser);
    if (!fine || !errands_add(web, &k->head)) {
        work_free(k);
        return say(p, 503, "This cannot be done now. Please try again.");
    }
    p->asked = true;
    return FLOW_WAIT;
}

static flow_go begin(page *p, str query)
{
    consent c;
    str sealed = form_get(p->a, query, S("c")), cookie = consent_random(p->a);
    if (!consent_open(p->w->shared->seals, p->a, sealed, clock_wall_ms(), &c) ||
        c.leg != CONSENT_START)
        return say(p, 400, "This address is no longer good. Please try again from your client.");
    c.browser = consent_challenge(p->a, cookie);
    p->cookie = arena_fmt(p->a,
                          COOKIE "=" STR_FMT "; HttpOnly; SameSite=Lax; Path=/oauth; "
                                 "Max-Age=600%s",
                          STR_ARG(cookie), str_starts(c.front, S("https:")) ? "; Secure" : "");
    return start_work(p, sealed, &c, (str){0});
}

static str cookie_of(const page *p)
{
    str rest = exchange_header(p->x, S("cookie"));
    while (rest.n) {
        str_pair one = str_cut(rest, ';'), pair = str_cut(one.head, '=');
        while (pair.head.n && pair.head.p[0] == ' ') pair.head = str_drop(pair.head, 1);
        if (str_eq(pair.head, S(COOKIE))) return pair.tail;
        rest = one.tail;
    }
    return (str){0};
}

/* RFC 9207: compared byte by byte; who says that he names himself must. */
static bool is_from_issuer(page *p, str query, const consent *c)
{
    str iss = form_get(p->a, query, S("iss"));
    return iss.p ? str_eq(iss, c->issuer) : !c->says_issuer;
}

static flow_go come_back(page *p, str query)
{
    consent c;
    str sealed = form_get(p->a, query, S("state")), code = form_get(p->a, query, S("code"));
    if (!consent_open(p->w->shared->seals, p->a, sealed, clock_wall_ms(), &c) ||
        c.leg == CONSENT_START)
        return say(p, 400, "This address is no longer good. Please try again from your client.");
    if (!str_eq(consent_challenge(p->a, cookie_of(p)), c.browser))
        return say(p, 403, "This is not the browser in which it was begun. Nothing was connected.");
    if (!is_from_issuer(p, query, &c))
        return say(p, 400, "The answer is of somebody else. Nothing was connected.");
    if (!code.n) return say(p, 403, "It was not agreed to. Nothing was connected.");
    return start_work(p, sealed, &c, code);
}

static str host_of(str front)
{
    str_pair cut = str_cut(front, '/');
    return str_drop(cut.tail, 1);
}

/* A proxy before us may call us by another name; then it is the first that has a public one. */
static flow_go show_self(page *p)
{
    const mcp_config *c = p->rq.config;
    str front = {0};
    bool named = false;
    for (size_t i = 0; i < c->endpoint_count && !named; i++) {
        str one = mcp_front(p->a, &c->endpoints[i], p->x);
        if (!str_starts(one, S("https://"))) continue;
        named = header_name_is(host_of(one), exchange_host(p->x));
        if (named || !front.n) front = one;
    }
    if (!front.n) return say(p, 404, "This gateway has no public https address.");
    p->document = consent_self(p->a, front);
    return say(p, 200, "");
}

static flow_go decide(void *p_, flow_why why)
{
    page *p = p_;
    str query = exchange_query(p->x), path = exchange_path(p->x);
    if (why == FLOW_GONE) return FLOW_FAIL;
    if (p->asked) return p->said ? FLOW_NEXT : FLOW_WAIT;
    if (!str_eq(exchange_method(p->x), S("GET"))) return say(p, 405, "This is a page.");
    if (query.n > QUERY_MOST) return say(p, 400, "This address is too long.");
    if (str_eq(path, S(CONSENT_SELF_PATH))) return show_self(p);
    return str_eq(path, S(CONSENT_START_PATH)) ? begin(p, query) : come_back(p, query);
}

static flow_go answer(void *p_, flow_why why)
{
    page *p = p_;
    header headers[8] = {{S("content-type"), S("text/html; charset=utf-8")},
                         {S("cache-control"), S("no-store")},
                         {S("referrer-policy"), S("no-referrer")},
                         {S("content-security-policy"),
                          S("default-src 'none'; frame-ancestors 'none'")}};
    size_t n = 4;
    (void)why;
    if (p->location.n) headers[n++] = (header){S("location"), p->location};
    if (p->cookie.n) headers[n++] = (header){S("set-cookie"), p->cookie};
    if (p->document.n) headers[0].value = S("application/json");
    str body = p->document;
    if (!body.n)
        body = arena_fmt(p->a, "<!doctype html><title>Sallyport</title><p>%s</p>\n", p->said);
    exchange_reply(p->x, p->status, headers, body);
    return FLOW_DONE;
}

static void refuse(void *p_)
{
    page *p = p_;
    if (!exchange_gone(p->x)) exchange_reply(p->x, 500, NULL, S(""));
}

static void settle(void *p_)
{
    page *p = p_;
    handle_drop(loop_handles(p->w->loop), p->self);
    if (p->rq.finished) p->rq.finished(p->rq.ctx, p->x);
}

static void release(void *p_)
{
    exchange_release(((page *)p_)->x);
}

static const flow_step steps[] = {{.name = "decide", .run = decide},
                                  {.name = "answer", .run = answer},
                                  {0}};
static const flow connecting = {.name = "oauth",
                                .steps = steps,
                                .refuse = refuse,
                                .settle = settle,
                                .release = release,
                                .on_gone = FLOW_CANCEL};

bool mcp_connects(const mcp_config *c, str path)
{
    if (!str_eq(path, S(CONSENT_START_PATH)) && !str_eq(path, S(CONSENT_BACK_PATH)) &&
        !str_eq(path, S(CONSENT_SELF_PATH)))
        return false;
    for (size_t i = 0; i < c->endpoint_count; i++)
        for (upstream *const *u = c->endpoints[i].servers; *u; u++)
            if ((*u)->spec.grant.kind == GRANT_USER) return true;
    return false;
}

void mcp_connect(mcp_worker *w, exchange *x, const mcp_request *rq)
{
    page *p = NEW(exchange_arena(x), page);
    p->w = w;
    p->x = x;
    p->a = exchange_arena(x);
    p->rq = *rq;
    p->self = handle_add(loop_handles(w->loop), &page_type, p);
    record_text(exchange_record(x), FACT_DOOR, S("oauth"));
    flow_start(&p->run, loop_flows(w->loop), &connecting, p);
    exchange_attach(x, &p->run);
}
