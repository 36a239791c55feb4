/* SPDX-License-Identifier: Apache-2.0 */
/* door_front.h - opening and closing what door_rig.h put together. */
#ifndef SP_TEST_DOOR_FRONT_H
#define SP_TEST_DOOR_FRONT_H
#include "door_rig.h"

DOOR void door_on_exchange(exchange *x, void *ctx)
{
    door *d = ctx;
    const mcp_endpoint *e = mcp_endpoint_find(&d->config, exchange_host(x), exchange_path(x));
    static const header json[] = {{{"Content-Type", 12}, {"application/json", 16}}, {{0}, {0}}};
    str text;
    if (!e) {
        bool found = mcp_resource_metadata(&d->config, x, &text);
        exchange_reply(x, found ? 200 : 404, json, found ? text : S("{}"));
        return;
    }
    mcp_request rq = {.config = &d->config, .endpoint = e, .finished = door_finished, .ctx = d};
    mcp_serve(d->w, x, &rq);
}

DOOR void *door_run(void *ctx)
{
    loop_run(((door *)ctx)->l);
    return NULL;
}

DOOR void door_add(door *d, const char *name, const fake *f)
{
    upstream_spec spec = fake_spec(f);
    spec.name = (str){name, strlen(name)};
    const err *e = upstream_acquire(d->shared, d->a, &spec, &d->servers[d->server_count++]);
    assert_null(e);
}

DOOR void door_start(door *d)
{
    int fd;
    str bound;
    assert_null(server_listen_fd(d->a, S("127.0.0.1:0"), &fd, &bound));
    for (size_t i = 10; i < bound.n; i++) d->port = d->port * 10 + (unsigned)(bound.p[i] - '0');
    server_options o = {.loop = d->l,
                        .log = d->log,
                        .on_exchange = door_on_exchange,
                        .ctx = d,
                        .workers = 1,
                        .limits = {.header_bytes = 12288,
                                   .connections = 100,
                                   .header_timeout_ms = 5000,
                                   .idle_timeout_ms = 5000}};
    server_listener at = {.address = bound};
    assert_null(server_open(d->a, &o, &at, fd, &d->front));
    assert_int_equal(pthread_create(&d->thread, NULL, door_run, d), 0);
}

typedef struct {
    letter mail;
    door *d;
    loop_timer end;
} door_order;

DOOR void door_end(void *l)
{
    loop_stop(l);
}
DOOR void door_shut(letter *self, loop *at)
{
    door_order *o = (door_order *)self;
    server_close(o->d->front);
    loop_timer_start(at, &o->end, 30, door_end, at);
}
DOOR void door_drop(letter *self)
{
    (void)self;
}

DOOR void door_close(door *d)
{
    door_order o = {.mail = {.deliver = door_shut, .drop = door_drop}, .d = d};
    loop_post(d->l, &o.mail);
    pthread_join(d->thread, NULL);
    for (size_t i = 0; i < d->server_count; i++) upstream_drop(d->servers[i]);
    mcp_worker_free(d->w);
    mcp_shared_free(d->shared);
    tally_free(d->streams);
    client_free(d->calls);
    identity_cache_free(d->tokens);
    jwks_free(d->issuer.keys);
    loop_free(d->l);
    log_free(d->log);
    arena_free(d->a);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

#endif
