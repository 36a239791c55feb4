/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - from what a person wrote to what the products read. */
#include "snapshot.h"
#include "../authz/introspection.h"
#include "../authz/policy/check.h"
#include "../authz/policy/quota_rule.h"
#include "../authz/policy/test.h"
#include "../base/clock.h"
#include "../mcp/pins.h"
#include "../transport/tls.h"
#include "config_check.h"
#include "snapshot_parts.h"
#include "zones.h"
#include <assert.h>
#include <stdatomic.h>

typedef struct {
    snapshot s; /* first: a snapshot is found back from its address */
    atomic_uint refs;
    arena *a;
} held;

static held *held_of(const snapshot *s)
{
    return (held *)(uintptr_t)s; /* NOLINT(performance-no-int-to-ptr) */
}

/* Plan */

static void check_tls(problems *out, arena *a, const config_listen *l)
{
    tls_server *t = NULL;
    if (!l->tls) return;
    const err *e = tls_server_new(a, l->certificate.value, l->key.value, l->client_ca.value, &t);
    if (e)
        problems_add(out, l->tls->line, l->tls->column, STR_FMT, STR_ARG(e->text));
    else
        tls_server_free(t);
}

static void check_trust(problems *out, arena *a, const config_text *ca)
{
    tls_client *t = NULL;
    if (!ca->value.p) return;
    const err *e = tls_client_new(a, ca->value, &t);
    if (e)
        problems_add(out, ca->node->line, ca->node->column, STR_FMT, STR_ARG(e->text));
    else
        tls_client_free(t);
}

static void check_key_document(problems *out, arena *a, const config_issuer *one)
{
    unsigned skipped = 0;
    if (!one->jwks.from_file) return;
    jwks *keys = jwks_new();
    const err *e = jwks_replace(a, keys, one->jwks.value, 0, &skipped);
    if (e)
        problems_add(out, one->jwks.node->line, one->jwks.node->column, STR_FMT, STR_ARG(e->text));
    jwks_free(keys);
}

/* What the files hold that the config names. */
static void check_contents(problems *out, arena *a, const config *c)
{
    const config_listen *listeners = c->listen.items;
    for (size_t i = 0; i < c->listen.count; i++) check_tls(out, a, &listeners[i]);
    const config_issuer *issuers = c->issuers.items;
    for (size_t i = 0; i < c->issuers.count; i++) check_key_document(out, a, &issuers[i]);
    const config_server *servers = c->servers.items;
    for (size_t i = 0; i < c->servers.count; i++) check_trust(out, a, &servers[i].ca);
    const config_backend *backends = c->backends.items;
    for (size_t i = 0; i < c->backends.count; i++) check_trust(out, a, &backends[i].ca);
}

/* Errors refuse the plan, warnings go with it. */
static policy *read_policies(snapshot_plan *plan, const policy_world *w, const config_policies *set,
                             config_file extra, problems *out)
{
    arena *a = plan->a;
    policy_source *sources = NEW_N(a, policy_source, set->count + 1);
    size_t n = 0;
    for (; n < set->count; n++)
        sources[n] = (policy_source){.name = set->files[n].name, .text = set->files[n].text};
    if (extra.text.p) sources[n++] = (policy_source){.name = extra.name, .text = extra.text};
    policy *p = NULL;
    problems found;
    problems_init(&found, a, out->file);
    policy_check(a, sources, n, w, &found, &p);
    for (const problem *one = found.first; one; one = one->next)
        problems_add_text(policy_is_warning(one) ? &plan->warnings : out, one->text);
    return p;
}

static void tell_failed_test(void *out, const policy_test_result *r)
{
    problems *found = out;
    if (!r->passed)
        problems_add_text(found, arena_fmt(found->a, STR_FMT ": test \"" STR_FMT "\": " STR_FMT,
                                           STR_ARG(r->place), STR_ARG(r->name), STR_ARG(r->why)));
}

