/* SPDX-License-Identifier: Apache-2.0 */
/* cel_runner.c - runs CEL conformance cases against the engine.
 *
 *   cel_runner [--known FILE] FOLDER|FILE.jsonl …
 *
 * A case is a line of JSON: an expression, its declarations and bindings, and what to expect.
 * FILE names cases, one id a line, that are known not to pass yet; they are counted apart, and
 * one of them that passes after all is reported, so that the list only shrinks. Error texts are
 * not compared. Time zones are those of this machine. The last line is `N passed, N failed`; the
 * exit status is 1 when any failed. */
#include "../authz/cel/cel.h"
#include "../authz/cel/library.h"
#include "../base/map.h"
#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMES = 64, FUNCTIONS = 16, ZONE_MOST = 65536 };

typedef struct {
    arena *a;
    map *known;
    size_t passed, failed, expected;
} runner;

typedef struct {
    arena *a;
    json_t *json;
    cel_variable variables[NAMES];
    cel_value values[NAMES];
    size_t count;
    cel_function functions[FUNCTIONS];
    size_t function_count;
    cel_program *program;
    const cel_problem *problem;
} test_case;

static str text_of(const json_t *j)
{
    return json_is_string(j) ? (str){json_string_value(j), json_string_length(j)} : (str){0};
}

static str member(const json_t *j, const char *name)
{
    return text_of(json_object_get(j, name));
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static cel_value bytes_of(arena *a, str base64)
{
    char *out = NEW_N(a, char, base64.n + 1);
    size_t n = 0;
    unsigned bits = 0, have = 0;
    for (size_t i = 0; i < base64.n && base64_digit(base64.p[i]) >= 0; i++) {
        bits = bits << 6 | (unsigned)base64_digit(base64.p[i]);
        have += 6;
        if (have < 8) continue;
        have -= 8;
        out[n++] = (char)(bits >> have & 0xFF);
    }
    cel_value v = cel_string((str){out, n});
    v.tag = CEL_BYTES;
    return v;
}

static cel_type type_named(str name)
{
    static const struct {
        const char *name;
        cel_type type;
    } types[] = {
        {"bool", CEL_T_BOOL},
        {"int", CEL_T_INT},
        {"uint", CEL_T_UINT},
        {"double", CEL_T_DOUBLE},
        {"string", CEL_T_STRING},
        {"bytes", CEL_T_BYTES},
        {"list", CEL_T_LIST},
        {"map", CEL_T_MAP},
        {"null_type", CEL_T_NULL},
        {"type", CEL_T_TYPE},
        {"timestamp", CEL_T_TIMESTAMP},
        {"duration", CEL_T_DURATION},
        {"google.protobuf.Timestamp", CEL_T_TIMESTAMP},
        {"google.protobuf.Duration", CEL_T_DURATION},
        {"optional_type", CEL_T_OPTIONAL},
        {"net.IP", CEL_T_IP},
        {"net.CIDR", CEL_T_CIDR},
    };
    str head = str_cut(name, '(').head;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_eq(head, (str){types[i].name, strlen(types[i].name)})) return types[i].type;
    }
    return CEL_T_DYN;
}

static cel_value value_of(arena *a, const json_t *object);

static cel_value list_of(arena *a, const json_t *items)
{
    cel_list *list = NEW(a, cel_list);
    cel_value *values = NEW_N(a, cel_value, json_array_size(items));
    for (size_t i = 0; i < json_array_size(items); i++)
        values[i] = value_of(a, json_array_get(items, i));
    *list = (cel_list){json_array_size(items), values};
    return (cel_value){.tag = CEL_LIST, .u.list = list};
}

static cel_value map_of(arena *a, const json_t *pairs)
{
    size_t count = json_array_size(pairs);
    cel_entry *entries = NEW_N(a, cel_entry, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(pairs, i);
        entries[i] =
            (cel_entry){value_of(a, json_array_get(pair, 0)), value_of(a, json_array_get(pair, 1))};
    }
    return cel_fields(a, entries, count);
}

static int64_t seconds_of(const json_t *v)
{
    return strtoll(json_string_value(json_object_get(v, "seconds")), NULL, 10);
}

static cel_value time_of(const json_t *v)
{
    uint32_t nanos = (uint32_t)json_integer_value(json_object_get(v, "nanos"));
    return (cel_value){.tag = CEL_TIMESTAMP, .n = nanos, .u.i = seconds_of(v)};
}

