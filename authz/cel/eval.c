/* SPDX-License-Identifier: Apache-2.0 */
/* eval.c - a walk over the tree.
 *
 * Each node costs one from the budget; when it is spent every further node is an error, and
 * cel_eval turns the whole into that error, so that no || can absorb it. Recursion is bounded
 * by the height of the tree (CEL_HEIGHT), in which what a name is bound to counts where it is
 * read. Selecting, comparing and looking into lists of the
 * request allocate nothing. */
#include "eval.h"
#include "compare.h"
#include "regex.h"

/* Kept out of cel_run_node, which then has no frame of its own to speak of and jumps to one of
 * these: inlined, the largest of them taxes the smallest (a third of the time of a composite). */
#define APART __attribute__((noinline))

static inline __attribute__((always_inline)) cel_value variable(const cel_run *r, const cel_node *n)
{
    const cel_bindings *b = r->bindings;
    if (n->slot >= b->count) return cel_error_at(CEL_UNBOUND_VARIABLE, n->offset);
    cel_value v = b->values[n->slot];
    if (v.tag == CEL_UNBOUND && b->lazy) {
        v = b->lazy(b->ctx, n->slot);
        b->values[n->slot] = v;
    }
    return v.tag == CEL_UNBOUND ? cel_error_at(CEL_UNBOUND_VARIABLE, n->offset) : v;
}

/* A name bound by cel.bind is worked out when it is first read. */
static APART cel_value local(cel_run *r, const cel_node *n)
{
    if (n->kids && r->locals[n->slot].tag == CEL_UNBOUND) {
        cel_value v = cel_run_node(r, n->kids[0]);
        r->locals[n->slot] = v;
    }
    return r->locals[n->slot];
}

static inline cel_value step(cel_run *r, cel_value of, cel_key key)
{
    if (of.tag != CEL_MAP) return cel_member(&r->scope, of, key, false);
    cel_value found = cel_map_member(of, key.name);
    return found.tag == CEL_UNBOUND ? cel_error_at(CEL_NO_SUCH_KEY, key.at) : found;
}

/* Something may be known of the first member of an unknown; of what is inside that, nothing is. */
static APART cel_value path_of_unknown(cel_run *r, const cel_node *n, cel_value v, uint32_t at)
{
    const cel_known *k = r->bindings->known;
    if (k && k->slot == n->slot && at == 0 && n->count > 0) {
        cel_key first = n->x.keys[0];
        v = cel_known_value(k, first.name);
        if (v.tag == CEL_ERROR) v.n = first.at;
        for (at = 1; at < n->count && !cel_special(v); at++) v = step(r, v, n->x.keys[at]);
        if (n->count == 1) return v;
    }
    if (v.tag == CEL_UNKNOWN && n->count > 0) v.n = 0;
    return v;
}

static APART bool is_unknown(const cel_run *r, const cel_node *n)
{
    return variable(r, n).tag == CEL_UNKNOWN;
}

/* The variable of which something is known. */
static bool is_known(const cel_run *r, const cel_node *n)
{
    const cel_known *k = r->bindings->known;
    return k && n->kind == NODE_VAR && n->slot == k->slot && is_unknown(r, n);
}

static APART cel_value path(cel_run *r, const cel_node *n)
{
    const cel_key *keys = n->x.keys;
    uint32_t i = 0;
    if (n->flags & NODE_SHARED)
        for (i = n->count; i > 0 && r->places[keys[i - 1].place].tag == CEL_UNBOUND; i--) {
        }
    cel_value v = i ? r->places[keys[i - 1].place] : variable(r, n);
    r->scope.budget -= n->count;
    if (v.tag == CEL_UNKNOWN) return path_of_unknown(r, n, v, i);
    for (; i < n->count && !cel_special(v); i++) {
        v = step(r, v, keys[i]);
        /* an error says where it arose, which differs between the paths: it is not kept */
        if (keys[i].place && v.tag != CEL_ERROR) r->places[keys[i].place] = v;
    }
    return v;
}

/* An operand: nearly all are literals, not worth a call, and paths. */
static inline cel_value operand(cel_run *r, const cel_node *n)
{
    if (n->kind == NODE_PATH && --r->scope.budget >= 0) return path(r, n);
    if (n->kind != NODE_CONST) return cel_run_node(r, n);
    r->scope.budget--;
    return n->value;
}

static APART cel_value compared(const cel_run *r, const cel_node *n, cel_value a, cel_value b)
{
    const cel_known *k = r->bindings->known;
    return k ? cel_known_compared(k, n, a, b) : cel_strict(a, b);
}

static APART cel_value equal(cel_run *r, const cel_node *n)
{
    cel_value a = operand(r, n->kids[0]), b = operand(r, n->kids[1]);
    if (cel_special(a) || cel_special(b)) return compared(r, n, a, b);
    bool same;
    if (a.tag == CEL_STRING && b.tag == CEL_STRING) {
        r->scope.budget -= a.n / 16;
        same = str_eq((str){a.u.s, a.n}, (str){b.u.s, b.n});
    } else {
        cel_effort e = {&r->scope.budget, 0};
        same = cel_same(a, b, &e);
        if (!same && e.unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = e.unknown};
    }
    return cel_bool(same == (n->op == OP_EQ));
}

