/* SPDX-License-Identifier: Apache-2.0 */
/* config_docs.c - the table of keys as a page for people and as a JSON schema for editors. */
#include "../base/buf.h"
#include "config_table.h"

enum { DOCS_LIMIT = 1 << 20 };

static const char *const type_names[] = {
    [CONFIG_MAP] = "map",
    [CONFIG_LIST] = "list of maps",
    [CONFIG_NAMED] = "map of names",
    [CONFIG_TEXT] = "text",
    [CONFIG_TEXTS] = "list of texts",
    [CONFIG_PAIRS] = "map of texts",
    [CONFIG_SOURCE] = "text or file:PATH",
    [CONFIG_SOURCES] = "list of texts or file:PATH",
    [CONFIG_FILE] = "path",
    [CONFIG_BOOL] = "true or false",
    [CONFIG_INT] = "number",
    [CONFIG_SIZE] = "size",
    [CONFIG_DURATION] = "duration",
    [CONFIG_CHOICE] = "choice",
    [CONFIG_ANY] = "map",
};

static str text_of(const char *s)
{
    return (str){s, s ? strlen(s) : 0};
}

/* The page */

static void put_limits(buf *out, const config_row *r)
{
    static const char *const per[] = {[CONFIG_SIZE] = " bytes", [CONFIG_DURATION] = " ms"};
    const char *unit = r->type == CONFIG_SIZE || r->type == CONFIG_DURATION ? per[r->type] : "";
    if (r->type == CONFIG_CHOICE) {
        for (size_t i = 0; config_choice(r->choices, i).p; i++)
            buf_fmt(out, "%s`" STR_FMT "`", i ? ", " : "", STR_ARG(config_choice(r->choices, i)));
        return;
    }
    buf_fmt(out, "%s", type_names[r->type]);
    if (r->most) buf_fmt(out, ", %lld to %lld%s", (long long)r->least, (long long)r->most, unit);
}

static void put_row(buf *out, const config_row *r)
{
    bool has_default = r->fallback && *r->fallback;
    buf_fmt(out, "| `%s` | ", r->path);
    put_limits(out, r);
    buf_fmt(out, " | %s%s%s | %s%s%s |\n",
            has_default                ? "`"
            : r->flags & CONFIG_NEEDED ? "needed"
                                       : "",
            has_default ? r->fallback : "", has_default ? "`" : "", r->help,
            r->flags & CONFIG_HIDDEN ? " *Secret.*" : "",
            r->flags & CONFIG_FIXED ? " *Not reloadable.*" : "");
}

/* A section is a top-level key; its rows follow it in the table. */
static bool is_top(const config_row *r)
{
    return !strchr(r->path, '.') && !strchr(r->path, '[');
}

static const char intro[] =
    "# Configuration reference\n"
    "\n"
    "This page is printed by `sallyport help config`; the table of keys in the program is its only "
    "source.\n"
    "[sallyport.schema.json](sallyport.schema.json) says the same to editors.\n"
    "\n"
    "- In a path, `[]` is each item of a list and `*` each name of a map of names.\n"
    "- A duration is a whole number with `ms`, `s`, `m`, `h` or `d`; a size one with `KiB`, `MiB`, "
    "`GiB` or nothing.\n"
    "- `${VAR}` and `${VAR:-default}` are replaced in values after parsing; `$${` stands for `${`. "
    "A variable that is\n"
    "  not set and has no default is an error.\n"
    "- Where it says `file:PATH`, the value may stand in a file of its own, without the newline at "
    "its end. Paths are\n"
    "  relative to the directory of the configuration.\n"
    "- An unknown key, a duplicate key, a wrong type or a value out of range is an error with "
    "file, line and column;\n"
    "  all errors are reported at once.\n"
    "- A change of this file, or of any file it names, takes effect at once, or after `SIGHUP`, if "
    "it is free of errors;\n"
    "  otherwise the running configuration stays. What is marked *not reloadable* waits for a "
    "restart.\n";

str config_reference(arena *a)
{
    buf out = buf_new(a, DOCS_LIMIT);
    const char *heading = "\n| key | value | default | |\n|---|---|---|---|\n";
    buf_put(&out, text_of(intro));
    buf_fmt(&out, "\n## Top level\n%s", heading);
    for (const config_row *r = config_rows; r->path; r++)
        if (is_top(r) && !(r->flags & CONFIG_LATER)) put_row(&out, r);
    for (const config_row *r = config_rows; r->path; r++) {
        if (r->flags & CONFIG_LATER) continue;
        bool opens = is_top(r) && r[1].path && !is_top(r + 1);
        if (opens)
            buf_fmt(&out, "\n## %s\n\n%s\n%s", r->path, r->help, heading);
        else if (!is_top(r))
            put_row(&out, r);
    }
    buf_put(&out, S("\n## Not yet\n\nThese keys are known and refused by this version:\n"));
    for (const config_row *r = config_rows; r->path; r++)
        if (r->flags & CONFIG_LATER) buf_fmt(&out, "- `%s`: %s\n", r->path, r->help);
    for (const config_row *r = config_rows; r->path; r++)
        for (size_t i = 0; config_choice(r->later, i).p; i++)
            buf_fmt(&out, "- `%s: " STR_FMT "`\n", r->path, STR_ARG(config_choice(r->later, i)));
    return buf_str(&out);
}

