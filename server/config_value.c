/* SPDX-License-Identifier: Apache-2.0 */
/* config_value.c - from the text of a scalar to the value its row wants.
 *
 * Expansion happens on the parsed value and never on the file's bytes: what a variable holds cannot
 * become a key, a comment or a second line of YAML. */
#include "config_value.h"

enum { VALUE_LIMIT = 1 << 20 };

const char *config_kind_name(const yaml_node *n)
{
    static const char *const names[] =
        {[YAML_SCALAR] = "text", [YAML_LIST] = "a list", [YAML_MAP] = "a map"};
    return yaml_is_null(n) ? "nothing" : names[n->kind];
}

/* Numbers with units */

typedef struct {
    const char *unit;
    int64_t times;
} unit_row;

static const unit_row durations[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                     {"h", 3600000}, {"d", 86400000}, {0}};
static const unit_row sizes[] = {{"", 1},          {"B", 1},           {"KiB", 1 << 10},
                                 {"MiB", 1 << 20}, {"GiB", 1 << 30},   {"KB", 1000},
                                 {"MB", 1000000},  {"GB", 1000000000}, {0}};

/* The leading digits; what follows them goes to *rest. */
static bool leading_number(str text, int64_t *n, str *rest)
{
    int64_t value = 0;
    size_t i = 0;
    for (; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        if (value > (INT64_MAX - 9) / 10) return false;
        value = value * 10 + (text.p[i] - '0');
    }
    *n = value;
    *rest = str_drop(text, i);
    return i > 0;
}

static bool with_unit(str text, const unit_row *units, int64_t *out)
{
    int64_t n;
    str rest;
    if (!leading_number(text, &n, &rest)) return false;
    for (; units->unit; units++) {
        if (!str_eq(rest, (str){units->unit, strlen(units->unit)})) continue;
        return !__builtin_mul_overflow(n, units->times, out);
    }
    return false;
}

bool config_parse_duration(str text, int64_t *ms)
{
    return with_unit(text, durations, ms);
}
bool config_parse_size(str text, int64_t *bytes)
{
    return with_unit(text, sizes, bytes);
}

bool config_parse_int(str text, int64_t *n)
{
    str rest;
    return leading_number(text, n, &rest) && rest.n == 0;
}

/* ${VAR} */

static bool is_name(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9')) return false;
    }
    return s.n > 0;
}

/* `inside` is what stands between the braces. */
static bool put_variable(config_reader *r, const yaml_node *n, str inside, buf *out)
{
    str name = inside, otherwise = {0};
    bool has_default = false;
    str_pair cut = str_cut(inside, ':');
    if (cut.ok && cut.tail.n && cut.tail.p[0] == '-') {
        name = cut.head;
        otherwise = str_drop(cut.tail, 1);
        has_default = true;
    }
    if (!is_name(name)) {
        problems_add(r->out, n->line, n->column, "`${" STR_FMT "}` names no variable",
                     STR_ARG(inside));
        return false;
    }
    str value = r->world->variable ? r->world->variable(r->world->ctx, r->a, name) : (str){0};
    if (value.n == 0 && has_default)
        value = otherwise;
    else if (!value.p) {
        problems_add(r->out, n->line, n->column,
                     "variable " STR_FMT " is not set (`${" STR_FMT ":-default}` gives a default)",
                     STR_ARG(name), STR_ARG(name));
        return false;
    }
    buf_put(out, value);
    return true;
}

