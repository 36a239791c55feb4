/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* replay_test.c - what was recorded of a call decides as the call did.
 *
 * Laws over generated policies and calls: the rules that a line was written under decide it again,
 * and the same; of other rules, what is not unknown is right. */
#include "call_maker.h"

#include "../../authz/audit.h"
#include "../../authz/policy/replay.h"
#include <stdlib.h>

enum { PAIRS = 1500, CALLS = 20 };

static bool catch_line(void *ctx, str members)
{
    buf *b = ctx;
    (void)buf_put(b, S("{\"seq\":1,"));
    (void)buf_put(b, members);
    (void)buf_put(b, S("}"));
    return true;
}

static policy_recorded record(arena *a, const policy *p, const question *q, const str *redact)
{
    buf line = buf_new(a, 1 << 20);
    const audit_sink to = {catch_line, &line};
    const audit_case c = {.rules = p, .redact = redact, .q = q};
    verdict v;
    js_value root;
    bool is_decision;
    policy_recorded r = {0};
    audit_decide(&to, &c, a, &v);
    const err *e = js_check(a, buf_str(&line), 64, &root);
    if (e) fail_msg(STR_FMT ": " STR_FMT, STR_ARG(e->text), STR_ARG(buf_str(&line)));
    e = policy_recorded_read(a, root, &r, &is_decision);
    if (e) fail_msg(STR_FMT ": " STR_FMT, STR_ARG(e->text), STR_ARG(buf_str(&line)));
    assert_true(is_decision);
    assert_int_equal(r.permitted, v.permit);
    return r;
}

typedef struct {
    size_t calls, sure, open, wrong;
} count;

static void complain(const char *what, const text *t, const question *q, str missing)
{
    print_error("%s: " STR_FMT "/" STR_FMT " args " STR_FMT ", missing: " STR_FMT "\n%s", what,
                STR_ARG(q->server), STR_ARG(q->name), STR_ARG(q->args.raw), STR_ARG(missing),
                t->head.p);
    for (unsigned i = 0; i < t->count; i++) print_error("%s", t->rules[i].p);
}

/* Holds what a replay says against what the rules say to the call itself. */
static void hold(const policy *p, const policy_recorded *r, const question *q, arena *a, count *c,
                 const text *t)
{
    policy_replayed said;
    verdict real;
    policy_decide(p, q, a, &real);
    policy_replay(p, r, false, a, &said);
    c->calls++;
    c->open += said.outcome == REPLAY_UNKNOWN;
    c->sure += said.outcome != REPLAY_UNKNOWN;
    if (said.outcome == REPLAY_UNKNOWN || (said.outcome == REPLAY_PERMIT) == real.permit) return;
    if (c->wrong++ < 3) complain(real.permit ? "denied" : "permitted", t, q, said.missing);
}

static void try_pair(maker *m, count *own, count *other)
{
    text written = policy_text(m), next = policy_text(m);
    policy *p = load_text(m, &written, 0), *n = load_text(m, &next, 0);
    for (int i = 0; i < CALLS; i++) {
        question q = anything(m);
        policy_recorded r = record(m->a, p, &q, NULL);
        size_t open = own->open;
        hold(p, &r, &q, m->a, own, &written);
        if (own->open != open) complain("unknown to its own rules", &written, &q, S(""));
        hold(n, &r, &q, m->a, other, &next);
    }
}

static void a_line_decides_as_its_call_did(void **state)
{
    count own = {0}, other = {0};
    (void)state;
    for (unsigned i = 0; i < PAIRS; i++) {
        maker m = {.state = 77 + (uint64_t)i * 0x9E3779B97F4A7C15, .a = arena_new()};
        try_pair(&m, &own, &other);
        arena_free(m.a);
    }
    print_message("%zu calls; of other rules %zu sure, %zu unknown\n", own.calls, other.sure,
                  other.open);
    assert_int_equal(own.wrong, 0);
    assert_int_equal(own.open, 0);
    assert_int_equal(other.wrong, 0);
    assert_true(other.sure > own.calls / 2); /* the law is not empty */
    assert_true(other.open > own.calls / 50);
}

static policy *load_one(arena *a, const char *rules)
{
    problems out;
    policy *p;
    const policy_source source = {S("p.yaml"),
                                  arena_fmt(a, "policy: v1\nname: p\nrules:\n%s", rules)};
    problems_init(&out, a, S("x"));
    policy_load(a, &source, 1, NULL, &out, &p);
    assert_non_null(p);
    return p;
}

