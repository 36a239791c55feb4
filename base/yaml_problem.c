/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_problem.c - what is wrong with a file, and what was probably meant. */
#include "yaml.h"
#include <stdarg.h>
#include <stdio.h>

enum { WORD_MOST = 64 };

void problems_init(problems *p, arena *a, str file)
{
    *p = (problems){.a = a, .file = file};
    p->end = &p->first;
}

static problem *append(problems *p, str text)
{
    problem *one = NEW(p->a, problem);
    one->text = text;
    *p->end = one;
    p->end = &one->next;
    p->count++;
    return one;
}

void problems_add_text(problems *p, str text)
{
    (void)append(p, arena_dup(p->a, text));
}

problem *problems_add(problems *p, unsigned line, unsigned column, const char *fmt, ...)
{
    char what[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    str place = arena_fmt(p->a, STR_FMT ":%u:%u: ", STR_ARG(p->file), line, column);
    problem *one = append(p, arena_fmt(p->a, STR_FMT "%s", STR_ARG(place), n < 0 ? fmt : what));
    one->said = place.n;
    one->file = p->file;
    one->line = line;
    one->column = column;
    return one;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c + 32);
    return c;
}

static bool same_but_case(str a, str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    }
    return true;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, changes and swaps of neighbours between two words of at most
 * WORD_MOST letters; the three rows are those of i, i - 1 and i - 2. */
static size_t distance(str a, str b)
{
    size_t rows[3][WORD_MOST + 1];
    for (size_t j = 0; j <= b.n; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3];
        const size_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool equal = lower(a.p[i - 1]) == lower(b.p[j - 1]);
            size_t best = least(last[j], now[j - 1]) + 1;
            best = least(best, last[j - 1] + !equal);
            bool swapped = i > 1 && j > 1 && lower(a.p[i - 1]) == lower(b.p[j - 2]) &&
                           lower(a.p[i - 2]) == lower(b.p[j - 1]);
            now[j] = swapped ? least(best, before[j - 2] + 1) : best;
        }
    }
    return rows[a.n % 3][b.n];
}

str yaml_did_you_mean(str word, const str *names)
{
    for (const str *n = names; n->p; n++) {
        if (same_but_case(word, *n)) return *n;
    }
    if (word.n == 0 || word.n > WORD_MOST) return (str){0};
    /* two letters, or a third of a long word; but never more than half of a short one */
    size_t most = least(word.n / 3 > 2 ? word.n / 3 : 2, word.n / 2), best = most + 1;
    str nearest = {0};
    for (const str *n = names; n->p; n++) {
        if (n->n > WORD_MOST) continue;
        size_t d = distance(word, *n);
        if (d >= best) continue;
        best = d;
        nearest = *n;
    }
    return nearest;
}

void problems_add_word(problems *p, unsigned line, unsigned column, const char *what, str word,
                       const str *names)
{
    str near = yaml_did_you_mean(word, names);
    problems_add(p, line, column, "%s `" STR_FMT "`%s" STR_FMT "%s", what, STR_ARG(word),
                 near.p ? ", did you mean `" : "", STR_ARG(near), near.p ? "`?" : "");
}
