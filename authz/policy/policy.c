/* SPDX-License-Identifier: Apache-2.0 */
/* policy.c - one function decides, for a call and for a list.
 *
 * Rules come sorted by effect and id, so forbids are asked before requires and these before
 * permits, and the rule that is named in a verdict does not depend on how files are ordered.
 * A condition has four outcomes. In a list `unknown` means "some call might": it does not hide
 * (forbid), does not fail (require) and may grant (permit). Anything that cannot be evaluated
 * counts against the call.
 *
 * An argument that is absent fails a permit or a require, and is an error of a forbid, unless the
 * rule says that its absence is fine: so a forbid is not evaded by leaving the argument out. */
#include "policy.h"
#include "../../base/map.h"
#include "../cel/compare.h"
#include "../digest.h"
#include "rule.h"
#include <stdlib.h>

typedef enum { NO, YES, UNKNOWN, ERROR } truth;

typedef struct {
    const policy *p;
    const question *q;
    arena *scratch;
    policy_facts facts;
    str error;            /* the first one */
    uint64_t *candidates; /* bit per rule */
} ask;

/* Conditions */

static void keep_error(ask *k, const policy_rule *r, str reason)
{
    if (!k->error.n)
        k->error = arena_fmt(k->scratch, STR_FMT " (" STR_FMT "): " STR_FMT, STR_ARG(r->id),
                             STR_ARG(r->place), STR_ARG(reason));
}

static void keep_cel_error(ask *k, const policy_rule *r, cel_value v, str source)
{
    const policy_facts *f = &k->facts;
    if (k->error.n) return;
    if (f->failed_var && f->failed.code == v.code && f->failed.n == v.n) {
        const policy_var *var = &k->p->vars[f->failed_var - 1];
        str text = cel_error_text(k->scratch, v, var->source);
        keep_error(k, r,
                   arena_fmt(k->scratch, "vars." STR_FMT ": " STR_FMT, STR_ARG(var->name),
                             STR_ARG(text)));
        return;
    }
    keep_error(k, r, cel_error_text(k->scratch, v, source));
}

static truth run(ask *k, const policy_rule *r, const cel_program *program, str source)
{
    cel_value v = cel_eval(program, &k->facts.bindings, k->scratch, 0);
    if (v.tag == CEL_BOOL) return v.u.b ? YES : NO;
    if (v.tag == CEL_UNKNOWN) return UNKNOWN;
    /* with unknowns both sides of a choice are walked: a call may cost less than its list */
    if (v.tag == CEL_ERROR && v.code == CEL_COST_EXCEEDED && k->q->listing) return UNKNOWN;
    if (v.tag == CEL_ERROR)
        keep_cel_error(k, r, v, source);
    else
        keep_error(k, r, S("the condition is neither true nor false"));
    return ERROR;
}

/* As && in CEL: what decides wins, then unknown, then error. */
static truth both(truth a, truth b)
{
    if (a == NO || b == NO) return NO;
    if (a == UNKNOWN || b == UNKNOWN) return UNKNOWN;
    return a == ERROR || b == ERROR ? ERROR : YES;
}

static truth absent(ask *k, const policy_rule *r, const rule_constraint *c)
{
    if (r->effect != RULE_FORBID) return c->optional ? YES : NO;
    if (c->optional) return NO;
    keep_error(k, r, arena_fmt(k->scratch, "argument '" STR_FMT "' is absent", STR_ARG(c->name)));
    return ERROR;
}

static truth one_argument(ask *k, const policy_rule *r, const rule_constraint *c, cel_value args)
{
    cel_value v = cel_map_member(args, c->name);
    if (v.tag == CEL_UNBOUND) return absent(k, r, c);
    if (c->program) {
        k->facts.bindings.values[FACT_THIS] = v;
        return run(k, r, c->program, c->source);
    }
    for (size_t i = 0; i < c->count; i++)
        if (cel_equal(v, c->values[i])) return YES;
    return NO;
}

