/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/cel/cel.h"
#include "../../base/clock.h"
#include "../files.h"
#include "../zones.h"
#include "policy_verb.h"
#include <stdio.h>

enum { BINDINGS_DEPTH = 64 };

typedef struct {
    cel_variable *variables;
    cel_value *values;
    size_t count;
} scope;

static cel_value *value_of(scope *s, str name)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->variables[i].name, name)) return &s->values[i];
    s->variables[s->count] = (cel_variable){.name = name, .type = CEL_T_DYN};
    return &s->values[s->count++];
}

static const err *read_bindings(arena *a, const char *file, js_value *root)
{
    str text;
    *root = (js_value){0};
    if (!file) return NULL;
    str name = {file, strlen(file)};
    const err *e = files_read(files_new(a, files_directory_of(a, S("./"))), a, name, &text);
    if (!e) e = js_check(a, text, BINDINGS_DEPTH, root);
    if (!e && root->kind != JS_OBJECT)
        e = err_new(a, ERR_MALFORMED, "the bindings are not a JSON object");
    return e ? err_wrap(a, e, "%s", file) : NULL;
}

static const err *make_scope(arena *a, const char *file, scope *s)
{
    js_value root;
    size_t members = 0, at = 0;
    const err *e = read_bindings(a, file, &root);
    if (e) return e;
    for (js_iter it = js_iterate(root); js_next(&it);) members++;
    s->variables = NEW_N(a, cel_variable, QUESTION_VARS + members);
    s->values = NEW_N(a, cel_value, QUESTION_VARS + members);
    for (; at < QUESTION_VARS; at++)
        (void)value_of(s, (str){question_var_names[at], strlen(question_var_names[at])});
    int64_t now = clock_wall_ms();
    *value_of(s, S("now")) =
        (cel_value){.tag = CEL_TIMESTAMP, .n = (uint32_t)(now % 1000) * 1000000, .u.i = now / 1000};
    json_t *tree = root.kind == JS_OBJECT ? js_tree(a, root) : NULL;
    const char *key;
    json_t *value;
    json_object_foreach(tree, key, value) * value_of(s, (str){key, strlen(key)}) =
        cel_of_json(value);
    return NULL;
}

int policy_verb_eval(arena *a, int argc, char **argv)
{
    const char *file = NULL, **rest = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--bindings", .brief_name = "-b", .value = &file},
                                      {0}};
    int count = 0;
    scope s = {0};
    if (!command_options(argc, argv, options, rest, &count)) return 2;
    if (count != 1) return command_usage("policy eval", "it wants one expression");
    const err *e = make_scope(a, file, &s);
    if (e) return command_fail(e);
    str source = {rest[0], strlen(rest[0])};
    cel_env env = {.variables = s.variables, .count = s.count};
    cel_program *program = NULL;
    const cel_options compiling = {.zones = zones_of_system};
    const cel_problem *wrong = cel_compile_with(a, source, &env, &compiling, &program);
    for (const cel_problem *p = wrong; p; p = p->next)
        (void)fprintf(stderr, "%zu: %s: " STR_FMT "%s" STR_FMT "\n", p->offset + 1, p->code,
                      STR_ARG(p->text), p->hint.n ? "; " : "", STR_ARG(p->hint));
    if (wrong) return 1;
    cel_bindings bindings = {.values = s.values, .count = s.count};
    cel_value v = cel_eval(program, &bindings, a, 0);
    if (v.tag == CEL_ERROR) {
        str text = cel_error_text(a, v, source);
        (void)fprintf(stderr, "error: " STR_FMT "\n", STR_ARG(text));
        return 1;
    }
    json_t *j = cel_to_json(a, v);
    str text = js_dump(a, j);
    return command_print(arena_fmt(a, STR_FMT "\n", STR_ARG(text)));
}
