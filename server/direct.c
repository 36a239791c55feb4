/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"

typedef struct {
    flow_run run;
    exchange *x;
    int status;
    direct_finished *finished;
    void *ctx;
} direct;

static flow_go done(void *ctx, flow_why why)
{
    (void)ctx;
    (void)why;
    return FLOW_DONE;
}

static void settle(void *ctx)
{
    direct *d = ctx;
    if (d->finished) d->finished(d->ctx, d->x);
}

static void release(void *ctx)
{
    exchange_release(((direct *)ctx)->x);
}

static const flow_step steps[] = {{.name = "answer", .run = done}, {0}};
static const flow direct_flow = {.name = "direct",
                                 .steps = steps,
                                 .settle = settle,
                                 .release = release};

void direct_reply(exchange *x, int status, const header *headers, str body,
                  direct_finished *finished, void *ctx)
{
    direct *d = NEW(exchange_arena(x), direct);
    d->x = x;
    d->status = status;
    d->finished = finished;
    d->ctx = ctx;
    flow_start(&d->run, loop_flows(exchange_loop(x)), &direct_flow, d);
    exchange_attach(x, &d->run);
    exchange_reply(x, status, headers, body);
}

static const char *type_of(int status)
{
    return status == 401   ? "authentication_error"
           : status == 403 ? "permission_error"
           : status == 404 ? "not_found_error"
                           : "invalid_request_error";
}

void direct_refuse(exchange *x, int status, const char *message, direct_finished *finished,
                   void *ctx)
{
    static const header json[] = {{S("content-type"), S("application/json")}, {{0}, {0}}};
    str body = arena_fmt(exchange_arena(x), "{\"error\":{\"message\":\"%s\",\"type\":\"%s\"}}\n",
                         message, type_of(status));
    direct_reply(x, status, json, body, finished, ctx);
}