static cel_value duration_of(const json_t *v)
{
    int64_t nanos = json_integer_value(json_object_get(v, "nanos"));
    return (cel_value){.tag = CEL_DURATION, .u.i = seconds_of(v) * 1000000000 + nanos};
}

/* A value of the corpus: an object with one member, whose name is the type. */
static cel_value value_of(arena *a, const json_t *object)
{
    const char *kind = NULL, *name;
    json_t *v = NULL, *each;
    union {
        const json_t *from;
        json_t *to;
    } open = {object};
    json_object_foreach(open.to, name, each)
    {
        kind = name;
        v = each;
    }
    if (!kind || !strcmp(kind, "null")) return (cel_value){.tag = CEL_NULL};
    const char *text = json_is_string(v) ? json_string_value(v) : "";
    if (!strcmp(kind, "bool")) return cel_bool(json_is_true(v));
    if (!strcmp(kind, "int")) return cel_int(strtoll(text, NULL, 10));
    if (!strcmp(kind, "uint")) return (cel_value){.tag = CEL_UINT, .u.u = strtoull(text, NULL, 10)};
    if (!strcmp(kind, "double")) return (cel_value){.tag = CEL_DOUBLE, .u.d = strtod(text, NULL)};
    if (!strcmp(kind, "string")) return cel_string(text_of(v));
    if (!strcmp(kind, "bytes")) return bytes_of(a, text_of(v));
    if (!strcmp(kind, "list")) return list_of(a, v);
    if (!strcmp(kind, "map")) return map_of(a, v);
    if (!strcmp(kind, "type"))
        return (cel_value){.tag = CEL_TYPE, .u.type = type_named(text_of(v))};
    if (!strcmp(kind, "timestamp")) return time_of(v);
    if (!strcmp(kind, "duration")) return duration_of(v);
    return (cel_value){.tag = CEL_ERROR};
}

static bool same(cel_value want, cel_value got);

static bool same_map(const cel_map *want, cel_value got)
{
    cel_value copy = {.tag = CEL_MAP, .u.map = want};
    if (!cel_equal(copy, got)) return false;
    if (got.json) return true;
    for (size_t i = 0; i < want->count; i++) {
        bool found = false;
        for (size_t k = 0; k < got.u.map->count && !found; k++) {
            const cel_entry *e = &got.u.map->entries[k];
            found = same(want->entries[i].key, e->key) && same(want->entries[i].value, e->value);
        }
        if (!found) return false;
    }
    return true;
}

/* Exactly the type and the value; NaN is NaN. Nothing here makes lists of JSON. */
static bool same(cel_value want, cel_value got)
{
    if (want.tag != got.tag) return false;
    if (want.tag == CEL_DOUBLE && isnan(want.u.d)) return isnan(got.u.d);
    if (want.tag == CEL_MAP) return same_map(want.u.map, got);
    if (want.tag != CEL_LIST || got.json) return cel_equal(want, got);
    if (want.u.list->count != got.u.list->count) return false;
    for (size_t i = 0; i < want.u.list->count; i++) {
        if (!same(want.u.list->items[i], got.u.list->items[i])) return false;
    }
    return true;
}

static size_t slot_of(test_case *t, str name)
{
    for (size_t i = 0; i < t->count; i++) {
        if (str_eq(t->variables[i].name, name)) return i;
    }
    if (t->count == NAMES) abort(); /* no case has so many */
    t->variables[t->count] = (cel_variable){name, CEL_T_DYN};
    return t->count++;
}

/* A type as the corpus writes it to one as a signature does: "map(string, $K)" to "msA". The
 * letters of $K and its like are given out in the order they are met. */
typedef struct {
    arena *a;
    str rest, text, vars[3];
    size_t count;
} signature;

static void append(signature *s, str text)
{
    s->text = arena_fmt(s->a, STR_FMT STR_FMT, STR_ARG(s->text), STR_ARG(text));
}

static void append_variable(signature *s, str name)
{
    size_t i = 0;
    while (i < s->count && !str_eq(s->vars[i], name)) i++;
    if (i == 3) abort(); /* no case has so many */
    if (i == s->count) s->vars[s->count++] = name;
    append(s, (str){&"ABC"[i], 1});
}

