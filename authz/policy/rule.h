/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - rules as they are kept, between the files of the policy engine.
 *
 * Rules are sorted by (effect, id): whatever the order in the files, they are met in one order.
 * Ownership: all of it lives in the policy's arena, immutable once loaded. */
#ifndef SP_POLICY_RULE_H
#define SP_POLICY_RULE_H
#include "../cel/cel.h"
#include "case_kept.h"
#include "facts.h"
#include "mask.h"
#include "policy.h"
#include "quota_rule.h"

/* In the order they are evaluated. */
typedef enum { RULE_FORBID, RULE_REQUIRE, RULE_PERMIT } rule_effect;

typedef struct {
    str name;             /* of the argument */
    bool optional;        /* absent is fine: no obstacle to a permit, no offence to a forbid */
    cel_program *program; /* over `this`; NULL: one of the values */
    str source;
    const cel_value *values;
    size_t count;
} rule_constraint;

typedef struct {
    rule_effect effect;
    str id, place;              /* place: "file:line" */
    const str *names[SUBJECTS]; /* globs, each ends with {0}; NULL: none of that kind */
    cel_program *when;          /* NULL: always */
    str when_source;
    const str *scopes; /* ends with {0}; never NULL */
    const rule_constraint *constraints;
    size_t constraint_count;
    bool only_named_args;
    str message;
    uint64_t reads;   /* bit per fact, those of its vars included */
    size_t arguments; /* in how many places it asks about arguments */
} policy_rule;

typedef struct {
    str name, source, place;
    cel_program *program;
    uint64_t reads;
    unsigned depth; /* of vars that read vars */
    const yaml_node *written;
} policy_var;

/* Rules by what they name. */
typedef struct policy_index policy_index;
typedef void policy_hit_fn(void *ctx, size_t rule);
typedef void policy_part_fn(void *ctx, size_t rule, bool whole);
policy_index *policy_index_new(arena *a);
void policy_index_add(policy_index *ix, subject_kind kind, str pattern, size_t rule);
void policy_index_find(const policy_index *ix, subject_kind kind, str server, str name,
                       policy_hit_fn *fn, void *ctx);
/* The rules that name some URI a template of that server makes; whole: all of them. */
void policy_index_find_template(const policy_index *ix, str server, str template, arena *scratch,
                                policy_part_fn *fn, void *ctx);

struct policy {
    const policy_rule *rules;
    size_t count;
    const policy_var *vars; /* the slot of number i is FACTS + i */
    size_t var_count;
    policy_index *index;
    str revision;
    bool varies[SUBJECTS];      /* by caller */
    const policy_quota *quotas; /* sorted by id */
    size_t quota_count;
    policy_index *quota_index;
    const policy_mask *masks;
    size_t mask_count;
    const policy_case *cases;
    size_t case_count;
};

/* Reading files. What was read remembers how it was written, for the checker (check.h). */
struct policy_scope;
typedef struct rule_node {
    policy_rule rule;
    const yaml_node *written;
    struct policy_scope *scope; /* what may be named in its file */
    struct rule_node *next;
} rule_node;
typedef struct var_node {
    policy_var var;
    struct policy_scope *scope;
    struct var_node *next;
} var_node;

typedef struct quota_node {
    policy_quota quota;
    const yaml_node *written;
    struct policy_scope *scope;
    struct quota_node *next;
} quota_node;

typedef struct case_node {
    policy_case test;
    const yaml_node *written;
    const policy_source *source;
    struct case_node *next;
} case_node;

/* What all files together have given so far. */
typedef struct {
    arena *a;
    problems *out;
    rule_node *rules, **rules_end;
    var_node *vars, **vars_end;
    quota_node *quotas, **quotas_end;
    struct mask_node *masks, **masks_end; /* mask_read.h */
    case_node *cases, **cases_end;
    size_t rule_count, var_count, quota_count, mask_count, case_count;
    struct map *ids, *quota_ids; /* id -> policy_rule, policy_quota */
    cel_zones zones;
} policy_draft;

/* quota_rule.c: a value as units of a quota; false: it is none. */
bool policy_quota_units(cel_value v, bool money, int64_t *units);
/* The key and the limit for the question of these facts. */
void policy_quota_tell(policy_facts *f, const policy_quota *q, policy_due *due);

/* Everything in the files that could be read; problems are in d->out. */
void policy_draft_read(policy_draft *d, arena *a, const policy_source *sources, size_t count,
                       const cel_zones *zones, problems *out);
policy *policy_of_draft(const policy_draft *d, const policy_source *sources, size_t count);
void policy_file_read(policy_draft *d, const policy_source *source);
/* case.c: reads `tests:` of the file whose problems are being noted. */
void policy_test_read(policy_draft *d, const policy_source *source, const yaml_node *tests);
#endif
