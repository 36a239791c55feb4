/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c - a gateway of one worker that nobody can reach.
 *
 * The order in which things end is the gateway's: sessions and children get a moment to be told,
 * then the spawner goes before the loop its children report to. */
#include "inspect.h"
#include "../base/log.h"
#include "files.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GOODBYE_MS = 200, ERRANDS_MOST = 100 };

typedef struct {
    flow_run run;
    inspection *of;
    inspected *into;
} asking;

struct inspection {
    logger *log;
    loop *loop;
    client *client;
    identity_cache *tokens;
    child_spawner *spawner;
    refresh *net;
    errands *web;
    leases *lent;
    tally *streams;
    mcp_shared *shared;
    mcp_worker *worker;
    const snapshot *now;
    inspected *found;
    size_t count, pending;
    loop_timer goodbye;
};

static void stop(void *i)
{
    loop_stop(((inspection *)i)->loop);
}

/* Asking */

static flow_go ask(void *x, flow_why why)
{
    asking *q = x;
    if (q->into->tools) catalog_drop(q->into->tools);
    catalog_view view =
        catalog_want(q->of->worker, q->into->of, CATALOG_TOOLS, q->run.self, why != FLOW_ENTER);
    q->into->tools = view.now;
    return view.pending ? FLOW_WAIT : FLOW_DONE;
}

static void asked(void *x)
{
    inspection *i = ((asking *)x)->of;
    if (--i->pending) return;
    mcp_worker_drain(i->worker);
    loop_timer_start(i->loop, &i->goodbye, GOODBYE_MS, stop, i);
}

static const flow_step ask_steps[] = {{.name = "ask", .run = ask}, {0}};
static const flow ask_flow = {.name = "inspect", .steps = ask_steps, .settle = asked};

static void ask_all(inspection *i, arena *a)
{
    const config *c = i->now->config;
    const config_server *servers = c->servers.items;
    i->count = i->pending = c->servers.count;
    i->found = NEW_N(a, inspected, i->count + 1);
    asking *all = NEW_N(a, asking, i->count + 1);
    for (size_t k = 0; k < i->count; k++) {
        i->found[k] = (inspected){.server = servers[k].at.name, .of = i->now->servers[k]};
        all[k].of = i;
        all[k].into = &i->found[k];
        flow_start(&all[k].run, loop_flows(i->loop), &ask_flow, &all[k]);
    }
    if (i->pending) loop_run(i->loop);
}

/* Making */

static bool read_plan(arena *a, str file, snapshot_plan *plan)
{
    files *f = NULL;
    str text = {0};
    problems found;
    problems_init(&found, a, file);
    const err *e = files_open(a, file, &f, &text);
    config_world world = files_world(f);
    if (e) problems_add_text(&found, e->text);
    bool ok = !e && snapshot_read(plan, &world, file, text, (config_file){0}, &found);
    for (const problem *p = found.first; p; p = p->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(p->text));
    return ok;
}

static const err *make(inspection *i, arena *a, char *const *shim)
{
    sealer *seals = NULL;
    const err *e = sealer_new(a, (const str[]){{0}}, &seals);
    if (e) return e;
    i->loop = loop_new(0);
    i->spawner = child_spawner_new(i->log, shim);
    if (!i->loop || !i->spawner) return err_new(a, ERR_BUG, "no thread or descriptor left");
    i->net = refresh_new(i->log);
    i->web = errands_new(1, ERRANDS_MOST);
    i->lent = leases_new(&(lease_world){0}); /* no model is asked here */
    i->streams = tally_new();
    i->shared = mcp_shared_new(&(mcp_shared_options){.log = i->log,
                                                     .seals = seals,
                                                     .streams = i->streams,
                                                     .spawner = i->spawner,
                                                     .web = i->web,
                                                     .workers = 1});
    i->client = client_new(i->loop, i->log, 4);
    i->tokens = identity_cache_new(1);
    i->worker = mcp_worker_new(i->shared, 0,
                               &(mcp_worker_options){.loop = i->loop,
                                                     .client = i->client,
                                                     .tokens = i->tokens});
    return NULL;
}

bool inspect(arena *a, str file, char *const *shim, inspection **out)
{
    snapshot_plan plan = {0};
    if (!read_plan(a, file, &plan)) return false;
    inspection *i = *out = NEW(a, inspection);
    i->log = log_new(STDERR_FILENO, LOG_WARN_LEVEL);
    const err *e = make(i, a, shim);
    if (e)
        snapshot_plan_free(&plan);
    else
        e = snapshot_new(a, &(snapshot_needs){.mcp = i->shared, .net = i->net, .lent = i->lent},
                         &plan, &i->now);
    if (!e) {
        ask_all(i, a);
        return true;
    }
    (void)fprintf(stderr, STR_FMT "\n", STR_ARG(e->text));
    inspection_end(i);
    return false;
}

const snapshot *inspection_config(const inspection *i)
{
    return i->now;
}

const inspected *inspection_servers(const inspection *i, size_t *count)
{
    *count = i->count;
    return i->found;
}

const inspected *inspection_find(const inspection *i, const upstream *u)
{
    for (size_t k = 0; k < i->count; k++)
        if (i->found[k].of == u) return &i->found[k];
    return NULL;
}

void inspection_end(inspection *i)
{
    for (size_t k = 0; k < i->count; k++)
        if (i->found[k].tools) catalog_drop(i->found[k].tools);
    if (i->net) refresh_stop(i->net);
    if (i->web) errands_stop(i->web);
    if (i->worker) mcp_worker_free(i->worker);
    if (i->client) client_free(i->client);
    if (i->tokens) identity_cache_free(i->tokens);
    if (i->spawner) child_spawner_free(i->spawner);
    if (i->loop) loop_free(i->loop);
    snapshot_drop(i->now);
    if (i->shared) mcp_shared_free(i->shared);
    if (i->streams) tally_free(i->streams);
    refresh_free(i->net);
    leases_free(i->lent);
    errands_free(i->web);
    log_free(i->log);
}
