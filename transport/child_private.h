/* SPDX-License-Identifier: Apache-2.0 */
/* child_private.h - between a child (on its worker) and the spawner (a thread of its own).
 *
 * The worker owns the pipes and the lines, the spawner owns the process: it starts it, signals
 * its group, reaps it. They talk in two kinds of message only, and share nothing else:
 *   worker -> spawner   start (with everything the program needs), end (by number)
 *   spawner -> worker   a letter: started (with the pipes), then exited; or exited alone
 * `exited` comes exactly once for each start, so it is what frees the child.
 * Threads: as named at each function. */
#ifndef SP_CHILD_PRIVATE_H
#define SP_CHILD_PRIVATE_H
#include "child.h"

enum { SHIM_STATUS_FD = 3, SHIM_NOFILE = 4096 };

typedef struct {
    arena *a; /* holds itself and all below */
    uint64_t number;
    child *who;
    loop *to;
    char **argv; /* of the shim */
    char **env;
} child_order;

typedef struct {
    letter mail;
    child *who;
    bool exited; /* else: started */
    int pid;
    int in, out, err;   /* started: our ends, non-blocking; whoever holds the letter owns them */
    bool never_started; /* exited: the program did not run */
    char why[256];      /* exited: how */
} child_news;

/* Worker. */
uint64_t child_spawner_number(child_spawner *s);
void child_spawner_start(child_spawner *s, child_order *o); /* takes the order */
/* SIGTERM to its group after grace_ms (at once: 0), SIGKILL as much later; `kill`: SIGKILL now. */
void child_spawner_end(child_spawner *s, uint64_t number, int64_t grace_ms, bool kill);
char *const *child_spawner_shim(const child_spawner *s);
logger *child_spawner_log(const child_spawner *s);

/* In child.c, for the letters. */
void child_on_news(child *c, child_news *n); /* on the child's worker */
void child_drop(child *c);                   /* its loop is gone: frees what needs no loop */
#endif
