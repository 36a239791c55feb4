/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what the process does to itself before it holds a secret (architecture.md 9.7), and
 * what it asks of the machine. */
#ifndef SP_PROCESS_H
#define SP_PROCESS_H
#include "config_parts.h"

/* No core files, no reading by others of the same user, no death by SIGPIPE, all descriptors the
 * system grants, and an allocator that keeps large blocks. */
void process_harden(void);
/* Blocks the signals that are read from the descriptor: before any thread is made. */
MUST_CHECK const err *process_signals(arena *a, int *fd);
/* argv of our own shim, NULL-terminated, in the arena. Before process_harden(). */
char *const *process_shim(arena *a);
unsigned process_cores(void);
/* An environment variable; NULL when unset. */
const char *process_variable(const char *name);
/* False: this machine has no such user. */
bool process_user(arena *a, str name, config_user *user);
#endif
