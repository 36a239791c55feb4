/* SPDX-License-Identifier: Apache-2.0 */
/* policy_who.c - which callers of an audit log may call this? */
#include "../../authz/policy/replay.h"
#include "../audit_read.h"
#include "../audit_roll.h"
#include "policy_verb.h"
#include <stdio.h>

static const err *take_line(void *ctx, arena *scratch, str line, uint64_t number)
{
    js_value root;
    policy_recorded r;
    bool is_decision;
    (void)number;
    const err *e = js_check(scratch, line, 128, &root);
    if (!e) e = policy_recorded_read(scratch, root, &r, &is_decision);
    if (!e && is_decision) audit_roll_add(ctx, &r);
    return e;
}

static subject_kind kind_of(str name)
{
    if (str_starts(name, S("/"))) return SUBJECT_ENDPOINT;
    return memchr(name.p, '/', name.n) ? SUBJECT_TOOL : SUBJECT_MODEL;
}

static void tell(const audit_entry *who, const policy_replayed *r)
{
    static const char *const words[] =
        {[REPLAY_DENY] = "no", [REPLAY_PERMIT] = "yes", [REPLAY_UNKNOWN] = "unknown"};
    bool depends = r->outcome == REPLAY_PERMIT && r->said.open;
    (void)printf("%-8s " STR_FMT, depends ? "depends" : words[r->outcome],
                 STR_ARG(audit_entry_name(who)));
    if (r->outcome == REPLAY_UNKNOWN)
        (void)printf("  not recorded: " STR_FMT, STR_ARG(r->missing));
    else if (r->said.rule.n)
        (void)printf("  %s" STR_FMT " (" STR_FMT ")", depends ? "on the arguments: " : "",
                     STR_ARG(r->said.rule), STR_ARG(r->said.place));
    else
        (void)printf("  no permit applies");
    (void)printf("\n");
}

static int tell_all(const policy *rules, audit_roll *roll, str name)
{
    arena *scratch = arena_new();
    const audit_entry *what = audit_roll_find_subject(roll, kind_of(name), name);
    size_t callers = 0;
    for (const audit_entry *who = NULL; (who = audit_roll_caller(roll, who)); callers++) {
        policy_replayed said;
        arena_reset(scratch);
        policy_recorded r = audit_roll_ask(scratch, who, what);
        policy_replay(rules, &r, true, scratch, &said);
        tell(who, &said);
    }
    arena_free(scratch);
    if (!callers) (void)printf("the log names no caller\n");
    return fflush(stdout) == 0 ? 0 : 1;
}

int policy_verb_who(arena *a, int argc, char **argv)
{
    const char *log = NULL, **rest = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--log", .value = &log}, {0}};
    int count = 0;
    policy *rules = NULL;
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count < 2 || !log)
        return command_usage("policy who", "it wants a tool (server/name) or model, --log FILE, "
                                           "and policy files");
    int wrong = policy_verb_load(a, rest + 1, count - 1, &rules);
    if (wrong) return wrong;
    audit_roll *roll = audit_roll_new(a);
    const str *logs = policy_verb_files(a, log);
    if (!logs->p) return command_fail(err_new(a, ERR_NOT_FOUND, "%s: there is no such file", log));
    for (; logs->p; logs++) {
        bool torn;
        const err *e = audit_read(a, logs->p, take_line, roll, &torn);
        if (e) return command_fail(e);
    }
    return tell_all(rules, roll, (str){rest[0], strlen(rest[0])});
}
