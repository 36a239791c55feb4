/* SPDX-License-Identifier: Apache-2.0 */
/* quota_rule.c - which quotas a request falls under, by which key, and what it costs them. */
#include "quota_rule.h"
#include "../../base/ledger.h"
#include "rule.h"
#include <math.h>

static const double micro_per_dollar = 1e6;

size_t policy_quota_count(const policy *p)
{
    return p->quota_count;
}

const policy_quota *policy_quota_at(const policy *p, size_t i)
{
    return &p->quotas[i];
}

const policy_quota *policy_quota_find(const policy *p, str id)
{
    for (size_t i = 0; i < p->quota_count; i++)
        if (str_eq(p->quotas[i].id, id)) return &p->quotas[i];
    return NULL;
}

const policy_quota *policy_quota_hard(const policy *p)
{
    for (size_t i = 0; i < p->quota_count; i++)
        if (p->quotas[i].hard) return &p->quotas[i];
    return NULL;
}

/* Numbers */

/* Upwards; but not for what is left of adding tenths in binary. */
static bool round_up(double v, int64_t *units)
{
    const double dust = 1e-4, most = (double)LEDGER_UNITS_MOST;
    if (isnan(v) || v < -dust) return false;
    if (v >= most) {
        *units = LEDGER_UNITS_MOST;
        return true;
    }
    double near = round(v);
    *units = (int64_t)(fabs(v - near) < dust ? near : ceil(v));
    return true;
}

bool policy_quota_units(cel_value v, bool money, int64_t *units)
{
    const int64_t most = LEDGER_UNITS_MOST;
    double scale = money ? micro_per_dollar : 1;
    if (v.tag == CEL_DOUBLE) return round_up(v.u.d * scale, units);
    if (v.tag == CEL_UINT) {
        v.tag = CEL_INT;
        v.u.i = v.u.u > (uint64_t)most ? most : (int64_t)v.u.u;
    }
    if (v.tag != CEL_INT || v.u.i < 0) return false;
    int64_t factor = (int64_t)scale;
    *units = v.u.i > most / factor ? most : v.u.i * factor;
    return true;
}

static int64_t sum(int64_t a, int64_t b)
{
    int64_t s;
    return __builtin_add_overflow(a, b, &s) ? INT64_MAX : s;
}

static int64_t total_of(const quota_usage *u)
{
    return sum(sum(u->input, u->cached_input), sum(u->cache_write, u->output));
}

static bool uses_tokens(subject_kind kind)
{
    return kind == SUBJECT_MODEL || kind == SUBJECT_ENDPOINT;
}

bool policy_quota_counts_requests(const policy_quota *q, subject_kind kind)
{
    return !q->cost && (q->fixed_cost || (!q->money && !uses_tokens(kind)));
}

bool policy_quota_cost(const policy_quota *q, subject_kind kind, const quota_usage *u,
                       arena *scratch, int64_t *units)
{
    if (!q->cost) {
        int64_t usual = q->money ? u->usd_micro : uses_tokens(kind) ? total_of(u) : 1;
        *units = q->fixed_cost ? q->fixed_cost : usual;
        if (*units > LEDGER_UNITS_MOST) *units = LEDGER_UNITS_MOST;
        return *units >= 0;
    }
    cel_value values[FACTS] = {0};
    values[FACT_USAGE_INPUT] = cel_int(u->input);
    values[FACT_USAGE_CACHED_INPUT] = cel_int(u->cached_input);
    values[FACT_USAGE_CACHE_WRITE] = cel_int(u->cache_write);
    values[FACT_USAGE_OUTPUT] = cel_int(u->output);
    values[FACT_USAGE_REASONING] = cel_int(u->reasoning);
    values[FACT_USAGE_TOTAL] = cel_int(total_of(u));
    values[FACT_USAGE_USD] =
        (cel_value){.tag = CEL_DOUBLE, .u.d = (double)u->usd_micro / micro_per_dollar};
    cel_bindings known = {.values = values, .count = FACTS};
    cel_value v = cel_eval(q->cost, &known, scratch, 0);
    if ((v.tag == CEL_INT && v.u.i < 0) || (v.tag == CEL_DOUBLE && v.u.d < 0)) {
        *units = 0;
        return true;
    }
    return policy_quota_units(v, q->money, units);
}

