/* SPDX-License-Identifier: Apache-2.0 */
/* cel_help.h - for the tests of the CEL engine: an expression to a short text.
 *
 * "true", "3", "\"x\"", "[1,2]" are values as JSON; "error: no such key" is an error without its
 * place, "unknown u,v" the variables that were missing, "E003 8+1 text | hint" a problem. */
#ifndef SP_CEL_HELP_H
#define SP_CEL_HELP_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h> /* wants the ones above */

#include "../../authz/cel/cel.h"

typedef struct {
    arena *a;
    cel_variable variables[16];
    cel_value values[16];
    size_t count;
    bool unchecked;
} cel_world;

static inline str text_of_c(const char *s)
{
    return (str){s, strlen(s)};
}

static inline void world_put(cel_world *w, const char *name, cel_type type, cel_value v)
{
    assert_true(w->count < 16);
    w->variables[w->count] = (cel_variable){text_of_c(name), type};
    w->values[w->count++] = v;
}

static inline void drop_tree(void *j)
{
    json_decref(j);
}

/* A variable from JSON text; dyn. */
static inline void world_json(cel_world *w, const char *name, const char *json)
{
    json_t *j = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(j);
    arena_own(w->a, drop_tree, j);
    world_put(w, name, CEL_T_DYN, cel_of_json(j));
}

static inline const char *problem_text(arena *a, const cel_problem *p)
{
    return arena_fmt(a, "%s %zu+%zu " STR_FMT "%s" STR_FMT, p->code, p->offset, p->length,
                     STR_ARG(p->text), p->hint.n ? " | " : "", STR_ARG(p->hint))
        .p;
}

static inline const char *value_text(cel_world *w, cel_value v, str source)
{
    if (v.tag == CEL_ERROR) {
        str s = cel_error_text(w->a, v, source);
        for (size_t i = 1; i < s.n; i++) { /* the place and the name are another test's matter */
            bool ends =
                s.p[i - 1] == ' ' && (s.p[i] == '\'' || str_starts(str_drop(s, i), S("at ")));
            if (ends) return arena_fmt(w->a, "error: %.*s", (int)i - 1, s.p).p;
        }
        return "error";
    }
    if (v.tag == CEL_UNKNOWN) {
        str s = S("unknown ");
        for (size_t i = 0; i < w->count; i++) {
            if (!(v.u.unknown >> i & 1)) continue;
            s = arena_fmt(w->a, STR_FMT "%s" STR_FMT, STR_ARG(s), s.n > 8 ? "," : "",
                          STR_ARG(w->variables[i].name));
        }
        return s.p;
    }
    char *shown = json_dumps(cel_to_json(w->a, v), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_non_null(shown);
    const char *kept = arena_dup(w->a, text_of_c(shown)).p;
    free(shown);
    return kept;
}

static inline const char *evaluated(cel_world *w, const char *expr)
{
    cel_program *p;
    cel_env env = {w->variables, w->count};
    cel_options options = {.unchecked = w->unchecked};
    const cel_problem *bad = cel_compile_with(w->a, text_of_c(expr), &env, &options, &p);
    if (bad) return problem_text(w->a, bad);
    cel_bindings b = {.values = w->values, .count = w->count};
    return value_text(w, cel_eval(p, &b, w->a, 0), text_of_c(expr));
}

typedef struct {
    const char *expr, *gives;
} cel_row;

/* Every row is tried; the message names the first that differs. */
static inline void try_rows(cel_world *w, const cel_row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *got = evaluated(w, rows[i].expr);
        if (!strcmp(got, rows[i].gives)) continue;
        print_error("%s\n  gives %s\n  not   %s\n", rows[i].expr, got, rows[i].gives);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}
#define TRY(w, rows) try_rows((w), (rows), sizeof(rows) / sizeof *(rows))

static inline int world_setup(void **state)
{
    arena *a = arena_new();
    cel_world *w = NEW(a, cel_world);
    w->a = a;
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    arena_free(((cel_world *)*state)->a);
    return 0;
}
#define CEL_TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
#endif