bool config_expand(config_reader *r, const yaml_node *n, str *out)
{
    str rest = n->text;
    *out = rest;
    if (!rest.n || !memmem(rest.p, rest.n, "${", 2)) return true;
    buf made = buf_new(r->a, VALUE_LIMIT);
    while (rest.n) {
        const char *at = memmem(rest.p, rest.n, "${", 2);
        size_t before = at ? (size_t)(at - rest.p) : rest.n;
        bool escaped = at && before > 0 && rest.p[before - 1] == '$';
        buf_put(&made, str_take(rest, escaped ? before - 1 : before));
        if (!at) break;
        rest = str_drop(rest, before + 2);
        if (escaped) {
            buf_put(&made, S("${"));
            continue;
        }
        str_pair cut = str_cut(rest, '}');
        if (!cut.ok) {
            problems_add(r->out, n->line, n->column, "`${` is never closed");
            return false;
        }
        if (!put_variable(r, n, cut.head, &made)) return false;
        rest = cut.tail;
    }
    if (!buf_ok(&made)) {
        problems_add(r->out, n->line, n->column, "too long after its variables were put in");
        return false;
    }
    *out = made.p ? arena_dup(r->a, buf_str(&made)) : S("");
    return true;
}

/* Texts from elsewhere */

static bool read_file(config_reader *r, const yaml_node *n, str path, str *out)
{
    if (!r->world->read) {
        *out = S("");
        return true;
    }
    const err *e = r->world->read(r->world->ctx, r->a, path, out);
    if (e) problems_add(r->out, n->line, n->column, STR_FMT, STR_ARG(e->text));
    return !e;
}

static str trim_newline(str s)
{
    if (s.n && s.p[s.n - 1] == '\n') s.n--;
    if (s.n && s.p[s.n - 1] == '\r') s.n--;
    return s;
}

bool config_take_source(config_reader *r, const yaml_node *n, config_text *to)
{
    str text;
    if (!config_expand(r, n, &text)) return false;
    *to = (config_text){.value = text, .source = n->text, .node = n};
    if (str_starts(text, S("file:"))) {
        to->value = (str){0};
        to->from_file = true;
        if (!read_file(r, n, str_drop(text, 5), &to->value)) return false;
        to->value = trim_newline(to->value);
    }
    if (to->value.n) return true;
    if (r->world->read ||
        !to->from_file) /* a world without files says nothing about their contents */
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is empty", STR_ARG(n->text));
    return false;
}

/* One scalar */

static bool is_bool(str text, bool *out)
{
    *out = str_eq(text, S("true"));
    return *out || str_eq(text, S("false"));
}

static bool find_choice(const char *choices, str text, int64_t *at)
{
    for (size_t i = 0;; i++) {
        str one = config_choice(choices, i);
        if (!one.p) return false;
        if (!str_eq(one, text)) continue;
        *at = (int64_t)i;
        return true;
    }
}

