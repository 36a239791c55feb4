/* SPDX-License-Identifier: Apache-2.0 */
/* selector.h - which of a server's tools are offered: globs, or regular expressions as `/re/`.
 *
 * A glob is of the whole name; an expression (RE2) is searched for in it. Ownership: the arena's;
 * the patterns must live as long. Threads: any. */
#ifndef SP_MCP_SELECTOR_H
#define SP_MCP_SELECTOR_H
#include "../base/arena.h"

typedef struct selector selector;

/* `patterns` ends with {0}. An expression must have been found good before. */
const selector *selector_new(arena *a, const str *patterns);
/* NULL: one without patterns. An expression that cannot be matched counts as `unsure`. */
bool selector_takes(const selector *s, str name, bool unsure);
bool selector_is_empty(const selector *s);
/* Why the pattern is no good; {0}: it is. */
str selector_problem(arena *a, str pattern);
#endif
