/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - one function decides, for a call and for a list.
 *
 * Rules come sorted by effect and id, so forbids are asked before requires and these before
 * permits, and the rule that is named in a verdict does not depend on how files are ordered.
 * In a list `unknown` means "some call might": it does not hide (forbid), does not fail (require)
 * and may grant (permit). Anything that cannot be evaluated counts against the call. */
#include "policy.h"
#include "../../base/map.h"
#include "../digest.h"
#include "demands.h"
#include "fit.h"
#include "mask_read.h"
#include "quota_read.h"
#include "suppose.h"
#include <stdlib.h>

/* Scopes */

typedef struct {
    const str *list; /* ends with {0} */
    size_t count;
} scope_set;

static bool in_set(const str *list, str scope)
{
    for (; list && list->p; list++)
        if (str_eq(*list, scope)) return true;
    return false;
}

/* What of the rule's scopes the caller lacks, added to a set. */
static scope_set with_missing(const policy_ask *k, scope_set base, const policy_rule *r)
{
    size_t most = base.count;
    for (const str *s = r->scopes; s->p; s++) most++;
    str *out = NEW_N(k->scratch, str, most + 1);
    size_t n = 0;
    for (; n < base.count; n++) out[n] = base.list[n];
    for (const str *s = r->scopes; s->p; s++)
        if (!policy_has_scope(k, *s) && !in_set(out, *s)) out[n++] = *s;
    return (scope_set){out, n};
}

/* Deciding */

static void decide_by(verdict *out, denied why, const policy_rule *r)
{
    out->why = why;
    if (!r) return;
    out->rule = r->id;
    out->place = r->place;
    out->message = r->message;
}

static bool forbidden(policy_ask *k, size_t *at, verdict *out)
{
    const policy_rule *r, *broken = NULL;
    while ((r = policy_next_rule(k, RULE_FORBID, at))) {
        truth t = policy_condition(k, r);
        if (t == TRUTH_YES) {
            decide_by(out, DENIED_FORBID, r);
            return true;
        }
        if (t == TRUTH_ERROR && !broken) broken = r;
        if (t == TRUTH_UNKNOWN) out->open = true;
    }
    if (broken) decide_by(out, DENIED_FORBID_ERROR, broken);
    return broken != NULL;
}

/* A require that lacks nothing but scopes is not held against the call yet: *missing grows. */
static bool required(policy_ask *k, size_t *at, verdict *out, scope_set *missing)
{
    const policy_rule *r;
    while ((r = policy_next_rule(k, RULE_REQUIRE, at))) {
        truth t = policy_condition(k, r);
        if (t == TRUTH_NO || t == TRUTH_ERROR) {
            decide_by(out, DENIED_REQUIRE, r);
            return false;
        }
        if (policy_names_all(k, r) && policy_lacks_scopes(k, r))
            *missing = with_missing(k, *missing, r);
        if (t == TRUTH_UNKNOWN) out->open = true;
    }
    return true;
}

static void permit_by(verdict *out, const policy_rule *r, truth t)
{
    decide_by(out, DENIED_NOT, r);
    out->permit = true;
    out->open |= t == TRUTH_UNKNOWN;
    out->message = (str){0};
}

/* The permit that lacks the fewest scopes, and those. */
typedef struct {
    const policy_rule *rule;
    scope_set scopes;
} nearest_permit;

static void lacks_scopes(policy_ask *k, const policy_rule *r, scope_set required,
                         nearest_permit *nearest)
{
    scope_set set = with_missing(k, required, r);
    if (!nearest->rule || set.count < nearest->scopes.count) *nearest = (nearest_permit){r, set};
}

/* A list is content with a permit that might apply; a replay wants one that does. */
static void grant(policy_ask *k, size_t *at, verdict *out, scope_set required_scopes)
{
    const policy_rule *r, *perhaps = NULL;
    nearest_permit nearest = {0};
    while ((r = policy_next_rule(k, RULE_PERMIT, at))) {
        bool lacks = required_scopes.count || policy_lacks_scopes(k, r);
        if (lacks && k->q->listing) continue;
        truth t = policy_condition(k, r);
        if (t == TRUTH_NO || t == TRUTH_ERROR) continue;
        if (lacks) {
            lacks_scopes(k, r, required_scopes, &nearest);
        } else if (t == TRUTH_UNKNOWN && k->q->given) {
            if (!perhaps) perhaps = r;
        } else {
            permit_by(out, r, t);
            return;
        }
    }
    if (perhaps) {
        permit_by(out, perhaps, TRUTH_UNKNOWN);
        return;
    }
    decide_by(out, nearest.rule ? DENIED_SCOPES : DENIED_DEFAULT, nearest.rule);
    out->message = (str){0};
    out->scopes = nearest.scopes.list;
}

