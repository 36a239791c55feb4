/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - what can be done once is done once, after the check.
 *
 * Chains of members over a variable become one path, literal lists and maps and calls over
 * constants become constants, `x in [literals]` a set, matches() with a constant pattern a
 * compiled pattern. A literal that is a bad pattern, zone, address or range is noted. A constant
 * that would be an error stays as it was written: it errors when, and only if, it is evaluated. */
#ifndef SP_CEL_PLAN_H
#define SP_CEL_PLAN_H
#include "ast.h"
#include "cel.h"
#include "zone.h"

/* `zones` learns the names the tree has as literals. */
void cel_plan(cel_notes *notes, cel_node *root, bool checked, cel_zone_book *zones);

/* Paths that begin alike share their beginning: it is walked once in a run. Gives how many places
 * a run wants to keep what it finds there. */
uint32_t cel_share_paths(arena *a, cel_node *root);

/* Every (slot, first member) the tree reads, each once. */
const cel_read *cel_collect_reads(arena *a, const cel_node *root, size_t *count);

/* NULL unless all items are strings. */
const cel_set *cel_set_new(arena *a, cel_value list);
bool cel_set_has(const cel_set *s, str text);
#endif
