/* SPDX-License-Identifier: Apache-2.0 */
/* policy_explain.c - why a request is permitted or denied, for a person or as JSON. */
#include "../../authz/policy/case.h"
#include "../../authz/policy/explain.h"
#include "../../base/clock.h"
#include "../files.h"
#include "policy_verb.h"
#include <stdio.h>

static const char *const outcomes[] =
    {[TRUTH_NO] = "no", [TRUTH_YES] = "yes", [TRUTH_UNKNOWN] = "unknown", [TRUTH_ERROR] = "error"};
static const char *const whys[] = {[DENIED_NOT] = "a permit applies",
                                   [DENIED_DEFAULT] = "no permit applies",
                                   [DENIED_FORBID] = "a forbid applies",
                                   [DENIED_FORBID_ERROR] = "a forbid could not be evaluated",
                                   [DENIED_REQUIRE] = "a require does not hold",
                                   [DENIED_SCOPES] = "only scopes are missing",
                                   [DENIED_UNRECORDED] = "the audit log took no more"};

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

static str as_text(arena *a, const policy *p, const question *q, const policy_explanation *e)
{
    buf b = buf_new(a, 16 << 20);
    bool served = q->server.n > 0;
    (void)buf_fmt(&b, "%s  " STR_FMT "%s" STR_FMT "  by " STR_FMT "  policy " STR_FMT "\n",
                  e->said.permit ? "PERMIT" : "DENY", STR_ARG(q->server), served ? "/" : "",
                  STR_ARG(q->name), STR_ARG(q->who->id), STR_ARG(policy_revision(p)));
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

static str as_json(arena *a, const policy *p, const policy_explanation *e)
{
    buf b = buf_new(a, 16 << 20);
    (void)buf_put(&b, S("{"));
    put_member(&b, "decision", e->said.permit ? S("permit") : S("deny"), true);
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
    (void)buf_put(&b, S("}\n"));
    return buf_str(&b);
}

/* The request */

static int read_request(arena *a, const char *file, policy_case *c)
{
    policy_source source = {.name = text_of(file)};
    const err *e =
        files_read(files_new(a, files_directory_of(a, S("./"))), a, source.name, &source.text);
    if (e) return command_fail(e);
    problems found;
    problems_init(&found, a, source.name);
    if (policy_case_read(a, &source, &found, c)) return 0;
    for (const problem *p = found.first; p; p = p->next)
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(p->text));
    return 1;
}

static const policy_case *test_named(const policy *p, str name)
{
    for (size_t i = 0; i < p->case_count; i++)
        if (str_eq(p->cases[i].name, name)) return &p->cases[i];
    return NULL;
}

int policy_verb_explain(arena *a, int argc, char **argv)
{
    const char *request = NULL, *test = NULL, *format = "text";
    const char **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--request", .brief_name = "-r", .value = &request},
                                      {.name = "--test", .value = &test},
                                      {.name = "--format", .value = &format},
                                      {0}};
    int count = 0;
    policy *rules = NULL;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (count == 0 || !request == !test)
        return command_usage("policy explain",
                             "it wants policy files, and --request FILE or --test NAME");
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "text") != 0)
        return command_usage("policy explain", "--format is text or json");
    int wrong = policy_verb_load(a, names, count, &rules);
    policy_case *read = NEW(a, policy_case);
    if (!wrong && request) wrong = read_request(a, request, read);
    if (wrong) return wrong;
    const policy_case *c = test ? test_named(rules, text_of(test)) : read;
    if (!c || c->list)
        return command_usage("policy explain",
                             c ? "that test is about a list" : "no test has that name");
    question q = policy_case_question(c, clock_wall_ms(), a);
    policy_explanation e;
    policy_explain(rules, &q, a, &e);
    return command_print(json ? as_json(a, rules, &e) : as_text(a, rules, &q, &e));
}
