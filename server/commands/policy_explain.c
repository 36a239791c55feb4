/* SPDX-License-Identifier: Apache-2.0 */
/* policy_explain.c - why a request is permitted or denied, for a person or as JSON. */
#include "../../authz/policy/case.h"
#include "../../authz/policy/explain.h"
#include "../../authz/policy/replay.h"
#include "../../base/clock.h"
#include "../audit_read.h"
#include "policy_verb.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const outcomes[] =
    {[TRUTH_NO] = "no", [TRUTH_YES] = "yes", [TRUTH_UNKNOWN] = "unknown", [TRUTH_ERROR] = "error"};
static const char *const whys[] = {[DENIED_NOT] = "a permit applies",
                                   [DENIED_DEFAULT] = "no permit applies",
                                   [DENIED_FORBID] = "a forbid applies",
                                   [DENIED_FORBID_ERROR] = "a forbid could not be evaluated",
                                   [DENIED_REQUIRE] = "a require does not hold",
                                   [DENIED_SCOPES] = "only scopes are missing",
                                   [DENIED_SCHEMA] = "an argument is not what the tool takes",
                                   [DENIED_UNRECORDED] = "the audit log took no more",
                                   [DENIED_KEY] = "the caller's key is not for this"};

static void put_account(buf *b, const policy_account *a)
{
    const policy_rule *r = a->rule;
    (void)buf_fmt(b, "  %-7s " STR_FMT "  %s  (" STR_FMT ")\n", policy_effect_name(r->effect),
                  STR_ARG(r->id), outcomes[a->outcome], STR_ARG(r->place));
    for (size_t i = 0; i < a->count; i++) {
        const policy_reason *x = &a->reasons[i];
        (void)buf_fmt(b, "      %-7s %s: ", outcomes[x->outcome], x->what.p);
        (void)buf_put(b, x->source);
        if (x->seen.n) (void)buf_fmt(b, "\n              " STR_FMT, STR_ARG(x->seen));
        if (x->error.n) (void)buf_fmt(b, "\n              " STR_FMT, STR_ARG(x->error));
        (void)buf_put(b, S("\n"));
    }
}

/* What hangs on something that was not recorded is neither. */
static const char *decision_of(const question *q, const verdict *v)
{
    if (!v->permit) return "DENY";
    return v->open && q->given ? "UNKNOWN" : "PERMIT";
}

/* What is explained: a question, what the call will have used, and what came of it. */
typedef struct {
    const policy *p;
    const question *q;
    quota_usage used;
    const policy_explanation *e;
} subject;

/* One quota that counts the call: by which key, and how much of what. */
static void put_quota(buf *b, arena *a, const subject *s, const policy_due *due)
{
    const policy_quota *of = due->quota;
    int64_t cost = 0;
    double unit = of->money ? 1e6 : 1;
    bool told = policy_quota_cost(of, s->q->kind, &s->used, a, &cost);
    (void)buf_fmt(b, "  quota   " STR_FMT "  ", STR_ARG(of->id));
    if (!due->key.p)
        (void)buf_fmt(b, "refuses: " STR_FMT, STR_ARG(due->error));
    else if (!told)
        (void)buf_put(b, S("refuses: its cost cannot be told"));
    else
        (void)buf_fmt(b, "%s%.15g of %.15g%s, for key " STR_FMT,
                      cost > due->limit ? "refuses: " : "counts ", (double)cost / unit,
                      (double)due->limit / unit, of->money ? " dollars" : "", STR_ARG(due->key));
    (void)buf_fmt(b, "%s  (" STR_FMT ")\n", of->shadow ? ", in shadow" : "", STR_ARG(of->place));
}

static void put_quotas(buf *b, arena *a, const subject *s)
{
    const policy_due *due = NULL;
    if (s->q->given) return; /* what a line of the audit log kept is not enough for keys */
    size_t count = policy_quotas_due(s->p, s->q, a, &due);
    for (size_t i = 0; i < count; i++) put_quota(b, a, s, &due[i]);
}