static bool all_named(const policy_rule *r, cel_value args)
{
    size_t named = 0;
    for (size_t i = 0; i < r->constraint_count; i++)
        if (cel_map_member(args, r->constraints[i].name).tag != CEL_UNBOUND) named++;
    return named == cel_count(args);
}

static truth arguments(ask *k, const policy_rule *r)
{
    if (!r->constraint_count && !r->only_named_args) return YES;
    if (k->q->listing) return UNKNOWN;
    cel_bindings *b = &k->facts.bindings;
    if (b->values[VAR_ARGS].tag == CEL_UNBOUND) b->values[VAR_ARGS] = b->lazy(b->ctx, VAR_ARGS);
    cel_value args = b->values[VAR_ARGS];
    if (args.tag != CEL_MAP) return ERROR;
    truth t = r->only_named_args && !all_named(r, args) ? NO : YES;
    for (size_t i = 0; i < r->constraint_count && t != NO; i++)
        t = both(t, one_argument(k, r, &r->constraints[i], args));
    return t;
}

static truth condition(ask *k, const policy_rule *r)
{
    truth t = r->when ? run(k, r, r->when, r->when_source) : YES;
    return t == NO ? NO : both(t, arguments(k, r));
}

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

static bool has_scope(const ask *k, str scope)
{
    return k->q->who && caller_has_scope(k->q->who, scope);
}

static bool scopes_missing(const ask *k, const policy_rule *r)
{
    for (const str *s = r->scopes; s->p; s++)
        if (!has_scope(k, *s)) return true;
    return false;
}

/* What of the rule's scopes the caller lacks, added to a set. */
static scope_set with_missing(const ask *k, scope_set base, const policy_rule *r)
{
    size_t most = base.count;
    for (const str *s = r->scopes; s->p; s++) most++;
    str *out = NEW_N(k->scratch, str, most + 1);
    size_t n = 0;
    for (; n < base.count; n++) out[n] = base.list[n];
    for (const str *s = r->scopes; s->p; s++)
        if (!has_scope(k, *s) && !in_set(out, *s)) out[n++] = *s;
    return (scope_set){out, n};
}

/* Deciding */

static void mark(void *ctx, size_t rule)
{
    uint64_t *bits = ctx;
    bits[rule / 64] |= (uint64_t)1 << (rule % 64);
}

/* The next candidate from *at on of this effect; NULL behind the last. */
static const policy_rule *next_rule(const ask *k, rule_effect effect, size_t *at)
{
    for (; *at < k->p->count; *at = (*at / 64 + 1) * 64) {
        uint64_t bits = k->candidates[*at / 64] >> (*at % 64);
        if (!bits) continue;
        size_t found = *at + (size_t)__builtin_ctzll(bits);
        const policy_rule *r = &k->p->rules[found];
        if (r->effect != effect) return NULL; /* stays for the next effect */
        *at = found + 1;
        return r;
    }
    return NULL;
}

static void decide_by(verdict *out, denied why, const policy_rule *r)
{
    out->why = why;
    if (!r) return;
    out->rule = r->id;
    out->place = r->place;
    out->message = r->message;
}

static bool forbidden(ask *k, size_t *at, verdict *out)
{
    const policy_rule *r, *broken = NULL;
    while ((r = next_rule(k, RULE_FORBID, at))) {
        truth t = condition(k, r);
        if (t == YES) {
            decide_by(out, DENIED_FORBID, r);
            return true;
        }
        if (t == ERROR && !broken) broken = r;
    }
    if (broken) decide_by(out, DENIED_FORBID_ERROR, broken);
    return broken != NULL;
}

/* A require that lacks nothing but scopes is not held against the call yet: *missing grows. */
static bool required(ask *k, size_t *at, verdict *out, scope_set *missing)
{
    const policy_rule *r;
    while ((r = next_rule(k, RULE_REQUIRE, at))) {
        truth t = condition(k, r);
        if (t == NO || t == ERROR) {
            decide_by(out, DENIED_REQUIRE, r);
            return false;
        }
        if (scopes_missing(k, r)) *missing = with_missing(k, *missing, r);
    }
    return true;
}

