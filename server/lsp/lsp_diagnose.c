/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_diagnose.c - the checker's findings as diagnostics, and what can be mended as edits.
 *
 * A finding says what to write instead. Some say it to the letter; of others the fix is made of
 * the advice, after "did you mean", "write" or "quote the", so that a person and an editor are told
 * the same. */
#include "../../authz/cel/print.h"
#include "../../authz/policy/check.h"
#include "../../authz/policy/fmt.h"
#include "lsp_ask.h"

enum { PROBLEMS_MOST = 200 };

static const str file_name = {"policy", 6}; /* as which the text is checked; not shown */

typedef struct {
    size_t from, to;
    const policy_finding *is;
    str message;
} finding;

static finding finding_of(arena *a, str text, const policy_finding *is)
{
    finding f = {.from = lsp_text_place(text, is->line, is->column), .is = is};
    f.to = is->width ? lsp_text_place(text, is->line, is->column + is->width)
                     : lsp_word_end(text, f.from);
    if (f.to == f.from && f.to < text.n && text.p[f.to] != '\n') f.to++;
    f.message = is->text;
    if (is->hint.n)
        f.message = arena_fmt(a, STR_FMT "; " STR_FMT, STR_ARG(is->text), STR_ARG(is->hint));
    return f;
}

static const policy_finding *found_in(const lsp_ask *q, str text, size_t *count)
{
    problems out;
    policy *p;
    problems_init(&out, q->a, file_name);
    const policy_source source = {file_name, text};
    policy_check(q->a, &source, 1, q->world, &out, &p);
    const policy_finding *list = policy_findings(q->a, &out, count);
    if (*count > PROBLEMS_MOST) *count = PROBLEMS_MOST;
    return list;
}

static void put_diagnostic(const lsp_ask *q, const finding *f)
{
    (void)buf_put(q->out, S("{\"range\":"));
    lsp_put_range(q->out, q->doc->text, f->from, f->to);
    (void)buf_fmt(q->out,
                  ",\"severity\":%d,\"source\":\"sallyport\",\"code\":", f->is->is_error ? 1 : 2);
    (void)buf_json(q->out, f->is->code);
    (void)buf_put(q->out, S(",\"message\":"));
    (void)buf_json(q->out, f->message);
    (void)buf_put(q->out, S("}"));
}

void lsp_diagnose(const lsp_ask *q)
{
    size_t count;
    const policy_finding *list = found_in(q, q->doc->text, &count);
    (void)buf_put(q->out, S("["));
    for (size_t i = 0; i < count; i++) {
        finding f = finding_of(q->a, q->doc->text, &list[i]);
        if (i) (void)buf_put(q->out, S(","));
        put_diagnostic(q, &f);
    }
    (void)buf_put(q->out, S("]"));
}

/* Fixes */

typedef struct {
    const lsp_ask *q;
    size_t count;
} fixes;

static void put_fix(fixes *x, str title, size_t from, size_t to, str replacement, const finding *of)
{
    buf *out = x->q->out;
    (void)buf_put(out, x->count++ ? S(",{\"title\":") : S("{\"title\":"));
    (void)buf_json(out, title);
    (void)buf_put(out, of ? S(",\"kind\":\"quickfix\",\"isPreferred\":true,\"diagnostics\":[")
                          : S(",\"kind\":\"refactor.rewrite\",\"diagnostics\":["));
    if (of) put_diagnostic(x->q, of);
    (void)buf_put(out, S("],\"edit\":{\"changes\":{"));
    (void)buf_json(out, x->q->doc->uri);
    (void)buf_put(out, S(":["));
    lsp_put_edit(out, x->q->doc->text, from, to, replacement);
    (void)buf_put(out, S("]}}}"));
}

/* What stands in the message behind `words`; {0}: they are not in it. */
static str behind(str message, const char *words)
{
    const char *at = message.n ? memmem(message.p, message.n, words, strlen(words)) : NULL;
    return at ? str_drop(message, (size_t)(at - message.p) + strlen(words)) : (str){0};
}

/* The checker knows what to write; but quotes of YAML stand around it, perhaps. */
static void fix_as_told(fixes *x, const finding *f)
{
    const lsp_ask *q = x->q;
    str text = q->doc->text, fix = f->is->fix;
    if (!fix.n) return;
    str tail = str_drop(text, f->to);
    str mended = arena_fmt(q->a, STR_FMT STR_FMT STR_FMT, STR_ARG(str_take(text, f->from)),
                           STR_ARG(fix), STR_ARG(tail));
    size_t count;
    const policy_finding *left = found_in(q, mended, &count);
    for (size_t i = 0; i < count; i++)
        if (left[i].line == f->is->line && (left[i].column == f->is->column || !left[i].is_error ||
                                            str_eq(left[i].code, S("E100"))))
            return;
    put_fix(x, arena_fmt(q->a, "Write " STR_FMT, STR_ARG(fix)), f->from, f->to, fix, f);
}

