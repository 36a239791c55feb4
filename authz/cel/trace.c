/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"
#include "eval.h"

enum { SEEN_MOST = 32 }; /* of one term: more is no explanation */

typedef struct {
    const cel_program *p;
    cel_bindings *b;
    arena *scratch;
    cel_seen *seen;
    size_t count;
} tracer;

static cel_value value_of(const tracer *t, const cel_node *n)
{
    cel_run r;
    r.scope = (cel_scope){t->scratch, CEL_COST, t->p->zones};
    r.bindings = t->b;
    for (uint32_t i = 0; i <= t->p->places; i++) r.places[i].tag = CEL_UNBOUND;
    cel_value v = cel_run_node(&r, n);
    if (r.scope.budget >= 0) return v;
    return cel_error_at(CEL_COST_EXCEEDED, n->offset);
}

str cel_source_of(str source, const cel_node *n)
{
    size_t from = n->offset, to = from + n->length;
    int open = 0, closed = 0; /* still open at the end; closed without having been opened */
    for (size_t i = from; i < to && i < source.n; i++) {
        if (source.p[i] == '(') open++;
        if (source.p[i] != ')') continue;
        if (open)
            open--;
        else
            closed++;
    }
    for (size_t i = from; closed && i > 0; i--) {
        if (source.p[i - 1] != '(' && source.p[i - 1] != ' ') break;
        from = i - 1;
        closed -= source.p[i - 1] == '(';
    }
    for (size_t i = to; open && i < source.n; i++) {
        if (source.p[i] != ')' && source.p[i] != ' ') break;
        to = i + 1;
        open -= source.p[i] == ')';
    }
    return str_take(str_drop(source, from), to - from);
}

static str source_of(const cel_program *p, const cel_node *n)
{
    return cel_source_of(p->source, n);
}

static void see(tracer *t, const cel_node *n)
{
    str source = source_of(t->p, n);
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->seen[i].source, source)) return;
    if (t->count == SEEN_MOST) return;
    t->seen[t->count++] = (cel_seen){source, value_of(t, n)};
}

/* Stands on a variable alone, so that it means the same wherever it is evaluated? */
static bool is_read(const cel_node *n)
{
    if (n->kind == NODE_VAR || n->kind == NODE_PATH) return true;
    bool member = n->kind == NODE_SELECT || n->kind == NODE_HAS;
    return member && is_read(n->kids[0]);
}

static void look(tracer *t, const cel_node *n)
{
    if (is_read(n)) {
        see(t, n);
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) look(t, n->kids[i]);
}

static cel_term told(tracer *t, const cel_node *n)
{
    t->seen = NEW_N(t->scratch, cel_seen, SEEN_MOST);
    t->count = 0;
    look(t, n);
    return (cel_term){.source = source_of(t->p, n),
                      .offset = n->offset,
                      .value = value_of(t, n),
                      .seen = t->seen,
                      .seen_count = t->count};
}

size_t cel_term_count(const cel_program *p)
{
    return p->root->kind == NODE_AND ? p->root->count : 1;
}

static const cel_node *term(const cel_program *p, size_t i)
{
    return p->root->kind == NODE_AND ? p->root->kids[i] : p->root;
}

str cel_term_source(const cel_program *p, size_t i)
{
    return source_of(p, term(p, i));
}

const cel_term *cel_trace(const cel_program *p, cel_bindings *b, arena *scratch, size_t *count)
{
    tracer t = {.p = p, .b = b, .scratch = scratch};
    *count = cel_term_count(p);
    cel_term *terms = NEW_N(scratch, cel_term, *count);
    for (size_t i = 0; i < *count; i++) terms[i] = told(&t, term(p, i));
    return terms;
}
