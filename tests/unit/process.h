/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what a test asks of processes: is it there, what does it hold open. */
#ifndef SP_TEST_PROCESS_H
#define SP_TEST_PROCESS_H
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static inline bool alive(int pid)
{
    return kill(pid, 0) == 0;
}

static inline size_t descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d) abort();
    while (readdir(d)) n++;
    closedir(d);
    return n;
}
#endif