static void answer(policy_ask *k, verdict *out)
{
    size_t at = 0;
    scope_set missing = {0};
    *out = (verdict){.why = DENIED_DEFAULT};
    if (!forbidden(k, &at, out) && required(k, &at, out, &missing)) grant(k, &at, out, missing);
    out->error = k->error;
}

/* A tool that some call seems to be permitted, with nothing known of its arguments, may turn out to
 * have none: the values that the schema leaves them are supposed. */
static void answer_list(const policy *p, const question *q, arena *scratch, verdict *out)
{
    policy_ask k;
    policy_supposed s;
    policy_ask_begin(&k, p, q, scratch);
    answer(&k, out);
    if (!out->permit || !out->open || q->given) return;
    if (policy_demands_impossible(&k)) {
        *out = (verdict){.why = DENIED_DEFAULT};
        return;
    }
    if (!q->schema || !policy_suppose(&k, &s)) return;
    do {
        policy_ask_begin(&k, p, q, scratch);
        k.facts.bindings.known = &s.known;
        answer(&k, out);
    } while (!out->permit && policy_suppose_next(q->schema, &s));
    out->open = true;
}

static void answer_call(const policy *p, const question *q, arena *scratch, verdict *out)
{
    policy_ask k;
    policy_ask_begin(&k, p, q, scratch);
    str offence = policy_fit_offence(&k);
    if (offence.n)
        *out = (verdict){.why = DENIED_SCHEMA, .message = offence};
    else
        answer(&k, out);
}

static bool is_among(const str *globs, str name)
{
    if (!globs) return true;
    while (globs->p && !policy_glob(*globs, name)) globs++;
    return globs->p != NULL;
}

/* What a key may use at most stands with the key, and no rule widens it. */
static bool key_covers(const question *q)
{
    if (!q->who || q->who->kind != CALLER_KEY || q->kind == SUBJECT_ENDPOINT) return true;
    return q->kind == SUBJECT_MODEL ? is_among(q->who->models, q->name)
                                    : is_among(q->who->servers, q->server);
}

void policy_decide(const policy *p, const question *q, arena *scratch, verdict *out)
{
    *out = (verdict){.why = DENIED_DEFAULT};
    if (!key_covers(q)) {
        out->why = DENIED_KEY;
        return;
    }
    if (!p->count) return;
    if (q->listing)
        answer_list(p, q, scratch, out);
    else
        answer_call(p, q, scratch, out);
    out->listed = out->permit;
    if (out->permit || q->listing) return;
    question list = *q;
    list.listing = true;
    verdict shown;
    answer_list(p, &list, scratch, &shown);
    out->listed = shown.permit;
}

/* Loading */

static int by_effect_and_id(const void *a, const void *b)
{
    const policy_rule *x = a, *y = b;
    if (x->effect != y->effect) return x->effect < y->effect ? -1 : 1;
    size_t n = x->id.n < y->id.n ? x->id.n : y->id.n;
    int order = n ? memcmp(x->id.p, y->id.p, n) : 0;
    if (order) return order;
    return x->id.n == y->id.n ? 0 : x->id.n < y->id.n ? -1 : 1;
}

/* A var that reads arguments may name any number of them. */
static size_t count_arguments(const policy *p, const policy_rule *r)
{
    enum { SOME = 2 };
    size_t count = r->constraint_count;
    if (!r->when || !(r->reads & (uint64_t)1 << VAR_ARGS)) return count;
    for (size_t i = 0; i < p->var_count; i++)
        if (cel_reads_slot(r->when, FACTS + i) && (p->vars[i].reads & (uint64_t)1 << VAR_ARGS))
            count += SOME;
    return count + cel_mentions(r->when, VAR_ARGS);
}

static void fill_index(policy *p, arena *a)
{
    p->index = policy_index_new(a);
    for (size_t i = 0; i < p->count; i++) {
        const policy_rule *r = &p->rules[i];
        bool varies = r->scopes->p || (r->reads & policy_facts_of_caller());
        for (int kind = 0; kind < SUBJECTS; kind++) {
            const str *name = r->names[kind];
            if (name && name->p && varies) p->varies[kind] = true;
            for (; name && name->p; name++)
                policy_index_add(p->index, (subject_kind)kind, *name, i);
        }
    }
}

static int by_quota_id(const void *a, const void *b)
{
    const policy_quota *x = a, *y = b;
    return str_order(x->id, y->id);
}

