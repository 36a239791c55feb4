/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - rules, and the one function that answers a question with them.
 *
 * forbid true -> deny; forbid error -> deny; any applicable require not true -> deny; any permit
 * true -> permit; else deny. Order of rules and files never matters. The same function answers
 * calls and lists: in a list, unknown keeps a forbid from hiding, a require and a permit from
 * failing. Rules are indexed by what they name, so a question meets only those that could apply.
 * Ownership: a policy lives in its arena, immutable: any thread may ask. Answers live in the
 * scratch arena given. */
#ifndef SP_POLICY_H
#define SP_POLICY_H
#include "../../base/yaml.h"
#include "../cel/cel.h"
#include "../question.h"

typedef struct policy policy;
typedef struct {
    str name, text; /* file name for messages; its bytes */
} policy_source;

/* Every problem of every file is added to `out` as "file:line:col: error E012: …"; *p is NULL if
 * any. `zones`: where time zones with names come from, asked while loading only; NULL: nowhere. */
void policy_load(arena *a, const policy_source *sources, size_t count, const cel_zones *zones,
                 problems *out, policy **p);
size_t policy_rule_count(const policy *p);
str policy_revision(const policy *p); /* 12 hex of the SHA-256 of all sources */

/* A caller's key is asked first: outside of its models and servers nothing is permitted. */
void policy_decide(const policy *p, const question *q, arena *scratch, verdict *out);

/* Does any rule that could apply to this kind read args (a tree must be built for it), or something
 * that differs between callers (the list is then private)? */
bool policy_reads_args(const policy *p, subject_kind kind, str server, str name);
bool policy_depends_on_caller(const policy *p, subject_kind kind);
/* Is it `jwt`, `args.path`, `http.headers["x-tenant"]`: a variable and a way into it? */
bool policy_is_attribute(str path);
/* "args.path"; member {0}: "args" */
str policy_attribute_path(arena *a, str fact, str member);

/* Glob of the contract: * any run, also of '/', ? one character; case-sensitive. */
bool policy_glob(str pattern, str text);
#endif
