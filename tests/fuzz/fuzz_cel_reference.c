/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cel_reference.c - the evaluator against one that is too simple to be wrong.
 *
 * The bytes choose an expression, which is parsed once. The reference walks the tree as the parser
 * left it, by names, with none of what makes the engine fast: no slots, paths, places, sets, folded
 * constants, shortcuts or views of JSON. Both must come to the same value, or both to an error,
 * or both to unknown; and so must the engine over the two forms JSON can have in it. What the
 * engine concludes from knowing only some things of `v` must be what it gives when it knows all of
 * it. */
#include "../../authz/cel/cel.h"
#include "../../authz/cel/compare.h"
#include "../../authz/cel/json.h"
#include "../../authz/cel/known.h"
#include "../../authz/cel/parse.h"
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An expression out of bytes */

typedef struct {
    const uint8_t *p;
    size_t n;
    buf out;
    unsigned locals; /* i0, i1 … in scope */
} maker;

static unsigned pick(maker *m, unsigned of)
{
    if (!m->n) return 0;
    m->n--;
    return *m->p++ % of;
}

static void say(maker *m, const char *text)
{
    (void)buf_put(&m->out, (str){text, strlen(text)});
}

static void make(maker *m, unsigned depth);

static void make_leaf(maker *m)
{
    static const char *const leaves[] = {
        "0",
        "1",
        "-1",
        "2",
        "9223372036854775807",
        "true",
        "false",
        "null",
        "\"a\"",
        "\"\"",
        "\"é\"",
        "\"abc\"",
        "[]",
        "{}",
        "v",
        "v.a",
        "v.a.b",
        "v.n",
        "v.absent",
        "v.a.a",
        "v.a.c",
        "v.b[0].a",
        "v.b[1]",
        "v[\"c\"]",
        "v.a[\"c\"]",
        "v.d",
        "v.missing",
        "v.a.missing.x",
        "v.a.c[2]",
        "u",
        "u.a",
        "u.a.b",
        "w",
        "w.k17",
        "w[\"k3\"]",
        "w.k99",
        "v.e",
    };
    if (m->locals && pick(m, 3) == 0) {
        (void)buf_fmt(&m->out, "i%u", pick(m, m->locals));
        return;
    }
    say(m, leaves[pick(m, sizeof leaves / sizeof *leaves)]);
}

static void make_list(maker *m, unsigned depth, bool map)
{
    unsigned count = pick(m, 4);
    say(m, map ? "{" : "[");
    for (unsigned i = 0; i < count; i++) {
        if (i) say(m, ", ");
        if (map) {
            make_leaf(m);
            say(m, ": ");
        }
        make(m, depth);
    }
    say(m, map ? "}" : "]");
}

static void make_fold(maker *m, unsigned depth)
{
    static const char *const names[] = {"all", "exists", "exists_one", "filter", "map", "map"};
    unsigned which = pick(m, 6);
    say(m, "(");
    make(m, depth);
    (void)buf_fmt(&m->out, ").%s(i%u, ", names[which], m->locals);
    m->locals++;
    make(m, depth);
    if (which == 5) {
        say(m, ", ");
        make(m, depth);
    }
    m->locals--;
    say(m, ")");
}

static void make_binary(maker *m, unsigned depth)
{
    static const char *const signs[] = {"+",  "-", "*",  "/",  "%",  "==", "!=", "<",
                                        "<=", ">", ">=", "&&", "||", "&&", "||", "in"};
    say(m, "(");
    make(m, depth);
    (void)buf_fmt(&m->out, " %s ", signs[pick(m, 16)]);
    make(m, depth);
    say(m, ")");
}

static void make_method(maker *m, unsigned depth)
{
    static const char *const names[] = {"startsWith", "endsWith", "contains"};
    say(m, "(");
    make(m, depth);
    (void)buf_fmt(&m->out, ").%s(", names[pick(m, 3)]);
    make(m, depth);
    say(m, ")");
}

/* before, an expression, after */
static void make_around(maker *m, unsigned depth, const char *before, const char *after)
{
    say(m, before);
    make(m, depth);
    say(m, after);
}