/* Rules that do not do what their own tests say are as wrong as rules that cannot be read. */
static void test_policies(const policy *rules, problems *out)
{
    arena *scratch = arena_new();
    policy_test_run(rules, clock_wall_ms(), scratch, tell_failed_test, out);
    arena_free(scratch);
}

static void read_all_policies(snapshot_plan *p, str file, str text, config_file extra,
                              problems *out)
{
    policy_world w = {.zones = &zones_of_system};
    const err *e = policy_world_read_config(p->a, file, text, &w);
    if (e) {
        problems_add_text(out, e->text);
        return;
    }
    p->rules = read_policies(p, &w, &p->config->live, extra, out);
    if (p->config->shadow.count)
        p->shadow = read_policies(p, &w, &p->config->shadow, (config_file){0}, out);
}

/* `hard` promises what a store that may lose a debit, or is done without, cannot keep. */
static void check_hard(const snapshot_plan *p, problems *out)
{
    const config *c = p->config;
    const policy_quota *hard = p->rules ? policy_quota_hard(p->rules) : NULL;
    bool local = c->on_store_loss == CONFIG_STORE_LOSS_LOCAL;
    if (!hard || (!local && str_starts(c->store, S("sqlite:")))) return;
    problems_add_text(out, arena_fmt(out->a, STR_FMT ": quota '" STR_FMT "' is hard: not with %s",
                                     STR_ARG(hard->place), STR_ARG(hard->id),
                                     local ? "`on_store_loss: local`"
                                           : "a store that can lose what it was told"));
}

static void check_quotas(snapshot_plan *p, problems *out)
{
    check_hard(p, out);
    if (!p->shadow || !policy_quota_count(p->shadow)) return;
    const policy_quota *q = policy_quota_at(p->shadow, 0);
    problems_add_text(&p->warnings,
                      arena_fmt(p->a,
                                STR_FMT ": quota '" STR_FMT "' stands in shadow_policies, where "
                                        "nothing is counted: use `mode: shadow`",
                                STR_ARG(q->place), STR_ARG(q->id)));
}

static prices *read_prices(arena *a, const config *c, problems *out)
{
    const str *names = config_names(a, &c->backends, sizeof(config_backend));
    return prices_read(a, c->prices.source, c->prices.value, names, out);
}

bool snapshot_read(snapshot_plan *p, const config_world *w, str file, str text, config_file extra,
                   problems *out)
{
    *p = (snapshot_plan){.a = arena_new()};
    problems_init(&p->warnings, p->a, file);
    size_t before = out->count;
    config_load(p->a, w, file, text, out, &p->config);
    if (p->config) {
        check_contents(out, p->a, p->config);
        snapshot_read_conditions(p->a, p->config, text, out);
        read_all_policies(p, file, text, extra, out);
        check_quotas(p, out);
    }
    if (p->config && p->config->pins.name.p)
        p->pins = pins_read(p->a, p->config->pins.name, p->config->pins.text, out);
    if (p->config) p->prices = read_prices(p->a, p->config, out);
    if (p->rules) test_policies(p->rules, out);
    if (p->shadow) test_policies(p->shadow, out);
    if (out->count == before && p->rules) return true;
    snapshot_plan_free(p);
    return false;
}

void snapshot_plan_free(snapshot_plan *p)
{
    if (p->a) arena_free(p->a);
    *p = (snapshot_plan){0};
}

/* Snapshot */

static const introspection *introspection_of(arena *a, const config_issuer *from)
{
    introspection *to = NEW(a, introspection);
    *to = (introspection){.url = from->introspection_url,
                          .client_id = from->introspection_client,
                          .client_secret = from->introspection_secret.value,
                          .keep_s = from->introspection_ms / 1000};
    return to;
}