static void not_a_choice(config_reader *r, const config_row *row, const yaml_node *n, str text)
{
    int64_t at;
    str key = config_row_key(row), names[16] = {{0}};
    if (find_choice(row->later, text, &at)) {
        problems_add(r->out, n->line, n->column,
                     "`" STR_FMT ": " STR_FMT "` is not supported by this version", STR_ARG(key),
                     STR_ARG(text));
        return;
    }
    buf list = buf_new(r->a, 1024);
    for (size_t i = 0; i < 15 && (names[i] = config_choice(row->choices, i)).p; i++)
        buf_fmt(&list, "%s" STR_FMT, i ? ", " : "", STR_ARG(names[i]));
    str near = yaml_did_you_mean(text, names);
    problems_add(r->out, n->line, n->column,
                 "`" STR_FMT "` wants one of " STR_FMT ", not `" STR_FMT "`%s" STR_FMT "%s",
                 STR_ARG(key), STR_ARG(buf_str(&list)), STR_ARG(text),
                 near.p ? ", did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
}

typedef struct {
    const char *wanted;
    bool (*parse)(str text, int64_t *out);
} number_kind;

static const number_kind number_kinds[] = {
    [CONFIG_INT] = {"a whole number", config_parse_int},
    [CONFIG_SIZE] = {"a size like 16MiB", config_parse_size},
    [CONFIG_DURATION] = {"a duration like 30s", config_parse_duration},
};

static str in_units(arena *a, config_type type, int64_t n)
{
    const unit_row *best = NULL;
    const unit_row *units = type == CONFIG_SIZE       ? sizes
                            : type == CONFIG_DURATION ? durations
                                                      : NULL;
    for (const unit_row *u = units; u && u->unit; u++)
        if (n % u->times == 0 && (!best || u->times > best->times)) best = u;
    return best ? arena_fmt(a, "%lld%s", (long long)(n / best->times), best->unit)
                : arena_fmt(a, "%lld", (long long)n);
}

static bool take_number(config_reader *r, const config_row *row, const yaml_node *n, str text,
                        int64_t *to)
{
    const number_kind *kind = &number_kinds[row->type];
    str key = config_row_key(row);
    if (row->fallback && str_eq(text, S("auto")) && strcmp(row->fallback, "auto") == 0) {
        *to = 0;
        return true;
    }
    if (!kind->parse(text, to)) {
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` wants %s, not `" STR_FMT "`",
                     STR_ARG(key), kind->wanted, STR_ARG(text));
        return false;
    }
    if (!row->most || (*to >= row->least && *to <= row->most)) return true;
    str least = in_units(r->a, row->type, row->least), most = in_units(r->a, row->type, row->most);
    problems_add(r->out, n->line, n->column,
                 "`" STR_FMT "` must be from " STR_FMT " to " STR_FMT ", not " STR_FMT,
                 STR_ARG(key), STR_ARG(least), STR_ARG(most), STR_ARG(text));
    return false;
}

static void take_plain(config_reader *r, const config_row *row, const yaml_node *n, str text,
                       void *to)
{
    str key = config_row_key(row);
    int64_t number;
    switch (row->type) {
    case CONFIG_BOOL:
        if (!is_bool(text, to))
            problems_add(r->out, n->line, n->column,
                         "`" STR_FMT "` wants true or false, not `" STR_FMT "`", STR_ARG(key),
                         STR_ARG(text));
        break;
    case CONFIG_CHOICE:
        if (!find_choice(row->choices, text, &number))
            not_a_choice(r, row, n, text);
        else if (row->at != (size_t)-1)
            *(int64_t *)to = number;
        break;
    case CONFIG_INT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        if (take_number(r, row, n, text, &number)) *(int64_t *)to = number;
        break;
    default:
        *(str *)to = text;
        if (!text.n && !(row->flags & CONFIG_EMPTY))
            problems_add(r->out, n->line, n->column, "`" STR_FMT "` is empty", STR_ARG(key));
    }
}

void config_take_scalar(config_reader *r, const config_row *row, const yaml_node *n, void *to)
{
    str key = config_row_key(row), text;
    if (n->kind != YAML_SCALAR || yaml_is_null(n)) {
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` wants a value, not %s",
                     STR_ARG(key), config_kind_name(n));
        return;
    }
    if (row->type == CONFIG_SOURCE) {
        (void)config_take_source(r, n, to);
        return;
    }
    if (!config_expand(r, n, &text)) return;
    if (row->type != CONFIG_FILE) {
        take_plain(r, row, n, text, to);
        return;
    }
    config_text *file = to;
    *file = (config_text){.source = text, .from_file = true, .node = n};
    (void)read_file(r, n, text, &file->value);
}

void config_take_fallback(const config_row *row, void *to)
{
    str text = {row->fallback, row->fallback ? strlen(row->fallback) : 0};
    int64_t *number = to;
    if (!row->fallback || row->at == (size_t)-1) return;
    switch (row->type) {
    case CONFIG_BOOL: *(bool *)to = str_eq(text, S("true")); break;
    case CONFIG_CHOICE:
        if (!find_choice(row->choices, text, number)) *number = -1;
        break;
    case CONFIG_INT:
    case CONFIG_SIZE:
    case CONFIG_DURATION:
        if (!number_kinds[row->type].parse(text, number)) *number = 0;
        break;
    default: *(str *)to = text;
    }
}
