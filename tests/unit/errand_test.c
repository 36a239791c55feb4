/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../transport/errand.h"

enum { MOST = 4 };

typedef struct {
    errand head;
    atomic_uint *runs, *drops;
    int gate; /* run() waits until this can be read; -1: it does not wait */
} job;

static void run(errand *self)
{
    job *j = (job *)(void *)self;
    char byte;
    if (j->gate >= 0) (void)!read(j->gate, &byte, 1);
    atomic_fetch_add(j->runs, 1);
    free(j);
}

static void drop(errand *self)
{
    job *j = (job *)(void *)self;
    atomic_fetch_add(j->drops, 1);
    free(j);
}

static bool add(errands *e, atomic_uint *runs, atomic_uint *drops, int gate)
{
    job *j = calloc(1, sizeof *j);
    assert_non_null(j);
    *j = (job){{.run = run, .drop = drop}, runs, drops, gate};
    bool taken = errands_add(e, &j->head);
    if (!taken) free(j);
    return taken;
}

static void each_errand_is_run_or_dropped_once(void **state)
{
    (void)state;
    atomic_uint runs = 0, drops = 0;
    errands *e = errands_new(3, 1000);
    for (int i = 0; i < 1000; i++) assert_true(add(e, &runs, &drops, -1));
    errands_free(e);
    assert_int_equal(runs + drops, 1000);
}

static void one_too_many_is_refused(void **state)
{
    (void)state;
    atomic_uint runs = 0, drops = 0;
    int gate[2];
    assert_int_equal(pipe(gate), 0);
    errands *e = errands_new(1, MOST);
    unsigned taken = 0;
    /* the thread may or may not have taken the first */
    while (taken < MOST + 2 && add(e, &runs, &drops, gate[0])) taken++;
    assert_in_range(taken, MOST, MOST + 1);
    close(gate[1]); /* now all go on */
    errands_free(e);
    assert_int_equal(runs + drops, taken);
    close(gate[0]);
}

static void nothing_is_taken_after_the_end(void **state)
{
    (void)state;
    atomic_uint runs = 0, drops = 0;
    errands *e = errands_new(1, MOST);
    errands_stop(e);
    assert_false(add(e, &runs, &drops, -1));
    errands_free(e);
    errands_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_errand_is_run_or_dropped_once),
        cmocka_unit_test(one_too_many_is_refused),
        cmocka_unit_test(nothing_is_taken_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
