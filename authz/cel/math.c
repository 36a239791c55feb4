/* SPDX-License-Identifier: Apache-2.0 */
/* math.c - the extension functions over numbers.
 *
 * A shift by 64 or more gives 0 and one by less than none is an error; an int shifts right as a
 * uint does, without its sign. Halves round away from zero. */
#include "compare.h"
#include "library.h"
#include <math.h>

static cel_value of_double(double d)
{
    return (cel_value){.tag = CEL_DOUBLE, .u.d = d};
}

static bool is_number(cel_value v)
{
    return v.tag == CEL_INT || v.tag == CEL_UINT || v.tag == CEL_DOUBLE;
}

/* The one of `best` and `v` that is wanted; the first of two that are the same. */
static cel_value better(cel_value best, cel_value v, cel_ordering wanted)
{
    if (v.tag == CEL_UNKNOWN) return v;
    if (!is_number(v)) return cel_failed(CEL_NO_SUCH_OVERLOAD);
    if (best.tag == CEL_UNBOUND) return v;
    return cel_order(v, best) == wanted ? v : best;
}

static size_t count_of(const cel_value *args)
{
    size_t n = 0;
    while (args[n].tag != CEL_UNBOUND) n++;
    return n;
}

/* greatest and least; op: of the arguments, 0 for one list. */
static cel_value extreme(cel_scope *s, const cel_function *f, const cel_value *args,
                         cel_ordering wanted)
{
    size_t count = f->op ? count_of(args) : cel_count(args[0]);
    cel_value best = {.tag = CEL_UNBOUND};
    if (!cel_spend(s, 16 * count)) return cel_failed(CEL_COST_EXCEEDED);
    for (size_t i = 0; i < count; i++) {
        best = better(best, f->op ? args[i] : cel_item(args[0], i), wanted);
        if (!is_number(best)) return best;
    }
    return count ? best : cel_failed(CEL_BAD_ARGUMENT);
}

cel_value cel_fn_greatest(cel_scope *s, const cel_function *f, const cel_value *args)
{
    return extreme(s, f, args, CEL_MORE);
}

cel_value cel_fn_least(cel_scope *s, const cel_function *f, const cel_value *args)
{
    return extreme(s, f, args, CEL_LESS);
}

cel_value cel_fn_rounding(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s;
    double d = args[0].tag == CEL_INT    ? (double)args[0].u.i
               : args[0].tag == CEL_UINT ? (double)args[0].u.u
                                         : args[0].u.d;
    switch ((cel_rounding)f->op) {
    case MATH_CEIL: return of_double(ceil(d));
    case MATH_FLOOR: return of_double(floor(d));
    case MATH_ROUND: return of_double(round(d));
    case MATH_TRUNC: return of_double(trunc(d));
    case MATH_SQRT: return of_double(sqrt(d));
    case MATH_IS_NAN: return cel_bool(isnan(d));
    case MATH_IS_INF: return cel_bool(isinf(d));
    case MATH_IS_FINITE: return cel_bool(isfinite(d));
    }
    return cel_failed(CEL_NO_SUCH_OVERLOAD);
}

cel_value cel_fn_abs(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    if (args[0].tag == CEL_DOUBLE) return of_double(fabs(args[0].u.d));
    if (args[0].tag == CEL_UINT || args[0].u.i >= 0) return args[0];
    return args[0].u.i == INT64_MIN ? cel_failed(CEL_OVERFLOW) : cel_int(-args[0].u.i);
}

cel_value cel_fn_sign(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    cel_value v = args[0];
    if (v.tag == CEL_INT) return cel_int((v.u.i > 0) - (v.u.i < 0));
    if (v.tag == CEL_UINT) return (cel_value){.tag = CEL_UINT, .u.u = v.u.u > 0};
    return isnan(v.u.d) ? v : of_double((v.u.d > 0) - (v.u.d < 0));
}

/* Both kinds of whole number by their bits; the tag stays that of the first argument. */
cel_value cel_fn_bits(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s;
    cel_value v = args[0];
    uint64_t other = 0;
    if (f->op != MATH_NOT) other = args[1].u.u;
    switch ((cel_bits)f->op) {
    case MATH_AND: v.u.u &= other; return v;
    case MATH_OR: v.u.u |= other; return v;
    case MATH_XOR: v.u.u ^= other; return v;
    case MATH_NOT: v.u.u = ~v.u.u; return v;
    case MATH_LEFT:
    case MATH_RIGHT: break;
    }
    if (args[1].u.i < 0) return cel_failed(CEL_BAD_ARGUMENT);
    v.u.u = other > 63 ? 0 : f->op == MATH_LEFT ? v.u.u << other : v.u.u >> other;
    return v;
}
