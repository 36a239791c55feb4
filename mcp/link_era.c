/* SPDX-License-Identifier: Apache-2.0 */
/* link_era.c - which era an HTTP upstream belongs to, asked once for everybody.
 *
 * server/discover is sent as a modern client would. Only an answer is evidence: a result that names
 * our revision, or a refusal only a modern server gives, is modern; any other refusal (4xx, or a
 * JSON-RPC error under 200) is legacy. Refused credentials, 5xx and silence say nothing
 * about the era, and everybody who waits is told so. (MCP 2026-07-28 basic/versioning.) */
#include "link_table.h"
#include "offer.h"
#include <stdlib.h>

typedef struct {
    link_table *t;
    upstream *u; /* held */
    link_post *post;
    link_waiters waiters;
} probe;

static void destroy(probe *p)
{
    (void)map_del(p->t->probes, p->u->key);
    if (p->post) link_post_cancel(p->post);
    free(p->waiters.row);
    upstream_release(p->u);
    free(p);
}

static bool refused_for_other_reasons(int status)
{
    return status == 401 || status == 403 || status == 407 || status == 408 || status == 425 ||
           status == 429;
}

/* What -32022 lists decides; without a list the server is modern but not ours to speak to. */
static upstream_era era_of_refusal(const link_message *m, int status)
{
    int64_t code = link_message_code(m);
    if (code == -32601 && status == 404) return ERA_MODERN;
    if (code == -32020 || code == -32021) return ERA_MODERN;
    if (code != -32022) return ERA_LEGACY;
    for (js_iter it = js_iterate(js_get(js_get(m->error, S("data")), S("supported")));
         js_next(&it);) {
        if (js_text_is(it.value, LINK_MODERN)) return ERA_MODERN;
        if (link_message_knows(it.value)) return ERA_LEGACY;
    }
    return ERA_UNKNOWN;
}

/* UNKNOWN: no evidence, and *why says what there was instead. */
static upstream_era judge(arena *a, str name, const link_post_end *end, const err **why)
{
    if (end->status >= 500 || (end->status >= 300 && end->status < 400)) {
        *why = err_new(a, ERR_UPSTREAM, STR_FMT " answered HTTP %d", STR_ARG(name), end->status);
        return ERA_UNKNOWN;
    }
    if (refused_for_other_reasons(end->status)) {
        *why = err_new(a, ERR_UPSTREAM, STR_FMT " refused our credential or pace (HTTP %d)",
                       STR_ARG(name), end->status);
        return ERA_UNKNOWN;
    }
    *why = end->why;
    if (end->why && end->status < 400) return ERA_UNKNOWN;
    if (end->answer.kind != LINK_ANSWER) return ERA_LEGACY;
    upstream_era era = ERA_LEGACY;
    if (end->answer.result.kind) {
        if (link_message_modern(end->answer.result)) era = ERA_MODERN;
    } else {
        era = era_of_refusal(&end->answer, end->status);
    }
    *why =
        era ? NULL : err_new(a, ERR_UPSTREAM, STR_FMT " speaks no revision we know", STR_ARG(name));
    return era;
}

static void probed(void *p_, const link_post_end *end)
{
    probe *p = p_;
    arena *a = arena_new();
    const err *why = NULL;
    upstream_era era = judge(a, p->u->spec.name, end, &why);
    p->post = NULL;
    if (era) {
        why = NULL;
        upstream_era_is(p->u, era, loop_now_ms(p->t->w->loop));
        if (era == ERA_MODERN) offer_heard(p->u, end->answer.result);
    } else {
        upstream_is_down(p->u, why->text);
    }
    link_waiters_wake(&p->waiters, p->t->w->shared, why);
    destroy(p);
    arena_free(a);
}

static void send(probe *p, str authorization)
{
    static const link_post_events events = {.done = probed};
    static const header headers[] = {{S("MCP-Protocol-Version"), LINK_MODERN},
                                     {S("Mcp-Method"), S(LINK_PROBE)},
                                     {{0}, {0}}};
    int64_t id = link_table_id(p->t);
    p->post = link_post_new(p->t, p->u);
    link_message_request(link_post_body(p->post), ERA_MODERN, id,
                         &(link_request){.method = S(LINK_PROBE)});
    const link_post_request rq = {.id = id,
                                  .headers = headers,
                                  .authorization = authorization,
                                  .timeout_ms = p->u->spec.list_timeout_ms,
                                  .events = &events,
                                  .ctx = p};
    link_post_send(p->post, &rq);
}

void link_era_want(link_want *want)
{
    link_table *t = want->at->links;
    upstream *u = want->u;
    if (upstream_era_now(u, loop_now_ms(t->w->loop))) {
        link_call_wake(t->w->shared, want->asker, NULL);
        link_want_free(want);
        return;
    }
    probe *p = map_get(t->probes, u->key);
    if (!p) {
        p = calloc(1, sizeof *p);
        if (!p) abort();
        p->t = t;
        p->u = upstream_hold(u);
        map_put(t->probes, u->key, p);
        send(p, want->authorization);
    }
    link_waiters_add(&p->waiters, want->asker);
    link_want_free(want);
}

void link_era_free(link_table *t)
{
    size_t at = 0;
    str key;
    void *p;
    while (map_each(t->probes, &at, &key, &p)) destroy(p);
}
