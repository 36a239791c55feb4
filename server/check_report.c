/* SPDX-License-Identifier: Apache-2.0 */
#include "check_report.h"
#include <stdio.h>

enum { REPORT_MOST = 64 << 20, LINE_MOST = 240 };

check_report check_report_of(arena *a, const problems *found, const policy_source *sources,
                             size_t count)
{
    check_report r = {.sources = sources, .source_count = count};
    r.list = policy_findings(a, found, &r.count);
    for (size_t i = 0; i < r.count; i++) r.errors += r.list[i].is_error;
    return r;
}

/* Text */

static str line_of(const check_report *r, const policy_finding *f)
{
    for (size_t i = 0; i < r->source_count; i++) {
        if (!str_eq(r->sources[i].name, f->file)) continue;
        str rest = r->sources[i].text;
        for (unsigned line = 1; line < f->line; line++) rest = str_cut(rest, '\n').tail;
        str one = str_cut(rest, '\n').head;
        if (one.n && one.p[one.n - 1] == '\r') one.n--;
        return one;
    }
    return (str){0};
}

/* Without what could steer a terminal; a tab stays one character wide. */
static void put_safe(buf *b, str s)
{
    buf quoted = buf_new(b->a, s.n * 6 + 16);
    (void)buf_json_safe(&quoted, s);
    str inner = str_drop(str_take(buf_str(&quoted), quoted.n - 1), 1);
    for (size_t i = 0; i < inner.n; i++) {
        str two = str_take(str_drop(inner, i), 2);
        bool quoted_sign = str_eq(two, S("\\\"")) || str_eq(two, S("\\\\"));
        bool tab = str_eq(two, S("\\t"));
        i += quoted_sign || tab;
        (void)buf_put(b, tab ? S(" ") : str_take(str_drop(inner, i), 1));
    }
}

static void put_excerpt(buf *b, const check_report *r, const policy_finding *f)
{
    str line = line_of(r, f);
    if (!line.n || line.n > LINE_MOST || f->column > line.n) return;
    int digits = snprintf(NULL, 0, "%u", f->line);
    (void)buf_fmt(b, "  %u | ", f->line);
    put_safe(b, line);
    (void)buf_fmt(b, "\n  %*s | %*s^", digits, "", (int)f->column - 1, "");
    for (unsigned i = 1; i < f->width && i < LINE_MOST; i++) (void)buf_put(b, S("~"));
    if (f->hint.n) (void)buf_put(b, S(" "));
    put_safe(b, f->hint);
    (void)buf_put(b, S("\n"));
}

