/* SPDX-License-Identifier: Apache-2.0 */
/* policy_can.c - what may this caller see and call, and on which conditions?
 *
 * Everything the rules, their tests or an inventory name is asked about as a list would ask: what
 * a condition says about the arguments stays open, and is printed. */
#include "../../authz/policy/case.h"
#include "../../authz/policy/explain.h"
#include "../../base/clock.h"
#include "../../base/map.h"
#include "../files.h"
#include "policy_verb.h"
#include <stdio.h>

typedef struct {
    arena *a;
    const policy *rules;
    const policy_case *who;
    map *seen;
    bool patterns; /* some rule names more than can be told */
    size_t allowed;
} teller;

/* Conditions that only the arguments decide */

static void put_open(buf *b, const policy_account *account, const char *word)
{
    const policy_rule *r = account->rule;
    (void)buf_fmt(b, "\n      %-7s" STR_FMT ":", word, STR_ARG(r->id));
    const char *separator = " ";
    for (size_t i = 0; i < account->count; i++) {
        const policy_reason *reason = &account->reasons[i];
        if (reason->outcome != TRUTH_UNKNOWN) continue;
        bool when = str_eq(reason->what, S("when"));
        (void)buf_fmt(b, "%s%s%s", separator, when ? "" : reason->what.p, when ? "" : ": ");
        (void)buf_put(b, reason->source);
        separator = ", and ";
    }
}

static const char *word_for(rule_effect effect, bool first)
{
    if (effect == RULE_FORBID) return "unless ";
    if (effect == RULE_REQUIRE) return "only if ";
    return first ? "if " : "or if ";
}

/* A permit that holds anyway makes the others' conditions idle. */
static bool some_permit_holds(const policy_explanation *e)
{
    for (size_t i = 0; i < e->count; i++)
        if (e->rules[i].rule->effect == RULE_PERMIT && e->rules[i].outcome == TRUTH_YES)
            return true;
    return false;
}

static str conditions(teller *t, const policy_explanation *e)
{
    buf b = buf_new(t->a, 1 << 20);
    bool sure = some_permit_holds(e), first = true;
    for (size_t i = 0; i < e->count; i++) {
        const policy_account *account = &e->rules[i];
        bool permit = account->rule->effect == RULE_PERMIT;
        if (account->outcome != TRUTH_UNKNOWN || (permit && sure)) continue;
        put_open(&b, account, word_for(account->rule->effect, first));
        first &= !permit;
    }
    return buf_str(&b);
}

/* Names */

static void ask(teller *t, subject_kind kind, str server, str name)
{
    policy_case c = *t->who;
    str key = arena_fmt(t->a, "%d " STR_FMT "/" STR_FMT, (int)kind, STR_ARG(server), STR_ARG(name));
    if (map_get(t->seen, key)) return;
    map_put(t->seen, key, t);
    c.kind = kind;
    c.server = server;
    c.subject = name;
    question q = policy_case_question(&c, clock_wall_ms(), t->a);
    policy_explanation e;
    q.listing = true;
    policy_explain(t->rules, &q, t->a, &e);
    str shown =
        server.n ? arena_fmt(t->a, STR_FMT "/" STR_FMT, STR_ARG(server), STR_ARG(name)) : name;
    t->allowed += e.said.permit;
    str open = e.said.permit ? conditions(t, &e) : (str){0};
    (void)printf("%-4s" STR_FMT STR_FMT "\n", e.said.permit ? "yes" : "no", STR_ARG(shown),
                 STR_ARG(open));
}

static bool is_pattern(str s)
{
    return memchr(s.p, '*', s.n) || memchr(s.p, '?', s.n);
}

static void ask_named(teller *t, subject_kind kind, str name)
{
    str_pair cut = str_cut(name, '/');
    bool served = kind != SUBJECT_MODEL && kind != SUBJECT_ENDPOINT;
    if (is_pattern(name) || (served && !cut.ok))
        t->patterns = true;
    else
        ask(t, kind, served ? cut.head : S(""), served ? cut.tail : name);
}

static void ask_all(teller *t)
{
    for (size_t i = 0; i < t->rules->count; i++)
        for (int kind = 0; kind < SUBJECTS; kind++)
            for (const str *n = t->rules->rules[i].names[kind]; n && n->p; n++)
                ask_named(t, (subject_kind)kind, *n);
    for (size_t i = 0; i < t->rules->case_count; i++) {
        const policy_case *c = &t->rules->cases[i];
        if (!c->list) ask(t, c->kind, c->server, c->subject);
    }
}

int policy_verb_can(arena *a, int argc, char **argv)
{
    const char **rest = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{0}};
    int count = 0;
    policy *rules = NULL;
    policy_case *who = NEW(a, policy_case);
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count < 2)
        return command_usage("policy can", "it wants a file that says who, and policy files");
    int wrong = policy_verb_load(a, rest + 1, count - 1, &rules);
    if (!wrong) wrong = policy_verb_read_case(a, rest[0], policy_case_read_caller, who);
    if (wrong) return wrong;
    teller t = {.a = a, .rules = rules, .who = who, .seen = map_new(a)};
    ask_all(&t);
    if (t.patterns)
        (void)fprintf(stderr, "some rules name tools by patterns: what these match is not told\n");
    return fflush(stdout) == 0 ? 0 : 1;
}
