/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - from a YAML file to rules, with every problem at once.
 *
 * Unknown keys are errors, with the nearest known one, because a misspelt `when` would make a
 * permit wider than meant. A rule with any problem is dropped, and with any problem there is no
 * policy, so nothing half-read ever decides. */
#include "../../base/map.h"
#include "mask_read.h"
#include "quota_read.h"

enum { FILE_MOST = 1 << 20, RULES_MOST = 10000, VARS_MOST = 1000 };

static bool is_word(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9')) return false;
    }
    return s.n > 0;
}

/* Arguments */

/* The value a plain scalar stands for; quoted ones are text. */
static cel_value value_of(policy_reading *r, const yaml_node *n)
{
    if (n->style != YAML_PLAIN) return cel_string(n->text);
    static const cel_env nothing = {NULL, 0};
    cel_program *p = NULL;
    bool number = n->text.n && strchr("+-.0123456789", n->text.p[0]) != NULL;
    bool word = str_eq(n->text, S("true")) || str_eq(n->text, S("false"));
    if (yaml_is_null(n)) return (cel_value){.tag = CEL_NULL};
    if ((!number && !word) || cel_compile(r->d->a, n->text, &nothing, NULL, &p))
        return cel_string(n->text);
    cel_bindings none = {0};
    cel_value v = cel_eval(p, &none, r->d->a, 0);
    bool scalar = v.tag == CEL_BOOL || v.tag == CEL_INT || v.tag == CEL_DOUBLE;
    return scalar ? v : cel_string(n->text);
}

static void read_values(policy_reading *r, const yaml_node *n, rule_constraint *c)
{
    cel_value *values = NEW_N(r->d->a, cel_value, n->count + 1);
    const yaml_node *at = n->kind == YAML_LIST ? n->first : n;
    for (; at; at = n->kind == YAML_LIST ? at->next : NULL)
        if (reading_want(r, at, YAML_SCALAR, "a value")) values[c->count++] = value_of(r, at);
    c->values = values;
}

static void read_expression(policy_reading *r, const yaml_node *n, rule_constraint *c,
                            policy_rule *rule)
{
    policy_expr e =
        policy_compile(&r->scope, n, EXPR_BOOL | EXPR_THIS, "the condition of an argument");
    c->program = e.program;
    c->source = e.source;
    rule->reads |= e.reads;
}

static void read_constraint(policy_reading *r, const yaml_node *n, rule_constraint *c,
                            policy_rule *rule)
{
    static const str keys[] = {S("in"), S("is"), S("when"), S("optional"), {0}};
    c->name = n->key;
    if (n->kind != YAML_MAP) {
        read_expression(r, n, c, rule);
        return;
    }
    reading_keys(r, n, keys, "an argument's condition");
    const yaml_node *in = yaml_get(n, S("in")), *is = yaml_get(n, S("is")),
                    *when = yaml_get(n, S("when"));
    const yaml_node *optional = yaml_get(n, S("optional"));
    if (optional) c->optional = reading_flag(r, optional, "optional");
    if (!!in + !!is + !!when != 1) {
        WRONG(r, n, "error E102: an argument's condition is exactly one of `in`, `is` and `when`");
        return;
    }
    if (in && reading_want(r, in, YAML_LIST, "`in`")) read_values(r, in, c);
    if (is && reading_want(r, is, YAML_SCALAR, "`is`")) read_values(r, is, c);
    if (when) read_expression(r, when, c, rule);
}

static void read_args(policy_reading *r, const yaml_node *rule_map, policy_rule *rule)
{
    const yaml_node *args = yaml_get(rule_map, S("args")),
                    *other = yaml_get(rule_map, S("other_args"));
    if (args && reading_want(r, args, YAML_MAP, "args")) {
        rule_constraint *list = NEW_N(r->d->a, rule_constraint, args->count);
        for (const yaml_node *n = args->first; n; n = n->next)
            read_constraint(r, n, &list[rule->constraint_count++], rule);
        rule->constraints = list;
    }
    if (other) {
        rule->only_named_args = other->kind == YAML_SCALAR && str_eq(other->text, S("deny"));
        bool allow = other->kind == YAML_SCALAR && str_eq(other->text, S("allow"));
        if (!rule->only_named_args && !allow)
            WRONG(r, other, "error E104: other_args must be deny or allow");
        if (rule->effect == RULE_FORBID && rule->only_named_args)
            WRONG_KEY(r, other,
                      "error E104: other_args: deny would let one more argument slip past a "
                      "forbid");
    }
    if (rule->constraint_count || rule->only_named_args) rule->reads |= (uint64_t)1 << VAR_ARGS;
}

