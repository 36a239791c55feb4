/* SPDX-License-Identifier: Apache-2.0 */
/* scope.h - scopes as OAuth writes them: words with spaces between (RFC 6749 3.3).
 *
 * Pure. Threads: any. */
#ifndef SP_MCP_SCOPE_H
#define SP_MCP_SCOPE_H
#include "../base/arena.h"

bool scope_covers(str have, str wanted); /* every word of `wanted` is in `have` */
/* Those of `first`, then what `more` adds; in the arena. What is no scope word is left out, and so
 * is what would make it longer than SCOPE_MOST. */
str scope_union(arena *a, str first, str more);
enum { SCOPE_MOST = 2048 };
#endif