static void make(maker *m, unsigned depth)
{
    static const char *const asked[] = {"has(v.a)", "has(v.a.b)", "has(v.x)", "has(v.c.x)",
                                        "has(u.a)", "has(w.k5)",  "has(w.z)"};
    unsigned shape = depth ? pick(m, 16) : 0;
    if (!depth || shape < 3) {
        make_leaf(m);
        return;
    }
    depth--;
    switch (shape) {
    case 3: make_list(m, depth, false); return;
    case 4: make_list(m, depth, true); return;
    case 5:
    case 6: make_fold(m, depth); return;
    case 7: make_method(m, depth); return;
    case 8: make_around(m, depth, "!(", ")"); return;
    case 9: make_around(m, depth, "-(", ")"); return;
    case 10: make_around(m, depth, "size(", ")"); return;
    case 11: say(m, asked[pick(m, 7)]); return;
    case 12:
        make_around(m, depth, "(", " ? ");
        make_around(m, depth, "", " : ");
        make_around(m, depth, "", ")");
        return;
    case 13:
        make_around(m, depth, "(", ")[");
        make_around(m, depth, "", "]");
        return;
    default: make_binary(m, depth); return;
    }
}

/* The reference */

typedef struct {
    arena *a;
    struct {
        str name;
        cel_value value;
    } names[64]; /* innermost last */
    size_t count;
} walker;

static const cel_value wrong = {.tag = CEL_ERROR};
static const cel_value unknown = {.tag = CEL_UNKNOWN};

static bool special(cel_value v)
{
    return v.tag == CEL_ERROR || v.tag == CEL_UNKNOWN;
}

static cel_value worse(cel_value a, cel_value b)
{
    return a.tag == CEL_ERROR || b.tag == CEL_ERROR ? wrong : unknown;
}

static bool same(cel_value a, cel_value b)
{
    if (a.tag != b.tag) return false;
    switch (a.tag) {
    case CEL_NULL: return true;
    case CEL_BOOL: return a.u.b == b.u.b;
    case CEL_INT: return a.u.i == b.u.i;
    case CEL_STRING: return a.n == b.n && (!a.n || memcmp(a.u.s, b.u.s, a.n) == 0);
    default: break;
    }
    bool map = a.tag == CEL_MAP;
    size_t n = map ? a.u.map->count : a.u.list->count;
    if (n != (map ? b.u.map->count : b.u.list->count)) return false;
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        if (!map && !same(a.u.list->items[i], b.u.list->items[i])) return false;
        for (size_t k = 0; map && k < n && !found; k++)
            found = same(a.u.map->entries[i].key, b.u.map->entries[k].key) &&
                    same(a.u.map->entries[i].value, b.u.map->entries[k].value);
        if (map && !found) return false;
    }
    return true;
}

static const cel_value *member(cel_value map, cel_value key)
{
    for (size_t i = 0; i < map.u.map->count; i++)
        if (same(map.u.map->entries[i].key, key)) return &map.u.map->entries[i].value;
    return NULL;
}

static cel_value walk(walker *w, const cel_node *n);

static cel_value walk_name(const walker *w, str name)
{
    for (size_t i = w->count; i-- > 0;)
        if (str_eq(w->names[i].name, name)) return w->names[i].value;
    return wrong;
}

static cel_value walk_index(cel_value of, cel_value key)
{
    if (special(of) || special(key)) return worse(of, key);
    if (of.tag == CEL_MAP) {
        const cel_value *found = member(of, key);
        return found ? *found : wrong;
    }
    bool in = of.tag == CEL_LIST && key.tag == CEL_INT && key.u.i >= 0 &&
              (uint64_t)key.u.i < of.u.list->count;
    return in ? of.u.list->items[key.u.i] : wrong;
}

static cel_value walk_has(cel_value of, str name)
{
    if (special(of)) return of;
    return of.tag == CEL_MAP ? cel_bool(member(of, cel_string(name)) != NULL) : wrong;
}

