/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_roll.h"
#include "../authz/cel/json.h"
#include "../base/map.h"

typedef enum { KNOWN, ABSENT, HELD_BACK } state;

typedef struct trait {
    state is;
    policy_memory what;
    struct trait *next;
} trait;

struct audit_entry {
    str name;
    policy_recorded last; /* its texts; no memories */
    trait *traits;
    size_t trait_count;
    audit_entry *next;
};

struct audit_roll {
    arena *a;
    map *callers, *subjects; /* by name; a subject's with its kind before it */
    audit_entry *first_caller, **callers_end, *first_subject, **subjects_end;
};

audit_roll *audit_roll_new(arena *a)
{
    audit_roll *roll = NEW(a, audit_roll);
    *roll = (audit_roll){.a = a, .callers = map_new(a), .subjects = map_new(a)};
    roll->callers_end = &roll->first_caller;
    roll->subjects_end = &roll->first_subject;
    return roll;
}

/* Traits */

static bool is_of_caller(size_t slot)
{
    return policy_facts_of_caller() >> slot & 1;
}

static trait *trait_of(audit_roll *roll, audit_entry *e, const policy_attribute *at)
{
    for (trait *t = e->traits; t; t = t->next)
        if (t->what.at.slot == at->slot && !t->what.at.member.p == !at->member.p &&
            str_eq(t->what.at.member, at->member))
            return t;
    trait *t = NEW(roll->a, trait);
    t->what.at.slot = at->slot;
    if (at->member.p) t->what.at.member = arena_dup(roll->a, at->member);
    t->next = e->traits;
    e->traits = t;
    e->trait_count++;
    return t;
}

/* By way of its text, since a value borrows from the line it was read from. */
static cel_value copy(arena *a, cel_value v)
{
    js_value checked;
    str text = arena_dup(a, js_dump(a, cel_to_json(a, v)));
    if (js_check(a, text, JS_DEPTH_MAX, &checked)) return (cel_value){.tag = CEL_NULL};
    return cel_read_json(a, checked);
}

static void learn(audit_roll *roll, audit_entry *e, const policy_memories *from, state is,
                  bool of_caller)
{
    for (size_t i = 0; i < from->count; i++) {
        const policy_memory *m = &from->list[i];
        if (policy_fact_is_of_calls(m->at.slot) || is_of_caller(m->at.slot) != of_caller) continue;
        trait *t = trait_of(roll, e, &m->at);
        bool same = is == KNOWN && t->is == KNOWN && t->what.value.tag != CEL_UNBOUND &&
                    cel_equal(t->what.value, m->value);
        t->is = is;
        t->what.inner = m->inner;
        if (is == KNOWN && !same) t->what.value = copy(roll->a, m->value);
    }
}

static void learn_all(audit_roll *roll, audit_entry *e, const policy_recorded *r, bool of_caller)
{
    learn(roll, e, &r->facts, KNOWN, of_caller);
    learn(roll, e, &r->absent, ABSENT, of_caller);
    learn(roll, e, &r->withheld, HELD_BACK, of_caller);
}

/* Entries */

static audit_entry *entry(audit_roll *roll, map *all, str key, audit_entry ***end)
{
    audit_entry *e = map_get(all, key);
    if (e) return e;
    e = NEW(roll->a, audit_entry);
    map_put(all, arena_dup(roll->a, key), e);
    **end = e;
    *end = &e->next;
    return e;
}

static str subject_name(arena *a, const policy_recorded *r)
{
    return r->server.n ? arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(r->server), STR_ARG(r->name))
                       : r->name;
}

static audit_entry *subject_entry(audit_roll *roll, const policy_recorded *r)
{
    str name = subject_name(roll->a, r);
    str key = arena_fmt(roll->a, "%d " STR_FMT, (int)r->kind, STR_ARG(name));
    audit_entry *e = entry(roll, roll->subjects, key, &roll->subjects_end);
    if (e->name.p) return e;
    e->name = arena_dup(roll->a, name);
    e->last = (policy_recorded){.kind = r->kind,
                                .time_ms = r->time_ms,
                                .method = arena_dup(roll->a, r->method),
                                .server = arena_dup(roll->a, r->server),
                                .name = arena_dup(roll->a, r->name),
                                .backend = arena_dup(roll->a, r->backend),
                                .endpoint = arena_dup(roll->a, r->endpoint)};
    return e;
}

void audit_roll_add(audit_roll *roll, const policy_recorded *r)
{
    audit_entry *c = entry(roll, roll->callers, r->caller, &roll->callers_end);
    audit_entry *s = subject_entry(roll, r);
    if (!c->name.p) c->name = arena_dup(roll->a, r->caller);
    c->last.time_ms = s->last.time_ms = r->time_ms;
    learn_all(roll, c, r, true);
    learn_all(roll, s, r, false);
}

const audit_entry *audit_roll_caller(const audit_roll *roll, const audit_entry *after)
{
    return after ? after->next : roll->first_caller;
}

const audit_entry *audit_roll_subject(const audit_roll *roll, const audit_entry *after)
{
    return after ? after->next : roll->first_subject;
}

str audit_entry_name(const audit_entry *e)
{
    return e->name;
}

subject_kind audit_entry_kind(const audit_entry *subject)
{
    return subject->last.kind;
}

const audit_entry *audit_roll_find_subject(audit_roll *roll, subject_kind kind, str name)
{
    str_pair cut = str_cut(name, '/');
    bool served = kind != SUBJECT_MODEL && kind != SUBJECT_ENDPOINT && cut.ok;
    policy_recorded r = {.kind = kind,
                         .server = served ? cut.head : S(""),
                         .name = served ? cut.tail : name,
                         .method = kind == SUBJECT_TOOL ? S("tools/call") : S("")};
    return subject_entry(roll, &r);
}

/* Asking */

static void tell(policy_memories *to, const trait *t)
{
    to->list[to->count++] = t->what;
}

policy_recorded audit_roll_ask(arena *a, const audit_entry *who, const audit_entry *what)
{
    policy_recorded r = what->last;
    size_t most = who->trait_count + what->trait_count;
    policy_memories *const lists[] =
        {[KNOWN] = &r.facts, [ABSENT] = &r.absent, [HELD_BACK] = &r.withheld};
    for (size_t i = 0; i < 3; i++) *lists[i] = (policy_memories){NEW_N(a, policy_memory, most), 0};
    for (const trait *t = who->traits; t; t = t->next) tell(lists[t->is], t);
    for (const trait *t = what->traits; t; t = t->next) tell(lists[t->is], t);
    r.caller = who->name;
    if (who->last.time_ms > r.time_ms) r.time_ms = who->last.time_ms;
    return r;
}
