/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - everything that can be said about policy files before they meet a request.
 *
 * Loading finds what cannot be read. The checker goes on: with the types of claims and of every
 * tool's arguments it looks for what can be read and is still not meant. The command line, the
 * gateway's reload and the language server all ask here, so they all say the same.
 * A warning is a problem whose words begin so; it refuses nothing.
 * Bounded by the size of the files and of the world, with a budget for expressions times tools.
 * Ownership: the policy is the arena's, problems are those of `out`. */
#ifndef SP_POLICY_CHECK_H
#define SP_POLICY_CHECK_H
#include "policy.h"
#include "world.h"

/* Adds errors and warnings to `out`; *p is NULL if there is an error. */
void policy_check(arena *a, const policy_source *sources, size_t count, const policy_world *w,
                  problems *out, policy **p);

bool policy_is_warning(const problem *p);

typedef struct {
    bool is_error;
    str file;
    unsigned line, column, width; /* from 1, in characters; line 0: it has no place */
    str code;                     /* "E101" */
    str text, hint;               /* what is wrong; what to write instead, or {0} */
    str fix;                      /* what to write in place of those characters; {0}: not known */
} policy_finding;

/* The problems as findings: sorted by file, place and code, each once. */
const policy_finding *policy_findings(arena *a, const problems *p, size_t *count);

/* What the codes mean, in order. */
typedef struct {
    const char *code, *title, *text;
    const char *wrong, *right; /* an example in YAML; right NULL: there is no one way to mend it */
} policy_code;
extern const policy_code policy_codes[];       /* ends with {0} */
const policy_code *policy_code_find(str code); /* in any case; NULL: there is none */
str policy_codes_page(arena *a);               /* all of them, as Markdown: docs/checks.md */
#endif
