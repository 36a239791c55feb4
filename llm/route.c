/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"
#include "../base/hash.h"
#include <limits.h>
#include <math.h>

enum { MATCH_NO, MATCH_ANY, MATCH_PATTERN, MATCH_EXACT };

static str name_of(str host)
{
    if (host.n && host.p[0] == '[') {
        const char *end = memchr(host.p, ']', host.n);
        return end ? str_take(host, (size_t)(end - host.p) + 1) : host;
    }
    host = str_cut(host, ':').head;
    if (host.n && host.p[host.n - 1] == '.') host.n--; /* RFC 1034 3.1: the same name */
    return host;
}

/* How well the hosts of a route fit: 0 not at all, 1 it takes every host, then the longer name. */
static size_t host_rank(const str *hosts, str host)
{
    if (!hosts || !hosts->p) return 1;
    size_t best = 0;
    for (; hosts->p; hosts++) {
        if (header_name_is(*hosts, host)) return SIZE_MAX;
        if (!str_starts(*hosts, S("*."))) continue;
        str_pair label = str_cut(host, '.');
        if (label.ok && label.head.n && header_name_is(str_drop(*hosts, 2), label.tail) &&
            hosts->n > best)
            best = hosts->n;
    }
    return best;
}

/* The rank of the routes that serve this host: a name of its own keeps all other routes away. */
static size_t best_rank(const llm_config *c, str host)
{
    size_t best = 0;
    for (size_t i = 0; i < c->route_count; i++) {
        size_t rank = host_rank(c->routes[i].hosts, host);
        if (rank > best) best = rank;
    }
    return best;
}

static int model_match(const str *models, str model)
{
    if (!models || !models->p) return MATCH_ANY;
    int best = MATCH_NO;
    for (; models->p; models++) {
        if (str_eq(*models, model)) return MATCH_EXACT;
        if (policy_glob(*models, model)) best = MATCH_PATTERN;
    }
    return best;
}

bool route_serves_host(const llm_config *c, const llm_route *r, str host)
{
    host = name_of(host);
    size_t rank = host_rank(r->hosts, host);
    return rank && rank == best_rank(c, host);
}

/* A header that was sent twice has to fit each time: nobody may read the other one. */
static bool header_fits(const header *want, const header *sent)
{
    bool found = false;
    for (; sent && sent->name.p; sent++) {
        if (!header_name_is(sent->name, want->name)) continue;
        if (!policy_glob(want->value, sent->value)) return false;
        found = true;
    }
    return found;
}

static when_says headers_fit(const llm_route *r, const question *q)
{
    if (!r->match || !r->match->name.p) return WHEN_YES;
    if (q->listing) return WHEN_UNKNOWN;
    for (const header *want = r->match; want->name.p; want++)
        if (!header_fits(want, q->http.headers)) return WHEN_NO;
    return WHEN_YES;
}

/* Does this route, whose host and model fit, take the request? */
static when_says takes(const llm_route *r, const question *q, arena *scratch)
{
    when_says fits = headers_fit(r, q);
    if (fits == WHEN_NO || !r->when) return fits;
    when_says holds = policy_when_holds(r->when, q, scratch);
    return holds == WHEN_YES ? fits : holds;
}

static bool may_take(const llm_route *r, const question *q, arena *scratch)
{
    when_says t = takes(r, q, scratch);
    return t == WHEN_YES || t == WHEN_UNKNOWN;
}

/* The best of those behind `last` in the order of how well the model fits, then of the file. */
static const llm_route *next_of(const llm_config *c, const question *q, const llm_route *last,
                                arena *scratch)
{
    const llm_route *best = NULL;
    int best_match = MATCH_NO;
    int last_match = last ? model_match(last->models, q->llm.model) : MATCH_EXACT + 1;
    str host = name_of(q->http.host);
    size_t rank = best_rank(c, host);
    for (size_t i = 0; i < c->route_count; i++) {
        const llm_route *r = &c->routes[i];
        int match = model_match(r->models, q->llm.model);
        bool behind = match < last_match || (match == last_match && r > last);
        if (!behind || match <= best_match || host_rank(r->hosts, host) != rank) continue;
        if (!may_take(r, q, scratch)) continue;
        best = r;
        best_match = match;
    }
    return best;
}

const llm_route *route_find(const llm_config *c, const question *q, arena *scratch)
{
    return next_of(c, q, NULL, scratch);
}

const llm_route *route_after(const llm_config *c, const question *q, const llm_route *last,
                             arena *scratch)
{
    if (takes(last, q, scratch) == WHEN_YES) return NULL; /* it takes every such call */
    return next_of(c, q, last, scratch);
}

static bool is_in(uint64_t of, size_t i)
{
    return of >> i & 1;
}

static unsigned weight_of(const llm_target *t)
{
    return t->weight ? t->weight : 1;
}

size_t route_targets(const llm_route *r)
{
    return r->target_count < ROUTE_TARGETS ? r->target_count : ROUTE_TARGETS;
}

uint64_t route_best(const llm_route *r, uint64_t of)
{
    unsigned priority = UINT_MAX;
    uint64_t best = 0;
    for (size_t i = 0; i < route_targets(r); i++) {
        if (!is_in(of, i) || r->to[i].priority > priority) continue;
        if (r->to[i].priority < priority) best = 0;
        priority = r->to[i].priority;
        best |= (uint64_t)1 << i;
    }
    return best;
}

size_t route_pick(const llm_route *r, uint64_t of, uint64_t turn)
{
    uint64_t weights = 0;
    size_t last = 0;
    for (size_t i = 0; i < route_targets(r); i++)
        if (is_in(of, i)) weights += weight_of(&r->to[i]);
    uint64_t at = weights ? turn % weights : 0;
    for (size_t i = 0; i < route_targets(r); i++) {
        if (!is_in(of, i)) continue;
        last = i;
        if (at < weight_of(&r->to[i])) break;
        at -= weight_of(&r->to[i]);
    }
    return last;
}

/* Rendezvous: each target throws for the key, and the best throw wins; by weight when a throw u in
 * (0, 1) counts as -weight / log(u). The seed is fixed, so that replicas agree. */
static double throw_of(const llm_target *t, str key)
{
    const hash_seed fixed = {0x73616c6c79706f72, 0x7420726f75746573};
    const hash_seed of_key = {hash_bytes(fixed, key), hash_bytes(fixed, t->model)};
    double u = ((double)(hash_bytes(of_key, t->backend->name) >> 11) + 0.5) / 9007199254740992.0;
    return -(double)weight_of(t) / log(u);
}

size_t route_pick_by(const llm_route *r, uint64_t of, str key)
{
    size_t best = 0;
    double most = -1;
    for (size_t i = 0; i < route_targets(r); i++) {
        if (!is_in(of, i)) continue;
        double thrown = throw_of(&r->to[i], key);
        if (thrown <= most) continue;
        most = thrown;
        best = i;
    }
    return best;
}

bool route_has_more(const llm_route *r, uint64_t tried)
{
    return route_best(r, ~tried) != 0;
}
