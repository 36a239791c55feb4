/* SPDX-License-Identifier: Apache-2.0 */
/* operators.c - arithmetic, each step checked; no two number types ever mix.
 *
 * The smallest int divided by -1 traps the processor: the divisor is looked at first. */
#include "../../base/buf.h"
#include "compare.h"
#include "eval.h"
#include "times.h"

static cel_value int_arith(const cel_node *n, int64_t a, int64_t b)
{
    int64_t out;
    bool over = false;
    switch ((cel_op)n->op) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &out); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &out); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &out); break;
    default:
        if (b == 0) return cel_error_at(CEL_DIVIDE_BY_ZERO, n->at);
        if (a == INT64_MIN && b == -1) return cel_error_at(CEL_OVERFLOW, n->at);
        out = n->op == OP_DIV ? a / b : a % b;
    }
    return over ? cel_error_at(CEL_OVERFLOW, n->at) : cel_int(out);
}

static cel_value uint_arith(const cel_node *n, uint64_t a, uint64_t b)
{
    uint64_t out;
    bool over = false;
    switch ((cel_op)n->op) {
    case OP_ADD: over = __builtin_add_overflow(a, b, &out); break;
    case OP_SUB: over = __builtin_sub_overflow(a, b, &out); break;
    case OP_MUL: over = __builtin_mul_overflow(a, b, &out); break;
    default:
        if (b == 0) return cel_error_at(CEL_DIVIDE_BY_ZERO, n->at);
        out = n->op == OP_DIV ? a / b : a % b;
    }
    return over ? cel_error_at(CEL_OVERFLOW, n->at) : (cel_value){.tag = CEL_UINT, .u.u = out};
}

static double quotient(double a, double b)
{
    return a / b; /* by zero: infinity or NaN, as IEEE 754 has it */
}

static cel_value double_arith(const cel_node *n, double a, double b)
{
    double out;
    switch ((cel_op)n->op) {
    case OP_ADD: out = a + b; break;
    case OP_SUB: out = a - b; break;
    case OP_MUL: out = a * b; break;
    case OP_DIV: out = quotient(a, b); break;
    default: return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    }
    return (cel_value){.tag = CEL_DOUBLE, .u.d = out};
}

static cel_value joined_text(cel_scope *s, const cel_node *n, cel_value a, cel_value b)
{
    size_t size = (size_t)a.n + b.n;
    if (!b.n) return a;
    if (!a.n) return b;
    if (!cel_spend(s, size)) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    buf out = buf_new(s->scratch, size);
    (void)buf_need(&out, size);
    (void)buf_put(&out, cel_text(a));
    (void)buf_put(&out, cel_text(b));
    if (!buf_ok(&out)) return cel_error_at(CEL_OUT_OF_RANGE, n->at);
    cel_value v = cel_string(buf_str(&out));
    if (v.tag == CEL_ERROR) return cel_error_at(CEL_OUT_OF_RANGE, n->at);
    v.tag = a.tag;
    return v;
}

static cel_value joined_lists(cel_scope *s, const cel_node *n, cel_value a, cel_value b)
{
    size_t first = cel_count(a), second = cel_count(b);
    if (!second) return a;
    if (!first) return b;
    if (!cel_spend(s, 16 * (first + second))) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    cel_value *items = NEW_N(s->scratch, cel_value, first + second);
    for (size_t i = 0; i < first; i++) items[i] = cel_item(a, i);
    for (size_t i = 0; i < second; i++) items[first + i] = cel_item(b, i);
    cel_list *list = NEW(s->scratch, cel_list);
    *list = (cel_list){first + second, items};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

/* Times and durations: what the tags are decides the operation. */
static cel_value time_arith(const cel_node *n, cel_value a, cel_value b)
{
    bool add = n->op == OP_ADD, sub = n->op == OP_SUB;
    int64_t out;
    cel_value v = cel_failed(CEL_NO_SUCH_OVERLOAD);
    if (a.tag == CEL_DURATION && b.tag == CEL_DURATION && (add || sub)) {
        bool over = add ? __builtin_add_overflow(a.u.i, b.u.i, &out)
                        : __builtin_sub_overflow(a.u.i, b.u.i, &out);
        v = over ? cel_failed(CEL_OVERFLOW) : cel_duration_of(out);
    } else if (a.tag == CEL_TIMESTAMP && b.tag == CEL_TIMESTAMP && sub) {
        v = cel_time_since(a, b);
    } else if (a.tag == CEL_TIMESTAMP && b.tag == CEL_DURATION && (add || sub)) {
        bool over = __builtin_sub_overflow((int64_t)0, b.u.i, &out);
        v = add ? cel_time_plus(a, b.u.i) : over ? cel_failed(CEL_OVERFLOW) : cel_time_plus(a, out);
    } else if (a.tag == CEL_DURATION && b.tag == CEL_TIMESTAMP && add) {
        v = cel_time_plus(b, a.u.i);
    }
    if (v.tag == CEL_ERROR) v.n = n->at;
    return v;
}

cel_value cel_arith(cel_scope *s, const cel_node *n, cel_value a, cel_value b)
{
    if (a.tag == b.tag) {
        if (a.tag == CEL_INT) return int_arith(n, a.u.i, b.u.i);
        if (a.tag == CEL_UINT) return uint_arith(n, a.u.u, b.u.u);
        if (a.tag == CEL_DOUBLE) return double_arith(n, a.u.d, b.u.d);
        bool text = a.tag == CEL_STRING || a.tag == CEL_BYTES;
        if (text && n->op == OP_ADD) return joined_text(s, n, a, b);
        if (a.tag == CEL_LIST && n->op == OP_ADD) return joined_lists(s, n, a, b);
    }
    return time_arith(n, a, b);
}

cel_value cel_negate(const cel_node *n, cel_value v)
{
    if (v.tag == CEL_DOUBLE) return (cel_value){.tag = CEL_DOUBLE, .u.d = -v.u.d};
    if (v.tag != CEL_INT) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    if (v.u.i == INT64_MIN) return cel_error_at(CEL_OVERFLOW, n->at);
    return cel_int(-v.u.i);
}
