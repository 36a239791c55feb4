/* SPDX-License-Identifier: Apache-2.0 */
/* policy_diff.c - what would other rules have decided, about calls that were really made?
 *
 * Both sets of rules are asked about every decision of an audit log. A set that wants to know what
 * was not recorded gives no answer there, which is counted apart. */
#include "../../authz/policy/replay.h"
#include "../../base/map.h"
#include "../audit_read.h"
#include "../audit_roll.h"
#include "../files.h"
#include "policy_verb.h"
#include <stdio.h>

typedef enum { NEWLY_PERMITTED, NEWLY_DENIED, NEWLY_UNKNOWN, CHANGES, NO_CHANGE = CHANGES } change;
static const char *const change_names[CHANGES] = {"newly permitted", "newly denied", "unknown"};
static const char *const change_options[CHANGES] = {"newly-permitted", "newly-denied", "unknown"};

/* Differences of one kind, by the same rules before and after. */
typedef struct group {
    change is;
    str before, after; /* "no permit", "forbid no-etc (p.yaml:7)"; of unknown: what was missing */
    size_t count;
    int64_t seq; /* of the first one */
    str caller, name;
    struct group *next;
} group;

typedef struct {
    arena *a;
    const policy *old, *new;
    audit_roll *roll; /* NULL: lists are not asked for */
    map *by_key;
    group *groups, **end;
    size_t decisions, counts[CHANGES];
    size_t list_counts[CHANGES];
} comparison;

static str reason(arena *a, const policy_replayed *r)
{
    static const char *const whys[] = {[DENIED_NOT] = "permit",
                                       [DENIED_FORBID] = "forbid",
                                       [DENIED_FORBID_ERROR] = "forbid (not evaluable)",
                                       [DENIED_REQUIRE] = "require",
                                       [DENIED_SCOPES] = "scopes of",
                                       [DENIED_KEY] = "the key of"};
    if (!r->said.rule.n) return S("no permit");
    return arena_fmt(a, "%s " STR_FMT " (" STR_FMT ")", whys[r->said.why], STR_ARG(r->said.rule),
                     STR_ARG(r->said.place));
}

static change compare(const policy_replayed *old, const policy_replayed *new)
{
    if (old->outcome == REPLAY_UNKNOWN || new->outcome == REPLAY_UNKNOWN) return NEWLY_UNKNOWN;
    if (old->outcome == new->outcome) return NO_CHANGE;
    return new->outcome == REPLAY_PERMIT ? NEWLY_PERMITTED : NEWLY_DENIED;
}

static void count(comparison *c, arena *scratch, change is, str before, str after,
                  const policy_recorded *r)
{
    str key =
        arena_fmt(scratch, "%d" STR_FMT "\n" STR_FMT, (int)is, STR_ARG(before), STR_ARG(after));
    group *g = map_get(c->by_key, key);
    c->counts[is]++;
    if (!g) {
        g = NEW(c->a, group);
        *g = (group){.is = is,
                     .before = arena_dup(c->a, before),
                     .after = arena_dup(c->a, after),
                     .seq = r->seq,
                     .caller = arena_dup(c->a, r->caller)};
        g->name = arena_fmt(c->a, STR_FMT "%s" STR_FMT, STR_ARG(r->server), r->server.n ? "/" : "",
                            STR_ARG(r->name));
        map_put(c->by_key, arena_dup(c->a, key), g);
        *c->end = g;
        c->end = &g->next;
    }
    g->count++;
}

