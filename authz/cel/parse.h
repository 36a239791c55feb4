/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h - an expression to a tree, macros expanded.
 *
 * Bad literals are all noted; the first mistake of grammar ends the parse. Nesting is bounded by
 * the limits and the height of the tree by CEL_HEIGHT, so that no later pass recurses deeper. */
#ifndef SP_CEL_PARSE_H
#define SP_CEL_PARSE_H
#include "ast.h"

/* NULL when something was noted that leaves no tree. */
cel_node *cel_parse(cel_notes *notes, str source, const cel_limits *limits);

/* For macro.c: a call as it was written. Gives the call back, or what it stands for, or NULL
 * after noting why it stands for nothing. */
cel_node *cel_expand(cel_notes *notes, cel_node *call);

/* A macro's name, for guesses at what was meant; NULL past the last. */
const char *cel_macro_name(size_t i);

cel_node *cel_node_new(cel_notes *notes, cel_node_kind kind, uint32_t offset);
/* Sets the height of a node from its kids'; false when it is too high, which is then noted. */
bool cel_node_close(cel_notes *notes, cel_node *n);
bool cel_node_raise(cel_notes *notes, cel_node *n, unsigned height); /* the same, to this height */
#endif
