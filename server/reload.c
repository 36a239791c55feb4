/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - a new configuration takes the place of the old one, or nothing happens.
 *
 * All of it is read, checked and built before anything changes hands. Each worker then gets the new
 * snapshot by letter and a request that has begun keeps the old one. A listener's certificate is
 * replaced in place, since listeners outlive snapshots. */
#include "../base/buf.h"
#include "gateway_private.h"

enum { WHY_MOST = 16 << 10 };

static void count(gateway *g, const char *outcome)
{
    metric_add(metric_series(g->house.meters, METRIC_RELOADS, outcome, NULL), 1);
}

static void refuse(gateway *g, arena *a, const problems *p)
{
    buf why = buf_new(a, WHY_MOST);
    for (const problem *one = p->first; one; one = one->next)
        buf_fmt(&why, "%s" STR_FMT, one == p->first ? "" : "\n", STR_ARG(one->text));
    for (const problem *one = p->first; one; one = one->next) {
        log_fact facts[] = {{"problem", one->text}, {0}};
        log_say(g->log, LOG_ERROR_LEVEL, "reload refused, the running configuration stays", facts);
    }
    count(g, "refused");
    admin_say_bad_reload(g->admin, buf_str(&why));
}

static void say_fixed(gateway *g, arena *a, const config *next)
{
    for (const str *name = config_fixed_changes(a, g->now->config, next); name->p; name++) {
        log_fact facts[] = {{"key", *name}, {0}};
        log_say(g->log, LOG_WARN_LEVEL, "not reloadable: keeps its value until a restart", facts);
    }
}

/* The certificate files of a listener may have changed though its lines have not. */
static void replace_certificates(gateway *g, arena *a, const config *next)
{
    const config_listen *listeners = next->listen.items;
    for (size_t i = 0; i < g->door_count && i < next->listen.count; i++) {
        if (!g->tls[i] || !listeners[i].tls) continue;
        const err *e = tls_server_replace(a, g->tls[i], listeners[i].certificate.value,
                                          listeners[i].key.value);
        log_fact facts[] = {{"listener", g->bound[i]}, {"error", e ? e->text : S("")}, {0}};
        if (e) log_say(g->log, LOG_ERROR_LEVEL, "the certificate stays as it was", facts);
    }
}

static void take(gateway *g, arena *a, const snapshot *next)
{
    say_fixed(g, a, next->config);
    replace_certificates(g, a, next->config);
    for (unsigned i = 0; i < g->house.count; i++) worker_take(g->workers[i], next);
    admin_say_config(g->admin, next);
    snapshot_drop(g->now);
    g->now = next;
    count(g, "taken");
    log_fact facts[] = {{"rules", arena_fmt(a, "%zu", policy_rule_count(next->rules))},
                        {"policy_revision", policy_revision(next->rules)},
                        {0}};
    log_say(g->log, LOG_INFO_LEVEL, "reloaded", facts);
}

void gateway_reload(gateway *g)
{
    log_fact none[] = {{0}};
    if (!g->o.file.p) {
        log_say(g->log, LOG_WARN_LEVEL, "nothing to reload: the configuration is in no file", none);
        return;
    }
    arena *a = arena_new();
    snapshot_plan plan = {0};
    problems found;
    problems_init(&found, a, g->o.file);
    if (gateway_read(g, &plan, &found)) {
        const snapshot *next = NULL;
        snapshot_needs needs = {.mcp = g->house.mcp,
                                .standings = g->house.backends,
                                .net = g->house.net,
                                .keys = g->keys,
                                .lent = g->house.lent};
        const err *e = snapshot_new(a, &needs, &plan, &next);
        if (e)
            problems_add_text(&found, e->text);
        else
            take(g, a, next);
    }
    if (found.count) refuse(g, a, &found);
    files_watch(g->read, g->inotify);
    arena_free(a);
}