static cel_value joined(const walker *w, cel_value a, cel_value b)
{
    if (a.tag == CEL_STRING && b.tag == CEL_STRING)
        return cel_string(arena_fmt(w->a, "%.*s%.*s", (int)a.n, a.u.s, (int)b.n, b.u.s));
    if (a.tag != CEL_LIST || b.tag != CEL_LIST) return wrong;
    cel_list *list = NEW(w->a, cel_list);
    cel_value *items = NEW_N(w->a, cel_value, a.u.list->count + b.u.list->count);
    for (size_t i = 0; i < a.u.list->count; i++) items[list->count++] = a.u.list->items[i];
    for (size_t i = 0; i < b.u.list->count; i++) items[list->count++] = b.u.list->items[i];
    list->items = items;
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

static cel_value walk_arith(const walker *w, cel_op op, cel_value a, cel_value b)
{
    int64_t out = 0;
    bool bad = false;
    if (special(a) || special(b)) return worse(a, b);
    if (a.tag != CEL_INT || b.tag != CEL_INT) return op == OP_ADD ? joined(w, a, b) : wrong;
    switch (op) {
    case OP_ADD: bad = __builtin_add_overflow(a.u.i, b.u.i, &out); break;
    case OP_SUB: bad = __builtin_sub_overflow(a.u.i, b.u.i, &out); break;
    case OP_MUL: bad = __builtin_mul_overflow(a.u.i, b.u.i, &out); break;
    default:
        bad = b.u.i == 0 || (a.u.i == INT64_MIN && b.u.i == -1);
        if (!bad) out = op == OP_DIV ? a.u.i / b.u.i : a.u.i % b.u.i;
    }
    return bad ? wrong : cel_int(out);
}

static cel_value walk_order(cel_op op, cel_value a, cel_value b)
{
    if (special(a) || special(b)) return worse(a, b);
    if (a.tag != b.tag) return wrong;
    int64_t c;
    switch (a.tag) {
    case CEL_BOOL: c = (int)a.u.b - (int)b.u.b; break;
    case CEL_INT: c = (a.u.i > b.u.i) - (a.u.i < b.u.i); break;
    case CEL_STRING:
        c = memcmp(a.u.s, b.u.s, a.n < b.n ? a.n : b.n);
        if (!c) c = (int64_t)a.n - (int64_t)b.n;
        break;
    default: return wrong;
    }
    return cel_bool(op == OP_LT ? c < 0 : op == OP_LE ? c <= 0 : op == OP_GT ? c > 0 : c >= 0);
}

static cel_value walk_in(cel_value x, cel_value in)
{
    if (special(x) || special(in)) return worse(x, in);
    if (in.tag == CEL_MAP) return cel_bool(member(in, x) != NULL);
    if (in.tag != CEL_LIST) return wrong;
    for (size_t i = 0; i < in.u.list->count; i++)
        if (same(x, in.u.list->items[i])) return cel_bool(true);
    return cel_bool(false);
}

static cel_value walk_terms(walker *w, const cel_node *n, bool decides)
{
    bool saw_unknown = false, saw_wrong = false;
    for (uint32_t i = 0; i < n->count; i++) {
        cel_value v = walk(w, n->kids[i]);
        if (v.tag == CEL_BOOL && v.u.b == decides) return v;
        if (v.tag == CEL_UNKNOWN)
            saw_unknown = true;
        else if (v.tag != CEL_BOOL)
            saw_wrong = true;
    }
    return saw_unknown ? unknown : saw_wrong ? wrong : cel_bool(!decides);
}

static cel_value walk_if(walker *w, const cel_node *n)
{
    cel_value c = walk(w, n->kids[0]);
    if (c.tag == CEL_BOOL) return walk(w, n->kids[c.u.b ? 1 : 2]);
    if (c.tag != CEL_UNKNOWN) return wrong;
    cel_value yes = walk(w, n->kids[1]), no = walk(w, n->kids[2]);
    return yes.tag == CEL_BOOL && no.tag == CEL_BOOL && yes.u.b == no.u.b ? yes : unknown;
}

static cel_value walk_call(walker *w, const cel_node *n)
{
    cel_value a = walk(w, n->kids[0]), b = n->count > 1 ? walk(w, n->kids[1]) : cel_bool(true);
    if (special(a) || special(b)) return worse(a, b);
    if (str_eq(n->name, S("size"))) {
        if (a.tag == CEL_LIST) return cel_int((int64_t)a.u.list->count);
        if (a.tag == CEL_MAP) return cel_int((int64_t)a.u.map->count);
        if (a.tag != CEL_STRING) return wrong;
        int64_t points = 0;
        for (uint32_t i = 0; i < a.n; i++) points += ((unsigned char)a.u.s[i] & 0xC0) != 0x80;
        return cel_int(points);
    }
    if (a.tag != CEL_STRING || b.tag != CEL_STRING) return wrong;
    for (uint32_t at = 0; at + b.n <= a.n; at++) {
        bool here = b.n == 0 || memcmp(a.u.s + at, b.u.s, b.n) == 0;
        if (str_eq(n->name, S("startsWith")) && at > 0) here = false;
        if (str_eq(n->name, S("endsWith")) && at + b.n < a.n) here = false;
        if (here) return cel_bool(true);
    }
    return cel_bool(false);
}

static cel_value walk_list(walker *w, const cel_node *n)
{
    cel_value worst = cel_bool(true), *items = NEW_N(w->a, cel_value, n->count);
    for (uint32_t i = 0; i < n->count; i++) {
        items[i] = walk(w, n->kids[i]);
        if (special(items[i])) worst = special(worst) ? worse(worst, items[i]) : items[i];
    }
    if (special(worst)) return worst;
    cel_list *list = NEW(w->a, cel_list);
    *list = (cel_list){n->count, items};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

static cel_value walk_map(walker *w, const cel_node *n)
{
    cel_map *map = NEW(w->a, cel_map);
    cel_entry *entries = NEW_N(w->a, cel_entry, n->count / 2);
    cel_value made = {.tag = CEL_MAP, .u.map = map};
    bool saw_unknown = false, saw_wrong = false;
    map->entries = entries;
    for (uint32_t i = 0; i < n->count; i += 2) {
        cel_value key = walk(w, n->kids[i]), value = walk(w, n->kids[i + 1]);
        if (key.tag == CEL_ERROR || value.tag == CEL_ERROR) saw_wrong = true;
        if (key.tag == CEL_UNKNOWN || value.tag == CEL_UNKNOWN) saw_unknown = true;
        if (saw_wrong || saw_unknown) continue; /* whether keys repeat cannot be said any more */
        bool fine = key.tag == CEL_STRING || key.tag == CEL_INT || key.tag == CEL_BOOL;
        if (!fine || member(made, key)) return wrong;
        entries[map->count++] = (cel_entry){key, value};
    }
    return saw_wrong ? wrong : saw_unknown ? unknown : made;
}

/* One element of a fold: the predicate's value, and the result where there is one. */
typedef struct {
    cel_value predicate, result;
} element;

static element walk_element(walker *w, const cel_node *n, cel_value value)
{
    if (w->count == sizeof w->names / sizeof *w->names) return (element){wrong, wrong};
    w->names[w->count].name = n->name;
    w->names[w->count++].value = value;
    element e = {walk(w, n->kids[1]), cel_bool(true)};
    if (!special(e.predicate) && e.predicate.tag != CEL_BOOL) e.predicate = wrong;
    if (n->count > 2 && e.predicate.tag == CEL_BOOL && e.predicate.u.b)
        e.result = walk(w, n->kids[2]);
    w->count--;
    return e;
}

static cel_value walk_fold(walker *w, const cel_node *n)
{
    cel_value over = walk(w, n->kids[0]);
    if (special(over)) return over;
    if (over.tag != CEL_LIST && over.tag != CEL_MAP) return wrong;
    bool map = over.tag == CEL_MAP, saw_wrong = false, saw_unknown = false;
    size_t count = map ? over.u.map->count : over.u.list->count, held = 0;
    cel_value *items = NEW_N(w->a, cel_value, count);
    for (size_t i = 0; i < count; i++) {
        element e = walk_element(w, n, map ? over.u.map->entries[i].key : over.u.list->items[i]);
        bool yes = e.predicate.tag == CEL_BOOL && e.predicate.u.b;
        if (n->op == FOLD_ALL && e.predicate.tag == CEL_BOOL && !yes) return cel_bool(false);
        if (n->op == FOLD_EXISTS && yes) return cel_bool(true);
        saw_wrong |= e.predicate.tag == CEL_ERROR || e.result.tag == CEL_ERROR;
        saw_unknown |= e.predicate.tag == CEL_UNKNOWN || e.result.tag == CEL_UNKNOWN;
        if (yes) items[held++] = e.result;
    }
    if (n->op == FOLD_ALL || n->op == FOLD_EXISTS) /* as && and ||: unknown before error */
        return saw_unknown ? unknown : saw_wrong ? wrong : cel_bool(n->op == FOLD_ALL);
    if (saw_wrong || saw_unknown) return saw_wrong ? wrong : unknown;
    if (n->op == FOLD_ONE) return cel_bool(held == 1);
    cel_list *list = NEW(w->a, cel_list);
    *list = (cel_list){held, items};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

static cel_value walk_negated(const cel_node *n, cel_value v)
{
    if (special(v)) return v;
    if (n->kind == NODE_NOT) return v.tag == CEL_BOOL ? cel_bool(!v.u.b) : wrong;
    return v.tag == CEL_INT && v.u.i != INT64_MIN ? cel_int(-v.u.i) : wrong;
}

static cel_value walk_equal(const cel_node *n, cel_value a, cel_value b)
{
    if (special(a) || special(b)) return worse(a, b);
    return cel_bool(same(a, b) == (n->op == OP_EQ));
}

static cel_value walk(walker *w, const cel_node *n)
{
    switch ((cel_node_kind)n->kind) {
    case NODE_CONST: return n->value;
    case NODE_NAME: return walk_name(w, n->name);
    case NODE_SELECT: return walk_index(walk(w, n->kids[0]), cel_string(n->name));
    case NODE_INDEX: return walk_index(walk(w, n->kids[0]), walk(w, n->kids[1]));
    case NODE_HAS: return walk_has(walk(w, n->kids[0]), n->name);
    case NODE_ARITH: return walk_arith(w, n->op, walk(w, n->kids[0]), walk(w, n->kids[1]));
    case NODE_EQUAL: return walk_equal(n, walk(w, n->kids[0]), walk(w, n->kids[1]));
    case NODE_ORDER: return walk_order(n->op, walk(w, n->kids[0]), walk(w, n->kids[1]));
    case NODE_IN: return walk_in(walk(w, n->kids[0]), walk(w, n->kids[1]));
    case NODE_NOT:
    case NODE_NEGATE: return walk_negated(n, walk(w, n->kids[0]));
    case NODE_AND: return walk_terms(w, n, false);
    case NODE_OR: return walk_terms(w, n, true);
    case NODE_IF: return walk_if(w, n);
    case NODE_CALL: return walk_call(w, n);
    case NODE_LIST: return walk_list(w, n);
    case NODE_MAP: return walk_map(w, n);
    case NODE_FOLD: return walk_fold(w, n);
    default: abort(); /* the maker makes no other */
    }
}

/* Both */

static const cel_variable variables[] = {{S("v"), CEL_T_DYN},
                                         {S("w"), CEL_T_DYN},
                                         {S("u"), CEL_T_DYN}};
enum { VARIABLES = sizeof variables / sizeof *variables, WIDE = 40 };

static const char *const v_text =
    "{\"n\":2,\"a\":{\"b\":1,\"a\":\"abc\",\"c\":[1,2,\"a\",null]},\"b\":[{\"a\":1},{\"a\":\"x\"}],"
    "\"c\":\"abc\",\"d\":true,\"e\":{\"a\":{\"b\":1,\"a\":\"abc\",\"c\":[1,2,\"a\",null]}}}";

static js_value checked(arena *a, str text)
{
    js_value v;
    if (js_check(a, text, 32, &v)) abort();
    return v;
}

static str wide_object(arena *a)
{
    buf out = buf_new(a, 4096);
    for (int i = 0; i < WIDE; i++) (void)buf_fmt(&out, "%c\"k%d\":%d", i ? ',' : '{', i, i);
    (void)buf_put(&out, S("}"));
    return buf_str(&out);
}

static void agree(str text, cel_value reference, cel_value engine)
{
    bool over = engine.tag == CEL_ERROR && engine.code == CEL_COST_EXCEEDED;
    bool tags = special(reference) || special(engine);
    if (over || (tags ? reference.tag == engine.tag : cel_equal(reference, engine))) return;
    (void)fprintf(stderr, STR_FMT "\nreference: tag %d, engine: tag %d\n", STR_ARG(text),
                  reference.tag, engine.tag);
    abort();
}

/* The last bytes say what is known of v's members: whether they are there, their values, bounds. */
typedef struct {
    unsigned there, values, bounds;
    bool closed;
} knowledge;

static cel_hint hint_of(cel_value v, str name, const knowledge *k, unsigned bit)
{
    cel_value member = cel_map_member(v, name);
    bool is_there = member.tag != CEL_UNBOUND;
    cel_hint h = {.name = name};
    if (k->there & bit) h.presence = is_there ? CEL_PRESENT : CEL_ABSENT;
    if (is_there && (k->values & bit)) h.value = member;
    if (member.tag == CEL_INT && (k->bounds & bit)) h.least = cel_int(member.u.i - 1);
    if (member.tag == CEL_INT && (k->bounds & bit)) h.most = member;
    return h;
}

static void conclude(arena *a, str text, const cel_program *p, const cel_value *all, knowledge k)
{
    static const str names[] = {S("a"), S("b"), S("c"), S("d"), S("e"), S("n"), S("absent")};
    enum { NAMES = sizeof names / sizeof *names };
    cel_hint hints[NAMES];
    for (unsigned i = 0; i < NAMES; i++) hints[i] = hint_of(all[0], names[i], &k, 1u << i);
    cel_known known = {.slot = 0, .members = hints, .count = NAMES, .closed = k.closed};
    cel_value some[VARIABLES] = {cel_unknown(0), all[1], all[2]}, every[VARIABLES];
    for (size_t i = 0; i < VARIABLES; i++) every[i] = all[i];
    cel_value got =
        cel_eval(p, &(cel_bindings){.values = some, .count = VARIABLES, .known = &known}, a, 0);
    cel_value full = cel_eval(p, &(cel_bindings){.values = every, .count = VARIABLES}, a, 0);
    /* what may be missing, and is not, gives its value here and an error there */
    if (got.tag == CEL_UNKNOWN || full.tag == CEL_ERROR) return;
    agree(text, full, got);
}

static void compare(arena *a, str text, knowledge k)
{
    cel_notes notes = {.a = a};
    cel_node *tree = cel_parse(&notes, text, &(cel_limits){64, 16384});
    cel_env env = {variables, VARIABLES};
    cel_program *p = NULL;
    cel_options options = {.unchecked = true};
    const cel_problem *bad = cel_compile_with(a, text, &env, &options, &p);
    if (!tree || bad) return; /* too deep, or too long */
    js_value v = checked(a, (str){v_text, strlen(v_text)}), w = checked(a, wide_object(a));
    cel_value own[VARIABLES] = {cel_read_json(a, v), cel_read_json(a, w), cel_unknown(2)};
    cel_value wrapped[VARIABLES] = {cel_of_json(js_tree(a, v)), cel_of_json(js_tree(a, w)),
                                    cel_unknown(2)};
    walker r = {.a = a, .count = VARIABLES};
    for (size_t i = 0; i < VARIABLES; i++) {
        r.names[i].name = variables[i].name;
        r.names[i].value = own[i];
    }
    cel_value reference = walk(&r, tree);
    agree(text, reference, cel_eval(p, &(cel_bindings){.values = own, .count = VARIABLES}, a, 0));
    agree(text, reference,
          cel_eval(p, &(cel_bindings){.values = wrapped, .count = VARIABLES}, a, 0));
    const cel_value whole[VARIABLES] = {cel_read_json(a, v), cel_read_json(a, w), cel_unknown(2)};
    conclude(a, text, p, whole, k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_new();
    maker m = {.p = data, .n = size, .out = buf_new(a, 1 << 14)};
    knowledge k = {.there = size ? data[size - 1] : 0,
                   .values = size > 1 ? data[size - 2] : 0,
                   .bounds = size > 2 ? data[size - 3] : 0,
                   .closed = size & 1};
    make(&m, 5);
    if (buf_ok(&m.out)) compare(a, buf_str(&m.out), k);
    arena_free(a);
    return 0;
}