static const err *make_identity(snapshot_maker *m, identity *who)
{
    const config *c = m->s->config;
    const config_issuer *from = c->issuers.items;
    jwt_issuer *issuers = NEW_N(m->a, jwt_issuer, c->issuers.count + 1);
    for (size_t i = 0; i < c->issuers.count; i++) {
        jwt_issuer *to = &issuers[i];
        bool discovered = !from[i].jwks.node;
        to->issuer = from[i].issuer;
        to->audiences = from[i].audiences;
        to->algorithms = snapshot_algorithms(m->a, from[i].algorithms);
        to->login_client = from[i].login_client;
        to->login_secret = from[i].login_secret.value;
        if (from[i].introspection) {
            to->introspection = introspection_of(m->a, &from[i]);
            continue;
        }
        if (from[i].jwks.from_file) {
            const err *e = refresh_keys_from(m->needs->net, m->scratch, to->issuer,
                                             from[i].jwks.value, &to->keys);
            if (e) return e;
            continue;
        }
        to->keys = refresh_keys_of(m->needs->net, to->issuer, from[i].jwks.value);
        to->jwks_url = discovered ? to->issuer
                                  : from[i].jwks.value; /* not empty: fresh keys can be asked for */
    }
    *who = (identity){.issuers = issuers,
                      .issuer_count = c->issuers.count,
                      .given = m->needs->keys,
                      .anonymous = c->anonymous == CONFIG_ANONYMOUS_ALLOW,
                      .scopes_supported = c->scopes_supported};
    return NULL;
}

static void make_proxies(snapshot_maker *m, snapshot *s)
{
    size_t n = 0;
    while (s->config->trusted_proxies[n].p) n++;
    net_range *all = NEW_N(m->a, net_range, n + 1);
    for (size_t i = 0; i < n; i++)
        if (net_range_parse(s->config->trusted_proxies[i], &all[s->proxy_count])) s->proxy_count++;
    s->proxies = all;
}

static void keep_whole(void *s)
{
    (void)snapshot_keep(s);
}

static void drop_whole(void *s)
{
    snapshot_drop(s);
}

const err *snapshot_new(arena *a, const snapshot_needs *needs, snapshot_plan *p,
                        const snapshot **out)
{
    arena *own = p->a;
    held *h = NEW(own, held);
    h->a = own;
    h->refs = 1;
    h->s.config = p->config;
    h->s.rules = p->rules;
    h->s.shadow = p->shadow;
    h->s.pins = p->pins;
    h->s.prices = p->prices;
    *p = (snapshot_plan){0};
    snapshot_maker m = {.a = own, .scratch = a, .needs = needs, .s = &h->s};
    make_proxies(&m, &h->s);
    const err *e = make_identity(&m, &h->s.who);
    if (!e) e = snapshot_make_mcp(&m, &h->s.mcp);
    h->s.mcp.whole = &h->s;
    h->s.mcp.keep = keep_whole;
    h->s.mcp.drop = drop_whole;
    if (!e) e = snapshot_make_llm(&m, &h->s.llm);
    if (e) {
        e = err_wrap(a, e, "configuration");
        arena_free(own);
        return e;
    }
    *out = &h->s;
    return NULL;
}

const snapshot *snapshot_keep(const snapshot *s)
{
    atomic_fetch_add_explicit(&held_of(s)->refs, 1, memory_order_relaxed);
    return s;
}

void snapshot_drop(const snapshot *s)
{
    if (!s) return;
    held *h = held_of(s);
    unsigned was = atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel);
    assert(was > 0);
    if (was == 1) arena_free(h->a); /* h lived in it */
}

struct snapshot_hold {
    const snapshot *on; /* NULL: let go */
};

void snapshot_let_go(void *hold)
{
    snapshot_hold *h = hold;
    const snapshot *on = h->on;
    h->on = NULL;
    snapshot_drop(on);
}

snapshot_hold *snapshot_own(arena *a, const snapshot *s)
{
    snapshot_hold *h = NEW(a, snapshot_hold);
    h->on = snapshot_keep(s);
    arena_own(a, snapshot_let_go, h);
    return h;
}
