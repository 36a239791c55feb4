/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cel.c - any text as an expression, over bindings of every kind.
 *
 * Before the first NUL is the expression, after it a JSON value for `x`; `u` is unknown, `l` is
 * never bound. What compiles is evaluated, checked and unchecked, and shown; the same twice must
 * give the same tag. An unknown that is settled later must not change a decision made without
 * it. The text also goes to the pattern compiler directly. There is one time zone, Test/Zone, and
 * two functions of the host. */
#include "../../authz/cel/cel.h"
#include "../../authz/cel/library.h"
#include "../../authz/cel/re2_shim.h"
#include <stdint.h>
#include <stdlib.h>

enum { VARIABLES = 6, COST = 20000, LARGEST = 4096 };

static const cel_variable variables[VARIABLES] = {
    {{"x", 1}, CEL_T_DYN}, {{"u", 1}, CEL_T_DYN},    {{"l", 1}, CEL_T_DYN},
    {{"i", 1}, CEL_T_INT}, {{"s", 1}, CEL_T_STRING}, {{"now", 3}, CEL_T_TIMESTAMP},
};

static void demand(bool holds)
{
    if (!holds) abort();
}

static void check_problems(const cel_problem *p, size_t source)
{
    size_t before = 0;
    for (; p; p = p->next) {
        demand(p->code && p->text.n && p->offset >= before && p->offset <= source);
        demand(p->length <= source - p->offset);
        before = p->offset;
    }
}

static cel_value run(const cel_program *p, cel_value *values, arena *scratch)
{
    cel_bindings b = {.values = values, .count = VARIABLES};
    cel_value v = cel_eval(p, &b, scratch, COST);
    demand(v.tag > CEL_UNBOUND && v.tag < CEL_TAGS);
    return v;
}

static void evaluate(const cel_program *p, str source, cel_value *values, arena *scratch)
{
    values[1] = cel_unknown(1);
    cel_value first = run(p, values, scratch), again = run(p, values, scratch);
    demand(first.tag == again.tag);
    demand(first.tag != CEL_UNKNOWN || first.u.unknown == 2);
    if (first.tag == CEL_ERROR) (void)cel_error_text(scratch, first, source);
    demand(cel_to_json(scratch, first) != NULL);
    if (first.tag != CEL_BOOL) return;
    /* Only the bound of cost may come in between: another branch is taken. */
    static const cel_value settled[] = {{.tag = CEL_BOOL, .u.b = true}, {.tag = CEL_INT, .u.i = 1}};
    for (size_t i = 0; i < sizeof settled / sizeof *settled; i++) {
        values[1] = settled[i];
        cel_value v = run(p, values, scratch);
        if (v.tag == CEL_ERROR && v.code == CEL_COST_EXCEEDED) continue;
        demand(v.tag == CEL_ERROR || (v.tag == CEL_BOOL && v.u.b == first.u.b));
    }
}

static const cel_function functions[] = {
    {"twice", CEL_BOTH, "A>A", cel_fn_dyn, 0},
    {"pair", CEL_GLOBAL, "AB>(pair:AB)", cel_fn_declared, 0},
};

static const err *load(void *ctx, arena *a, str name, str *tzif)
{
    static const char zone[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
                               "\0\0\0\0\0\0UTC\0"
                               "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                               "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
                               "\0\0\0\0\0\0UTC\0\nCET-1CEST,M3.5.0,M10.5.0/3\n";
    (void)ctx;
    demand(name.n && *name.p != '/' && !memmem(name.p, name.n, "..", 2));
    if (!str_eq(name, S("Test/Zone"))) return err_new(a, ERR_NOT_FOUND, "no such zone");
    *tzif = (str){zone, sizeof zone - 1};
    return NULL;
}

static void compile(str source, bool unchecked, cel_value *values)
{
    arena *a = arena_new(), *scratch = arena_new();
    cel_env env = {variables, VARIABLES};
    cel_options options = {
        .unchecked = unchecked,
        .zones = {.load = load},
        .functions = functions,
        .function_count = sizeof functions / sizeof *functions,
    };
    cel_program *p = NULL;
    const cel_problem *bad = cel_compile_with(a, source, &env, &options, &p);
    demand(!bad == !!p);
    check_problems(bad, source.n);
    if (p) {
        size_t count;
        const cel_read *reads = cel_reads(p, &count);
        for (size_t i = 0; i < count; i++) demand(reads[i].slot < VARIABLES);
        (void)cel_result_type_text(a, p);
        evaluate(p, source, values, scratch);
    }
    arena_free(scratch);
    arena_free(a);
}

static void search(str pattern, str text)
{
    char why[64];
    re2_pattern *p = re2_pattern_new(pattern.p, pattern.n < 200 ? pattern.n : 200, why, sizeof why);
    if (!p) return;
    demand(re2_pattern_search(p, text.p, text.n) >= 0);
    re2_pattern_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n > LARGEST) return 0;
    str_pair cut = str_cut((str){(const char *)bytes, n}, '\0');
    json_t *json = json_loadb(cut.tail.n ? cut.tail.p : "", cut.tail.n,
                              JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    cel_value values[VARIABLES] = {
        [0] = cel_of_json(json),
        [3] = cel_int(-3),
        [4] = cel_string(S("a string\xC3\xA9")),
        [5] = {.tag = CEL_TIMESTAMP, .u.i = 1700000000, .n = 1},
    };
    compile(cut.head, false, values);
    compile(cut.head, true, values);
    search(cut.head, cut.tail);
    json_decref(json);
    return 0;
}
