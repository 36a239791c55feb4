/* SPDX-License-Identifier: Apache-2.0 */
/* optional.c - values that may be absent: optional.of(x), e.?f, orValue(). */
#include "compare.h"
#include "library.h"

cel_value cel_optional(cel_scope *s, cel_value inner)
{
    cel_value v = {.tag = CEL_OPAQUE, .code = CEL_T_OPTIONAL};
    if (inner.tag == CEL_UNBOUND) return v;
    cel_value *kept = NEW(s->scratch, cel_value);
    *kept = inner;
    v.u.inner = kept;
    return v;
}

cel_value cel_fn_optional_of(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    return cel_optional(s, args[0]);
}

cel_value cel_fn_optional_none(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f, (void)args;
    return cel_optional(s, (cel_value){0});
}

static bool is_zero(cel_value v)
{
    switch (v.tag) {
    case CEL_NULL: return true;
    case CEL_BOOL: return !v.u.b;
    case CEL_INT:
    case CEL_DURATION: return v.u.i == 0;
    case CEL_UINT: return v.u.u == 0;
    case CEL_DOUBLE: return !(v.u.d > 0) && !(v.u.d < 0) && v.u.d == v.u.d;
    case CEL_STRING:
    case CEL_BYTES: return v.n == 0;
    case CEL_LIST:
    case CEL_MAP: return cel_count(v) == 0;
    case CEL_TIMESTAMP: return v.u.i == 0 && v.n == 0;
    case CEL_OPAQUE: return !v.u.inner;
    default: return false;
    }
}

cel_value cel_fn_optional_non_zero(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)f;
    return cel_optional(s, is_zero(args[0]) ? (cel_value){0} : args[0]);
}

cel_value cel_fn_has_value(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return cel_bool(args[0].u.inner != NULL);
}

cel_value cel_fn_optional_value(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return args[0].u.inner ? *args[0].u.inner : cel_failed(CEL_NO_SUCH_KEY);
}

cel_value cel_fn_optional_or(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return args[0].u.inner ? args[0] : args[1];
}

cel_value cel_fn_optional_or_value(cel_scope *s, const cel_function *f, const cel_value *args)
{
    (void)s, (void)f;
    return args[0].u.inner ? *args[0].u.inner : args[1];
}
