/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - an unknown with a number points to what is said of it.
 *
 * The number is that of the member, from 1, and means something only where it is sure that the
 * value is that member and nothing made of it: the evaluator looks at it where an operand is a
 * path or a variable. Bounds decide only below 2^53, where ints and doubles are one line. */
#include "known.h"
#include "compare.h"
#include "eval.h"

static const double EXACT = 9007199254740992.0;

const cel_hint *cel_known_member(const cel_known *k, str name)
{
    for (size_t i = 0; i < k->count; i++)
        if (str_eq(k->members[i].name, name)) return &k->members[i];
    return NULL;
}

cel_presence cel_known_presence(const cel_known *k, str name)
{
    const cel_hint *h = cel_known_member(k, name);
    if (h) return h->presence;
    return k->closed ? CEL_ABSENT : CEL_MAYBE;
}

cel_value cel_known_value(const cel_known *k, str name)
{
    const cel_hint *h = cel_known_member(k, name);
    if (h ? h->presence == CEL_ABSENT : k->closed) return cel_failed(CEL_NO_SUCH_KEY);
    if (h && h->value.tag != CEL_UNBOUND) return h->value;
    cel_value v = cel_unknown(k->slot);
    if (h) v.n = (uint32_t)(h - k->members) + 1;
    return v;
}

/* Numbers */

bool cel_is_exact(cel_value v)
{
    switch (v.tag) {
    case CEL_INT: return v.u.i < (int64_t)EXACT && v.u.i > -(int64_t)EXACT;
    case CEL_UINT: return v.u.u < (uint64_t)EXACT;
    case CEL_DOUBLE: return v.u.d < EXACT && v.u.d > -EXACT;
    default: return false;
    }
}

/* Where a number within the bounds can lie, seen from v. */
typedef struct {
    bool less, same, more;
} chances;

static chances chances_of(const cel_hint *h, cel_value v)
{
    chances c = {true, true, true};
    if (!cel_is_exact(v)) return c;
    if (cel_is_exact(h->least)) {
        cel_ordering at = cel_order(h->least, v);
        c.less = at == CEL_LESS;
        c.same = at == CEL_LESS || (at == CEL_SAME && !h->above);
    }
    if (cel_is_exact(h->most)) {
        cel_ordering at = cel_order(h->most, v);
        c.more = at == CEL_MORE;
        c.same &= at == CEL_MORE || (at == CEL_SAME && !h->below);
    }
    return c;
}

bool cel_hint_allows(const cel_hint *h, cel_value v)
{
    return chances_of(h, v).same;
}

static bool decide(bool may_be, bool may_not_be, bool *answer)
{
    *answer = may_be;
    return may_be != may_not_be;
}

/* False: the bounds do not decide. What is no number is equal to none, and in no order to any. */
static bool compared(cel_op op, chances c, bool *answer)
{
    switch (op) {
    case OP_EQ: *answer = false; return !c.same;
    case OP_NE: *answer = true; return !c.same;
    case OP_LT: return decide(c.less, c.same || c.more, answer);
    case OP_LE: return decide(c.less || c.same, c.more, answer);
    case OP_GT: return decide(c.more, c.same || c.less, answer);
    case OP_GE: return decide(c.more || c.same, c.less, answer);
    default: return false;
    }
}

/* What is said of the value of this operand. */
static const cel_hint *hint_of(const cel_known *k, const cel_node *n, cel_value v)
{
    bool itself = n->kind == NODE_PATH || n->kind == NODE_VAR;
    return itself && v.tag == CEL_UNKNOWN && v.n && v.n <= k->count ? &k->members[v.n - 1] : NULL;
}

cel_value cel_known_compared(const cel_known *k, const cel_node *n, cel_value a, cel_value b)
{
    const cel_hint *left = hint_of(k, n->kids[0], a), *right = hint_of(k, n->kids[1], b);
    cel_op op = (cel_op)n->op;
    bool answer = false, decided = false;
    if (left && !cel_special(b)) decided = compared(op, chances_of(left, b), &answer);
    if (right && !cel_special(a))
        decided = compared(cel_op_turned(op), chances_of(right, a), &answer);
    return decided ? cel_bool(answer) : cel_strict(a, b);
}

cel_value cel_known_contained(const cel_known *k, const cel_node *n, cel_value x, cel_value in)
{
    const cel_hint *h = hint_of(k, n->kids[0], x);
    bool some = !h || in.tag != CEL_LIST;
    for (size_t i = 0; !some && i < cel_count(in); i++)
        some = cel_special(cel_item(in, i)) || chances_of(h, cel_item(in, i)).same;
    return some ? cel_strict(x, in) : cel_bool(false);
}

cel_value cel_known_present(const cel_known *k, str name)
{
    cel_presence p = cel_known_presence(k, name);
    return p == CEL_MAYBE ? cel_unknown(k->slot) : cel_bool(p == CEL_PRESENT);
}
