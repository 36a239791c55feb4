/* SPDX-License-Identifier: Apache-2.0 */
/* eval.h - between the files of the evaluator.
 *
 * Every function gives a value, an error or an unknown. Those that take values (not nodes) want
 * them free of errors and unknowns: cel_strict sorts these out first. */
#ifndef SP_CEL_EVAL_H
#define SP_CEL_EVAL_H
#include "ast.h"
#include "cel.h"
#include "known.h"
#include "library.h"

typedef struct {
    cel_scope scope;
    const cel_bindings *bindings;
    cel_value places[CEL_PLACES + 1]; /* CEL_UNBOUND until a path came by; 0 is no place */
    cel_value locals[CEL_LOCALS];     /* set before they are read; never cleared as a whole */
} cel_run;

cel_value cel_run_node(cel_run *r, const cel_node *n);
cel_value cel_run_fold(cel_run *r, const cel_node *n);
cel_value cel_run_list(cel_run *r, const cel_node *n);
cel_value cel_run_map(cel_run *r, const cel_node *n);

static inline bool cel_special(cel_value v)
{
    return v.tag >= CEL_ERROR;
}

static inline cel_value cel_error_at(cel_error code, uint32_t at)
{
    return (cel_value){.tag = CEL_ERROR, .code = (uint16_t)code, .n = at};
}

/* What a strict operation over a and b gives when either is special: an error before an unknown. */
static inline cel_value cel_strict(cel_value a, cel_value b)
{
    if (a.tag == CEL_ERROR) return a;
    if (b.tag == CEL_ERROR) return b;
    if (a.tag != CEL_UNKNOWN) return b;
    if (b.tag == CEL_UNKNOWN) a.u.unknown |= b.u.unknown;
    return a;
}

cel_value cel_arith(cel_scope *s, const cel_node *n, cel_value a, cel_value b);
cel_value cel_negate(const cel_node *n, cel_value v);

/* `maybe`: absent gives optional.none() and present an optional, instead of error and value. */
cel_value cel_member(cel_scope *s, cel_value of, cel_key key, bool maybe);
cel_value cel_index(cel_scope *s, const cel_node *n, cel_value of, cel_value key);
cel_value cel_present(cel_scope *s, cel_value of, cel_key key);
cel_value cel_contained(cel_scope *s, const cel_node *n, cel_value x, cel_value in);

/* known.c: the same where an operand is special, with what is known of an unknown. */
cel_value cel_known_compared(const cel_known *k, const cel_node *n, cel_value a, cel_value b);
cel_value cel_known_contained(const cel_known *k, const cel_node *n, cel_value x, cel_value in);
cel_value cel_known_present(const cel_known *k, str name);
#endif