static void append_type(signature *s)
{
    static const char *const letters[] = {"dyn *",      "bool b",         "int i",   "uint u",
                                          "double d",   "string s",       "bytes y", "list l",
                                          "map m",      "null_type n",    "type T",  "timestamp t",
                                          "duration D", "optional_type o"};
    size_t n = strcspn(s->rest.p, "(), ");
    str name = str_take(s->rest, n);
    bool known = false;
    s->rest = str_drop(s->rest, n);
    for (size_t i = 0; i < sizeof letters / sizeof *letters && !known; i++) {
        str_pair row = str_cut((str){letters[i], strlen(letters[i])}, ' ');
        known = str_eq(row.head, name);
        if (known) append(s, row.tail);
    }
    bool variable = str_starts(name, S("$"));
    if (variable) append_variable(s, name);
    if (!known && !variable) append(s, arena_fmt(s->a, "(" STR_FMT ":", STR_ARG(name)));
    bool open = str_starts(s->rest, S("("));
    while (open && s->rest.n > 1) {
        bool last = *s->rest.p == ')';
        s->rest = str_drop(s->rest, str_starts(s->rest, S(", ")) ? 2 : 1);
        if (last) break;
        append_type(s);
    }
    if (!known && !variable) append(s, S(")"));
}

static void append_text(signature *s, str type)
{
    s->rest = arena_dup(s->a, type);
    append_type(s);
}

static void declare_function(test_case *t, const json_t *declared)
{
    size_t i, k;
    json_t *overload, *type;
    json_array_foreach(json_object_get(declared, "overloads"), i, overload)
    {
        signature s = {.a = t->a};
        json_array_foreach(json_object_get(overload, "params"), k, type)
            append_text(&s, text_of(type));
        append(&s, S(">"));
        append_text(&s, member(overload, "result"));
        if (t->function_count == FUNCTIONS) abort(); /* no case has so many */
        bool method = json_is_true(json_object_get(overload, "instance"));
        t->functions[t->function_count++] = (cel_function){
            .name = arena_dup(t->a, member(declared, "name")).p,
            .styles = method ? CEL_METHOD : CEL_GLOBAL,
            .signature = s.text.p,
            .run = cel_fn_declared,
        };
    }
}

static const err *load_zone(void *ctx, arena *a, str name, str *tzif)
{
    (void)ctx;
    FILE *f = fopen(arena_fmt(a, "/usr/share/zoneinfo/" STR_FMT, STR_ARG(name)).p, "r");
    if (!f) return err_new(a, ERR_NOT_FOUND, "no zone " STR_FMT, STR_ARG(name));
    char *bytes = arena_bytes(a, ZONE_MOST);
    *tzif = (str){bytes, fread(bytes, 1, ZONE_MOST, f)};
    (void)fclose(f);
    return NULL;
}

static void declare(test_case *t)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(t->json, "type_env"), i, item)
    {
        if (str_eq(member(item, "kind"), S("function"))) declare_function(t, item);
        if (!str_eq(member(item, "kind"), S("ident"))) continue;
        t->variables[slot_of(t, member(item, "name"))].type = type_named(member(item, "type"));
    }
    json_array_foreach(json_object_get(t->json, "bindings"), i, item)
    {
        size_t slot = slot_of(t, text_of(json_array_get(item, 0)));
        const json_t *bound = json_array_get(item, 1), *value = json_object_get(bound, "value");
        if (value) {
            t->values[slot] = value_of(t->a, value);
        } else if (json_object_get(bound, "unknown_attr")) {
            t->values[slot] = cel_unknown(slot);
        } else {
            t->values[slot] = (cel_value){.tag = CEL_ERROR, .code = CEL_BAD_ARGUMENT};
        }
    }
}

static bool unknowns_match(test_case *t, const json_t *names, cel_value got)
{
    uint64_t mask = 0;
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) mask |= (uint64_t)1 << slot_of(t, text_of(name));
    return got.tag == CEL_UNKNOWN && got.u.unknown == mask;
}

