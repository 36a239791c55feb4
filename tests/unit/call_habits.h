/* SPDX-License-Identifier: Apache-2.0 */
/* call_habits.h - what servers and callers in these tests often do. */
#ifndef SP_TEST_CALL_HABITS_H
#define SP_TEST_CALL_HABITS_H
#include "call_trial.h"
#include "process.h"

/* Answers every request on a connection with the same bytes. */
static inline void always(int fd, int nth, server_fake *s)
{
    char in[65536];
    (void)nth;
    while (hear(fd, in, sizeof in))
        if (!say_text(fd, s->text)) return;
}

static inline void again(trial *t)
{
    if (t->ends + 1 < t->want_ends) go(t);
}

static inline void close_each(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth;
    if (hear(fd, in, sizeof in)) (void)say_text(fd, s->text);
}

static inline void silent(int fd, int nth, server_fake *s)
{
    char in[4096];
    (void)nth;
    if (!hear(fd, in, sizeof in)) return;
    if (s->text) (void)say_text(fd, s->text);
    assert_true(sees_close(fd));
}

static inline void resume_after(void *ctx)
{
    trial *t = ctx;
    call_resume(t->k);
}

static inline void pause_briefly(trial *t)
{
    call_pause(t->k);
    loop_timer_start(t->l, &t->other, 10, resume_after, t);
}
#endif
