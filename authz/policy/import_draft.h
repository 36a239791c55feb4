/* SPDX-License-Identifier: Apache-2.0 */
/* import_draft.h - what an import has gathered so far; private to the importers.
 *
 * An importer is given one document of YAML at a time and adds rules; it notes what it leaves out.
 * Expressions are texts here: they are put together with && and parentheses, and laid out by the
 * formatter at the end. */
#ifndef SP_POLICY_IMPORT_DRAFT_H
#define SP_POLICY_IMPORT_DRAFT_H
#include "import_expr.h"
#include "rule.h"

typedef struct import_rule import_rule;
struct import_rule {
    rule_effect effect;
    str id, when, message, note; /* {0}: none */
    const str *names[SUBJECTS];  /* patterns, end with {0} */
    const str *scopes;           /* ends with {0} */
    import_rule *next;
};

typedef struct {
    arena *a;
    problems *notes;
    str file;
    unsigned lines_before; /* of the file, before the document */
    import_rule *rules, **rules_end;
    struct map *ids, *servers, *guards;
    size_t count;
    bool survey;  /* the first of two rounds: servers are counted, nothing else */
    bool blocked; /* something was not understood that may narrow everything: no permits */
} import_draft;

void import_note(import_draft *d, const yaml_node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a copy; its id is made unique, and it notes where it comes from. */
void import_add(import_draft *d, const yaml_node *from, import_rule rule);

str import_text(const yaml_node *n); /* of a scalar, else {0} */
/* Is the list (or nothing) no longer than that? Else it is noted. */
bool import_bounded(import_draft *d, const yaml_node *list, size_t most);
bool import_fits(str when); /* may a rule have a condition as long as this? */
/* x && y, with the parentheses it takes; either may be {0}, which is true. */
str import_and(arena *a, str x, str y);
str import_or(arena *a, str x, str y); /* {0}: false */
/* For what meets `guard` alone: a require does not concern the rest. */
str import_guarded(arena *a, rule_effect effect, str guard, str when);
str import_quoted(arena *a, str text);             /* as a string of CEL */
str import_list(arena *a, const yaml_node *texts); /* ["a", "b"] */
/* Can it be part of a pattern that means itself alone? */
bool import_is_server(str name);
bool import_is_exact(str name);

/* A server that several routes lead to: what a request must be to come to which counts then. */
void import_count_server(import_draft *d, str server);
bool import_is_shared(const import_draft *d, str server);
bool import_claim_guard(import_draft *d, str guard); /* false: another route has it already */

void import_envoy(import_draft *d, const yaml_node *document);
void import_agentgateway(import_draft *d, const yaml_node *document);
#endif
