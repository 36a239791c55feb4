/* SPDX-License-Identifier: Apache-2.0 */
/* regex.h - patterns of matches(): the plain ones by comparing, the rest by RE2.
 *
 * A pattern without operators but ^ at its start and $ at its end is equality, a prefix, a suffix
 * or a search; one class of plain characters may be repeated before the $. Ownership: the arena's;
 * immutable, any thread may match. */
#ifndef SP_CEL_REGEX_H
#define SP_CEL_REGEX_H
#include "ast.h"

enum { CEL_PATTERN_MOST = 1000 }; /* bytes of a pattern */

/* NULL when bad; *why is a short text in the arena. */
const cel_regex *cel_regex_new(arena *a, str pattern, str *why);
cel_value cel_regex_match(const cel_regex *r, str text);
/* A pattern known only now: made, used and forgotten. */
cel_value cel_regex_match_once(str pattern, str text);
#endif
