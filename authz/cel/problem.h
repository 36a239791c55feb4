/* SPDX-License-Identifier: Apache-2.0 */
/* problem.h - what is wrong with an expression, gathered while it is compiled.
 *
 * All passes write to one list, kept in the order of the source. After PROBLEM_MOST entries
 * further ones are counted but not kept: an author fixes a few at a time. */
#ifndef SP_CEL_PROBLEM_H
#define SP_CEL_PROBLEM_H
#include "cel.h"
#include <stdint.h>

typedef struct {
    arena *a;
    cel_problem *first;
    size_t count;
} cel_notes;

enum { PROBLEM_MOST = 32 };

typedef struct {
    uint32_t offset, length;
} cel_span;

void cel_note(cel_notes *notes, cel_span where, const char *code, str text, str hint);

/* The nearest of the names offered so far; start with cel_nearest_new. Case alone is distance 0,
 * so startswith finds startsWith. Nothing is nearest when all are far. */
typedef struct {
    str wanted, best;
    size_t distance;
} cel_nearest;
cel_nearest cel_nearest_new(str wanted);
void cel_nearest_offer(cel_nearest *n, str name);
#endif
