/* SPDX-License-Identifier: Apache-2.0 */
/* front_rig.h - a front on 127.0.0.1 in a thread of its own, with front_product.h behind it. */
#ifndef SP_FRONT_RIG_H
#define SP_FRONT_RIG_H
#include "front_product.h"

RIG void *rig_run(void *ctx)
{
    loop_run(((rig *)ctx)->l);
    return NULL;
}

RIG rig *rig_open_at(str address, server_limits limits, const struct tls_server *tls)
{
    rig *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->a = arena_new();
    g->l = loop_new(0);
    g->log = log_new(2, LOG_ERROR_LEVEL);
    for (size_t i = 0; i < BIG; i++) g->big[i] = (char)('a' + i % 23);
    if (!limits.header_bytes) limits.header_bytes = 12 * 1024;
    if (!limits.connections) limits.connections = 1000;
    int fd;
    str bound;
    assert_null(server_listen_fd(g->a, address, &fd, &bound));
    g->port = (unsigned)number(str_drop(bound, 10));
    server_options o = {.loop = g->l,
                        .log = g->log,
                        .limits = limits,
                        .on_exchange = rig_on_exchange,
                        .ctx = g,
                        .workers = 1};
    server_listener at = {.address = bound, .index = 7, .tls = tls};
    assert_null(server_open(g->a, &o, &at, fd, &g->s));
    assert_int_equal(pthread_create(&g->thread, NULL, rig_run, g), 0);
    return g;
}

RIG rig *rig_open(server_limits limits, const struct tls_server *tls)
{
    return rig_open_at(S("127.0.0.1:0"), limits, tls);
}

typedef struct {
    letter mail;
    rig *g;
    void (*fn)(rig *g);
} order;

RIG void order_run(letter *self, loop *at)
{
    order *o = (order *)self;
    (void)at;
    o->fn(o->g);
    free(o);
}

RIG void order_drop(letter *self)
{
    free(self);
}

/* Does something on the worker. */
RIG void rig_do(rig *g, void (*fn)(rig *g))
{
    order *o = calloc(1, sizeof *o);
    assert_non_null(o);
    *o = (order){.mail = {.deliver = order_run, .drop = order_drop}, .g = g, .fn = fn};
    loop_post(g->l, &o->mail);
}

RIG void rig_end(void *ctx)
{
    loop_stop(ctx);
}

RIG void rig_shut(rig *g)
{
    static loop_timer end;
    end = (loop_timer){0};
    server_close(g->s);
    loop_timer_start(g->l, &end, 20, rig_end, g->l);
}

/* Every exchange that began must have been settled and released. */
RIG void rig_close(rig *g)
{
    rig_do(g, rig_shut);
    pthread_join(g->thread, NULL);
    assert_int_equal(atomic_load(&g->settled), atomic_load(&g->begun));
    assert_int_equal(atomic_load(&g->released), atomic_load(&g->begun));
    loop_free(g->l);
    log_free(g->log);
    arena_free(g->a);
    free(g);
}

RIG bool rig_wait_for(const atomic_int *n, int at_least, int64_t ms)
{
    for (int64_t end = clock_mono_ms() + ms; clock_mono_ms() < end; usleep(500)) {
        if (atomic_load(n) >= at_least) return true;
    }
    return false;
}

RIG int open_fds(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

#endif