static const err *take_line(void *ctx, arena *scratch, str line, uint64_t number)
{
    comparison *c = ctx;
    js_value root;
    policy_recorded r;
    bool is_decision;
    policy_replayed old, new;
    (void)number;
    const err *e = js_check(scratch, line, 128, &root);
    if (!e) e = policy_recorded_read(scratch, root, &r, &is_decision);
    if (e || !is_decision) return e;
    c->decisions++;
    if (c->roll) audit_roll_add(c->roll, &r);
    policy_replay(c->old, &r, false, scratch, &old);
    policy_replay(c->new, &r, false, scratch, &new);
    change is = compare(&old, &new);
    if (is == NEWLY_UNKNOWN) {
        bool new_is = new.outcome == REPLAY_UNKNOWN;
        count(c, scratch, is, new_is ? S("new") : S("old"), new_is ? new.missing : old.missing, &r);
    } else if (is != NO_CHANGE)
        count(c, scratch, is, reason(scratch, &old), reason(scratch, &new), &r);
    return NULL;
}

/* Telling */

static void tell_group(const group *g)
{
    (void)printf("%-16s %6zu  ", change_names[g->is], g->count);
    if (g->is == NEWLY_UNKNOWN)
        (void)printf("to the " STR_FMT " rules: not recorded: " STR_FMT, STR_ARG(g->before),
                     STR_ARG(g->after));
    else
        (void)printf(STR_FMT " -> " STR_FMT, STR_ARG(g->before), STR_ARG(g->after));
    (void)printf("\n                         first: line %lld, " STR_FMT " by " STR_FMT "\n",
                 (long long)g->seq, STR_ARG(g->name), STR_ARG(g->caller));
}

static void put(buf *b, const char *key, str value)
{
    (void)buf_fmt(b, ",\"%s\":", key);
    (void)buf_json(b, value);
}

static void put_group(buf *b, const group *g)
{
    (void)buf_fmt(b, "{\"change\":\"%s\",\"count\":%zu,\"first\":%lld", change_options[g->is],
                  g->count, (long long)g->seq);
    put(b, g->is == NEWLY_UNKNOWN ? "unknown_to" : "before", g->before);
    put(b, g->is == NEWLY_UNKNOWN ? "not_recorded" : "after", g->after);
    put(b, "caller", g->caller);
    put(b, "name", g->name);
    (void)buf_put(b, S("}"));
}

/* What each caller of the log would see of all that the log names. */
typedef void list_fn(void *ctx, change is, str who, str name);

static void compare_lists(comparison *c, list_fn *fn, void *ctx)
{
    arena *scratch = arena_new();
    for (const audit_entry *who = NULL; (who = audit_roll_caller(c->roll, who));) {
        for (const audit_entry *what = NULL; (what = audit_roll_subject(c->roll, what));) {
            policy_replayed old, new;
            arena_reset(scratch);
            policy_recorded r = audit_roll_ask(scratch, who, what);
            policy_replay(c->old, &r, true, scratch, &old);
            policy_replay(c->new, &r, true, scratch, &new);
            change is = compare(&old, &new);
            if (is == NO_CHANGE) continue;
            c->list_counts[is]++;
            fn(ctx, is, audit_entry_name(who), audit_entry_name(what));
        }
    }
    arena_free(scratch);
}

static void tell_list(void *ctx, change is, str who, str name)
{
    static const char *const signs[CHANGES] = {"+ appears", "- disappears", "? unknown"};
    (void)ctx;
    (void)printf("list of " STR_FMT ": %s " STR_FMT "\n", STR_ARG(who), signs[is], STR_ARG(name));
}

static void put_list(void *ctx, change is, str who, str name)
{
    static const char *const words[CHANGES] = {"appears", "disappears", "unknown"};
    buf *b = ctx;
    (void)buf_fmt(b, "%s{\"change\":\"%s\"", b->p[b->n - 1] == '[' ? "" : ",", words[is]);
    put(b, "caller", who);
    put(b, "name", name);
    (void)buf_put(b, S("}"));
}

static int as_text(comparison *c)
{
    for (const group *g = c->groups; g; g = g->next) tell_group(g);
    if (c->roll) compare_lists(c, tell_list, NULL);
    (void)printf("%zu decisions: %zu newly permitted, %zu newly denied, %zu unknown\n",
                 c->decisions, c->counts[NEWLY_PERMITTED], c->counts[NEWLY_DENIED],
                 c->counts[NEWLY_UNKNOWN]);
    return fflush(stdout) == 0 ? 0 : 1;
}