static str as_text(arena *a, const subject *s)
{
    const policy *p = s->p;
    const question *q = s->q;
    const policy_explanation *e = s->e;
    buf b = buf_new(a, 16 << 20);
    bool served = q->server.n > 0;
    (void)buf_fmt(&b, "%s  " STR_FMT "%s" STR_FMT "  by " STR_FMT "  policy " STR_FMT "\n",
                  decision_of(q, &e->said), STR_ARG(q->server), served ? "/" : "", STR_ARG(q->name),
                  STR_ARG(q->who->id), STR_ARG(policy_revision(p)));
    (void)buf_fmt(&b, "%s", whys[e->said.why]);
    if (e->said.rule.n) (void)buf_fmt(&b, ": " STR_FMT, STR_ARG(e->said.rule));
    if (e->said.message.n) (void)buf_fmt(&b, " (“" STR_FMT "”)", STR_ARG(e->said.message));
    if (!e->said.permit)
        (void)buf_put(&b, e->said.listed ? S("; a list shows it") : S("; no list shows it"));
    (void)buf_put(&b, S("\n"));
    for (size_t i = 0; i < e->count; i++) put_account(&b, &e->rules[i]);
    if (!e->count) (void)buf_put(&b, S("  no rule names it\n"));
    if (e->nearest && e->nearest->count)
        (void)buf_fmt(&b, "nearest permit: " STR_FMT " misses %zu of %zu conditions\n",
                      STR_ARG(e->nearest->rule->id), e->nearest->count - e->nearest->met,
                      e->nearest->count);
    put_quotas(&b, a, s);
    return buf_str(&b);
}

/* JSON */

static void put_member(buf *b, const char *key, str value, bool first)
{
    (void)buf_fmt(b, "%s\"%s\":", first ? "" : ",", key);
    (void)buf_json(b, value);
}

static str text_of(const char *s)
{
    return (str){s, strlen(s)};
}

static void put_json_account(buf *b, const policy_account *a)
{
    const policy_rule *r = a->rule;
    (void)buf_put(b, S("{"));
    put_member(b, "effect", text_of(policy_effect_name(r->effect)), true);
    put_member(b, "rule", r->id, false);
    put_member(b, "place", r->place, false);
    put_member(b, "outcome", text_of(outcomes[a->outcome]), false);
    (void)buf_put(b, S(",\"conditions\":["));
    for (size_t i = 0; i < a->count; i++) {
        const policy_reason *x = &a->reasons[i];
        (void)buf_put(b, i ? S(",{") : S("{"));
        put_member(b, "of", x->what, true);
        put_member(b, "source", x->source, false);
        put_member(b, "outcome", text_of(outcomes[x->outcome]), false);
        if (x->seen.n) put_member(b, "saw", x->seen, false);
        if (x->error.n) put_member(b, "error", x->error, false);
        (void)buf_put(b, S("}"));
    }
    (void)buf_put(b, S("]}"));
}

static void put_json_quotas(buf *b, arena *a, const subject *s)
{
    const policy_due *due = NULL;
    size_t count = s->q->given ? 0 : policy_quotas_due(s->p, s->q, a, &due);
    (void)buf_put(b, S(",\"quotas\":["));
    for (size_t i = 0; i < count; i++) {
        const policy_quota *of = due[i].quota;
        int64_t cost = 0;
        double unit = of->money ? 1e6 : 1;
        bool told = policy_quota_cost(of, s->q->kind, &s->used, a, &cost);
        (void)buf_put(b, i ? S(",{") : S("{"));
        put_member(b, "quota", of->id, true);
        put_member(b, "place", of->place, false);
        if (due[i].key.p) put_member(b, "key", due[i].key, false);
        if (due[i].error.n) put_member(b, "error", due[i].error, false);
        (void)buf_fmt(b, ",\"limit\":%.15g", (double)due[i].limit / unit);
        if (told) (void)buf_fmt(b, ",\"cost\":%.15g", (double)cost / unit);
        (void)buf_put(b, of->shadow ? S(",\"shadow\":true}") : S("}"));
    }
    (void)buf_put(b, S("]"));
}

static str as_json(arena *a, const subject *s)
{
    const policy *p = s->p;
    const question *q = s->q;
    const policy_explanation *e = s->e;
    buf b = buf_new(a, 16 << 20);
    (void)buf_put(&b, S("{"));
    bool open = e->said.permit && e->said.open && q->given;
    put_member(&b, "decision",
               open             ? S("unknown")
               : e->said.permit ? S("permit")
                                : S("deny"),
               true);
    put_member(&b, "why", text_of(whys[e->said.why]), false);
    put_member(&b, "rule", e->said.rule, false);
    put_member(&b, "policy", policy_revision(p), false);
    (void)buf_fmt(&b, ",\"listed\":%s,\"rules\":[", e->said.listed ? "true" : "false");
    for (size_t i = 0; i < e->count; i++) {
        if (i) (void)buf_put(&b, S(","));
        put_json_account(&b, &e->rules[i]);
    }
    (void)buf_put(&b, S("]"));
    if (e->nearest) put_member(&b, "nearest", e->nearest->rule->id, false);
    put_json_quotas(&b, a, s);
    (void)buf_put(&b, S("}\n"));
    return buf_str(&b);
}

