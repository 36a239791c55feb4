/* SPDX-License-Identifier: Apache-2.0 */
/* front_product.h - which page answers which path, and the flow around it. */
#ifndef SP_FRONT_PRODUCT_H
#define SP_FRONT_PRODUCT_H
#include "front_page.h"

RIG void page_facts(page *p)
{
    exchange *x = p->x;
    str q = exchange_query(x), h = exchange_host(x), o = exchange_header(x, S("x-one"));
    size_t n = 0;
    for (const header *at = exchange_headers(x); at->name.p; at++) n++;
    page_text(p, 200,
              arena_fmt(exchange_arena(x), "%.*s|%.*s|%.*s|%.*s|%.*s|%.*s|%zu|%d",
                        STR_ARG(exchange_method(x)), STR_ARG(exchange_path(x)), STR_ARG(q),
                        STR_ARG(h), STR_ARG(o), STR_ARG(exchange_peer(x)), n, exchange_secure(x)));
}

RIG flow_go page_step(void *ctx, flow_why why)
{
    page *p = ctx;
    if (why == FLOW_GONE) {
        atomic_store(&p->g->gone_at_ms, clock_mono_ms());
        atomic_fetch_add(&p->g->gone, 1);
        return FLOW_DONE;
    }
    if (why == FLOW_STOP) {
        atomic_fetch_add(&p->g->stops, 1);
        sink_end(p->out, NULL);
        return FLOW_DONE;
    }
    if (path_is(p, "/echo")) return page_echo(p, 1 << 20);
    if (path_is(p, "/limit")) return page_echo(p, 1000);
    if (path_is(p, "/flood")) return page_flood(p);
    if (path_is(p, "/stream") || path_is(p, "/quiet")) return page_stream(p, why);
    if (path_is(p, "/wait")) return FLOW_WAIT;
    if (path_is(p, "/nothing")) return FLOW_DONE;
    if (path_is(p, "/deny")) page_text(p, 401, S("denied"));
    if (path_is(p, "/facts")) page_facts(p);
    if (path_is(p, "/big")) page_text(p, 200, (str){p->g->big, BIG});
    if (path_is(p, "/big1k")) page_text(p, 200, (str){p->g->big, 1024});
    if (path_is(p, "/abort")) return page_abort(p, why);
    if (path_is(p, "/lazy") && why != FLOW_ENTER) return page_echo(p, 1 << 20);
    if (path_is(p, "/late") && why == FLOW_LATE) page_text(p, 200, S("late"));
    if (p->answered) return FLOW_DONE;
    loop_wake_late(p->g->l, &p->timer, path_is(p, "/late") ? number(exchange_query(p->x)) : 30,
                   &p->run);
    return FLOW_WAIT;
}

RIG void page_settle(void *ctx)
{
    page *p = ctx;
    loop_timer_stop(p->g->l, &p->timer);
    atomic_fetch_add(&p->g->settled, 1);
}

RIG void page_release(void *ctx)
{
    page *p = ctx;
    atomic_fetch_add(&p->g->released, 1);
    exchange_release(p->x);
}

static const flow_step page_steps[] = {{.name = "page", .run = page_step}, {0}};
static const flow page_flow = {.name = "page",
                               .steps = page_steps,
                               .settle = page_settle,
                               .release = page_release};

RIG void rig_on_exchange(exchange *x, void *ctx)
{
    rig *g = ctx;
    if (str_eq(exchange_path(x), S("/hello"))) {
        exchange_reply(x, 200, NULL, S("hello"));
        return;
    }
    atomic_fetch_add(&g->begun, 1);
    page *p = NEW(exchange_arena(x), page);
    p->g = g;
    p->x = x;
    flow_start(&p->run, loop_flows(g->l), &page_flow, p);
    exchange_attach(x, &p->run);
}

#endif