static question call_of(arena *a, const char *args)
{
    question q = {.kind = SUBJECT_TOOL, .server = S("fs"), .name = S("read"), .now_ms = 1000};
    assert_null(js_check(a, (str){args, strlen(args)}, 8, &q.args));
    q.who = caller_of_claims(a, json_object());
    return q;
}

/* {rules of the line, arguments, what is redacted, other rules, outcome, missing} */
static const struct {
    const char *old, *args, *redact, *new;
    replay_outcome outcome;
    const char *missing;
} rows[] = {
    {"  - {id: a, permit: fs/*, when: args.x == 1}\n", "{\"x\":1,\"y\":2}", NULL,
     "  - {id: a, permit: fs/*, when: args.y == 2}\n", REPLAY_UNKNOWN, "args.y"},
    {"  - {id: a, permit: fs/*, when: args.x == 1}\n", "{\"x\":1,\"y\":2}", NULL,
     "  - {id: a, permit: fs/*, when: args.x == 1 || args.y == 2}\n", REPLAY_PERMIT, "args.y"},
    {"  - {id: a, permit: fs/*, when: args.x == 1}\n", "{\"x\":1,\"y\":2}", "args.x",
     "  - {id: a, permit: fs/*, when: args.x == 1}\n", REPLAY_UNKNOWN, "args.x"},
    {"  - {id: a, permit: fs/*, args: {x: this == 1}, other_args: deny}\n", "{\"x\":1,\"y\":2}",
     NULL, "  - {id: a, permit: fs/*, when: has(args.z)}\n", REPLAY_DENY, ""},
    {"  - {id: a, permit: fs/*, args: {x: this == 1}, other_args: deny}\n", "{\"x\":1,\"y\":2}",
     NULL, "  - {id: a, permit: fs/*, args: {x: this == 1, y: this == 2}, other_args: deny}\n",
     REPLAY_UNKNOWN, "args.y"},
    {"  - {id: a, permit: fs/*, args: {x: this == 1}, other_args: deny}\n", "{\"x\":1,\"y\":2}",
     NULL, "  - {id: a, permit: fs/*, args: {x: this == 1}, other_args: deny}\n", REPLAY_DENY,
     "args.y"},
    {"  - {id: a, permit: fs/*, when: size(args) > 0}\n", "{\"x\":1,\"y\":2}", NULL,
     "  - {id: a, permit: fs/*, args: {x: this == 1, y: this == 2}, other_args: deny}\n",
     REPLAY_PERMIT, ""},
    {"  - {id: a, permit: fs/*, when: size(args) > 0}\n", "{\"x\":1,\"y\":2}", "args.y",
     "  - {id: a, permit: fs/*, when: size(args) > 0}\n", REPLAY_UNKNOWN, "args"},
    {"  - {id: a, permit: fs/*}\n", "{}", NULL, "  - {id: a, permit: fs/*, scopes: [w]}\n",
     REPLAY_UNKNOWN, "caller.scopes"},
    {"  - {id: a, permit: fs/*}\n", "{}", NULL, "  - {id: b, permit: fs/write}\n", REPLAY_DENY, ""},
    {"  - {id: a, permit: fs/*}\n", "{}", NULL,
     "  - {id: a, permit: fs/*, when: now < timestamp(2)}\n", REPLAY_PERMIT, ""},
    {"  - {id: a, permit: fs/*}\n", "{}", NULL, "  - {id: a, forbid: fs/*, when: jwt.sub == 'x'}\n",
     REPLAY_DENY, "jwt.sub"},
};

static void what_was_not_recorded_is_unknown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        arena *a = arena_new();
        const char *word = rows[i].redact;
        const str redact[] = {word ? (str){word, strlen(word)} : (str){0}, {0}};
        question q = call_of(a, rows[i].args);
        policy_recorded r = record(a, load_one(a, rows[i].old), &q, redact);
        policy_replayed got;
        policy_replay(load_one(a, rows[i].new), &r, false, a, &got);
        str missing = {rows[i].missing, strlen(rows[i].missing)};
        if (got.outcome != rows[i].outcome || !str_eq(got.missing, missing))
            fail_msg("row %zu: %d, missing '" STR_FMT "'", i, got.outcome, STR_ARG(got.missing));
        json_decref((json_t *)(uintptr_t)q.who->claims);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_decides_as_its_call_did),
        cmocka_unit_test(what_was_not_recorded_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
