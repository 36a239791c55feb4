/* SPDX-License-Identifier: Apache-2.0 */
/* link_watch.h - calls started on a worker and watched from the test's thread. */
#ifndef SP_TEST_LINK_WATCH_H
#define SP_TEST_LINK_WATCH_H
#include "link_errand.h"

typedef struct {
    link_request rq;
    handle self;
    link_call *call;
    char result[4096], error[1024], why[512], last[1024];
    size_t result_n;
    err_kind kind;
    int notices;
    bool cancel_on_notice, takes_questions;
    char asked_id[64], asked[64];
    atomic_int questions, begins, ends;
} watched;

static const char watched_type;

static inline void watched_notice(void *w_, str method, js_value params)
{
    watched *w = w_;
    w->notices++;
    assert_true(method.n > 0);
    keep_text(w->last, sizeof w->last, params.raw);
    if (w->cancel_on_notice) {
        link_cancel(w->call);
        atomic_fetch_add(&w->ends, 1);
    }
}

static inline void watched_done(void *w_, js_value result, js_value error, const err *why)
{
    watched *w = w_;
    keep_text(w->result, sizeof w->result, result.raw);
    w->result_n = result.raw.n;
    keep_text(w->error, sizeof w->error, error.raw);
    if (why) {
        keep_text(w->why, sizeof w->why, why->text);
        w->kind = why->kind;
    }
    w->call = NULL;
    atomic_fetch_add(&w->ends, 1);
}

/* Taken when the test knows an answer; it is given from the test's thread. */
static inline bool watched_asked(void *w_, const link_question *q)
{
    watched *w = w_;
    if (!w->takes_questions) return false;
    keep_text(w->asked_id, sizeof w->asked_id, q->id);
    keep_text(w->asked, sizeof w->asked, q->method);
    atomic_fetch_add(&w->questions, 1);
    return true;
}

static inline void watched_withdrawn(void *w_, str id)
{
    watched *w = w_;
    assert_int_equal(id.n, strlen(w->asked_id));
    atomic_fetch_sub(&w->questions, 1);
}

static inline void watched_began(void *w_)
{
    atomic_fetch_add(&((watched *)w_)->begins, 1);
}

static const link_events watched_events = {.began = watched_began,
                                           .notice = watched_notice,
                                           .asked = watched_asked,
                                           .withdrawn = watched_withdrawn,
                                           .done = watched_done};

static inline void watched_start(mcp_worker *w, void *ctx)
{
    watched *x = ctx;
    x->self = handle_add(loop_handles(w->loop), &watched_type, x);
    x->call = link_start(w, &x->rq, &watched_type, x->self, &watched_events);
    assert_int_equal(atomic_load(&x->ends), 0);
}

static inline void watched_cancel(mcp_worker *w, void *ctx)
{
    watched *x = ctx;
    (void)w;
    if (x->call) link_cancel(x->call);
    x->call = NULL;
}

static inline void watched_answer(mcp_worker *w, void *ctx)
{
    watched *x = ctx;
    (void)w;
    link_answer(x->call, (str){x->asked_id, strlen(x->asked_id)}, S("\"result\":{\"roots\":[]}"));
}

/* Its owner is gone before anything can come back. */
static inline void watched_start_and_vanish(mcp_worker *w, void *ctx)
{
    watched_start(w, ctx);
    handle_drop(loop_handles(w->loop), ((watched *)ctx)->self);
}

static inline bool watched_over(watched *w, int ms)
{
    for (int i = 0; i < ms && !atomic_load(&w->ends); i += 2) nap(2);
    return atomic_load(&w->ends) == 1;
}

static inline void rig_count_calls(mcp_worker *w, void *ctx)
{
    int *n = ctx;
    for (const link_call *c = w->links->calls; c; c = c->next) ++*n;
}

static inline int rig_count(rig *r, void (*fn)(mcp_worker *w, void *ctx))
{
    int n = 0;
    for (unsigned i = 0; i < r->n; i++) rig_on(r, i, fn, &n);
    return n;
}

static inline void rig_no_calls_left(rig *r)
{
    for (int i = 0; i < 1000 && rig_count(r, rig_count_calls); i++) nap(2);
    assert_int_equal(rig_count(r, rig_count_calls), 0);
}

static inline watched *rig_call(rig *r, unsigned worker, link_request rq)
{
    watched *w = calloc(1, sizeof *w);
    if (!rq.method.p) rq.method = S("tools/call");
    if (!rq.params.p) rq.params = S("\"name\":\"echo\",\"arguments\":{}");
    if (!rq.caller_id.p) rq.caller_id = S("alice");
    w->rq = rq;
    rig_on(r, worker, watched_start, w);
    return w;
}

static inline watched *rig_ask(rig *r, unsigned worker, link_request rq)
{
    watched *w = rig_call(r, worker, rq);
    if (!watched_over(w, 10000)) fail_msg("the call did not end");
    return w;
}
#endif