static int as_json(comparison *c)
{
    buf b = buf_new(c->a, 64 << 20);
    (void)buf_fmt(&b,
                  "{\"decisions\":%zu,\"newly_permitted\":%zu,\"newly_denied\":%zu,\"unknown\":%zu",
                  c->decisions, c->counts[NEWLY_PERMITTED], c->counts[NEWLY_DENIED],
                  c->counts[NEWLY_UNKNOWN]);
    (void)buf_put(&b, S(",\"groups\":["));
    for (const group *g = c->groups; g; g = g->next) {
        if (g != c->groups) (void)buf_put(&b, S(","));
        put_group(&b, g);
    }
    (void)buf_put(&b, S("]"));
    if (c->roll) {
        (void)buf_put(&b, S(",\"lists\":["));
        compare_lists(c, put_list, &b);
        (void)buf_put(&b, S("]"));
    }
    (void)buf_put(&b, S("}\n"));
    return command_print(buf_str(&b));
}

/* The command line */

/* "newly-permitted,unknown" as bits; false: a word that is none of them. */
static bool read_changes(const char *text, unsigned *bits)
{
    str rest = {text, text ? strlen(text) : 0};
    *bits = 0;
    while (rest.n) {
        str_pair cut = str_cut(rest, ',');
        size_t i = 0;
        while (i < CHANGES &&
               !str_eq(cut.head, (str){change_options[i], strlen(change_options[i])}))
            i++;
        if (i == CHANGES) return false;
        *bits |= 1U << i;
        rest = cut.tail;
    }
    return true;
}

static int read_logs(comparison *c, const char *pattern)
{
    const str *names = policy_verb_files(c->a, pattern);
    if (!names->p)
        return command_fail(err_new(c->a, ERR_NOT_FOUND, "%s: there is no such file", pattern));
    for (; names->p; names++) {
        bool torn;
        const err *e = audit_read(c->a, names->p, take_line, c, &torn);
        if (e) return command_fail(e);
    }
    return 0;
}

int policy_verb_diff(arena *a, int argc, char **argv)
{
    const char *log = NULL, *format = "text", *fail = NULL;
    const char **sets = NEW_N(a, const char *, (size_t)argc);
    bool lists = false;
    const command_option options[] = {{.name = "--log", .value = &log},
                                      {.name = "--list", .given = &lists},
                                      {.name = "--format", .value = &format},
                                      {.name = "--fail-on", .value = &fail},
                                      {0}};
    int count = 0;
    unsigned forbidden;
    policy *old = NULL, *new = NULL;
    if (!command_options(argc, argv, options, sets, &count)) return 2;
    if (count != 2 || !log)
        return command_usage("policy diff",
                             "it wants the old rules, the new rules, and --log FILE");
    bool json = strcmp(format, "json") == 0;
    if (!json && strcmp(format, "text") != 0)
        return command_usage("policy diff", "--format is text or json");
    if (!read_changes(fail, &forbidden))
        return command_usage("policy diff", "--fail-on is newly-permitted, newly-denied, unknown, "
                                            "or some of them with commas");
    int wrong = policy_verb_load_set(a, sets[0], &old);
    if (!wrong) wrong = policy_verb_load_set(a, sets[1], &new);
    if (wrong) return wrong;
    comparison c = {.a = a, .old = old, .new = new, .by_key = map_new(a)};
    c.end = &c.groups;
    if (lists) c.roll = audit_roll_new(a);
    wrong = read_logs(&c, log);
    if (!wrong) wrong = json ? as_json(&c) : as_text(&c);
    for (size_t i = 0; i < CHANGES; i++)
        if (forbidden >> i & 1 && c.counts[i] + c.list_counts[i]) wrong = 1;
    return wrong;
}