static void fix_name(fixes *x, const finding *f)
{
    str rest = behind(f->is->hint, "did you mean "), text = x->q->doc->text;
    if (f->is->fix.n) return;
    char end = '?';
    if (rest.n && strchr("'\"`", *rest.p)) {
        end = *rest.p;
        rest = str_drop(rest, 1);
    }
    str name = str_cut(rest, end).head;
    size_t from = lsp_word_start(text, f->from), to = lsp_word_end(text, f->from);
    if (!name.n || from == to) return;
    put_fix(x, arena_fmt(x->q->a, "Change to '" STR_FMT "'", STR_ARG(name)), from, to, name, f);
}

/* From the quote before `at` to the one behind it, on one line. */
static bool literal_around(str text, size_t at, size_t *from, size_t *to)
{
    *from = at;
    while (*from && text.p[*from - 1] != '\n' && text.p[*from] != '\'' && text.p[*from] != '"')
        (*from)--;
    char quote = text.p[*from];
    if (quote != '\'' && quote != '"') return false;
    for (*to = at; *to < text.n && text.p[*to] != '\n' && text.p[*to] != quote;) (*to)++;
    if (*to >= text.n || text.p[*to] != quote) return false;
    (*to)++;
    return true;
}

static void fix_literal(fixes *x, const finding *f)
{
    str rest = behind(f->is->hint, "write r'");
    size_t from, to;
    if (!rest.n || !literal_around(x->q->doc->text, f->from, &from, &to)) return;
    str whole = str_take(str_drop(x->q->doc->text, from), to - from);
    put_fix(x, S("Write a raw string"), from, to, arena_fmt(x->q->a, "r" STR_FMT, STR_ARG(whole)),
            f);
}

/* The value of the line that begins at `at`: what the formatter's mending gives it. */
static void fix_quotes(fixes *x, const finding *f)
{
    if (!behind(f->is->hint, "quote the ").n) return;
    str text = x->q->doc->text, made;
    if (policy_fmt(x->q->a, file_name, text, &made)) return;
    put_fix(x, S("Quote the expression, and format"), 0, text.n, made, f);
}

/* args.x in a condition: absent, it is an error, which in a forbid denies every call. */
static void offer_guard(fixes *x)
{
    const lsp_ask *q = x->q;
    str text = q->doc->text;
    if (!lsp_is_expression(&q->where) || q->where.role != FMT_EXPR) return;
    lsp_chain c = lsp_chain_at(text, q->where.value_at, q->offset);
    if (!str_eq(c.before, S("args")) || !c.word.n || c.text.n != c.before.n + 1 + c.word.n) return;
    cel_node *root;
    str line = str_cut(str_drop(text, q->where.value_at), '\n').head;
    bool simple = !cel_tree(q->a, line, &root) && root->kind != NODE_OR && root->kind != NODE_IF;
    if (!simple) return;
    put_fix(x, arena_fmt(q->a, "Only when '" STR_FMT "' is there", STR_ARG(c.word)),
            q->where.value_at, q->where.value_at,
            arena_fmt(q->a, "has(args." STR_FMT ") && ", STR_ARG(c.word)), NULL);
}

void lsp_fix(const lsp_ask *q, size_t from, size_t to)
{
    size_t count;
    const policy_finding *list = found_in(q, q->doc->text, &count);
    fixes x = {.q = q};
    (void)buf_put(q->out, S("["));
    for (size_t i = 0; i < count; i++) {
        finding f = finding_of(q->a, q->doc->text, &list[i]);
        if (f.from > to || f.to < from) continue;
        fix_as_told(&x, &f);
        fix_name(&x, &f);
        fix_literal(&x, &f);
        fix_quotes(&x, &f);
    }
    offer_guard(&x);
    (void)buf_put(q->out, S("]"));
}

void lsp_format(const lsp_ask *q)
{
    str made, text = q->doc->text;
    const err *e = policy_fmt(q->a, file_name, text, &made);
    bool same = e || str_eq(made, text);
    (void)buf_put(q->out, S("["));
    if (!same) lsp_put_edit(q->out, text, 0, text.n, made);
    (void)buf_put(q->out, S("]"));
}
