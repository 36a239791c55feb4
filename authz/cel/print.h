/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - an expression in the one layout every expression has.
 *
 * Spaces stand where the grammar of CEL separates things, parentheses only where the tree would be
 * another without them; words, literals (with their kind of quotes), macros, comments and line
 * breaks stay as they were written. Printing what was printed changes nothing.
 * Ownership: trees and texts live in the arena; they may be views of the source. */
#ifndef SP_CEL_PRINT_H
#define SP_CEL_PRINT_H
#include "ast.h"

/* The tree as it was parsed, nothing resolved; *root is NULL when there are problems. */
const cel_problem *cel_tree(arena *a, str source, cel_node **root);
/* Do the two trees say the same? Where they stood in their sources does not matter. */
bool cel_same_tree(const cel_node *x, const cel_node *y);

/* The expression laid out: in one line, unless it was written in several or is longer than
 * `width` (0: any length is fine), when it is broken before its outermost && or ||. */
const cel_problem *cel_print(arena *a, str source, size_t width, str *out);
#endif
