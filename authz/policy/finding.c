/* SPDX-License-Identifier: Apache-2.0 */
/* finding.c - a problem's words taken apart: how grave, which code, what, and what instead.
 *
 * Whoever notes a problem writes one sentence for the log. Some say apart from it what to write
 * instead; of the others the sentence is cut where the advice begins. */
#include "check.h"
#include <stdlib.h>

typedef struct {
    policy_finding f;
    size_t file, number; /* in which order files and problems were met */
} placed;

static unsigned number(str *rest)
{
    unsigned n = 0;
    for (; rest->n && *rest->p >= '0' && *rest->p <= '9' && n < 100000000;
         *rest = str_drop(*rest, 1))
        n = n * 10 + (unsigned)(*rest->p - '0');
    return n;
}

/* YAML's own problems are "FILE:LINE:COL: what". */
static str read_place(str text, str file, policy_finding *f)
{
    str rest = text;
    if (!str_starts(rest, file) || rest.n <= file.n || rest.p[file.n] != ':') return text;
    rest = str_drop(rest, file.n + 1);
    unsigned line = number(&rest);
    if (!line || !rest.n || *rest.p != ':') return text;
    rest = str_drop(rest, 1);
    unsigned column = number(&rest);
    if (!column || !str_starts(rest, S(": "))) return text;
    f->line = line;
    f->column = column;
    return str_drop(rest, 2);
}

static str read_code(str said, policy_finding *f)
{
    bool is_warning = str_starts(said, S("warning "));
    if (!is_warning && !str_starts(said, S("error "))) return said;
    str_pair cut = str_cut(str_cut(said, ' ').tail, ':');
    f->is_error = !is_warning;
    f->code = cut.head;
    return str_drop(cut.tail, 1);
}

static str trim_joint(str s)
{
    while (s.n && strchr(" ,;:(", s.p[s.n - 1])) s.n--;
    return s;
}

/* Where the advice begins; s.n: nowhere. */
static size_t advice_at(str s, str hint)
{
    static const char *const beginnings[] = {"did you mean ", "write ", "quote the ",
                                             "indent with "};
    if (!s.n) return 0;
    if (hint.n) {
        const char *at = memmem(s.p, s.n, hint.p, hint.n);
        return at ? (size_t)(at - s.p) : s.n;
    }
    size_t first = s.n;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        size_t n = strlen(beginnings[i]);
        const char *at = memmem(s.p, s.n, beginnings[i], n);
        bool joined = at && at > s.p + 1 && at[-1] == ' ' && strchr(",;:", at[-2]);
        bool inside = at && at > s.p && at[-1] == '(';
        if ((joined || inside) && (size_t)(at - s.p) < first) first = (size_t)(at - s.p);
    }
    return first;
}

static void read_hint(str said, str hint, policy_finding *f)
{
    size_t at = advice_at(said, hint);
    f->text = trim_joint(str_take(said, at));
    f->hint = hint;
    if (hint.n || at >= said.n) return;
    f->hint = str_drop(said, at);
    if (at && said.p[at - 1] == '(' && said.p[said.n - 1] == ')') f->hint.n--;
}

static policy_finding finding_of(const problems *all, const problem *p)
{
    policy_finding f = {.is_error = true, .file = p->file, .line = p->line, .column = p->column};
    str said = str_drop(p->text, p->said);
    f.width = p->width;
    f.fix = p->fix;
    f.code = S("E100");
    if (!p->said) { /* "FILE:…": the file may be any of those given */
        const char *colon = p->text.n ? memmem(p->text.p, p->text.n, ":", 1) : NULL;
        f.file = colon ? str_take(p->text, (size_t)(colon - p->text.p)) : all->file;
        said = read_place(p->text, f.file, &f);
    }
    read_hint(read_code(said, &f), p->hint, &f);
    return f;
}

static int by_place(const void *x, const void *y)
{
    const placed *a = x, *b = y;
    if (a->file != b->file) return a->file < b->file ? -1 : 1;
    if (a->f.line != b->f.line) return a->f.line < b->f.line ? -1 : 1;
    if (a->f.column != b->f.column) return a->f.column < b->f.column ? -1 : 1;
    int code = str_order(a->f.code, b->f.code);
    if (code) return code;
    return (a->number > b->number) - (a->number < b->number);
}

static bool same(const policy_finding *a, const policy_finding *b)
{
    return a->line && a->line == b->line && a->column == b->column && str_eq(a->file, b->file) &&
           str_eq(a->code, b->code);
}

const policy_finding *policy_findings(arena *a, const problems *p, size_t *count)
{
    placed *list = NEW_N(a, placed, p->count + 1);
    size_t n = 0, files = 0, kept = 0;
    for (const problem *one = p->first; one; one = one->next, n++) {
        list[n].f = finding_of(p, one);
        list[n].number = n;
        size_t i = n;
        while (i && !str_eq(list[i - 1].f.file, list[n].f.file)) i--;
        list[n].file = i ? list[i - 1].file : files++;
    }
    qsort(list, n, sizeof *list, by_place);
    policy_finding *out = NEW_N(a, policy_finding, n + 1);
    for (size_t i = 0; i < n; i++)
        if (!kept || !same(&out[kept - 1], &list[i].f)) out[kept++] = list[i].f;
    *count = kept;
    return out;
}