/* The schema */

static void put_members(arena *a, buf *out, const char *prefix);

static void put_choices(buf *out, const config_row *r)
{
    buf_put(out, S("\"enum\":["));
    for (size_t i = 0; config_choice(r->choices, i).p; i++) {
        if (i) buf_put(out, S(","));
        buf_json(out, config_choice(r->choices, i));
    }
    buf_put(out, S("]"));
}

/* Anything but text may also be a ${VAR}. */
static void put_or_variable(buf *out, str type)
{
    buf_put(out, S("\"anyOf\":["));
    buf_put(out, type);
    buf_put(out, S(",{\"type\":\"string\",\"pattern\":\"\\\\$\\\\{\"}]"));
}

static void put_type(arena *a, buf *out, const config_row *r)
{
    str prefix = config_row_prefix(a, r);
    switch (r->type) {
    case CONFIG_MAP: put_members(a, out, prefix.p); break;
    case CONFIG_LIST:
        buf_put(out, S("\"type\":\"array\",\"items\":{"));
        if (r->brief) buf_put(out, S("\"anyOf\":[{\"type\":\"string\"},{"));
        put_members(a, out, prefix.p);
        buf_put(out, r->brief ? S("}]}") : S("}"));
        break;
    case CONFIG_NAMED:
        buf_put(out,
                S("\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z][a-z0-9-]{0,30}$\"},"
                  "\"additionalProperties\":{"));
        put_members(a, out, prefix.p);
        buf_put(out, S("}"));
        break;
    case CONFIG_TEXTS:
    case CONFIG_SOURCES:
        buf_put(out, S("\"type\":\"array\",\"items\":{\"type\":\"string\"}"));
        break;
    case CONFIG_PAIRS:
        buf_put(out, S("\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\","
                       "\"number\",\"boolean\"]}"));
        break;
    case CONFIG_BOOL: put_or_variable(out, S("{\"type\":\"boolean\"}")); break;
    case CONFIG_INT:
        if (r->fallback && strcmp(r->fallback, "auto") == 0) {
            put_or_variable(out, S("{\"const\":\"auto\"},{\"type\":\"integer\"}"));
            break;
        }
        put_or_variable(out,
                        arena_fmt(a, "{\"type\":\"integer\",\"minimum\":%lld,\"maximum\":%lld}",
                                  (long long)r->least, (long long)r->most));
        break;
    case CONFIG_SIZE:
        put_or_variable(out, S("{\"type\":\"integer\"},{\"type\":\"string\",\"pattern\":\"^[0-9]+("
                               "B|KiB|MiB|GiB|KB|MB|GB)?$\"}"));
        break;
    case CONFIG_DURATION:
        put_or_variable(out, S("{\"type\":\"string\",\"pattern\":\"^[0-9]+(ms|s|m|h|d)$\"}"));
        break;
    case CONFIG_CHOICE: put_choices(out, r); break;
    case CONFIG_ANY: buf_put(out, S("\"type\":\"object\"")); break;
    case CONFIG_TEXT:
    case CONFIG_SOURCE:
    case CONFIG_FILE: buf_put(out, S("\"type\":\"string\"")); break;
    }
}

static void put_members(arena *a, buf *out, const char *prefix)
{
    bool first = true;
    buf_put(out, S("\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"));
    for (const config_row *r = NULL; (r = config_row_under(prefix, r));) {
        if (r->flags & CONFIG_LATER) continue;
        if (!first) buf_put(out, S(",\n"));
        first = false;
        buf_json(out, config_row_key(r));
        buf_put(out, S(":{\"description\":"));
        buf_json(out, text_of(r->help));
        buf_put(out, S(","));
        put_type(a, out, r);
        buf_put(out, S("}"));
    }
    buf_put(out, S("}"));
    first = true;
    for (const config_row *r = NULL; (r = config_row_under(prefix, r));) {
        if (!(r->flags & CONFIG_NEEDED)) continue;
        buf_put(out, first ? S(",\"required\":[") : S(","));
        first = false;
        buf_json(out, config_row_key(r));
    }
    if (!first) buf_put(out, S("]"));
}

str config_schema(arena *a)
{
    buf out = buf_new(a, DOCS_LIMIT);
    buf_put(&out, S("{\"$schema\":\"https://json-schema.org/draft/2020-12/"
                    "schema\",\n\"title\":\"sallyport.yaml\",\n"));
    put_members(a, &out, "");
    buf_put(&out, S("}\n"));
    return buf_str(&out);
}
