/* SPDX-License-Identifier: Apache-2.0 */
/* models.c - GET /v1/models: only what this host and this caller may use.
 *
 * The exact names of the routes of this host, each asked of the same rules as a call, with the
 * request's parameters unknown. A glob adds no name. A model that may not be seen answers like
 * one that does not exist. */
#include "../base/map.h"
#include "route.h"
#include "worker.h"

enum { LIST_LIMIT = 8 << 20 };

static bool is_exact(str model)
{
    return !memchr(model.p, '*', model.n) && !memchr(model.p, '?', model.n);
}

/* Would some backend of the route answer for it? */
static bool listed(llm_run *r, const llm_route *route, str model)
{
    for (size_t i = 0; i < route->target_count; i++) {
        question q;
        verdict v;
        llm_question(r, model, route->to[i].backend->name, true, &q);
        policy_decide(r->rq.config->rules, &q, r->a, &v);
        if (v.permit) return true;
    }
    return false;
}

static void put_model(buf *out, str id, str owned_by)
{
    buf_put(out, S("{\"id\":"));
    buf_json(out, id);
    buf_put(out, S(",\"object\":\"model\",\"created\":0,\"owned_by\":"));
    buf_json(out, owned_by.n ? owned_by : S("sallyport"));
    buf_put(out, S("}"));
}

/* Calls for every model shown, in the routes' order, each name once; stops when `want` (if any) is
 * found. */
static size_t each_model(llm_run *r, str want, buf *out)
{
    const llm_config *c = r->rq.config;
    map *seen = map_new(r->a);
    size_t n = 0;
    for (size_t i = 0; i < c->route_count; i++) {
        const llm_route *route = &c->routes[i];
        if (!route_serves_host(route, exchange_host(r->x))) continue;
        for (const str *m = route->models; m && m->p; m++) {
            if (!is_exact(*m) || (want.p && !str_eq(*m, want)) || map_get(seen, *m)) continue;
            map_put(seen, *m, r);
            const llm_route *serving = route_find(c, exchange_host(r->x), *m);
            if (!serving || !listed(r, serving, *m)) continue;
            if (n++) buf_put(out, S(","));
            put_model(out, *m, serving->owned_by);
        }
    }
    return n;
}

static flow_go reply_json(llm_run *r, const buf *b)
{
    static const header json[] = {{{"content-type", 12}, {"application/json", 16}}, {{0}, {0}}};
    if (!buf_ok(b)) return llm_fail(r, refusal_of(&(err){.kind = ERR_BUG}));
    exchange_reply(r->x, 200, json, buf_str(b));
    return FLOW_DONE;
}

static flow_go list(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    buf b = buf_new(r->a, LIST_LIMIT);
    buf_put(&b, S("{\"object\":\"list\",\"data\":["));
    (void)each_model(r, (str){0}, &b);
    buf_put(&b, S("]}"));
    return reply_json(r, &b);
}

static flow_go one(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    str id = str_drop(exchange_path(r->x), strlen(r->endpoint->path));
    buf b = buf_new(r->a, LIST_LIMIT);
    if (each_model(r, id, &b) == 0) return llm_fail(r, refusal_no_model(r->a, id));
    return reply_json(r, &b);
}

static const flow_step list_steps[] = {{.name = "identify", .run = llm_identify},
                                       {.name = "list", .run = list},
                                       {0}};
static const flow_step one_steps[] = {{.name = "identify", .run = llm_identify},
                                      {.name = "model", .run = one},
                                      {0}};

const flow llm_models_flow = {.name = "models",
                              .steps = list_steps,
                              .refuse = llm_refuse,
                              .settle = llm_settle,
                              .release = llm_release,
                              .on_gone = FLOW_CANCEL};
const flow llm_model_flow = {.name = "model",
                             .steps = one_steps,
                             .refuse = llm_refuse,
                             .settle = llm_settle,
                             .release = llm_release,
                             .on_gone = FLOW_CANCEL};