static APART cel_value order(cel_run *r, const cel_node *n)
{
    cel_value a = operand(r, n->kids[0]), b = operand(r, n->kids[1]);
    if (cel_special(a) || cel_special(b)) return compared(r, n, a, b);
    if (a.tag == CEL_STRING || a.tag == CEL_BYTES) r->scope.budget -= a.n / 16;
    cel_ordering o = cel_order(a, b);
    if (o == CEL_NO_ORDER) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    if (o == CEL_NOT_A_NUMBER) return cel_error_at(CEL_BAD_ARGUMENT, n->at);
    switch ((cel_op)n->op) {
    case OP_LT: return cel_bool(o == CEL_LESS);
    case OP_LE: return cel_bool(o != CEL_MORE);
    case OP_GT: return cel_bool(o == CEL_MORE);
    default: return cel_bool(o != CEL_LESS);
    }
}

/* && and ||: the value that decides wins over everything, then unknown, then error. */
static APART cel_value terms(cel_run *r, const cel_node *n, bool decides)
{
    cel_value seen = {.tag = CEL_UNBOUND};
    for (uint32_t i = 0; i < n->count; i++) {
        cel_value v = cel_run_node(r, n->kids[i]);
        if (v.tag == CEL_BOOL) {
            if (v.u.b == decides) return v;
            continue;
        }
        if (!cel_special(v)) v = cel_error_at(CEL_NO_SUCH_OVERLOAD, n->kids[i]->offset);
        if (v.tag == CEL_UNKNOWN && seen.tag == CEL_UNKNOWN) v.u.unknown |= seen.u.unknown;
        if (v.tag == CEL_UNKNOWN || seen.tag == CEL_UNBOUND) seen = v;
    }
    return seen.tag == CEL_UNBOUND ? cel_bool(!decides) : seen;
}

/* Not knowing the condition does not matter when both sides say the same, unless errors do. */
static APART cel_value conditional(cel_run *r, const cel_node *n)
{
    cel_value c = cel_run_node(r, n->kids[0]);
    if (c.tag == CEL_BOOL) return cel_run_node(r, n->kids[c.u.b ? 1 : 2]);
    if (c.tag == CEL_ERROR) return c;
    if (c.tag != CEL_UNKNOWN) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->kids[0]->offset);
    if (r->bindings->exact) return c;
    cel_value yes = cel_run_node(r, n->kids[1]);
    if (yes.tag != CEL_BOOL) return c;
    cel_value no = cel_run_node(r, n->kids[2]);
    return no.tag == CEL_BOOL && no.u.b == yes.u.b ? yes : c;
}

static cel_value dispatch(cel_run *r, const cel_node *n, cel_value *args)
{
    args[n->count].tag = CEL_UNBOUND;
    bool texts = n->op == CALL_TEXTS && args[0].tag == CEL_STRING && args[1].tag == CEL_STRING;
    const cel_function *f = texts ? n->x.function : cel_function_for(n, args);
    if (!f) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    cel_value v = f->run(&r->scope, f, args);
    if (v.tag == CEL_ERROR) v.n = n->at;
    return v;
}

/* `args` has room for one more than there are. */
static inline __attribute__((always_inline)) cel_value called(cel_run *r, const cel_node *n,
                                                              cel_value *args)
{
    cel_value bad = {.tag = CEL_UNBOUND};
    for (uint32_t i = 0; i < n->count; i++) {
        args[i] = operand(r, n->kids[i]);
        if (cel_special(args[i])) bad = bad.tag ? cel_strict(bad, args[i]) : args[i];
    }
    return bad.tag ? bad : dispatch(r, n, args);
}

/* Few functions take many arguments; the frame of the rest stays small. */
enum { FEW_ARGS = 4 };

static APART cel_value call_of_many(cel_run *r, const cel_node *n)
{
    cel_value args[CEL_ARGS + 1];
    return called(r, n, args);
}

static APART cel_value call(cel_run *r, const cel_node *n)
{
    cel_value args[FEW_ARGS + 1];
    return n->count > FEW_ARGS ? call_of_many(r, n) : called(r, n, args);
}

static APART cel_value matches(cel_run *r, const cel_node *n)
{
    cel_value text = cel_run_node(r, n->kids[0]);
    if (cel_special(text)) return text;
    if (text.tag != CEL_STRING) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    if (!cel_spend(&r->scope, text.n)) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    cel_value v = cel_regex_match(n->x.regex, cel_text(text));
    if (v.tag == CEL_ERROR) v.n = n->at;
    return v;
}

static APART cel_value subscript(cel_run *r, const cel_node *n)
{
    cel_value of = operand(r, n->kids[0]), key = operand(r, n->kids[1]);
    if (cel_special(of) || cel_special(key)) return cel_strict(of, key);
    return cel_index(&r->scope, n, of, key);
}

