/* SPDX-License-Identifier: Apache-2.0 */
#include "slices.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* malloc and its kin, counted on their way to the C library. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static size_t allocations;
void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}

typedef struct {
    double ns[SLICE_ROUNDS_MOST];
    size_t allocated; /* in one run */
} measured;

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double slice(const subject *s)
{
    double began = now_ns();
    for (size_t i = 0; i < s->times; i++) s->run(s->ctx);
    return (now_ns() - began) / (double)s->times;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, size_t count)
{
    double sorted[SLICE_ROUNDS_MOST];
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    return sorted[count / 2];
}

static const measured *reference(const subject *all, const measured *results, const char *name)
{
    for (; all->name; all++, results++)
        if (strcmp(all->name, name) == 0) return results;
    (void)fprintf(stderr, "no reference %s\n", name);
    exit(1);
}

static void report(const subject *all, const measured *results, size_t rounds)
{
    (void)printf("%-34s %12s %7s  %-22s %s\n", "", "ns", "mallocs", "ratio (asked)", "");
    for (size_t i = 0; all[i].name; i++) {
        const subject *s = &all[i];
        double ratios[SLICE_ROUNDS_MOST], ns = median(results[i].ns, rounds), figure = ns;
        (void)printf("%-34s %12.1f %7zu", s->name, ns, results[i].allocated);
        if (s->beside) {
            const measured *other = reference(all, results, s->beside);
            for (size_t k = 0; k < rounds; k++) ratios[k] = results[i].ns[k] / other->ns[k];
            figure = median(ratios, rounds);
            (void)printf("  %.2fx %s", figure, s->beside);
            if (s->limit > 0) (void)printf(" (%.1fx)", s->limit);
        } else if (s->limit > 0)
            (void)printf("  (%.0f ns)", s->limit);
        (void)printf("%s\n",
                     s->limit > 0 ? figure <= s->limit ? "  reached" : "  NOT REACHED" : "");
    }
}

void slices_measure(const subject *all, size_t count, size_t rounds)
{
    measured *results = calloc(count, sizeof *results);
    for (size_t i = 0; all[i].name; i++) {
        all[i].run(all[i].ctx); /* what is made once is made now */
        size_t before = allocations;
        all[i].run(all[i].ctx);
        results[i].allocated = allocations - before;
    }
    for (size_t k = 0; k < rounds; k++)
        for (size_t i = 0; all[i].name; i++) results[i].ns[k] = slice(&all[i]);
    report(all, results, rounds);
    free(results);
}

void slices_must(bool holds, const char *what)
{
    if (holds) return;
    (void)fprintf(stderr, "the benchmark is wrong: %s\n", what);
    exit(1);
}
