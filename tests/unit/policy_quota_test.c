/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_kit.h"

#include "../../authz/audit.h"
#include "../../authz/policy/quota_rule.h"
#include "../../authz/policy/replay.h"
#include "../../authz/quota.h"

#define QUOTAS "policy: v1\nquotas:\n"

static void what_is_wrong_with_a_quota_is_told_with_its_place(void **state)
{
    arena *a = *state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"  - {for: {tools: x/y}, limit: 1, window: 1h}\n",
         "p.yaml:3:5: error E102: the quota has no id"},
        {"  - {id: q, limit: 1, window: 1h}\n", "the quota has no `for`"},
        {"  - {id: q, for: {tools: x/y}, window: 1h}\n", "the quota has no limit"},
        {"  - {id: q, for: {tools: x/y}, limit: 1}\n", "the quota has no window"},
        {"  - {id: q, for: {tools: x/y}, limit: 1, windows: 1h}\n",
         "unknown key 'windows' in a quota, did you mean 'window'?"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 31d}\n", "window must be 1s to 30d"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 500ms}\n", "window must be 1s to 30d"},
        {"  - {id: q, for: {models: y}, limit: 1, window: month, kind: sliding}\n",
         "a month begins anew"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, kind: slide}\n",
         "kind must be one of sliding, fixed, concurrency"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, kind: concurrency}\n",
         "concurrency is about now"},
        {"  - {id: q, for: {models: y}, limit: 1, kind: concurrency, cost: 1}\n",
         "with concurrency each request is one"},
        {"  - {id: q, for: {models: y}, limit: 2.5, window: 1h}\n", "limit must be a whole number"},
        {"  - {id: q, for: {models: y}, limit: -1, window: 1h}\n", "limit must be a whole number"},
        {"  - {id: q, for: {models: y}, limit: '\"many\"', window: 1h}\n",
         "`limit` must be a number, this is string"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, cost: 0}\n", "1 or more"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, cost: jwt.n}\n",
         "`cost` can read usage and nothing else"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, cost: usage.outptu}\n",
         "'usage' has no member 'outptu', did you mean 'output'?"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, key: usage.total}\n",
         "only the `cost` of a quota reads it"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, key: 1 + 1}\n",
         "`key` must be text, this is int"},
        {"  - {id: q, for: {models: y}, limit: quota.q.remaining, window: 1h}\n",
         "cannot depend on what remains of quotas"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, mode: shadw}\n",
         "mode must be one of enforce, shadow"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h, mode: shadow, hard: true}\n",
         "a shadow refuses nobody"},
        {"  - {id: q, for: {models: y, tools: a/b}, limit: 1, window: 1h}\n",
         "tools and models in one quota: say its cost"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h}\n  - {id: q, for: {models: y}, "
         "limit: 1, window: 1h}\n",
         "p.yaml:4:10: error E105: quota 'q' is already defined at p.yaml:3"},
        {"  - {id: key-budget, for: {models: m}, limit: 1, window: 1h}\n",
         "p.yaml:3:10: error E104: `key-budget` is the budget of a virtual key"},
        {"  - {id: q, for: {models: y}, limit: 1, window: 1h}\nrules:\n  - {id: r, permit: a/b, "
         "when: quota.qq.remaining > 1}\n",
         "p.yaml:5:38: error E109: there is no quota 'qq'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        policy *p = NULL;
        problems out = load(a, arena_fmt(a, QUOTAS "%s", cases[i].text).p, &p);
        bool found = false;
        for (const problem *w = out.first; w; w = w->next)
            found |= memmem(w->text.p, w->text.n, cases[i].want, strlen(cases[i].want)) != NULL;
        if (!found) {
            print_error("case %zu, not told: %s\n", i, cases[i].want);
            for (const problem *w = out.first; w; w = w->next)
                print_error("  " STR_FMT "\n", STR_ARG(w->text));
        }
        assert_true(found);
        assert_null(p);
    }
}

static void a_quota_is_read_as_written(void **state)
{
    arena *a = *state;
    policy *p = must_load(
        a, QUOTAS
        "  - {id: b, for: {models: y, tools: a/b}, limit: 2.50, window: month, cost: usage.usd}\n"
        "  - {id: a, for: 'fs/*', limit: 3, window: 90s, key: jwt.sub, mode: shadow, message: no}\n"
        "  - {id: c, for: {endpoints: /v1/embeddings}, kind: concurrency, limit: 4, hard: true}\n");
    assert_int_equal(policy_quota_count(p), 3);
    const policy_quota *q = policy_quota_at(p, 0);
    assert_true(str_eq(q->id, S("a")) && q->shadow && q->kind == QUOTA_SLIDING && !q->money);
    assert_int_equal(q->window_ms, 90000);
    assert_int_equal(q->fixed_limit, 3);
    assert_true(str_eq(q->message, S("no")));
    q = policy_quota_find(p, S("b"));
    assert_true(q->money && q->kind == QUOTA_FIXED && !q->window_ms);
    assert_int_equal(q->fixed_limit, 2500000);
    q = policy_quota_hard(p);
    assert_true(str_eq(q->id, S("c")) && q->kind == QUOTA_CONCURRENCY);
    assert_null(policy_quota_find(p, S("d")));
}

