/* SPDX-License-Identifier: Apache-2.0 */
/* case_quota.c - tests ask the very cells that count requests, in memory of their own. */
#include "case_quota.h"
#include <math.h>
#include <stdlib.h>

#define WRONG(d, n, ...)     problems_add((d)->out, (n)->line, (n)->column, __VA_ARGS__)
#define WRONG_KEY(d, n, ...) problems_add((d)->out, (n)->key_line, (n)->key_column, __VA_ARGS__)

static const double micro = 1e6;

/* A plain number, 0 or more. */
static double number_of(policy_draft *d, const yaml_node *n)
{
    char *end = NULL;
    const char *text = n->kind == YAML_SCALAR ? arena_dup(d->a, n->text).p : "";
    double v = strtod(text, &end);
    if (*text && end == text + n->text.n && isfinite(v) && v >= 0) return v;
    WRONG(d, n, "error E104: `" STR_FMT "` must be a number, 0 or more", STR_ARG(n->key));
    return 0;
}

static bool is_map(policy_draft *d, const yaml_node *n, const char *what)
{
    if (n && n->kind != YAML_MAP) WRONG(d, n, "error E103: %s must be a map", what);
    return n && n->kind == YAML_MAP;
}

static void read_usage(policy_draft *d, const yaml_node *n, quota_usage *u)
{
    static const str names[] = {S("input"),  S("cached_input"), S("cache_write"),
                                S("output"), S("reasoning"),    S("usd"),
                                {0}};
    int64_t *const counts[] = {&u->input,  &u->cached_input, &u->cache_write,
                               &u->output, &u->reasoning,    &u->usd_micro};
    if (!is_map(d, n, "usage")) return;
    for (const yaml_node *one = n->first; one; one = one->next) {
        size_t i = 0;
        while (names[i].p && !str_eq(names[i], one->key)) i++;
        if (!names[i].p) {
            str near = yaml_did_you_mean(one->key, names);
            problem *p = WRONG_KEY(d, one, "error E101: unknown key '" STR_FMT "' in usage",
                                   STR_ARG(one->key));
            if (near.n) p->hint = arena_fmt(d->a, "did you mean '" STR_FMT "'?", STR_ARG(near));
            continue;
        }
        double v = number_of(d, one) * (names[i + 1].p ? 1 : micro); /* usd is the last */
        *counts[i] = v < (double)LEDGER_UNITS_MOST ? llround(v) : LEDGER_UNITS_MOST;
    }
}

/* Numbers by quota; ends with {0}. */
static const policy_amount *amounts_of(policy_draft *d, const yaml_node *n, const char *what)
{
    if (!is_map(d, n, what)) return NULL;
    policy_amount *list = NEW_N(d->a, policy_amount, n->count + 1);
    size_t count = 0;
    for (const yaml_node *one = n->first; one; one = one->next)
        list[count++] = (policy_amount){one->key, number_of(d, one)};
    return list;
}

void policy_case_read_quotas(policy_draft *d, const yaml_node *test, policy_case *c)
{
    read_usage(d, yaml_get(test, S("usage")), &c->usage);
    c->remaining = amounts_of(d, yaml_get(test, S("remaining")), "remaining");
    c->costs = amounts_of(d, yaml_get(test, S("expect_cost")), "expect_cost");
}

/* Running */

static int64_t units_of(const policy_quota *q, double amount)
{
    double v = q->money ? amount * micro : amount;
    return v < (double)LEDGER_UNITS_MOST ? llround(v) : LEDGER_UNITS_MOST;
}

quotas *policy_case_quotas(const policy *p, const policy_case *c, const question *q, arena *scratch)
{
    if (!p->quota_count) return NULL;
    quotas *all = quotas_new(&(quota_options){0});
    policy_facts f;
    policy_facts_begin(&f, p, q, scratch);
    for (const policy_amount *r = c->remaining; r && r->quota.p; r++) {
        const policy_quota *of = policy_quota_find(p, r->quota);
        policy_due due;
        if (!of) continue;
        policy_quota_tell(&f, of, &due);
        int64_t left = units_of(of, r->amount);
        if (due.key.p && left < due.limit)
            quota_spend(all, &due, scratch, q->now_ms, due.limit - left);
    }
    return all;
}

static str unknown_in(const policy *p, const policy_amount *list, const char *where, arena *scratch)
{
    for (; list && list->quota.p; list++)
        if (!policy_quota_find(p, list->quota))
            return arena_fmt(scratch, "%s: there is no quota '" STR_FMT "'", where,
                             STR_ARG(list->quota));
    return (str){0};
}

str policy_case_refused(const policy *p, const policy_case *c, const question *q, arena *scratch,
                        str *why)
{
    const quota_request rq = {.rules = p, .about = q, .estimate = c->usage};
    quota_hold *h = NULL;
    quota_refusal no;
    if (!q->quotas || quota_reserve(q->quotas, &rq, scratch, &h, &no) == QUOTA_ROOM) {
        quota_settle(h, NULL, QUOTA_DONE);
        return (str){0};
    }
    *why = no.error.n ? no.error : no.message;
    return no.view.id;
}

static str wrong_cost(const policy_due *due, const policy_amount *want, const policy_case *c,
                      arena *scratch)
{
    int64_t cost = 0;
    const policy_quota *of = due->quota;
    if (!policy_quota_cost(of, c->kind, &c->usage, scratch, &cost))
        return arena_fmt(scratch, "the cost of " STR_FMT " cannot be told", STR_ARG(of->id));
    if (cost == units_of(of, want->amount)) return (str){0};
    double told = of->money ? (double)cost / micro : (double)cost;
    return arena_fmt(scratch, "expected a cost of %g for " STR_FMT ", got %.17g", want->amount,
                     STR_ARG(of->id), told);
}

str policy_case_wrong_cost(const policy *p, const policy_case *c, const question *q, arena *scratch)
{
    const policy_due *due;
    str wrong = unknown_in(p, c->costs, "expect_cost", scratch);
    if (!wrong.p) wrong = unknown_in(p, c->remaining, "remaining", scratch);
    size_t count = c->costs ? policy_quotas_due(p, q, scratch, &due) : 0;
    for (const policy_amount *want = c->costs; want && want->quota.p && !wrong.p; want++) {
        size_t i = 0;
        while (i < count && !str_eq(due[i].quota->id, want->quota)) i++;
        wrong = i < count ? wrong_cost(&due[i], want, c, scratch)
                          : arena_fmt(scratch, "quota " STR_FMT " does not count this",
                                      STR_ARG(want->quota));
    }
    return wrong;
}
