/* SPDX-License-Identifier: Apache-2.0 */
/* introspect.c - one errand a question, and a letter back.
 *
 * The endpoint is of the operator's making, so it may be anywhere; its answer is bounded in size
 * and time. Two requests that bring the same new token at once ask twice: it is a matter of one
 * round trip, and nobody waits for somebody else's errand. */
#include "introspect.h"

#include "../authz/introspection.h"
#include "../base/clock.h"
#include "../mcp/grant.h"
#include <stdlib.h>

static const int64_t ASK_MS = 5000, REFUSED_S = 2;

typedef struct {
    errand head;
    letter back;
    arena *arena;
    worker *w;
    handle waiter;
    str token;
    jwt_issuer issuer; /* copied */
    introspection about;
    json_t *claims; /* NULL: refused, or */
    bool away;      /* the issuer could not be asked */
    int64_t until_s;
} question_of_token;

static question_of_token *of_errand(errand *self)
{
    return (question_of_token *)(void *)self;
}

static question_of_token *of_letter(letter *self)
{
    return (question_of_token *)(void *)((char *)self - offsetof(question_of_token, back));
}

static void done(question_of_token *q)
{
    json_decref(q->claims);
    arena_free(q->arena);
}

static void deliver(letter *self, loop *at)
{
    question_of_token *q = of_letter(self);
    if (!q->claims) q->until_s = clock_wall_ms() / 1000 + REFUSED_S;
    if (q->away)
        identity_learn_nothing(q->w->tokens, q->token, q->until_s);
    else
        identity_learn(q->w->tokens, q->token, q->claims, q->until_s);
    q->claims = NULL;
    flow_wake(loop_flows(at), q->waiter, FLOW_WOKEN);
    done(q);
}

static void drop_letter(letter *self)
{
    done(of_letter(self));
}

static const err *ask(question_of_token *q)
{
    int status = 0;
    str body = {0};
    const grant us = {.client_id = q->about.client_id, .client_secret = q->about.client_secret};
    const fetch_request rq = {.url = q->about.url,
                              .headers = grant_headers(q->arena, &us),
                              .post_body = introspection_body(q->arena, q->token),
                              .limit = INTROSPECTION_ANSWER_MOST,
                              .timeout_ms = ASK_MS,
                              .allow_private = true,
                              .stop = errands_stopping(q->w->house->web)};
    const err *e = fetch(q->arena, &rq, &status, &body);
    if (e) return err_wrap(q->arena, e, "introspection");
    if (status != 200)
        return err_new(q->arena, ERR_UPSTREAM, "introspection: the endpoint answered %d", status);
    return introspection_read(q->arena, &q->issuer, body, clock_wall_ms() / 1000, &q->claims,
                              &q->until_s);
}

static void run(errand *self)
{
    question_of_token *q = of_errand(self);
    const err *e = ask(q);
    q->away = e && e->kind != ERR_UNAUTHENTICATED; /* a bad token is its caller's trouble */
    if (q->away)
        log_say(q->w->house->log, LOG_WARN_LEVEL, "a token could not be checked",
                (log_fact[]){{"issuer", q->issuer.issuer}, {"error", e->text}, {0}});
    loop_post(q->w->loop, &q->back);
}

static void drop_errand(errand *self)
{
    done(of_errand(self));
}

void introspect(worker *w, const identity_detail *what, handle waiter)
{
    arena *a = arena_new();
    question_of_token *q = NEW(a, question_of_token);
    const introspection *from = what->issuer->introspection;
    *q = (question_of_token){.head = {.run = run, .drop = drop_errand},
                             .back = {.deliver = deliver, .drop = drop_letter},
                             .arena = a,
                             .w = w,
                             .waiter = waiter,
                             .token = arena_dup(a, what->token),
                             .issuer = {.issuer = arena_dup(a, what->issuer->issuer),
                                        .audiences = arena_dup_all(a, what->issuer->audiences)},
                             .about = {.url = arena_dup(a, from->url),
                                       .client_id = arena_dup(a, from->client_id),
                                       .client_secret = arena_dup(a, from->client_secret),
                                       .keep_s = from->keep_s}};
    q->issuer.introspection = &q->about;
    if (errands_add(w->house->web, &q->head)) return;
    done(q);
    loop_wake(w->loop, waiter);
}
