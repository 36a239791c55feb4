/* SPDX-License-Identifier: Apache-2.0 */
/* residue.c - demands are pushed down the tree of &&, || and !.
 *
 * All terms of an && that must be true must be. Of an || that must be true one must be: which one
 * is sure when the others are known to be no help, or when all of them only name values for the
 * same member. For what must be false it is the other way round. A term that asks whether the
 * member is there (has(args.x) && …) is met by leaving it out: it is no demand of the rest, but
 * the member need not be there. When no term can be the one, the whole cannot come out so. */
#include "residue.h"
#include "compare.h"
#include "eval.h"

enum { TERMS_MOST = 32 }; /* of one || or &&: the stack of a walk is theirs */

typedef struct {
    cel_run run; /* of the program that is walked */
    const cel_residue_of *of;
    cel_demands *out;
} walker;

static void push(walker *w, const cel_node *n, bool want);

/* Members and values */

static bool is_map(const walker *w, const cel_node *n)
{
    return n->kind == NODE_VAR && n->slot == w->of->slot;
}

/* The member that args.?x or args[?"x"] looks for. */
static bool maybe_member(const walker *w, const cel_node *n, str *member)
{
    if (!(n->flags & NODE_MAYBE) || !n->count || !is_map(w, n->kids[0])) return false;
    if (n->kind == NODE_SELECT) *member = n->name;
    bool index = n->kind == NODE_INDEX && n->kids[1]->kind == NODE_CONST &&
                 n->kids[1]->value.tag == CEL_STRING;
    if (index) *member = cel_text(n->kids[1]->value);
    return n->kind == NODE_SELECT || index;
}

/* Is it the value of a member? `there`: without the member it is an error. */
static bool is_member(const walker *w, const cel_node *n, str *member, bool *there)
{
    *there = true;
    if (n->kind == NODE_PATH && n->slot == w->of->slot && n->count == 1) {
        *member = n->x.keys[0].name;
        return true;
    }
    if (n->kind == NODE_VAR && n->slot == w->of->alias && w->of->alias != w->of->slot) {
        *member = w->of->alias_member;
        return true;
    }
    *there = false;
    return n->kind == NODE_CALL && n->count == 2 && str_eq(n->name, S("orValue")) &&
           maybe_member(w, n->kids[0], member);
}

static bool is_value(walker *w, const cel_node *n, cel_value *v)
{
    *v = cel_run_node(&w->run, n);
    return !cel_special(*v) && w->run.scope.budget >= 0;
}

static void demand(walker *w, cel_demand d)
{
    if (w->out->count < w->out->room) w->out->list[w->out->count++] = d;
}

static cel_value just(walker *w, cel_value v)
{
    cel_list *list = NEW(w->run.scope.scratch, cel_list);
    cel_value *item = NEW(w->run.scope.scratch, cel_value);
    *item = v;
    *list = (cel_list){1, item};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

/* Atoms */

static const cel_demand_kind comparisons[OP_COUNT] = {[OP_LT] = DEMAND_LESS,
                                                      [OP_LE] = DEMAND_AT_MOST,
                                                      [OP_GT] = DEMAND_MORE,
                                                      [OP_GE] = DEMAND_AT_LEAST};
static const cel_op opposites[OP_COUNT] =
    {[OP_LT] = OP_GE, [OP_LE] = OP_GT, [OP_GT] = OP_LE, [OP_GE] = OP_LT};
static const cel_op mirrored[OP_COUNT] =
    {[OP_LT] = OP_GT, [OP_LE] = OP_GE, [OP_GT] = OP_LT, [OP_GE] = OP_LE};

static void compared(walker *w, const cel_node *n, bool want)
{
    cel_demand d = {0};
    cel_op op = (cel_op)n->op;
    const cel_node *other = n->kids[1];
    if (!is_member(w, n->kids[0], &d.member, &d.there)) {
        if (!is_member(w, n->kids[1], &d.member, &d.there)) return;
        other = n->kids[0];
        if (n->kind == NODE_ORDER) op = mirrored[op];
    }
    if (!is_value(w, other, &d.value)) return;
    if (n->kind == NODE_EQUAL) {
        d.not = (op == OP_EQ) != want;
        d.value = just(w, d.value);
    } else {
        d.kind = comparisons[want ? op : opposites[op]];
    }
    demand(w, d);
}

static void contained(walker *w, const cel_node *n, bool want)
{
    cel_demand d = {.not = !want};
    if (!is_member(w, n->kids[0], &d.member, &d.there)) return;
    if (!is_value(w, n->kids[1], &d.value) || d.value.tag != CEL_LIST) return;
    demand(w, d);
}

static void called(walker *w, const cel_node *n, bool want)
{
    static const struct {
        str name;
        cel_demand_kind kind;
    } calls[] = {{S("startsWith"), DEMAND_STARTS},
                 {S("endsWith"), DEMAND_ENDS},
                 {S("contains"), DEMAND_CONTAINS}};
    cel_demand d = {.not = !want};
    if (n->count != 2 || !is_member(w, n->kids[0], &d.member, &d.there)) return;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (!str_eq(n->name, calls[i].name)) continue;
        d.kind = calls[i].kind;
        if (is_value(w, n->kids[1], &d.value) && d.value.tag == CEL_STRING) demand(w, d);
    }
}

static void matched(walker *w, const cel_node *n, bool want)
{
    cel_demand d = {.kind = DEMAND_MATCHES, .not = !want, .value = n->kids[1]->value};
    if (is_member(w, n->kids[0], &d.member, &d.there)) demand(w, d);
}