static void grant(ask *k, size_t *at, verdict *out, scope_set required_scopes)
{
    const policy_rule *r, *nearest = NULL;
    scope_set least = {0};
    while ((r = next_rule(k, RULE_PERMIT, at))) {
        bool lacks = required_scopes.count || scopes_missing(k, r);
        if (lacks && k->q->listing) continue;
        truth t = condition(k, r);
        if (t == NO || t == ERROR) continue;
        if (!lacks) {
            decide_by(out, DENIED_NOT, r);
            out->permit = true;
            out->message = (str){0};
            return;
        }
        scope_set set = with_missing(k, required_scopes, r);
        if (!nearest || set.count < least.count) {
            nearest = r;
            least = set;
        }
    }
    decide_by(out, nearest ? DENIED_SCOPES : DENIED_DEFAULT, nearest);
    out->message = (str){0};
    out->scopes = least.list;
}

static void answer(const policy *p, const question *q, arena *scratch, verdict *out)
{
    *out = (verdict){.why = DENIED_DEFAULT};
    ask k = {.p = p, .q = q, .scratch = scratch};
    size_t at = 0;
    scope_set missing = {0};
    if (!p->count) return;
    k.candidates = NEW_N(scratch, uint64_t, p->count / 64 + 1);
    policy_index_find(p->index, q->kind, q->server, q->name, mark, k.candidates);
    /* A model is asked about at an endpoint: rules that name the endpoint apply as well. */
    if (q->kind == SUBJECT_MODEL)
        policy_index_find(p->index, SUBJECT_ENDPOINT, S(""), q->llm.endpoint, mark, k.candidates);
    policy_facts_begin(&k.facts, p, q, scratch);
    if (!forbidden(&k, &at, out) && required(&k, &at, out, &missing)) grant(&k, &at, out, missing);
    out->error = k.error;
}

void policy_decide(const policy *p, const question *q, arena *scratch, verdict *out)
{
    answer(p, q, scratch, out);
    out->listed = out->permit;
    if (out->permit || q->listing) return;
    question list = *q;
    list.listing = true;
    verdict shown;
    answer(p, &list, scratch, &shown);
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

void policy_load(arena *a, const policy_source *sources, size_t count, const cel_zones *zones,
                 problems *out, policy **p)
{
    size_t before = out->count;
    policy_draft d = {.a = a, .out = out, .ids = map_new(a)};
    if (zones) d.zones = *zones;
    d.zones.literals = true;
    d.rules_end = &d.rules;
    d.vars_end = &d.vars;
    d.cases_end = &d.cases;
    for (size_t i = 0; i < count; i++) policy_file_read(&d, &sources[i]);
    *p = NULL;
    if (out->count != before) return;

    policy *made = NEW(a, policy);
    policy_rule *rules = NEW_N(a, policy_rule, d.rule_count);
    policy_var *vars = NEW_N(a, policy_var, d.var_count);
    for (const rule_node *n = d.rules; n; n = n->next) rules[made->count++] = n->rule;
    for (const var_node *n = d.vars; n; n = n->next) vars[made->var_count++] = n->var;
    policy_case *cases = NEW_N(a, policy_case, d.case_count);
    for (const case_node *n = d.cases; n; n = n->next) cases[made->case_count++] = n->test;
    qsort(rules, made->count, sizeof *rules, by_effect_and_id);
    made->rules = rules;
    made->vars = vars;
    made->cases = cases;
    made->revision = revision_of(a, sources, count);
    fill_index(made, a);
    *p = made;
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

bool policy_reads_args(const policy *p, subject_kind kind, str server, str name)
{
    args_reader r = {.p = p};
    policy_index_find(p->index, kind, server, name, look_at_args, &r);
    return r.reads;
}

bool policy_depends_on_caller(const policy *p, subject_kind kind)
{
    return p->varies[kind];
}
