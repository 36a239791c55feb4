/* SPDX-License-Identifier: Apache-2.0 */
/* child_rig.h - one child, its life noted as text. The test program is its own shim. */
#ifndef SP_TEST_CHILD_RIG_H
#define SP_TEST_CHILD_RIG_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../base/buf.h"
#include "../../base/clock.h"
#include "../../transport/child.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct trial {
    arena *a;
    loop *l;
    logger *log;
    FILE *log_file;
    child_spawner *s;
    handle self;
    child *c;
    child_spec spec;
    buf said; /* "started{line}{line}exited: why" */
    size_t lines, bytes;
    bool quiet, no_stop;
    int pid;
    void (*on_started)(struct trial *t);
    void (*on_line)(struct trial *t, str line);
    loop_timer watchdog, other;
} trial;

static const char trial_type;
static char *shim[3];

static inline void started_event(void *owner)
{
    trial *t = owner;
    t->pid = child_pid(t->c);
    buf_put(&t->said, S("started"));
    if (t->on_started) t->on_started(t);
}

static inline void line_event(void *owner, str line)
{
    trial *t = owner;
    t->lines++;
    t->bytes += line.n;
    if (!t->quiet) buf_fmt(&t->said, "{" STR_FMT "}", STR_ARG(line));
    if (t->on_line) t->on_line(t, line);
}

static inline void exited_event(void *owner, const err *why)
{
    trial *t = owner;
    t->c = NULL;
    buf_fmt(&t->said, "exited " STR_FMT, STR_ARG(why->text));
    if (!t->no_stop) loop_stop(t->l);
}

static const child_events events = {started_event, line_event, exited_event};

static inline void too_long(void *ctx)
{
    trial *t = ctx;
    buf_put(&t->said, S("<hangs>"));
    loop_stop(t->l);
}

static inline void stop(void *ctx)
{
    loop_stop(((trial *)ctx)->l);
}

static inline void trial_new(trial *t)
{
    *t = (trial){0};
    t->a = arena_new();
    t->l = loop_new(0);
    t->log_file = tmpfile();
    assert_non_null(t->log_file);
    t->log = log_new(fileno(t->log_file), LOG_DEBUG_LEVEL);
    t->s = child_spawner_new(t->log, shim);
    assert_non_null(t->s);
    t->self = handle_add(loop_handles(t->l), &trial_type, t);
    t->said = buf_new(t->a, 16u << 20);
    t->spec.name = S("fs");
    t->spec.grace_ms = 200;
}

static inline void trial_start(trial *t, const str *argv)
{
    static const str env[] = {S("PATH=/usr/bin:/bin"), {0}};
    t->spec.argv = argv;
    if (!t->spec.env) t->spec.env = env;
    t->c = child_start(t->l, t->s, &t->spec, &trial_type, t->self, &events);
    assert_int_equal(t->said.n, 0);
    assert_int_equal(child_pid(t->c), 0);
}

static inline void trial_run(trial *t)
{
    loop_timer_start(t->l, &t->watchdog, 20000, too_long, t);
    loop_run(t->l);
}

static inline void no_children_are_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static inline void trial_free(trial *t)
{
    handle_drop(loop_handles(t->l), t->self);
    child_spawner_free(t->s);
    no_children_are_left();
    loop_free(t->l);
    log_free(t->log);
    (void)fclose(t->log_file);
    arena_free(t->a);
}

static inline void assert_said(const trial *t, const char *want)
{
    str said = buf_str(&t->said);
    if (!str_eq(said, (str){want, strlen(want)}))
        fail_msg("said   " STR_FMT "\nwanted %s", STR_ARG(said), want);
}

static inline str log_text(trial *t)
{
    long n = ftell(t->log_file);
    (void)fseek(t->log_file, 0, SEEK_END);
    n = ftell(t->log_file);
    rewind(t->log_file);
    char *p = NEW_N(t->a, char, (size_t)n + 1);
    size_t got = fread(p, 1, (size_t)n, t->log_file);
    return (str){p, got};
}

#define SH(script) ((const str[]){S("sh"), S("-c"), S(script), {0}})
#endif