/* What is due */

static void mark(void *ctx, size_t quota)
{
    uint64_t *bits = ctx;
    bits[quota / 64] |= (uint64_t)1 << (quota % 64);
}

static str why_not(arena *a, const policy_quota *q, const char *what, cel_value v, str source)
{
    str text = v.tag == CEL_ERROR ? cel_error_text(a, v, source) : S("not a value it can have");
    return arena_fmt(a, STR_FMT " (" STR_FMT "): %s: " STR_FMT, STR_ARG(q->id), STR_ARG(q->place),
                     what, STR_ARG(text));
}

static void tell_key(policy_facts *f, policy_due *due)
{
    const policy_quota *q = due->quota;
    cel_value v = q->key ? cel_eval(q->key, &f->bindings, f->scratch, 0)
                         : policy_fact_value(f, FACT_CALLER_ID);
    due->key = v.tag == CEL_STRING ? cel_text(v) : (str){0};
    if (v.tag == CEL_STRING && v.n == 0)
        due->error = arena_fmt(f->scratch, STR_FMT " (" STR_FMT "): key is empty", STR_ARG(q->id),
                               STR_ARG(q->place));
    else if (v.tag != CEL_STRING)
        due->error = why_not(f->scratch, q, "key", v, q->key_source);
    if (due->error.n) due->key = (str){0};
}

static void tell_limit(policy_facts *f, policy_due *due)
{
    const policy_quota *q = due->quota;
    due->limit = q->fixed_limit;
    if (!q->limit) return;
    cel_value v = cel_eval(q->limit, &f->bindings, f->scratch, 0);
    if (policy_quota_units(v, q->money, &due->limit)) return;
    due->error = why_not(f->scratch, q, "limit", v, q->limit_source);
    due->key = (str){0};
}

void policy_quota_tell(policy_facts *f, const policy_quota *q, policy_due *due)
{
    *due = (policy_due){.quota = q};
    tell_key(f, due);
    if (due->key.p) tell_limit(f, due);
}

const policy_quota *policy_quota_budget(arena *a, int64_t micro_usd, int64_t window_ms)
{
    policy_quota *q = NEW(a, policy_quota);
    *q = (policy_quota){.id = S("key-budget"),
                        .place = S("the key"),
                        .kind = window_ms ? QUOTA_SLIDING : QUOTA_FIXED,
                        .window_ms = window_ms,
                        .fixed_limit = micro_usd,
                        .money = true,
                        .message = S("the budget of this key is used up")};
    return q;
}

static const policy_quota *budget_due(const question *q)
{
    return q->kind == SUBJECT_MODEL && q->who ? q->who->budget : NULL;
}

size_t policy_quotas_due(const policy *p, const question *q, arena *a, const policy_due **out)
{
    const policy_quota *budget = budget_due(q);
    *out = NULL;
    if (!p || (!p->quota_count && !budget)) return 0;
    size_t words = p->quota_count / 64 + 1, count = budget != NULL;
    uint64_t *bits = NEW_N(a, uint64_t, words);
    policy_index_find(p->quota_index, q->kind, q->server, q->name, mark, bits);
    if (q->kind == SUBJECT_MODEL)
        policy_index_find(p->quota_index, SUBJECT_ENDPOINT, S(""), q->llm.endpoint, mark, bits);
    for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(bits[i]);
    if (!count) return 0;
    policy_due *list = NEW_N(a, policy_due, count);
    policy_facts f;
    policy_facts_begin(&f, p, q, a);
    count = 0;
    for (size_t i = 0; i < p->quota_count; i++)
        if (bits[i / 64] >> (i % 64) & 1) policy_quota_tell(&f, &p->quotas[i], &list[count++]);
    if (budget) policy_quota_tell(&f, budget, &list[count++]);
    *out = list;
    return count;
}