/* Rules */

static const str rule_keys[] = {S("id"),      S("permit"), S("forbid"), S("require"),
                                S("when"),    S("scopes"), S("args"),   S("other_args"),
                                S("message"), S("note"),   {0}};

static void read_id(policy_reading *r, const yaml_node *n, policy_rule *rule)
{
    const yaml_node *id = yaml_get(n, S("id"));
    if (!id) {
        WRONG(r, n, "error E102: the rule has no id");
        return;
    }
    rule->id = reading_text(r, id, READING_ID_MOST, "id");
    const policy_rule *first = rule->id.n ? map_get(r->d->ids, rule->id) : NULL;
    if (first)
        WRONG(r, id, "error E105: rule '" STR_FMT "' is already defined at " STR_FMT,
              STR_ARG(rule->id), STR_ARG(first->place));
    else if (rule->id.n)
        map_put(r->d->ids, rule->id, rule);
}

static void read_effect(policy_reading *r, const yaml_node *n, policy_rule *rule)
{
    static const str effects[] =
        {[RULE_FORBID] = S("forbid"), [RULE_REQUIRE] = S("require"), [RULE_PERMIT] = S("permit")};
    unsigned found = 0;
    for (int i = RULE_FORBID; i <= RULE_PERMIT; i++) {
        const yaml_node *names = yaml_get(n, effects[i]);
        if (!names) continue;
        found++;
        rule->effect = (rule_effect)i;
        reading_names(r, names, rule->names);
    }
    if (found != 1)
        WRONG(r, n, "error E102: a rule has exactly one of `permit`, `forbid` and `require`");
}

static void read_rule(policy_reading *r, const yaml_node *n)
{
    if (!reading_want(r, n, YAML_MAP, "a rule")) return;
    policy_draft *d = r->d;
    if (d->rule_count++ == RULES_MOST) {
        WRONG(r, n, "error E104: over %d rules", RULES_MOST);
        return;
    }
    rule_node *node = NEW(d->a, rule_node);
    node->written = n;
    node->scope = &r->scope;
    policy_rule *rule = &node->rule;
    rule->place = arena_fmt(d->a, STR_FMT ":%u", STR_ARG(r->source->name), n->line);
    reading_keys(r, n, rule_keys, "a rule");
    read_id(r, n, rule);
    read_effect(r, n, rule);

    const yaml_node *when = yaml_get(n, S("when")), *scopes = yaml_get(n, S("scopes"));
    const yaml_node *message = yaml_get(n, S("message")), *text = yaml_get(n, S("note"));
    if (when) {
        policy_expr e = policy_compile(&r->scope, when, EXPR_BOOL, "`when`");
        rule->when = e.program;
        rule->when_source = e.source;
        rule->reads |= e.reads;
    }
    read_args(r, n, rule);
    rule->scopes = scopes ? reading_texts(r, scopes, READING_ID_MOST, "a scope") : NEW(d->a, str);
    if (scopes && rule->effect == RULE_FORBID)
        WRONG_KEY(r, scopes,
                  "error E104: scopes belong to permit and require; in a forbid, use `when: \"x\" "
                  "in caller.scopes`");
    if (message) rule->message = reading_text(r, message, READING_MESSAGE_MOST, "message");
    if (text) (void)reading_text(r, text, READING_MESSAGE_MOST, "note");
    *d->rules_end = node;
    d->rules_end = &node->next;
}

/* The file */

