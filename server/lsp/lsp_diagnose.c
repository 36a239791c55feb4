/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_diagnose.c - the checker's problems as diagnostics, and what can be mended as edits.
 *
 * A problem is a line "FILE:LINE:COL: error CODE: what". What to write instead is in its words,
 * after "did you mean", "write" or "quote the expression"; the fix is made of those, so that a
 * person and an editor are told the same. */
#include "../../authz/cel/print.h"
#include "../../authz/policy/fmt.h"
#include "../../authz/policy/policy.h"
#include "lsp_ask.h"

enum { PROBLEMS_MOST = 200 };

static const str file_name = {"policy", 6}; /* as which the text is checked; not shown */

typedef struct {
    size_t from, to;
    str code, text;
} finding;

static unsigned number(str *rest)
{
    unsigned n = 0;
    for (; rest->n && *rest->p >= '0' && *rest->p <= '9' && n < 10000000;
         *rest = str_drop(*rest, 1))
        n = n * 10 + (unsigned)(*rest->p - '0');
    *rest = str_drop(*rest, 1);
    return n;
}

static finding finding_of(str text, str problem_text)
{
    str rest = str_drop(problem_text, file_name.n + 1);
    unsigned line = number(&rest), column = number(&rest);
    rest = str_drop(rest, 1);
    finding f = {.from = lsp_text_place(text, line, column)};
    if (str_starts(rest, S("error ")) || str_starts(rest, S("warning "))) {
        str_pair cut = str_cut(str_cut(rest, ' ').tail, ':');
        f.code = cut.head;
        rest = str_drop(cut.tail, 1);
    }
    f.text = rest;
    f.to = lsp_word_end(text, f.from);
    if (f.to == f.from && f.to < text.n && text.p[f.to] != '\n') f.to++;
    return f;
}

static problems found_in(const lsp_ask *q)
{
    problems out;
    policy *p;
    problems_init(&out, q->a, file_name);
    const policy_source source = {file_name, q->doc->text};
    policy_load(q->a, &source, 1, q->world->zones, &out, &p);
    return out;
}

static void put_diagnostic(const lsp_ask *q, const finding *f)
{
    (void)buf_put(q->out, S("{\"range\":"));
    lsp_put_range(q->out, q->doc->text, f->from, f->to);
    (void)buf_put(q->out, S(",\"severity\":1,\"source\":\"sallyport\",\"code\":"));
    (void)buf_json(q->out, f->code);
    (void)buf_put(q->out, S(",\"message\":"));
    (void)buf_json(q->out, f->text);
    (void)buf_put(q->out, S("}"));
}

void lsp_diagnose(const lsp_ask *q)
{
    problems found = found_in(q);
    size_t n = 0;
    (void)buf_put(q->out, S("["));
    for (const problem *p = found.first; p && n < PROBLEMS_MOST; p = p->next) {
        finding f = finding_of(q->doc->text, p->text);
        if (n++) (void)buf_put(q->out, S(","));
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

static void fix_name(fixes *x, const finding *f)
{
    str rest = behind(f->text, "did you mean "), text = x->q->doc->text;
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
    str rest = behind(f->text, "write r'");
    size_t from, to;
    if (!rest.n || !literal_around(x->q->doc->text, f->from, &from, &to)) return;
    str whole = str_take(str_drop(x->q->doc->text, from), to - from);
    put_fix(x, S("Write a raw string"), from, to, arena_fmt(x->q->a, "r" STR_FMT, STR_ARG(whole)),
            f);
}

/* The value of the line that begins at `at`: what the formatter's mending gives it. */
static void fix_quotes(fixes *x, const finding *f)
{
    if (!behind(f->text, "quote the ").n) return;
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
    problems found = found_in(q);
    fixes x = {.q = q};
    (void)buf_put(q->out, S("["));
    for (const problem *p = found.first; p && x.count < PROBLEMS_MOST; p = p->next) {
        finding f = finding_of(q->doc->text, p->text);
        if (f.from > to || f.to < from) continue;
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
