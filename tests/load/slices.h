/* SPDX-License-Identifier: Apache-2.0 */
/* slices.h - measures small pieces of work beside each other, and says so.
 *
 * What is compared runs in turn, slice by slice, in this one process; printed are the medians over
 * the rounds, and the median of each round's ratio to its reference. Allocations are counted by
 * standing before malloc. Time is the thread's own: what else runs on the machine counts less. */
#ifndef SP_TESTS_SLICES_H
#define SP_TESTS_SLICES_H
#include <stdbool.h>
#include <stddef.h>

enum { SLICE_ROUNDS = 41, SLICE_ROUNDS_MOST = 999 };

typedef struct {
    const char *name;
    void (*run)(void *ctx); /* the work, once */
    void *ctx;
    size_t times;       /* in a slice */
    const char *beside; /* the name of its reference, NULL: is one or has none */
    double limit;       /* asked of the ratio, or of the time in ns when it has no reference */
} subject;

/* `all` ends with {0}. */
void slices_measure(const subject *all, size_t count, size_t rounds);
void slices_must(bool holds, const char *what); /* ends the program when it does not */
#endif