/* A member that is itself the condition. */
static void itself(walker *w, const cel_node *n, bool want)
{
    cel_demand d = {.value = just(w, cel_bool(want))};
    if (is_member(w, n, &d.member, &d.there)) demand(w, d);
}

/* Terms of which one must come out so */

typedef struct {
    const cel_node *left[TERMS_MOST]; /* could be the one */
    size_t count;
    str guard; /* the member whose absence is enough */
    bool guarded, unclear;
} choice;

/* has(args.x) that must be false, !has(args.x) that must be true. */
static bool asks_for_absence(const walker *w, const cel_node *n, bool want, str *member)
{
    if (n->kind == NODE_NOT) return asks_for_absence(w, n->kids[0], !want, member);
    if (want || n->kind != NODE_HAS || !is_map(w, n->kids[0])) return false;
    *member = n->name;
    return true;
}

static void sort_out(walker *w, const cel_node *term, bool want, choice *c)
{
    str member;
    if (asks_for_absence(w, term, want, &member)) {
        c->unclear |= c->guarded && !str_eq(c->guard, member);
        c->guarded = true;
        c->guard = member;
        return;
    }
    cel_value v = cel_run_node(&w->run, term);
    if (v.tag == CEL_ERROR || (v.tag == CEL_BOOL && v.u.b != want)) return;
    if (v.tag == CEL_BOOL || c->count == TERMS_MOST)
        c->unclear = true;
    else
        c->left[c->count++] = term;
}

/* Each of several terms names values for one member: all of them together are what it can be. */
static void unite(walker *w, const choice *c, bool want)
{
    cel_demand found[2];
    cel_demands one = {.list = found, .room = 2}, *out = w->out;
    cel_demand all = {0};
    size_t total = 0, room = 0;
    cel_value *values = NULL;
    w->out = &one;
    for (size_t i = 0; i < c->count; i++) {
        one.count = 0;
        push(w, c->left[i], want);
        bool fits = one.count == 1 && found[0].kind == DEMAND_IS &&
                    !found[0].not &&(!i || str_eq(found[0].member, all.member));
        if (!fits) break;
        size_t more = cel_count(found[0].value);
        cel_value *grown = NEW_N(w->run.scope.scratch, cel_value, room += more);
        for (size_t k = 0; k < total; k++) grown[k] = values[k];
        for (size_t k = 0; k < more; k++) grown[total++] = cel_item(found[0].value, k);
        values = grown;
        all.there = found[0].there && (!i || all.there);
        all.member = found[0].member;
        one.room = i + 1 == c->count ? 0 : 2; /* 0: all of them fitted */
    }
    w->out = out;
    if (one.room) return;
    cel_list *list = NEW(w->run.scope.scratch, cel_list);
    *list = (cel_list){total, values};
    all.value = (cel_value){.tag = CEL_LIST, .u.list = list};
    demand(w, all);
}

static void push_choice(walker *w, const cel_node *n, bool want)
{
    choice c = {.count = 0};
    size_t before = w->out->count, kept = before;
    bool never = w->out->never;
    for (uint32_t i = 0; i < n->count; i++) sort_out(w, n->kids[i], want, &c);
    if (c.unclear || w->run.scope.budget < 0) return;
    if (!c.count) {
        w->out->never |= !c.guarded;
        return;
    }
    if (c.count == 1)
        push(w, c.left[0], want);
    else
        unite(w, &c, want);
    if (!c.guarded) return;
    w->out->never = never;
    for (size_t i = before; i < w->out->count; i++) {
        cel_demand d = w->out->list[i];
        d.there = false;
        if (str_eq(d.member, c.guard)) w->out->list[kept++] = d;
    }
    w->out->count = kept;
}

static void push_variable(walker *w, const cel_node *n, bool want)
{
    const cel_program *p = w->of->program ? w->of->program(w->of->ctx, n->slot) : NULL;
    if (p)
        cel_residue(p, w->run.bindings, w->run.scope.scratch, w->of, want, w->out);
    else
        itself(w, n, want);
}

static void push(walker *w, const cel_node *n, bool want)
{
    switch ((cel_node_kind)n->kind) {
    case NODE_NOT: push(w, n->kids[0], !want); return;
    case NODE_AND:
    case NODE_OR:
        if ((n->kind == NODE_AND) != want)
            push_choice(w, n, want);
        else
            for (uint32_t i = 0; i < n->count; i++) push(w, n->kids[i], want);
        return;
    case NODE_EQUAL:
    case NODE_ORDER: compared(w, n, want); return;
    case NODE_IN: contained(w, n, want); return;
    case NODE_CALL: called(w, n, want); return;
    case NODE_MATCHES: matched(w, n, want); return;
    case NODE_PATH: itself(w, n, want); return;
    case NODE_VAR: push_variable(w, n, want); return;
    default: return;
    }
}

void cel_residue(const cel_program *p, const cel_bindings *b, arena *scratch,
                 const cel_residue_of *of, bool must_be, cel_demands *out)
{
    walker w;
    w.run.scope = (cel_scope){scratch, CEL_COST, p->zones};
    w.run.bindings = b;
    for (uint32_t i = 0; i <= p->places; i++) w.run.places[i].tag = CEL_UNBOUND;
    w.of = of;
    w.out = out;
    push(&w, p->root, must_be);
}

static size_t mentions(const cel_node *n, size_t slot)
{
    if (n->kind == NODE_PATH || n->kind == NODE_VAR) return n->slot == slot;
    size_t count = 0;
    for (uint32_t i = 0; i < n->count; i++) count += mentions(n->kids[i], slot);
    return count;
}

size_t cel_mentions(const cel_program *p, size_t slot)
{
    return mentions(p->root, slot);
}
