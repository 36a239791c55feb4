/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - a program that speaks one JSON message per line on its stdin and stdout.
 *
 * argv only, no shell. It is started through our own shim (`sallyport child`): empty environment
 * plus what is given, no_new_privs, resource limits, its own process group, and death with us
 * (PR_SET_PDEATHSIG follows the spawning thread, so one service thread spawns all). Stderr goes
 * to the log line by line, escaped and cut. Ending: stdin closed, `grace_ms` later SIGTERM to
 * the group, then SIGKILL to the group. The child is always reaped.
 * A line over `line_limit`, or one that is not UTF-8, ends the child with an error.
 * Starting is asynchronous: `started` or `exited` comes. No event comes from inside child_start()
 * or child_send(). Restarting with back-off is the caller's (child_backoff_ms).
 * Life: at shutdown free the spawner before the loops its children were started on, since it
 * writes to them until the last child is reaped. After `exited` the pointer is dead. A stale owner
 * ends the child. Threads: the loop's worker; the spawner thread is inside. */
#ifndef SP_CHILD_H
#define SP_CHILD_H
#include "../base/log.h"
#include "loop.h"

typedef struct child_spawner child_spawner; /* the service thread; one per process */
/* `shim` is argv[0..] of our own binary up to and including "child", NULL-terminated. */
child_spawner *child_spawner_new(logger *log,
                                 char *const *shim); /* NULL: no thread or descriptor left */
void child_spawner_free(child_spawner *s);           /* ends and reaps what is left */

typedef struct {
    str name; /* {0}: as ourselves; else only root may ask for it */
    unsigned uid, gid;
} child_user;

typedef struct child child;
typedef struct {
    str name;                       /* for the log */
    const str *argv;                /* ends with {0} */
    const str *env;                 /* "K=V", ends with {0}: all the child sees */
    str cwd;                        /* {0}: "/" */
    child_user user;                /* with all groups that are his */
    size_t line_limit, queue_limit; /* 0: 16 MiB, 16 MiB */
    int64_t grace_ms;               /* 0: 2 s */
} child_spec;

typedef struct {
    void (*started)(void *owner);
    void (*line)(void *owner, str line); /* without its newline; a view */
    void (*exited)(void *owner,
                   const err *why); /* once, last: how it ended, or why it could not start */
} child_events;

child *child_start(loop *l, child_spawner *s, const child_spec *spec, const void *type,
                   handle owner, const child_events *ev);
/* One line; the newline is added. False: its queue is full, it is gone, or it is no single line.
 * Copied. */
bool child_send(child *c, str line);
void child_pause(child *c);
void child_resume(child *c);
void child_end(child *c);                    /* graceful end; no more events; the pointer is dead */
int child_pid(const child *c);               /* 0: not running */
int64_t child_backoff_ms(unsigned failures); /* 100 ms doubling to 30 s, with jitter */

/* The shim's own main: `sallyport child [limits] -- ARGV…`. Does not return on success. */
int child_shim_main(int argc, char **argv);
#endif