/* Why it did not pass; {0} when it did. */
static str judge(test_case *t)
{
    const json_t *expect = json_object_get(t->json, "expect"), *want;
    bool unchecked = json_is_true(json_object_get(t->json, "disable_check"));
    cel_env env = {t->variables, t->count};
    cel_options options = {
        .container = member(t->json, "container"),
        .unchecked = unchecked,
        .zones = {.load = load_zone},
        .functions = t->functions,
        .function_count = t->function_count,
    };
    t->problem = cel_compile_with(t->a, member(t->json, "expr"), &env, &options, &t->program);
    if (t->problem) {
        if (json_object_get(expect, "error") && !unchecked) return (str){0};
        return t->problem->text;
    }
    if ((want = json_object_get(expect, "type"))) {
        str type = cel_result_type_text(t->a, t->program);
        if (!str_eq(type, text_of(want)))
            return arena_fmt(t->a, "its type is " STR_FMT, STR_ARG(type));
    }
    if (json_is_true(json_object_get(t->json, "check_only"))) return (str){0};
    cel_bindings b = {.values = t->values, .count = t->count};
    cel_value got = cel_eval(t->program, &b, t->a, 0);
    if (json_object_get(expect, "error") && got.tag == CEL_ERROR) return (str){0};
    if ((want = json_object_get(expect, "unknown_attrs")) && unknowns_match(t, want, got))
        return (str){0};
    if ((want = json_object_get(expect, "value")) && same(value_of(t->a, want), got))
        return (str){0};
    if (got.tag == CEL_ERROR) return cel_error_text(t->a, got, member(t->json, "expr"));
    char *shown = json_dumps(cel_to_json(t->a, got), JSON_ENCODE_ANY | JSON_COMPACT);
    str why = arena_fmt(t->a, "gives %s", shown ? shown : "?");
    free(shown);
    return why;
}

static void run_case(runner *r, const char *line, size_t length)
{
    json_t *json = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
    if (!json) {
        printf("not a case: %.*s\n", (int)length, line);
        r->failed++;
        return;
    }
    test_case *t = NEW(r->a, test_case);
    *t = (test_case){.a = arena_new(), .json = json};
    declare(t);
    str id = member(json, "id"), why = judge(t);
    bool known = r->known && map_get(r->known, id);
    if (!why.p && known) printf("passes now: " STR_FMT "\n", STR_ARG(id));
    if (why.p && !known) {
        str expr = member(json, "expr");
        printf(STR_FMT ": " STR_FMT ": " STR_FMT "\n", STR_ARG(id), STR_ARG(expr), STR_ARG(why));
    }
    r->passed += !why.p;
    r->expected += why.p && known;
    r->failed += why.p && !known;
    arena_free(t->a);
    json_decref(json);
    arena_reset(r->a);
}

static bool run_file(runner *r, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return false;
    char *line = NULL;
    size_t cap = 0, passed = r->passed, failed = r->failed + r->expected;
    ssize_t n;
    while ((n = getline(&line, &cap, f)) > 0) run_case(r, line, (size_t)n);
    free(line);
    (void)fclose(f);
    printf("%-60s %4zu of %zu\n", path, r->passed - passed,
           r->passed + r->failed + r->expected - passed - failed);
    return true;
}

static int is_cases(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > 6 && !strcmp(e->d_name + n - 6, ".jsonl");
}

static bool run_path(runner *r, const char *path)
{
    struct dirent **found;
    int n = scandir(path, &found, is_cases, alphasort);
    if (n < 0) return run_file(r, path);
    for (int i = 0; i < n; i++) {
        char *name = NULL;
        if (asprintf(&name, "%s/%s", path, found[i]->d_name) > 0) (void)run_file(r, name);
        free(name);
        free(found[i]);
    }
    free(found);
    return true;
}

static map *read_known(arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    map *known = map_new(a);
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, f) > 0) {
        str id = {line, strcspn(line, "\r\n")};
        if (id.n && *line != '#') map_put(known, arena_dup(a, id), a);
    }
    free(line);
    (void)fclose(f);
    return known;
}

int main(int argc, char **argv)
{
    arena *lasting = arena_new();
    runner r = {.a = arena_new()};
    bool found = argc > 1;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--known") && i + 1 < argc) {
            r.known = read_known(lasting, argv[++i]);
            if (!r.known) printf("no file %s\n", argv[i]);
        } else if (!run_path(&r, argv[i])) {
            printf("no cases in %s\n", argv[i]);
            found = false;
        }
    }
    if (r.expected) printf("%zu not passing, as known\n", r.expected);
    printf("%zu passed, %zu failed\n", r.passed, r.failed);
    arena_free(r.a);
    arena_free(lasting);
    return r.failed || !found;
}
