/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/policy/witness.h"
#include "policy_kit.h"

typedef struct {
    const char *rules, *args;
    const char *redact;
    const char *witness;
} row;

static str witness_of(arena *a, const row *r)
{
    str text = arena_fmt(a,
                         "policy: v1\nname: p\nvars: { eng: '\"eng\" in jwt.groups', both: "
                         "'vars.eng && args.n > 1' "
                         "}\nrules:\n%s",
                         r->rules);
    policy *p = must_load(a, text.p);
    js_value args;
    assert_null(js_check(a, view(r->args), 20, &args));
    json_t *claims = json_pack("{s:s, s:[s], s:{s:s,s:i}}", "sub", "al", "groups", "eng", "org",
                               "key", "k1", "n", 3);
    const header headers[] = {{S("Authorization"), S("Bearer secret")},
                              {S("X-Tenant"), S("t1")},
                              {{0}, {0}}};
    question q = {.kind = SUBJECT_TOOL,
                  .server = S("fs"),
                  .name = S("read"),
                  .args = args,
                  .now_ms = 1000};
    const str redact[] = {view(r->redact), {0}};
    q.who = caller_of_claims(a, claims);
    q.http.headers = headers;
    buf b = buf_new(a, 1 << 20);
    policy_witness(p, &q, redact, a, &b);
    json_decref(claims);
    assert_true(buf_ok(&b));
    return buf_str(&b);
}

static const row rows[] = {
    {"  - {id: a, permit: fs/*}\n", "{\"x\":1}", NULL,
     "\"facts\":{},\"absent\":[],\"withheld\":[]"},
    {"  - {id: a, permit: gh/*, when: args.x == 1}\n", "{\"x\":1}", NULL,
     "\"facts\":{},\"absent\":[],\"withheld\":[]"},
    {"  - {id: a, permit: fs/*, when: args.x == 1 && jwt.sub != 'b'}\n", "{\"x\":1,\"y\":2}", NULL,
     "\"facts\":{\"args.x\":1,\"jwt.sub\":\"al\"},\"absent\":[],\"withheld\":[]"},
    {"  - {id: a, permit: fs/*, when: vars.both}\n", "{\"n\":1.5}", NULL,
     "\"facts\":{\"jwt.groups\":[\"eng\"],\"args.n\":1.5},\"absent\":[],\"withheld\":[]"},
    {"  - {id: a, permit: fs/*, when: has(args.x)}\n", "{}", NULL,
     "\"facts\":{},\"absent\":[\"args.x\"],\"withheld\":[]"},
    {"  - {id: a, permit: fs/*, scopes: [w]}\n", "{}", NULL,
     "\"facts\":{\"caller.scopes\":[]},\"absent\":[],\"withheld\":[]"},
    {"  - {id: a, permit: fs/*, args: {x: this == 1}, other_args: deny}\n",
     "{\"x\":1,\"a b\":\"secret\"}", NULL,
     "\"facts\":{\"args.x\":1},\"absent\":[\"args.*\"],\"withheld\":[\"args[\\\"a b\\\"]\"]"},
    {"  - {id: a, permit: fs/*, when: size(args) == 2}\n",
     "{\"p\":\"s\",\"l\":[{\"p\":1,\"q\":null}]}", "args.l.p",
     "\"facts\":{\"args\":{\"p\":\"s\",\"l\":[{\"q\":null}]}},\"absent\":[],\"withheld\":[\"args.l."
     "p\"]"},
    {"  - {id: a, permit: fs/*, when: jwt.org.key == args.k}\n", "{\"k\":true}", "jwt.org",
     "\"facts\":{\"args.k\":true},\"absent\":[],\"withheld\":[\"jwt.org\"]"},
    {"  - {id: a, permit: fs/*, when: jwt.org.key == 'x'}\n", "{}", "jwt.org.key",
     "\"facts\":{\"jwt.org\":{\"n\":3}},\"absent\":[],\"withheld\":[\"jwt.org.key\"]"},
    {"  - {id: a, permit: fs/*, when: 'http.headers[\"x-tenant\"] == "
     "http.headers.authorization'}\n",
     "{}", NULL,
     "\"facts\":{\"http.headers[\\\"x-tenant\\\"]\":\"t1\"},\"absent\":[],\"withheld\":[\"http."
     "headers.authorization\"]"},
    {"  - {id: a, permit: fs/*, when: size(http.headers) > 1}\n", "{}", NULL,
     "\"facts\":{\"http.headers\":{\"x-tenant\":\"t1\"}},\"absent\":[],\"withheld\":[\"http."
     "headers.authorization\"]"},
    {"  - {id: a, permit: fs/*, when: now > timestamp(0) && tool.name == 'read'}\n", "{}", NULL,
     "\"facts\":{\"tool.name\":\"read\"},\"absent\":[],\"withheld\":[]"},
};

static void exactly_what_the_rules_read_is_written(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        str got = witness_of(*state, &rows[i]);
        if (!str_eq(got, view(rows[i].witness)))
            fail_msg("%s\n gives " STR_FMT, rows[i].rules, STR_ARG(got));
    }
}

static void what_is_large_is_withheld_whole(void **state)
{
    arena *a = *state;
    char *args = arena_bytes(a, 20000);
    memset(args, 'x', 19999);
    memcpy(args, "{\"x\":\"", 6);
    memcpy(args + 19990, "\"}", 3);
    const row r = {"  - {id: a, permit: fs/*, when: size(args) == 1}\n", args, "args.y", NULL};
    assert_true(str_eq(witness_of(a, &r), S("\"facts\":{},\"absent\":[],\"withheld\":[\"args\"]")));
}

static void paths_of_attributes_are_told_from_others(void **state)
{
    (void)state;
    static const char *const good[] =
        {"args", "jwt.email", "args.a.b", "http.headers[\"x-key\"]", "args[\"a b\"].c", NULL};
    static const char *const bad[] = {"",           "arg.x",     "args.", "args.a b", "args[x]",
                                      "args[\"x\"", "args[\"\"", "jwtx",  "args..b",  NULL};
    for (const char *const *p = good; *p; p++)
        if (!policy_is_attribute(view(*p))) fail_msg("%s is one", *p);
    for (const char *const *p = bad; *p; p++)
        if (policy_is_attribute(view(*p))) fail_msg("%s is none", *p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exactly_what_the_rules_read_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_large_is_withheld_whole, set_up, tear_down),
        cmocka_unit_test(paths_of_attributes_are_told_from_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
