/* SPDX-License-Identifier: Apache-2.0 */
/* token_errand.c - a token whose endpoint the configuration does not name.
 *
 * Discovery and the request for the token are one errand beside the workers: it blocks, it is rare,
 * and libcurl pins what was resolved. What is discovered is not kept: a token lives for minutes,
 * and an issuer that has moved is noticed with the next. */
#include "../base/clock.h"
#include "authority.h"
#include "link_token.h"

static const int64_t ASK_MS = 10000;

typedef struct {
    errand head;
    arena *arena;
    upstream *u; /* held */
    str key, subject;
} token_errand;

static void done(token_errand *t)
{
    upstream_release(t->u);
    arena_free(t->arena);
}

/* What the server or its issuer says fills what the configuration leaves open. */
static grant completed(const upstream_spec *spec, const authority *from)
{
    grant g = spec->grant;
    g.token_url = from->token;
    if (!from->basic && from->post) g.secret_in_body = true;
    if (!g.scope.n) g.scope = from->scope;
    if (from->resource.n && str_eq(g.resource, spec->url)) g.resource = from->resource;
    return g;
}

static const err *get_token(token_errand *t, grant_token *out)
{
    const upstream_spec *spec = &t->u->spec;
    const authority_ask ask = {.server_url = spec->grant.issuer.n ? (str){0} : spec->url,
                               .issuer = spec->grant.issuer,
                               .allow_private = spec->grant.allow_private,
                               .stop = errands_stopping(t->u->shared->web)};
    authority found;
    const err *e = authority_find(t->arena, &ask, &found);
    if (e) return e;
    int status = 0;
    str body = {0};
    const grant g = completed(spec, &found);
    const fetch_request rq = {.url = g.token_url,
                              .headers = grant_headers(t->arena, &g),
                              .post_body = grant_body(t->arena, &g, t->subject),
                              .limit = GRANT_ANSWER_MOST,
                              .timeout_ms = ASK_MS,
                              .allow_private = authority_trusts(t->arena, &ask, g.token_url),
                              .stop = ask.stop};
    e = fetch(t->arena, &rq, &status, &body);
    return e ? err_wrap(t->arena, e, "the token endpoint")
             : grant_read(t->arena, status, body, out);
}

static void run(errand *self)
{
    token_errand *t = (token_errand *)(void *)self;
    grant_token got = {0};
    const err *why = get_token(t, &got);
    link_token_settle(t->u, t->key, &got, why);
    done(t);
}

static void drop(errand *self)
{
    done((token_errand *)(void *)self);
}

bool token_errand_start(upstream *u, str key, str subject)
{
    if (!u->shared->web) return false;
    arena *a = arena_new();
    token_errand *t = NEW(a, token_errand);
    t->head = (errand){.run = run, .drop = drop};
    t->arena = a;
    t->u = upstream_hold(u);
    t->key = arena_dup(a, key);
    t->subject = subject.n ? arena_dup(a, subject) : (str){0};
    bool taken = errands_add(u->shared->web, &t->head);
    if (!taken) done(t);
    return taken;
}
