/* SPDX-License-Identifier: Apache-2.0 */
/* fmt_role.c - what a policy file is made of, one row an entry. */
#include "fmt_write.h"

typedef struct {
    fmt_role in;
    str key; /* {0}: any */
    fmt_role role;
} role_row;

/* clang-format off */
static const role_row roles[] = { /* of one role: in the order their keys have */
    {FMT_FILE, S("policy"), FMT_OTHER},
    {FMT_FILE, S("name"), FMT_OTHER},
    {FMT_FILE, S("description"), FMT_OTHER},
    {FMT_FILE, S("default"), FMT_OTHER},
    {FMT_FILE, S("vars"), FMT_VARS},
    {FMT_FILE, S("rules"), FMT_RULES},
    {FMT_FILE, S("quotas"), FMT_QUOTAS},
    {FMT_FILE, S("masks"), FMT_MASKS},
    {FMT_FILE, S("tests"), FMT_TESTS},
    {FMT_VARS, {0}, FMT_EXPR},
    {FMT_RULES, {0}, FMT_RULE},
    {FMT_RULE, S("id"), FMT_OTHER},
    {FMT_RULE, S("permit"), FMT_OTHER},
    {FMT_RULE, S("forbid"), FMT_OTHER},
    {FMT_RULE, S("require"), FMT_OTHER},
    {FMT_RULE, S("when"), FMT_EXPR},
    {FMT_RULE, S("scopes"), FMT_OTHER},
    {FMT_RULE, S("args"), FMT_ARGS},
    {FMT_RULE, S("other_args"), FMT_OTHER},
    {FMT_RULE, S("message"), FMT_OTHER},
    {FMT_RULE, S("note"), FMT_OTHER},
    {FMT_ARGS, {0}, FMT_ARG},
    {FMT_ARG, S("in"), FMT_OTHER},
    {FMT_ARG, S("is"), FMT_OTHER},
    {FMT_ARG, S("when"), FMT_EXPR},
    {FMT_ARG, S("optional"), FMT_OTHER},
    {FMT_QUOTAS, {0}, FMT_QUOTA},
    {FMT_QUOTA, S("id"), FMT_OTHER},
    {FMT_QUOTA, S("for"), FMT_OTHER},
    {FMT_QUOTA, S("key"), FMT_EXPR},
    {FMT_QUOTA, S("limit"), FMT_EXPR},
    {FMT_QUOTA, S("window"), FMT_OTHER},
    {FMT_QUOTA, S("kind"), FMT_OTHER},
    {FMT_QUOTA, S("cost"), FMT_EXPR},
    {FMT_QUOTA, S("mode"), FMT_OTHER},
    {FMT_QUOTA, S("hard"), FMT_OTHER},
    {FMT_QUOTA, S("message"), FMT_OTHER},
    {FMT_QUOTA, S("note"), FMT_OTHER},
    {FMT_MASKS, {0}, FMT_MASK},
    {FMT_MASK, S("id"), FMT_OTHER},
    {FMT_MASK, S("for"), FMT_OTHER},
    {FMT_MASK, S("when"), FMT_EXPR},
    {FMT_MASK, S("paths"), FMT_OTHER},
    {FMT_MASK, S("patterns"), FMT_OTHER},
    {FMT_MASK, S("note"), FMT_OTHER},
    {FMT_TESTS, {0}, FMT_TEST},
    {FMT_TEST, S("name"), FMT_OTHER},
    {FMT_TEST, S("as"), FMT_OTHER},
    {FMT_TEST, S("now"), FMT_OTHER},
    {FMT_TEST, S("ip"), FMT_OTHER},
    {FMT_TEST, S("call"), FMT_OTHER},
    {FMT_TEST, S("list"), FMT_OTHER},
    {FMT_TEST, S("llm"), FMT_OTHER},
    {FMT_TEST, S("read"), FMT_OTHER},
    {FMT_TEST, S("prompt"), FMT_OTHER},
    {FMT_TEST, S("endpoint"), FMT_OTHER},
    {FMT_TEST, S("args"), FMT_OTHER},
    {FMT_TEST, S("headers"), FMT_OTHER},
    {FMT_TEST, S("annotations"), FMT_OTHER},
    {FMT_TEST, S("usage"), FMT_OTHER},
    {FMT_TEST, S("remaining"), FMT_OTHER},
    {FMT_TEST, S("expect"), FMT_OTHER},
    {FMT_TEST, S("because"), FMT_OTHER},
    {FMT_TEST, S("expect_tools"), FMT_OTHER},
    {FMT_TEST, S("expect_masks"), FMT_OTHER},
    {FMT_TEST, S("expect_cost"), FMT_OTHER},
};
/* clang-format on */
enum { ROLES = sizeof roles / sizeof *roles };

fmt_role fmt_role_of(fmt_role in, str key, unsigned *rank)
{
    for (unsigned i = 0; i < ROLES; i++) {
        if (roles[i].in != in || (roles[i].key.p && !str_eq(roles[i].key, key))) continue;
        *rank = i;
        return roles[i].role;
    }
    *rank = ROLES;
    return FMT_OTHER;
}

bool fmt_is_expression(fmt_role role, const yaml_layout *n)
{
    bool empty = !n->quote && (!n->text.n || str_eq(n->text, S("null")) || str_eq(n->text, S("~")));
    return (role == FMT_EXPR || role == FMT_ARG) && n->kind == YAML_SCALAR && !n->alias && !empty;
}
