/* SPDX-License-Identifier: Apache-2.0 */
/* policy_verb.h - what can be typed after `sallyport policy`, a file each.
 *
 * Exit codes: 0 fine, 1 findings (a mistake, a failed test, a forbidden difference), 2 the command
 * line itself. Results go to stdout, problems to stderr; none of them needs a running gateway. */
#ifndef SP_POLICY_VERB_H
#define SP_POLICY_VERB_H
#include "../../authz/policy/case.h"
#include "../../authz/policy/world.h"
#include "command.h"

extern const command policy_verbs[]; /* ends with {0} */

int policy_verb_check(arena *a, int argc, char **argv);
int policy_verb_test(arena *a, int argc, char **argv);
int policy_verb_explain(arena *a, int argc, char **argv);
int policy_verb_diff(arena *a, int argc, char **argv);
int policy_verb_who(arena *a, int argc, char **argv);
int policy_verb_can(arena *a, int argc, char **argv);
int policy_verb_eval(arena *a, int argc, char **argv);
int policy_verb_fmt(arena *a, int argc, char **argv);
int policy_verb_import(arena *a, int argc, char **argv);
int policy_verb_lsp(arena *a, int argc, char **argv);
int policy_verb_help(arena *a, int argc, char **argv);

MUST_CHECK const err *policy_verb_sources(arena *a, const char *const *names, int count,
                                          const policy_source **sources);
/* What a configuration and an inventory say; each may be NULL. */
MUST_CHECK const err *policy_verb_world(arena *a, const char *settings, const char *inventory,
                                        policy_world *w);
/* The rules of the named files together. 0, or the exit code after what is wrong was printed. */
int policy_verb_load(arena *a, const char *const *names, int count, policy **rules);
/* Reads a file with one of case.h's readers; likewise. */
int policy_verb_read_case(arena *a, const char *name,
                          bool (*read)(arena *a, const policy_source *source, problems *out,
                                       policy_case *c),
                          policy_case *c);
/* `where`: a file, a directory (its *.yaml), or a pattern. Ends with {0}. */
const str *policy_verb_files(arena *a, const char *where);
int policy_verb_load_set(arena *a, const char *where, policy **rules);
#endif
