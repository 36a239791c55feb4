/* SPDX-License-Identifier: Apache-2.0 */
/* models.c - GET /v1/models: only what this host and this caller may use.
 *
 * In Anthropic's shape to those who say an anthropic-version, or ask under /anthropic.
 * The exact names of the routes of this host, each asked of the same rules as a call, with the
 * request's parameters unknown. A glob adds no name. A model that may not be seen answers like
 * one that does not exist. */
#include "../base/form.h"
#include "../base/map.h"
#include "route.h"
#include "schema.h"
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

/* One by which some call of this caller would be answered; which one a call takes may hang on its
 * headers. */
static const llm_route *serving_route(llm_run *r, str model)
{
    const llm_config *c = r->rq.config;
    question q;
    llm_question(r, model, (str){0}, true, &q);
    const llm_route *serving = route_find(c, &q, r->a);
    while (serving && !listed(r, serving, model)) serving = route_after(c, &q, serving, r->a);
    return serving;
}

static bool is_anthropic(const llm_run *r)
{
    return r->client == &anthropic_messages ||
           exchange_header(r->x, S("anthropic-version")).p != NULL;
}

static void put_anthropic(buf *out, str id)
{
    buf_put(out, S("{\"type\":\"model\",\"id\":"));
    buf_json(out, id);
    buf_put(out, S(",\"display_name\":"));
    buf_json(out, id);
    buf_put(out, S(",\"created_at\":\"1970-01-01T00:00:00Z\"}"));
}

static void put_model(buf *out, str id, str owned_by)
{
    buf_put(out, S("{\"id\":"));
    buf_json(out, id);
    buf_put(out, S(",\"object\":\"model\",\"created\":0,\"owned_by\":"));
    buf_json(out, owned_by.n ? owned_by : S("sallyport"));
    buf_put(out, S("}"));
}

typedef struct {
    str first, last;
} model_ends;

static void put_end(buf *out, const char *key, str id)
{
    buf_fmt(out, ",\"%s\":", key);
    if (id.p)
        buf_json(out, id);
    else
        buf_put(out, S("null"));
}

typedef struct {
    llm_run *r;
    map *seen;
    str want; /* {0}: every one */
    buf *out;
    model_ends ends;
    size_t n;
} listing;

static void add_model(listing *l, str model)
{
    llm_run *r = l->r;
    if (!is_exact(model) || (l->want.p && !str_eq(model, l->want)) || map_get(l->seen, model))
        return;
    map_put(l->seen, model, r);
    const llm_route *serving = serving_route(r, model);
    if (!serving) return;
    if (l->n++) buf_put(l->out, S(","));
    if (!l->ends.first.p) l->ends.first = model;
    l->ends.last = model;
    if (is_anthropic(r))
        put_anthropic(l->out, model);
    else
        put_model(l->out, model, serving->owned_by);
}

/* Every model shown, in the routes' order, each name once. */
static void add_models(listing *l)
{
    const llm_config *c = l->r->rq.config;
    for (size_t i = 0; i < c->route_count; i++) {
        const llm_route *route = &c->routes[i];
        if (!route_serves_host(c, route, exchange_host(l->r->x))) continue;
        for (const str *m = route->models; m && m->p; m++) add_model(l, *m);
    }
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
    listing l = {.r = r, .seen = map_new(r->a), .out = &b};
    buf_put(&b, is_anthropic(r) ? S("{\"data\":[") : S("{\"object\":\"list\",\"data\":["));
    add_models(&l);
    buf_put(&b, S("]"));
    if (is_anthropic(r)) {
        buf_put(&b, S(",\"has_more\":false"));
        put_end(&b, "first_id", l.ends.first);
        put_end(&b, "last_id", l.ends.last);
    }
    buf_put(&b, S("}"));
    return reply_json(r, &b);
}

static flow_go one(void *run, flow_why why)
{
    (void)why;
    llm_run *r = run;
    str written = str_drop(r->place, strlen(r->endpoint->path));
    str id = form_decode_path(r->a, written);
    if (!id.n) return llm_fail(r, refusal_no_model(r->a, written));
    buf b = buf_new(r->a, LIST_LIMIT);
    listing l = {.r = r, .seen = map_new(r->a), .want = id, .out = &b};
    add_models(&l);
    if (!l.n) return llm_fail(r, refusal_no_model(r->a, id));
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
