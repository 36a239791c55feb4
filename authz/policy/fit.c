/* SPDX-License-Identifier: Apache-2.0 */
/* fit.c - only what a rule reads matters, the rest is between the client and the upstream. */
#include "fit.h"
#include "../cel/compare.h"
#include "schema.h"

static bool program_reads(const policy *p, const cel_program *program, str name)
{
    size_t count = 0;
    const cel_read *reads = program ? cel_reads(program, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        bool whole = !reads[i].member.p;
        if (reads[i].slot == VAR_ARGS && (whole || str_eq(reads[i].member, name))) return true;
        if (reads[i].slot >= FACTS &&
            program_reads(p, p->vars[reads[i].slot - FACTS].program, name))
            return true;
    }
    return false;
}

static bool rule_reads(const policy *p, const policy_rule *r, str name)
{
    for (size_t i = 0; i < r->constraint_count; i++)
        if (str_eq(r->constraints[i].name, name) ||
            program_reads(p, r->constraints[i].program, name))
            return true;
    return program_reads(p, r->when, name);
}

/* `only_whether`: is it enough that a rule asks whether it is there? */
static bool is_read(const policy_ask *k, str name, bool only_whether)
{
    size_t at = 0;
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect <= RULE_PERMIT; effect++)
        while ((r = policy_next_rule(k, (rule_effect)effect, &at)))
            if ((r->reads & (uint64_t)1 << VAR_ARGS) &&
                ((only_whether && r->only_named_args) || rule_reads(k->p, r, name)))
                return true;
    return false;
}

static bool reads_arguments(const policy_ask *k)
{
    size_t at = 0;
    const policy_rule *r;
    for (int effect = RULE_FORBID; effect <= RULE_PERMIT; effect++)
        while ((r = policy_next_rule(k, (rule_effect)effect, &at)))
            if (r->reads & (uint64_t)1 << VAR_ARGS) return true;
    return false;
}

bool policy_fit_is_read(const policy_ask *k, str argument)
{
    return is_read(k, argument, false);
}

static bool is_one_of(const policy_values *allowed, cel_value v)
{
    for (size_t i = 0; i < allowed->count; i++)
        if (allowed->values[i].tag == v.tag && cel_equal(allowed->values[i], v)) return true;
    return allowed->count == 0;
}

static bool is_within(const cel_hint *h, cel_value v)
{
    cel_ordering low = h->least.tag ? cel_order(v, h->least) : CEL_NO_ORDER;
    cel_ordering high = h->most.tag ? cel_order(v, h->most) : CEL_NO_ORDER;
    if (low == CEL_LESS || (low == CEL_SAME && h->above)) return false;
    return high != CEL_MORE && !(high == CEL_SAME && h->below);
}

static str described(const policy_ask *k, str name, const char *what)
{
    return arena_fmt(k->scratch, "argument '" STR_FMT "' %s", STR_ARG(str_take(name, 128)), what);
}

/* An argument that the schema does not know, where it allows no others. */
static str stranger(const policy_ask *k, const policy_schema *s, cel_value args)
{
    cel_value key, value;
    cel_walk walk = cel_walk_new(args);
    while (s->known.closed && cel_walk_next(&walk, &key, &value))
        if (!cel_known_member(&s->known, cel_text(key)) && is_read(k, cel_text(key), true))
            return described(k, cel_text(key), "is not one of the tool's");
    return (str){0};
}

str policy_fit_offence(policy_ask *k)
{
    const policy_schema *s = k->q->schema;
    cel_value args;
    if (!s || !reads_arguments(k) || !policy_arguments(k, &args)) return (str){0};
    for (size_t i = 0; i < s->known.count; i++) {
        const cel_hint *h = &s->known.members[i];
        cel_value v = cel_map_member(args, h->name);
        bool there = v.tag != CEL_UNBOUND;
        bool missing = !there && h->presence == CEL_PRESENT;
        bool barred = there && h->presence == CEL_ABSENT;
        bool odd = there && (!is_one_of(&s->values[i], v) || !is_within(h, v));
        if ((missing || barred) && is_read(k, h->name, true))
            return described(k, h->name, missing ? "is missing" : "is not one of the tool's");
        if (odd && is_read(k, h->name, false))
            return described(k, h->name, "is not what the tool's inputSchema allows");
    }
    return stranger(k, s, args);
}