/* The request */

static const policy_case *test_named(const policy *p, str name)
{
    for (size_t i = 0; i < p->case_count; i++)
        if (str_eq(p->cases[i].name, name)) return &p->cases[i];
    return NULL;
}

/* A line of an audit log */

typedef struct {
    arena *a;
    long long wanted;
    bool found;
    policy_recorded line;
} search;

static const err *take_line(void *ctx, arena *scratch, str line, uint64_t number)
{
    search *s = ctx;
    js_value root;
    int64_t seq;
    bool is_decision;
    (void)number;
    const err *e = js_check(scratch, line, 128, &root);
    if (e || !js_int(js_get(root, S("seq")), &seq) || seq != s->wanted) return e;
    str kept = arena_dup(s->a, line);
    e = js_check(s->a, kept, 128, &root);
    if (!e) e = policy_recorded_read(s->a, root, &s->line, &is_decision);
    if (!e && !is_decision)
        e = err_new(s->a, ERR_MALFORMED, "that line is about something else than a decision");
    s->found = !e;
    return e;
}

static int find_line(arena *a, const char *number, const char *log, policy_recorded *out)
{
    search s = {.a = a};
    char *end;
    bool torn;
    s.wanted = strtoll(number, &end, 10);
    if (*end || s.wanted < 1)
        return command_usage("policy explain", "--audit wants the `seq` of a line");
    const err *e = audit_read(a, log, take_line, &s, &torn);
    if (e) return command_fail(e);
    *out = s.line;
    return s.found
               ? 0
               : command_fail(err_new(a, ERR_NOT_FOUND, "%s: there is no line %s", log, number));
}

typedef struct {
    const char *request, *test, *line, *log;
} chosen;

/* The question to be explained. NULL: what is wrong was said, and *wrong is the exit code. */
static const question *choose(arena *a, const policy *rules, const chosen *w, quota_usage *used,
                              int *wrong)
{
    question *q = NEW(a, question);
    if (w->line) {
        policy_recorded recorded;
        *wrong = find_line(a, w->line, w->log, &recorded);
        if (*wrong) return NULL;
        *q = policy_recorded_question(rules, &recorded, a);
        return q;
    }
    policy_case *read = NEW(a, policy_case);
    if (w->request) *wrong = policy_verb_read_case(a, w->request, policy_case_read, read);
    if (*wrong) return NULL;
    const policy_case *c = w->test ? test_named(rules, text_of(w->test)) : read;
    if (!c || c->list) {
        *wrong = command_usage("policy explain",
                               c ? "that test is about a list" : "no test has that name");
        return NULL;
    }
    *q = policy_case_question(c, clock_wall_ms(), a);
    *used = c->usage;
    return q;
}

int policy_verb_explain(arena *a, int argc, char **argv)
{
    const char *format = "text";
    chosen w = {0};
    const char **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--request",
                                       .brief_name = "-r",
                                       .value = &w.request},
                                      {.name = "--test", .value = &w.test},
                                      {.name = "--audit", .value = &w.line},
                                      {.name = "--log", .value = &w.log},
                                      {.name = "--format", .value = &format},
                                      {0}};
    int count = 0;
    policy *rules = NULL;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (count == 0 || !!w.request + !!w.test + !!w.line != 1 || !w.line != !w.log)
        return command_usage("policy explain", "it wants policy files, and --request FILE, "
                                               "--test NAME, or --audit SEQ with --log FILE");
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "text") != 0)
        return command_usage("policy explain", "--format is text or json");
    int wrong = policy_verb_load(a, names, count, &rules);
    if (wrong) return wrong;
    subject s = {.p = rules};
    s.q = choose(a, rules, &w, &s.used, &wrong);
    if (!s.q) return wrong;
    policy_explanation e = {0};
    policy_explain(rules, s.q, a, &e);
    s.e = &e;
    return command_print(json ? as_json(a, &s) : as_text(a, &s));
}