static cel_value known_option(cel_run *r, str name)
{
    cel_presence p = cel_known_presence(r->bindings->known, name);
    cel_value v = cel_known_value(r->bindings->known, name);
    if (p == CEL_ABSENT) return cel_optional(&r->scope, (cel_value){0});
    if (p == CEL_PRESENT && !cel_special(v)) return cel_optional(&r->scope, v);
    return cel_unknown(r->bindings->known->slot);
}

static APART cel_value selected(cel_run *r, const cel_node *n)
{
    if ((n->flags & NODE_MAYBE) && is_known(r, n->kids[0])) return known_option(r, n->name);
    cel_value of = cel_run_node(r, n->kids[0]);
    return cel_member(&r->scope, of, (cel_key){.name = n->name, .at = n->at},
                      n->flags & NODE_MAYBE);
}

static APART cel_value present(cel_run *r, const cel_node *n)
{
    if (is_known(r, n->kids[0])) return cel_known_present(r->bindings->known, n->name);
    return cel_present(&r->scope, cel_run_node(r, n->kids[0]),
                       (cel_key){.name = n->name, .at = n->at});
}

static APART cel_value bound(cel_run *r, const cel_node *n)
{
    r->locals[n->slot] = (cel_value){0};
    return cel_run_node(r, n->kids[1]);
}

static APART cel_value contained_unknown(const cel_run *r, const cel_node *n, cel_value x,
                                         cel_value in)
{
    const cel_known *k = r->bindings->known;
    if (!k) return cel_strict(x, in);
    if (x.tag == CEL_STRING && is_known(r, n->kids[1])) return cel_known_present(k, cel_text(x));
    return cel_known_contained(k, n, x, in);
}

static APART cel_value contained(cel_run *r, const cel_node *n)
{
    cel_value x = operand(r, n->kids[0]);
    cel_value in = n->x.set ? n->kids[1]->value : operand(r, n->kids[1]);
    if (cel_special(x) || cel_special(in)) return contained_unknown(r, n, x, in);
    return cel_contained(&r->scope, n, x, in);
}

static APART cel_value binary(cel_run *r, const cel_node *n)
{
    cel_value a = operand(r, n->kids[0]), b = operand(r, n->kids[1]);
    if (cel_special(a) || cel_special(b)) return cel_strict(a, b);
    return cel_arith(&r->scope, n, a, b);
}

static APART cel_value unary(cel_run *r, const cel_node *n)
{
    cel_value v = cel_run_node(r, n->kids[0]);
    if (cel_special(v)) return v;
    if (n->kind == NODE_NEGATE) return cel_negate(n, v);
    return v.tag == CEL_BOOL ? cel_bool(!v.u.b) : cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
}

cel_value cel_run_node(cel_run *r, const cel_node *n)
{
    if (--r->scope.budget < 0) return cel_error_at(CEL_COST_EXCEEDED, n->at);
    switch ((cel_node_kind)n->kind) {
    case NODE_CONST: return n->value;
    case NODE_PATH: return path(r, n);
    case NODE_EQUAL: return equal(r, n);
    case NODE_AND: return terms(r, n, false);
    case NODE_OR: return terms(r, n, true);
    case NODE_VAR: return path(r, n); /* one without keys */
    case NODE_LOCAL: return local(r, n);
    case NODE_SELECT: return selected(r, n);
    case NODE_HAS: return present(r, n);
    case NODE_INDEX: return subscript(r, n);
    case NODE_IN: return contained(r, n);
    case NODE_ORDER: return order(r, n);
    case NODE_NOT:
    case NODE_NEGATE: return unary(r, n);
    case NODE_ARITH: return binary(r, n);
    case NODE_IF: return conditional(r, n);
    case NODE_CALL: return call(r, n);
    case NODE_MATCHES: return matches(r, n);
    case NODE_FOLD: return cel_run_fold(r, n);
    case NODE_LIST: return cel_run_list(r, n);
    case NODE_MAP: return cel_run_map(r, n);
    case NODE_BIND: return bound(r, n);
    case NODE_FAIL: return n->value;
    case NODE_NAME: break; /* none is left after the check */
    }
    return cel_error_at(CEL_UNBOUND_VARIABLE, n->at);
}

cel_value cel_eval(const cel_program *p, cel_bindings *b, arena *scratch, uint64_t cost)
{
    cel_run r;
    if (!cost || cost > INT64_MAX) cost = cost ? INT64_MAX : CEL_COST;
    r.scope = (cel_scope){scratch, (int64_t)cost, p->zones};
    r.bindings = b;
    for (uint32_t i = 0; i <= p->places; i++) r.places[i].tag = CEL_UNBOUND;
    cel_value v = cel_run_node(&r, p->root);
    if (v.tag == CEL_UNKNOWN) v.n = 0;
    if (r.scope.budget >= 0) return v;
    return cel_error_at(CEL_COST_EXCEEDED, v.tag == CEL_ERROR ? v.n : 0);
}
