/* SPDX-License-Identifier: Apache-2.0 */
/* lint.h - between the parts of the checker; private to check.c and lint_*.c.
 *
 * An expression is looked at in rounds, one for each tool its rule names (types differ), or one
 * without any. What is said in a round is kept with the rule until its last: most things are a
 * mistake only when they are one for every tool the rule names. */
#ifndef SP_POLICY_LINT_H
#define SP_POLICY_LINT_H
#include "../cel/check.h"
#include "check.h"
#include "compile.h"
#include "shape.h"

typedef struct lint_note lint_note;

typedef struct {
    arena *a; /* the checker's own; problems are copied out of it */
    const policy_world *w;
    const policy_draft *d;
    problems *out;
    const cel_ctype *claims;
    const cel_ctype **tools; /* by number in the world; NULL: not made yet */
    const str *names;        /* of the tools: "server/name" */
    struct map *by_name;     /* that name -> where it stands in `names` */
    size_t budget;           /* expressions that may still be compiled */
    lint_note *notes;        /* of this rule */
    unsigned round;          /* from 1 */
    const policy_scope *scope;
    const cel_ctype **shapes; /* of the scope's variables */
} lint;

/* One expression in one round. */
typedef struct {
    lint *l;
    const rule_node *rule; /* NULL: a var on its own */
    const policy_scope *scope;
    const policy_tool *tool; /* NULL: a round without */
    const cel_ctype *args;   /* of the tool */
    const yaml_node *n;      /* the scalar */
    const cel_node *root;
    str argument; /* {0}: `when`, a var; else whose condition it is */
} lint_expr;

/* What is wrong with `length` bytes from `offset` of the expression. An `always` one counts
 * although other tools are fine. */
typedef struct {
    const char *code; /* "error E201" */
    size_t offset, length;
    str text, hint, fix;
    bool always;
} lint_said;
void lint_say(const lint_expr *e, lint_said s);
/* What was said in every round, or counts anyway, becomes problems; the rounds are over. */
void lint_flush(lint *l);
void lint_say_node(const lint_expr *e, const cel_node *n, const char *code, str text, str hint);
/* The key of an entry as a scalar of its own, to point at. */
const yaml_node *lint_key(lint *l, const yaml_node *n);
/* About a node of the file, at once. */
void lint_tell(lint *l, const policy_source *source, const yaml_node *n, const char *code, str text,
               str hint);

void lint_enter(lint *l, const policy_scope *scope); /* before expressions of it are opened */
/* The tree with the types of this round, what does not fit said already; false: there is none. */
bool lint_open(lint_expr *e, const yaml_node *n, bool is_argument);
/* The same for a var the expression reads; false: not a var, or it cannot be read. */
bool lint_open_var(const lint_expr *e, size_t slot, lint_expr *var);
str lint_source(const lint_expr *e, const cel_node *n); /* as it was written */
bool lint_is_call(const cel_node *n, const char *name, uint32_t args);
bool lint_is_text(const cel_node *n); /* a literal string */
/* "args.path", jwt.groups, whatever way it was written; vars as what they stand for. */
str lint_spell(const lint_expr *e, const cel_node *n);

/* The walks */
void lint_walk(const lint_expr *e, int sense); /* sense: 1 when true opens, -1 when it shuts */
void lint_failing(const lint_expr *e);         /* what a forbid stumbles over */
void lint_cost(const lint_expr *e);
void lint_pattern(const lint_expr *e, const cel_node *call, int sense);
void lint_text_test(const lint_expr *e, const cel_node *call, int sense);

/* Conditions taken apart: what must all be true. */
typedef struct {
    lint_expr e;
    const cel_node *node; /* NULL: one of `values` */
    bool negated;
    str spelled; /* with `not` before it when negated */
    const rule_constraint *among;
    const yaml_node *where;
} lint_term;
typedef struct {
    lint_term *list;
    size_t count, cap;
} lint_terms;
void lint_terms_of_rule(lint *l, const rule_node *rule, const policy_tool *tool, lint_terms *t);
void lint_terms_of_node(const lint_expr *e, const cel_node *n, bool negated, lint_terms *t);
/* Can they not all be true? Gives the one that contradicts what stands before it, and why. */
const lint_term *lint_contradiction(arena *a, const lint_terms *t, str *why, str *hint);
bool lint_odd_alone(arena *a, const lint_term *one); /* without any other */

void lint_rule(lint *l, const rule_node *r);
void lint_set(lint *l); /* what rules say to each other and to the inventory */
void lint_tests(lint *l);
/* Numbers of the tools a pattern names, at most `most`, added behind the `count` there are. */
size_t lint_tools_named(const lint *l, str pattern, size_t *list, size_t count, size_t most);
const str *lint_tool_names(const lint *l, const policy_tool *t); /* arguments, ends with {0} */
#endif