static void read_var(policy_reading *r, const yaml_node *n)
{
    policy_draft *d = r->d;
    if (!is_word(n->key)) {
        WRONG_KEY(r, n, "error E104: '" STR_FMT "' cannot be a var: use letters, digits and _",
                  STR_ARG(n->key));
        return;
    }
    if (d->var_count == VARS_MOST) {
        WRONG_KEY(r, n, "error E104: over %d vars", VARS_MOST);
        return;
    }
    policy_expr e = policy_compile(&r->scope, n, 0,
                                   "a var"); /* a bad one is added too: one problem is enough */
    var_node *node = NEW(d->a, var_node);
    node->scope = &r->scope;
    node->var = (policy_var){.name = n->key,
                             .written = n,
                             .source = e.source,
                             .program = e.program,
                             .reads = e.reads,
                             .depth = e.depth};
    policy_scope_add(&r->scope, &node->var);
    *d->vars_end = node;
    d->vars_end = &node->next;
    d->var_count++;
}

static void read_vars(policy_reading *r, const yaml_node *vars)
{
    if (!reading_want(r, vars, YAML_MAP, "vars")) return;
    str *names = NEW_N(r->d->a, str, vars->count + 1);
    size_t count = 0;
    for (const yaml_node *n = vars->first; n; n = n->next) names[count++] = n->key;
    r->scope.later = names;
    for (const yaml_node *n = vars->first; n; n = n->next) read_var(r, n);
}

static void check_head(policy_reading *r, const yaml_node *root)
{
    const yaml_node *version = yaml_get(root, S("policy")),
                    *otherwise = yaml_get(root, S("default"));
    const yaml_node *name = yaml_get(root, S("name")),
                    *description = yaml_get(root, S("description"));
    if (!version)
        WRONG(r, root, "error E102: the file must say `policy: v1`");
    else if (version->kind != YAML_SCALAR || !str_eq(version->text, S("v1")))
        WRONG(r, version, "error E106: this version reads policy: v1");
    if (otherwise && (otherwise->kind != YAML_SCALAR || !str_eq(otherwise->text, S("deny"))))
        WRONG(r, otherwise, "error E104: default can only be deny");
    if (name) (void)reading_text(r, name, READING_ID_MOST, "name");
    if (description) (void)reading_want(r, description, YAML_SCALAR, "description");
}

void policy_file_read(policy_draft *d, const policy_source *source)
{
    static const str keys[] = {S("policy"), S("name"),   S("description"), S("default"), S("vars"),
                               S("rules"),  S("quotas"), S("masks"),       S("tests"),   {0}};
    policy_reading *r = NEW(d->a, policy_reading);
    *r = (policy_reading){.d = d, .source = source};
    str before = d->out->file;
    d->out->file = source->name;
    yaml_node *root = NULL;
    if (source->text.n > FILE_MOST) {
        problems_add(d->out, 1, 1, "error E104: over %d bytes", FILE_MOST);
        return;
    }
    const err *e = yaml_parse(d->a, source->name, source->text, &root);
    if (e) {
        problems_add_text(d->out, e->text);
    } else if (reading_want(r, root, YAML_MAP, "a policy file")) {
        policy_scope_begin(&r->scope, d, source);
        reading_keys(r, root, keys, "a policy file");
        check_head(r, root);
        const yaml_node *vars = yaml_get(root, S("vars")), *rules = yaml_get(root, S("rules"));
        if (vars && !yaml_is_null(vars)) read_vars(r, vars);
        if (rules && !yaml_is_null(rules) && reading_want(r, rules, YAML_LIST, "rules"))
            for (const yaml_node *n = rules->first; n; n = n->next) read_rule(r, n);
        const yaml_node *quotas = yaml_get(root, S("quotas"));
        if (quotas && !yaml_is_null(quotas)) policy_quotas_read(r, quotas);
        const yaml_node *masks = yaml_get(root, S("masks"));
        if (masks && !yaml_is_null(masks)) policy_masks_read(r, masks);
        const yaml_node *tests = yaml_get(root, S("tests"));
        if (tests && !yaml_is_null(tests)) policy_test_read(d, source, tests);
    }
    d->out->file = before;
}
