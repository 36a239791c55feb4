/* SPDX-License-Identifier: Apache-2.0 */
/* policy_check.c - policy files held against what is known of tools and claims. */
#include "../check_report.h"
#include "../zones.h"
#include "policy_verb.h"
#include <stdio.h>

typedef str report_fn(arena *a, const check_report *r);

static report_fn *report_named(const char *format)
{
    static const struct {
        const char *name;
        report_fn *fn;
    } formats[] = {{"text", check_report_text},
                   {"json", check_report_json},
                   {"sarif", check_report_sarif}};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(format, formats[i].name) == 0) return formats[i].fn;
    return NULL;
}

int policy_verb_check(arena *a, int argc, char **argv)
{
    const char *settings = NULL, *inventory = NULL, *format = "text";
    const char **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--config", .brief_name = "-c", .value = &settings},
                                      {.name = "--inventory",
                                       .brief_name = "-i",
                                       .value = &inventory},
                                      {.name = "--format", .value = &format},
                                      {0}};
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    report_fn *report = report_named(format);
    if (!report) return command_usage("policy check", "--format is text, json or sarif");
    if (count == 0) return command_usage("policy check", "it wants policy files");
    policy_world world = {.zones = &zones_of_system};
    const err *e = policy_verb_world(a, settings, inventory, &world);
    const policy_source *sources = NULL;
    if (!e) e = policy_verb_sources(a, names, count, &sources);
    if (e) return command_fail(e);
    problems found;
    policy *rules = NULL;
    problems_init(&found, a, sources[0].name);
    policy_check(a, sources, (size_t)count, &world, &found, &rules);
    check_report r = check_report_of(a, &found, sources, (size_t)count);
    if (rules) r.rules = policy_rule_count(rules);
    int printed = command_print(report(a, &r));
    return r.errors || printed ? 1 : 0;
}

int policy_verb_help(arena *a, int argc, char **argv)
{
    if (argc != 2) return command_usage("policy help", "it wants a code, E201 for example");
    str code = {argv[1], strlen(argv[1])};
    const policy_code *c = policy_code_find(code);
    if (!c)
        return command_usage("policy help",
                             "there is no such code; `sallyport help codes` has all");
    buf b = buf_new(a, 64 << 10);
    (void)buf_fmt(&b, "%s: %s\n\n%s\n", c->code, c->title, c->text);
    if (c->wrong) (void)buf_fmt(&b, "\nHas it:\n%s", c->wrong);
    if (c->right) (void)buf_fmt(&b, "\nHas it not:\n%s", c->right);
    return command_print(buf_str(&b));
}
