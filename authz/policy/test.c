/* SPDX-License-Identifier: Apache-2.0 */
/* test.c - asks what a test asks, and holds the verdict against what was expected. */
#include "test.h"
#include "case.h"
#include "case_quota.h"

typedef struct {
    const policy *p;
    int64_t now_ms;
    arena *scratch;
} runner;

static bool in_list(const str *list, str s)
{
    for (; list && list->p; list++)
        if (str_eq(*list, s)) return true;
    return false;
}

static str told(arena *a, const verdict *v)
{
    static const char *const whys[] = {[DENIED_NOT] = "permit",
                                       [DENIED_DEFAULT] = "deny: no permit matches",
                                       [DENIED_FORBID] = "deny",
                                       [DENIED_FORBID_ERROR] =
                                           "deny: a forbid could not be evaluated",
                                       [DENIED_REQUIRE] = "deny",
                                       [DENIED_SCOPES] = "deny: scopes are missing",
                                       [DENIED_SCHEMA] = "deny: not what the tool takes",
                                       [DENIED_UNRECORDED] = "deny: not recorded",
                                       [DENIED_KEY] = "deny: not for this key"};
    str text = S("");
    if (v->rule.n)
        text = arena_fmt(a, " by " STR_FMT " (" STR_FMT ")", STR_ARG(v->rule), STR_ARG(v->place));
    if (v->error.n) text = arena_fmt(a, STR_FMT "; " STR_FMT, STR_ARG(text), STR_ARG(v->error));
    return arena_fmt(a, "%s" STR_FMT, whys[v->why], STR_ARG(text));
}

static str wrong_masks(const runner *r, const policy_case *c, const question *q)
{
    const policy_mask *const *got = policy_masks(r->p, q, r->scratch);
    size_t wanted = 0, right = 0, n = 0;
    str all = S("none");
    for (const str *m = c->masks; m && m->p; m++) wanted++;
    for (; got && got[n]; n++) {
        right += in_list(c->masks, got[n]->id);
        all = n ? arena_fmt(r->scratch, STR_FMT ", " STR_FMT, STR_ARG(all), STR_ARG(got[n]->id))
                : got[n]->id;
    }
    if (!c->masks || (right == n && right == wanted)) return (str){0};
    return arena_fmt(r->scratch, "other masks apply: " STR_FMT, STR_ARG(all));
}

/* {0}: as expected. */
static str run_call(const runner *r, const policy_case *c)
{
    verdict v;
    question q = policy_case_question(c, r->now_ms, r->scratch);
    q.quotas = policy_case_quotas(r->p, c, &q, r->scratch);
    policy_decide(r->p, &q, r->scratch, &v);
    str got = told(r->scratch, &v), wrong = policy_case_wrong_cost(r->p, c, &q, r->scratch), why;
    str quota = v.permit ? policy_case_refused(r->p, c, &q, r->scratch, &why) : (str){0};
    quotas_free(q.quotas);
    if (quota.n) {
        v.permit = false;
        v.rule = quota;
        got = arena_fmt(r->scratch, "deny by quota " STR_FMT ": " STR_FMT, STR_ARG(quota),
                        STR_ARG(why));
    }
    if (wrong.n || !c->decides) return wrong;
    if (v.permit != c->permit)
        return arena_fmt(r->scratch, "expected %s, got " STR_FMT, c->permit ? "permit" : "deny",
                         STR_ARG(got));
    if (c->because && !in_list(c->because, v.rule))
        return arena_fmt(r->scratch, "expected because of " STR_FMT ", got " STR_FMT,
                         STR_ARG(c->because[0]), STR_ARG(got));
    return wrong_masks(r, c, &q);
}

/* One tool of a list; the wrong ones are added to *wrong. */
static void run_tool(const runner *r, const policy_case *c, str tool, str *wrong)
{
    verdict v;
    question q = policy_case_question(c, r->now_ms, r->scratch);
    bool want = in_list(c->tools, tool);
    q.name = tool;
    q.listing = true;
    policy_decide(r->p, &q, r->scratch, &v);
    if (v.permit == want) return;
    *wrong = arena_fmt(r->scratch, STR_FMT "%s" STR_FMT " is %s", STR_ARG(*wrong),
                       wrong->n ? ", " : "", STR_ARG(tool), want ? "hidden" : "listed");
}

static str run_list(const runner *r, const policy_case *c)
{
    str wrong = {0};
    for (const str *t = c->tools; t && t->p; t++) run_tool(r, c, *t, &wrong);
    for (size_t i = 0; i < r->p->case_count; i++) {
        const policy_case *other = &r->p->cases[i];
        bool counts =
            other->kind == SUBJECT_TOOL && !other->list && str_eq(other->server, c->server);
        if (counts && !in_list(c->tools, other->subject)) run_tool(r, c, other->subject, &wrong);
    }
    for (size_t i = 0; i < r->p->count; i++) {
        for (const str *n = r->p->rules[i].names[SUBJECT_TOOL]; n && n->p; n++) {
            str_pair cut = str_cut(*n, '/');
            bool exact = cut.ok && cut.tail.n && !memchr(cut.tail.p, '*', cut.tail.n) &&
                         !memchr(cut.tail.p, '?', cut.tail.n);
            if (exact && policy_glob(cut.head, c->server) && !in_list(c->tools, cut.tail))
                run_tool(r, c, cut.tail, &wrong);
        }
    }
    return wrong;
}

size_t policy_test_count(const policy *p)
{
    return p->case_count;
}

size_t policy_test_run(const policy *p, int64_t now_ms, arena *scratch, policy_test_fn *fn,
                       void *ctx)
{
    const runner r = {p, now_ms, scratch};
    size_t bad = 0;
    for (size_t i = 0; i < p->case_count; i++) {
        const policy_case *c = &p->cases[i];
        str why = c->list ? run_list(&r, c) : run_call(&r, c);
        const policy_test_result result = {c->name, c->place, !why.n, why};
        bad += why.n > 0;
        fn(ctx, &result);
    }
    return bad;
}
