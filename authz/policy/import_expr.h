/* SPDX-License-Identifier: Apache-2.0 */
/* import_expr.h - another gateway's condition, with our names in it.
 *
 * The tree says where a name stands for a fact; what stands there in the text is replaced. A
 * condition is kept only when every fact it reads has a counterpart and the result compiles. */
#ifndef SP_POLICY_IMPORT_EXPR_H
#define SP_POLICY_IMPORT_EXPR_H
#include "../../base/err.h"

typedef struct {
    const char *from, *to; /* "request.mcp.tool", "tool.name" */
} import_name;             /* lists end with {0} */

typedef struct {
    const import_name *names;
    const char *const
        *roots;   /* all variables there are over there, known here or not; ends with NULL */
    bool doubles; /* numbers in arguments are floating point there */
} import_dialect;

typedef enum {
    IMPORT_KEPT,
    IMPORT_NEVER, /* no condition: it can match nothing */
    IMPORT_LOST
} import_fate;

/* LOST: *why says what has no counterpart. */
import_fate import_expression(arena *a, const import_dialect *d, str source, str *out, str *why);
import_fate import_compile(arena *a, str source, str *why); /* of an expression in our names */
/* Does the expression read what begins so: "mcp.tool"? `within_has`: has(mcp.tool) alone counts. */
bool import_reads(arena *a, str source, const char *path, bool within_has);
#endif