static void what_is_due_has_its_key_and_limit(void **state)
{
    arena *a = *state;
    policy *p =
        must_load(a, QUOTAS
                  "  - {id: q1, for: fs/write, limit: 'jwt.sub == \"alice\" ? 7 : 1', window: 1h}\n"
                  "  - {id: q2, for: 'fs/*', limit: 1, window: 1h, key: 'jwt.sub + \"/\" + "
                  "args.dir'}\n"
                  "  - {id: q3, for: 'fs/*', limit: 1, window: 1h, key: jwt.tenant}\n"
                  "  - {id: q4, for: gs/x, limit: 1, window: 1h}\n");
    const policy_due *due;
    question q = call_of(a, "fs", "write", "{\"dir\":\"d\"}");
    assert_int_equal(policy_quotas_due(p, &q, a, &due), 3);
    assert_true(str_eq(due[0].key, S("jwt:iss|alice")) && due[0].limit == 7);
    assert_true(str_eq(due[1].key, S("alice/d")));
    assert_null(due[2].key.p);
    assert_true(str_starts(due[2].error, S("q3 (p.yaml:5): key: no such key 'tenant'")));
    assert_true(policy_reads_args(p, SUBJECT_TOOL, S("fs"), S("read")));
    assert_false(policy_reads_args(p, SUBJECT_TOOL, S("gs"), S("x")));
}

static void a_cost_is_over_usage_and_rounded_up(void **state)
{
    arena *a = *state;
    static const struct {
        const char *cost;
        subject_kind kind;
        int64_t want;
    } cases[] = {
        {NULL, SUBJECT_MODEL, 1515},
        {NULL, SUBJECT_TOOL, 1},
        {"1", SUBJECT_MODEL, 1},
        {"usage.input + usage.cached_input / 10 + usage.output * 6", SUBJECT_MODEL, 1110},
        {"usage.total", SUBJECT_MODEL, 1515},
        {"double(usage.output) / 3.0", SUBJECT_MODEL, 4},
        {"usage.input - usage.input * 2", SUBJECT_MODEL, 0},
        {"usage.usd", SUBJECT_MODEL, 300000},
        {"usage.usd * 1.1", SUBJECT_MODEL, 330000},
        {"usage.reasoning / usage.cache_write", SUBJECT_MODEL, 0},
        {"usage.input / (usage.output - 10)", SUBJECT_MODEL, -1},
    };
    const quota_usage used = {1000, 500, 5, 10, 3, 300000};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str cost = cases[i].cost ? arena_fmt(a, ", cost: %s", cases[i].cost) : S("");
        policy *p =
            must_load(a,
                      arena_fmt(a,
                                QUOTAS "  - {id: q, for: {%s: 'x/y'}, limit: 1, window: 1h" STR_FMT
                                       "}\n",
                                cases[i].kind == SUBJECT_TOOL ? "tools" : "models", STR_ARG(cost))
                          .p);
        int64_t units = -1;
        bool told = policy_quota_cost(policy_quota_at(p, 0), cases[i].kind, &used, a, &units);
        if (!told) units = -1;
        if (units != cases[i].want) print_error("%s: %ld\n", cases[i].cost, (long)units);
        assert_int_equal(units, cases[i].want);
    }
}

static void rules_read_what_remains(void **state)
{
    arena *a = *state;
    policy *p =
        must_load(a, QUOTAS
                  "  - {id: mails, for: a/mail, limit: 3, window: 1h}\n"
                  "  - {id: budget, for: {models: m}, limit: 2.0, window: 1h, cost: usage.usd}\n"
                  "rules:\n"
                  "  - {id: r, permit: fs/x, when: quota.mails.remaining == 3 && "
                  "quota.budget.remaining > 1.5}\n");
    assert_true(call(a, p, "fs", "x", NULL).permit);
    assert_true(listed(a, p, "fs", "x"));
    assert_true(policy_depends_on_caller(p, SUBJECT_TOOL));
}

static bool catch_line(void *ctx, str members)
{
    buf *b = ctx;
    (void)buf_fmt(b, "{\"seq\":1," STR_FMT "}", STR_ARG(members));
    return true;
}

/* As audited, then by the same rules from the line alone. */
static void hold_replay(arena *a, const policy *p, const question *q, bool permit)
{
    buf line = buf_new(a, 1 << 16);
    const audit_sink to = {catch_line, &line};
    const audit_case c = {.rules = p, .q = q};
    verdict v;
    js_value root;
    bool is_decision;
    policy_recorded r = {0};
    policy_replayed said;
    audit_decide(&to, &c, a, &v);
    assert_int_equal(v.permit, permit);
    assert_null(js_check(a, buf_str(&line), 64, &root));
    assert_null(policy_recorded_read(a, root, &r, &is_decision));
    policy_replay(p, &r, false, a, &said);
    assert_int_equal(said.outcome, permit ? REPLAY_PERMIT : REPLAY_DENY);
}

static void what_remained_is_recorded(void **state)
{
    arena *a = *state;
    policy *p =
        must_load(a, QUOTAS "  - {id: q, for: fs/x, limit: 5.00, window: 1h, cost: usage.usd}\n"
                            "rules:\n"
                            "  - {id: r, permit: fs/x, when: quota.q.remaining > 2.0 &&"
                            " quota.q.reset_in > 0}\n");
    question q = call_of(a, "fs", "x", NULL);
    const policy_due *due;
    assert_int_equal(policy_quotas_due(p, &q, a, &due), 1);
    hold_replay(a, p, &q, true);
    q.quotas = quotas_new(&(quota_options){0});
    quota_spend(q.quotas, due, a, q.now_ms, 4000000);
    hold_replay(a, p, &q, false);
    quotas_free(q.quotas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_wrong_with_a_quota_is_told_with_its_place, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_quota_is_read_as_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_due_has_its_key_and_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cost_is_over_usage_and_rounded_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_remained_is_recorded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rules_read_what_remains, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
