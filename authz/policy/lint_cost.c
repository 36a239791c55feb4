/* SPDX-License-Identifier: Apache-2.0 */
/* lint_cost.c - what an expression may cost, against what one evaluation may spend.
 *
 * A list whose length nobody states is taken to have LIST items; a loop in a loop multiplies. */
#include "lint.h"

enum { LIST = 100 };
static const double most = CEL_COST;

static double size_of(const cel_node *range)
{
    js_value schema = policy_shape_schema(range->type), items = js_get(schema, S("maxItems"));
    if (range->kind == NODE_LIST || range->kind == NODE_MAP) return range->count;
    if (range->kind == NODE_CONST) return 1;
    return items.kind == JS_NUMBER ? js_double(items) : LIST;
}

static double cost_of(const cel_node *n)
{
    double sum = 1;
    if (n->kind == NODE_LOCAL) return 1;
    for (uint32_t i = 0; i < n->count; i++) {
        double one = cost_of(n->kids[i]);
        sum += n->kind == NODE_FOLD && i ? one * size_of(n->kids[0]) : one;
    }
    return sum;
}

void lint_cost(const lint_expr *e)
{
    double cost = cost_of(e->root);
    if (cost <= most) return;
    lint_say_node(e, e->root, "warning W319",
                  arena_fmt(e->l->a,
                            "with lists of %d items this may cost over %.0f, and %d is the most: "
                            "it "
                            "then counts as failed",
                            LIST, cost, CEL_COST),
                  S("use `in`, or a list the loop does not repeat"));
}
