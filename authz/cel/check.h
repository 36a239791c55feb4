/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - what the names mean and whether the types fit; every problem at once.
 *
 * After it no NODE_NAME is left, every node has a type, calls point at their rows of the library
 * and macro variables have slots. An unchecked program gets NODE_FAIL where a name is unknown
 * and dyn where types do not fit: it errors when it gets there. */
#ifndef SP_CEL_CHECK_H
#define SP_CEL_CHECK_H
#include "ast.h"
#include "cel.h"

void cel_check(cel_notes *notes, cel_node *root, const cel_env *env, const cel_options *options);

/* The tree with its names and types, nothing planned: for those who look for more than mistakes.
 * NULL when it cannot be parsed; with problems of names and types it is there, dyn where they are.
 */
const cel_problem *cel_checked_tree(arena *a, str source, const cel_env *env,
                                    const cel_options *options, cel_node **root);

/* Between check.c (nodes) and resolve.c (names and overloads). */
typedef struct {
    str name;
    uint32_t slot;
    const cel_ctype *type;
    cel_node **init; /* cel.bind: the initialiser */
} cel_local;

typedef struct {
    cel_notes *notes;
    const cel_env *env;
    const cel_options *options;
    cel_types types;
    cel_local locals[CEL_LOCALS];
    uint32_t depth, slots; /* locals in scope; slots given out, never twice: cel.bind is lazy */
    bool dotted;           /* some variable's name has a dot */
} cel_checker;

void cel_complain(cel_checker *c, const cel_node *n, const char *code, str text, str hint);
/* A name or chain of members that is a variable, a local or a type: the node becomes that. */
bool cel_resolve_name(cel_checker *c, cel_node *n);
void cel_unknown_name(cel_checker *c, cel_node *n);
/* A call's rows and result type; its arguments are checked already. */
void cel_resolve_call(cel_checker *c, cel_node *n);
/* optional.of(x): a receiver that is only a namespace is taken off. */
void cel_resolve_namespace(cel_checker *c, cel_node *n);
void cel_resolve_operator(cel_checker *c, cel_node *n, const char *symbol,
                          const char *const *signatures);
#endif
