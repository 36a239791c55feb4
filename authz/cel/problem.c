/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - the list of problems, and the guess at what was meant.
 *
 * Guessing is a bounded edit distance: names over NEAREST_MOST bytes get no guess, so the row
 * of the distance table fits the stack and a hostile expression cannot make it slow. */
#include "problem.h"

enum { NEAREST_MOST = 32 };

void cel_note(cel_notes *notes, cel_span where, const char *code, str text, str hint)
{
    if (notes->count++ >= PROBLEM_MOST) return;
    cel_problem *p = NEW(notes->a, cel_problem);
    *p = (cel_problem){where.offset, where.length, code, text, hint, NULL};
    cel_problem **at = &notes->first;
    while (*at && (*at)->offset <= where.offset) at = &(*at)->next;
    p->next = *at;
    *at = p;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z') return (char)(c + 32);
    return c;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, case ignored. */
static size_t distance(str a, str b)
{
    size_t row[NEAREST_MOST + 1];
    for (size_t j = 0; j <= b.n; j++) row[j] = j;
    for (size_t i = 0; i < a.n; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < b.n; j++) {
            size_t change = corner + (lower(a.p[i]) != lower(b.p[j]));
            corner = row[j + 1];
            row[j + 1] = least(change, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[b.n];
}

cel_nearest cel_nearest_new(str wanted)
{
    return (cel_nearest){.wanted = wanted, .distance = 1 + wanted.n / 3};
}

void cel_nearest_offer(cel_nearest *n, str name)
{
    if (n->wanted.n > NEAREST_MOST || name.n > NEAREST_MOST) return;
    size_t d = distance(n->wanted, name);
    if (d > n->distance || (d == n->distance && n->best.n)) return;
    n->distance = d;
    n->best = name;
}