static void fill_quotas(policy *p, const policy_draft *d)
{
    policy_quota *list = NEW_N(d->a, policy_quota, d->quota_count);
    for (const quota_node *n = d->quotas; n; n = n->next) list[p->quota_count++] = n->quota;
    if (p->quota_count) qsort(list, p->quota_count, sizeof *list, by_quota_id);
    p->quotas = list;
    p->quota_index = policy_index_new(d->a);
    for (size_t i = 0; i < p->quota_count; i++)
        for (int kind = 0; kind < SUBJECTS; kind++)
            for (const str *name = list[i].names[kind]; name && name->p; name++)
                policy_index_add(p->quota_index, (subject_kind)kind, *name, i);
}

static str revision_of(arena *a, const policy_source *sources, size_t count)
{
    uint8_t digest[DIGEST_BYTES];
    buf all = buf_new(a, count * DIGEST_BYTES + 1);
    for (size_t i = 0; i < count; i++) {
        digest_sha256(sources[i].text, digest);
        (void)buf_put(&all, (str){(const char *)digest, sizeof digest});
    }
    digest_sha256(buf_str(&all), digest);
    return digest_hex(a, digest, 6);
}

void policy_draft_read(policy_draft *d, arena *a, const policy_source *sources, size_t count,
                       const cel_zones *zones, problems *out)
{
    *d = (policy_draft){.a = a, .out = out, .ids = map_new(a)};
    if (zones) d->zones = *zones;
    d->zones.literals = true;
    d->rules_end = &d->rules;
    d->vars_end = &d->vars;
    d->quota_ids = map_new(a);
    d->quotas_end = &d->quotas;
    d->masks_end = &d->masks;
    d->cases_end = &d->cases;
    for (size_t i = 0; i < count; i++) policy_file_read(d, &sources[i]);
    policy_quotas_link(d);
}

policy *policy_of_draft(const policy_draft *d, const policy_source *sources, size_t count)
{
    arena *a = d->a;
    policy *made = NEW(a, policy);
    policy_rule *rules = NEW_N(a, policy_rule, d->rule_count);
    policy_var *vars = NEW_N(a, policy_var, d->var_count);
    for (const rule_node *n = d->rules; n; n = n->next) rules[made->count++] = n->rule;
    for (const var_node *n = d->vars; n; n = n->next) vars[made->var_count++] = n->var;
    policy_mask *masks = NEW_N(a, policy_mask, d->mask_count);
    policy_case *cases = NEW_N(a, policy_case, d->case_count);
    for (const case_node *n = d->cases; n; n = n->next) cases[made->case_count++] = n->test;
    for (const mask_node *n = d->masks; n; n = n->next) masks[made->mask_count++] = n->mask;
    made->masks = masks;
    qsort(rules, made->count, sizeof *rules, by_effect_and_id);
    made->rules = rules;
    made->vars = vars;
    for (size_t i = 0; i < made->count; i++) rules[i].arguments = count_arguments(made, &rules[i]);
    made->cases = cases;
    fill_quotas(made, d);
    made->revision = revision_of(a, sources, count);
    fill_index(made, a);
    return made;
}

void policy_load(arena *a, const policy_source *sources, size_t count, const cel_zones *zones,
                 problems *out, policy **p)
{
    size_t before = out->count;
    policy_draft d;
    policy_draft_read(&d, a, sources, count, zones, out);
    *p = out->count == before ? policy_of_draft(&d, sources, count) : NULL;
}

size_t policy_rule_count(const policy *p)
{
    return p->count;
}

str policy_revision(const policy *p)
{
    return p->revision;
}

typedef struct {
    const policy *p;
    bool reads;
} args_reader;

static void look_at_args(void *ctx, size_t rule)
{
    args_reader *r = ctx;
    if (r->p->rules[rule].reads & (uint64_t)1 << VAR_ARGS) r->reads = true;
}

static void look_at_quota(void *ctx, size_t quota)
{
    args_reader *r = ctx;
    if (r->p->quotas[quota].reads & (uint64_t)1 << VAR_ARGS) r->reads = true;
}

bool policy_reads_args(const policy *p, subject_kind kind, str server, str name)
{
    args_reader r = {.p = p};
    policy_index_find(p->index, kind, server, name, look_at_args, &r);
    policy_index_find(p->quota_index, kind, server, name, look_at_quota, &r);
    for (size_t i = 0; i < p->mask_count; i++)
        r.reads |= kind == SUBJECT_TOOL && p->masks[i].reads >> VAR_ARGS & 1;
    return r.reads;
}

bool policy_depends_on_caller(const policy *p, subject_kind kind)
{
    return p->varies[kind];
}
