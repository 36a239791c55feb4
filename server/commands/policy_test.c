/* SPDX-License-Identifier: Apache-2.0 */
/* policy_test.c - runs the tests of policy files, for a person, for CI, and for whoever asks what
 * they leave untried. */
#include "../../authz/policy/coverage.h"
#include "../../authz/policy/test.h"
#include "../../base/clock.h"
#include "policy_verb.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    buf cases; /* of the JUnit report */
    size_t failed;
} telling;

/* XML 1.0 has no way to say most control characters: they become U+FFFD. */
static void put_xml(buf *b, str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '&')
            (void)buf_put(b, S("&amp;"));
        else if (c == '<')
            (void)buf_put(b, S("&lt;"));
        else if (c == '>')
            (void)buf_put(b, S("&gt;"));
        else if (c == '"')
            (void)buf_put(b, S("&quot;"));
        else if (c == '\n' || c == '\t')
            (void)buf_fmt(b, "&#%d;", c);
        else if ((unsigned char)c < ' ' || c == 0x7f)
            (void)buf_put(b, S("\xEF\xBF\xBD"));
        else
            (void)buf_put(b, (str){&c, 1});
    }
}

static void put_case(buf *b, const policy_test_result *r)
{
    str file = str_cut(r->place, ':').head;
    (void)buf_put(b, S("  <testcase classname=\""));
    put_xml(b, file);
    (void)buf_put(b, S("\" name=\""));
    put_xml(b, r->name);
    if (r->passed) {
        (void)buf_put(b, S("\"/>\n"));
        return;
    }
    (void)buf_put(b, S("\"><failure message=\""));
    put_xml(b, r->why);
    (void)buf_put(b, S("\">"));
    put_xml(b, r->place);
    (void)buf_put(b, S("</failure></testcase>\n"));
}

static void tell(void *ctx, const policy_test_result *r)
{
    telling *t = ctx;
    put_case(&t->cases, r);
    if (r->passed)
        (void)printf("ok   " STR_FMT "\n", STR_ARG(r->name));
    else
        (void)printf("FAIL " STR_FMT ": " STR_FMT ": " STR_FMT "\n", STR_ARG(r->place),
                     STR_ARG(r->name), STR_ARG(r->why));
}

static const err *write_junit(arena *a, const char *path, const telling *t, size_t count)
{
    FILE *f = fopen(path, "we");
    if (!f) return err_new(a, ERR_BUG, "cannot write %s: %m", path);
    str cases = buf_str(&t->cases);
    (void)fprintf(f,
                  "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"policies\" "
                  "tests=\"%zu\" failures=\"%zu\">\n",
                  count, t->failed);
    (void)fwrite(cases.p, 1, cases.n, f);
    (void)fputs("</testsuite>\n", f);
    bool bad = ferror(f) != 0 || !buf_ok(&t->cases);
    bad |= fclose(f) != 0;
    return bad ? err_new(a, ERR_BUG, "cannot write all of %s: %m", path) : NULL;
}

/* Coverage */

static void tell_gap(void *ctx, const policy_gap *g)
{
    (void)ctx;
    (void)printf("untried " STR_FMT ": " STR_FMT ": ", STR_ARG(g->place), STR_ARG(g->rule));
    if (!g->what.p)
        (void)printf("it never decided\n");
    else
        (void)printf(STR_FMT ": `" STR_FMT "` never %s\n", STR_ARG(g->what), STR_ARG(g->source),
                     g->never_true && g->never_false ? "came out either way"
                     : g->never_true                 ? "held"
                                                     : "failed");
    (void)printf(STR_FMT, STR_ARG(g->test));
}

static unsigned percent(policy_share s)
{
    return s.all ? (unsigned)(s.covered * 100 / s.all) : 100;
}

/* Whether both shares reach `least` percent. */
static bool tell_coverage(arena *a, const policy *p, int64_t now_ms, unsigned least)
{
    const policy_coverage *c = policy_coverage_of_tests(a, p, now_ms);
    policy_share rules = policy_coverage_rules(c), outcomes = policy_coverage_outcomes(c);
    policy_coverage_gaps(c, tell_gap, NULL);
    (void)printf("coverage: %zu of %zu rules (%u %%), %zu of %zu outcomes of conditions (%u %%)\n",
                 rules.covered, rules.all, percent(rules), outcomes.covered, outcomes.all,
                 percent(outcomes));
    bool enough = percent(rules) >= least && percent(outcomes) >= least;
    if (!enough) (void)fprintf(stderr, "coverage is below %u %%\n", least);
    return enough;
}

static bool percent_of(const char *text, unsigned *out)
{
    char *end;
    *out = 0;
    if (!text) return true;
    errno = 0;
    unsigned long v = strtoul(text, &end, 10);
    *out = (unsigned)v;
    return errno == 0 && *text >= '0' && *text <= '9' && !*end && v <= 100;
}

int policy_verb_test(arena *a, int argc, char **argv)
{
    const char *least_text = NULL, *junit = NULL, **names = NEW_N(a, const char *, (size_t)argc);
    bool coverage = false;
    const command_option options[] = {{.name = "--coverage",
                                       .value = &least_text,
                                       .given = &coverage},
                                      {.name = "--junit", .value = &junit},
                                      {0}};
    policy *rules = NULL;
    unsigned least;
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (count == 0) return command_usage("policy test", "it wants policy files");
    if (!percent_of(least_text, &least))
        return command_usage("policy test", "--coverage=MIN is a percentage from 0 to 100");
    int wrong = policy_verb_load(a, names, count, &rules);
    if (wrong) return wrong;
    int64_t now_ms = clock_wall_ms();
    telling t = {.cases = buf_new(a, 64 << 20)};
    t.failed = policy_test_run(rules, now_ms, a, tell, &t);
    const err *e = junit ? write_junit(a, junit, &t, policy_test_count(rules)) : NULL;
    if (e) return command_fail(e);
    bool enough = !coverage || tell_coverage(a, rules, now_ms, least);
    (void)printf("%zu passed, %zu failed\n", policy_test_count(rules) - t.failed, t.failed);
    return fflush(stdout) == 0 && t.failed == 0 && enough ? 0 : 1;
}
