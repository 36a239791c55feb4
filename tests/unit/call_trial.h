/* SPDX-License-Identifier: Apache-2.0 */
/* call_trial.h - one call of the client, noted as text: "200[data]ok", "200[da!upstream why". */
#ifndef SP_TEST_CALL_TRIAL_H
#define SP_TEST_CALL_TRIAL_H
#include "../../transport/client.h"
#include "upstream.h"

typedef struct trial {
    arena *a;
    loop *l;
    client *c;
    origin *to;
    logger *log;
    handle self;
    call *k;
    call_request rq;
    buf said;
    int ends, want_ends; /* the loop stops after so many */
    err_kind kind;       /* of the last error */
    bool quiet;          /* count, do not note the data */
    size_t bytes, mark;
    int resume_next_turn;
    void (*on_data)(struct trial *t);
    void (*on_bytes)(struct trial *t, str bytes);
    void (*on_head)(struct trial *t, const call_head *h);
    void (*on_end)(struct trial *t);
    loop_timer start, watchdog, other;
} trial;

static const char trial_type;

static inline void head_event(void *owner, const call_head *h)
{
    trial *t = owner;
    if (!t->quiet) buf_fmt(&t->said, "%d[", h->status);
    if (t->on_head) t->on_head(t, h);
}

static inline void data_event(void *owner, str bytes)
{
    trial *t = owner;
    assert_true(bytes.n > 0);
    t->bytes += bytes.n;
    if (!t->quiet) buf_put(&t->said, bytes);
    if (t->on_data) t->on_data(t);
    if (t->on_bytes) t->on_bytes(t, bytes);
}

static inline void end_event(void *owner, const err *why)
{
    trial *t = owner;
    t->k = NULL;
    if (why) t->kind = why->kind;
    if (why)
        buf_fmt(&t->said, "!%s " STR_FMT, err_kind_name(why->kind), STR_ARG(why->text));
    else if (!t->quiet)
        buf_put(&t->said, S("]ok"));
    if (t->on_end) t->on_end(t);
    if (++t->ends == t->want_ends) loop_stop(t->l);
}

static const call_events events = {head_event, data_event, end_event};

static inline void go(void *ctx)
{
    trial *t = ctx;
    size_t before = t->said.n;
    int ends = t->ends;
    t->k = call_start(t->c, &t->rq, &trial_type, t->self, &events);
    assert_non_null(t->k);
    assert_int_equal(t->said.n, before); /* no event from inside call_start */
    assert_int_equal(t->ends, ends);
}

static inline void too_long(void *ctx)
{
    trial *t = ctx;
    buf_put(&t->said, S("<hangs>"));
    loop_stop(t->l);
}

static inline void stop_soon(void *ctx)
{
    loop_stop(((trial *)ctx)->l);
}

static inline void trial_url(trial *t, const char *url, const tls_client *tls)
{
    url_parts u;
    t->a = arena_new();
    t->l = loop_new(0);
    t->log = log_new(2, LOG_ERROR_LEVEL);
    t->c = client_new(t->l, t->log, 8);
    assert_null(url_parse(t->a, (str){url, strlen(url)}, &u));
    assert_null(origin_new(t->a, &u, tls, &t->to));
    t->self = handle_add(loop_handles(t->l), &trial_type, t);
    t->said = buf_new(t->a, 16u << 20);
    t->want_ends = 1;
    t->rq = (call_request){.to = t->to,
                           .method = S("GET"),
                           .target = S("/"),
                           .connect_ms = 3000,
                           .answer_ms = 3000,
                           .idle_ms = 3000};
}

static inline void trial_new(trial *t, unsigned port)
{
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    *t = (trial){0};
    trial_url(t, url, NULL);
}

static inline void trial_run(trial *t)
{
    loop_timer_start(t->l, &t->start, 0, go, t);
    loop_timer_start(t->l, &t->watchdog, 20000, too_long, t);
    loop_run(t->l);
}

static inline void trial_free(trial *t)
{
    handle_drop(loop_handles(t->l), t->self);
    client_free(t->c);
    origin_free(t->to);
    loop_free(t->l);
    log_free(t->log);
    arena_free(t->a);
}

static inline void assert_said(const trial *t, const char *want)
{
    if (!str_eq(buf_str(&t->said), (str){want, strlen(want)}))
        fail_msg("said  " STR_FMT "\nwanted %s", STR_ARG(buf_str(&t->said)), want);
}

static inline void assert_said_part(const trial *t, const char *want)
{
    if (!memmem(t->said.p, t->said.n, want, strlen(want)))
        fail_msg("said  " STR_FMT "\nwanted %s in it", STR_ARG(buf_str(&t->said)), want);
}

#define OK "HTTP/1.1 200 OK\r\n"
#endif