static void put_finding(buf *b, const check_report *r, const policy_finding *f)
{
    put_safe(b, f->file);
    if (f->line) (void)buf_fmt(b, ":%u:%u", f->line, f->column);
    (void)buf_fmt(b, ": %s " STR_FMT ": ", f->is_error ? "error" : "warning", STR_ARG(f->code));
    put_safe(b, f->text);
    size_t before = b->n;
    (void)buf_put(b, S("\n"));
    put_excerpt(b, r, f);
    if (b->n > before + 1 || !f->hint.n) return;
    b->n = before; /* no excerpt to write it under */
    (void)buf_put(b, S("; "));
    put_safe(b, f->hint);
    (void)buf_put(b, S("\n"));
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

str check_report_text(arena *a, const check_report *r)
{
    buf b = buf_new(a, REPORT_MOST);
    size_t warnings = r->count - r->errors;
    for (size_t i = 0; i < r->count; i++) put_finding(&b, r, &r->list[i]);
    if (!r->count)
        (void)buf_fmt(&b, "fine: %zu rule%s in %zu file%s\n", r->rules, plural(r->rules),
                      r->source_count, plural(r->source_count));
    else
        (void)buf_fmt(&b,
                      "%zu error%s, %zu warning%s; `sallyport policy help " STR_FMT
                      "` explains a code\n",
                      r->errors, plural(r->errors), warnings, plural(warnings),
                      STR_ARG(r->list[0].code));
    return buf_str(&b);
}

/* JSON */

static void put_member(buf *b, const char *name, str value)
{
    if (!value.n) return;
    (void)buf_fmt(b, ",\"%s\":", name);
    (void)buf_json(b, value);
}

str check_report_json(arena *a, const check_report *r)
{
    buf b = buf_new(a, REPORT_MOST);
    (void)buf_put(&b, S("{\"findings\":["));
    for (size_t i = 0; i < r->count; i++) {
        const policy_finding *f = &r->list[i];
        (void)buf_fmt(&b, "%s{\"severity\":\"%s\"", i ? "," : "",
                      f->is_error ? "error" : "warning");
        put_member(&b, "code", f->code);
        put_member(&b, "file", f->file);
        if (f->line) (void)buf_fmt(&b, ",\"line\":%u,\"column\":%u", f->line, f->column);
        if (f->width) (void)buf_fmt(&b, ",\"width\":%u", f->width);
        put_member(&b, "message", f->text);
        put_member(&b, "suggestion", f->hint);
        put_member(&b, "replacement", f->fix);
        (void)buf_put(&b, S("}"));
    }
    (void)buf_fmt(&b, "],\"errors\":%zu,\"warnings\":%zu,\"rules\":%zu,\"files\":%zu}\n", r->errors,
                  r->count - r->errors, r->rules, r->source_count);
    return buf_str(&b);
}

/* SARIF */

static void put_text_object(buf *b, const char *name, str text)
{
    (void)buf_fmt(b, ",\"%s\":{\"text\":", name);
    (void)buf_json(b, text);
    (void)buf_put(b, S("}"));
}

static void put_rules(buf *b)
{
    for (const policy_code *c = policy_codes; c->code; c++) {
        (void)buf_fmt(b, "%s{\"id\":\"%s\"", c == policy_codes ? "" : ",", c->code);
        put_text_object(b, "shortDescription", (str){c->title, strlen(c->title)});
        put_text_object(b, "fullDescription", (str){c->text, strlen(c->text)});
        (void)buf_fmt(b, ",\"defaultConfiguration\":{\"level\":\"%s\"}}",
                      c->code[0] == 'E' ? "error" : "warning");
    }
}

/* A file's name as a URI reference (RFC 3986): everything else is percent-encoded. */
static void put_uri(buf *b, str name)
{
    (void)buf_put(b, S("\""));
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || (c && strchr("-._~/", c)))
            (void)buf_put(b, (str){&name.p[i], 1});
        else
            (void)buf_fmt(b, "%%%02X", c);
    }
    (void)buf_put(b, S("\""));
}

static void put_region(buf *b, const policy_finding *f)
{
    if (!f->line) return;
    (void)buf_fmt(b, ",\"region\":{\"startLine\":%u,\"startColumn\":%u", f->line, f->column);
    if (f->width) (void)buf_fmt(b, ",\"endColumn\":%u", f->column + f->width);
    (void)buf_put(b, S("}"));
}

static void put_result(buf *b, const policy_finding *f)
{
    arena *a = b->a;
    str text = f->hint.n ? arena_fmt(a, STR_FMT "; " STR_FMT, STR_ARG(f->text), STR_ARG(f->hint))
                         : f->text;
    (void)buf_put(b, S("{\"ruleId\":"));
    (void)buf_json(b, f->code);
    (void)buf_fmt(b, ",\"level\":\"%s\"", f->is_error ? "error" : "warning");
    put_text_object(b, "message", text);
    (void)buf_put(b, S(",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"));
    put_uri(b, f->file);
    (void)buf_put(b, S("}"));
    put_region(b, f);
    (void)buf_put(b, S("}}]}"));
}

str check_report_sarif(arena *a, const check_report *r)
{
    buf b = buf_new(a, REPORT_MOST);
    (void)buf_put(&b,
                  S("{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\","
                    "\"version\":\"2.1.0\",\"runs\":[{\"columnKind\":\"unicodeCodePoints\","
                    "\"tool\":{\"driver\":{\"name\":\"sallyport\",\"version\":\"" SALLYPORT_VERSION
                    "\",\"rules\":["));
    put_rules(&b);
    (void)buf_put(&b, S("]}},\"results\":["));
    for (size_t i = 0; i < r->count; i++) {
        if (i) (void)buf_put(&b, S(","));
        put_result(&b, &r->list[i]);
    }
    (void)buf_put(&b, S("]}]}\n"));
    return buf_str(&b);
}
