/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* Bodies above glibc's default thresholds would be mapped and unmapped for each request; measured,
 * that costs half the throughput at 70 KB a body. */
static void keep_memory(void)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): before any thread is made */
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
    (void)mallopt(M_TOP_PAD, 4 << 20);
    /* NOLINTEND(concurrency-mt-unsafe) */
}

void process_harden(void)
{
    struct rlimit none = {0, 0}, files;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    keep_memory();
    (void)prctl(PR_SET_DUMPABLE, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL); /* a file that may not grow is an error of write() */
}

const err *process_signals(arena *a, int *fd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0 ||
        (*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        return err_new(a, ERR_BUG, "signals cannot be read: %m");
    return NULL;
}

static char *text(arena *a, str s)
{
    char *copy = arena_bytes(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) copy[i] = s.p[i];
    copy[s.n] = '\0';
    return copy;
}

char *const *process_shim(arena *a)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    char **argv = NEW_N(a, char *, 3);
    argv[0] =
        text(a, n > 0 && (size_t)n < sizeof path ? (str){path, (size_t)n} : S("/proc/self/exe"));
    argv[1] = text(a, S("child"));
    return argv;
}

const char *process_variable(const char *name)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables while threads run */
    return getenv(name);
}

bool process_user(arena *a, str name, config_user *user)
{
    enum { ENTRY_MOST = 16 << 10 };
    struct passwd entry, *found = NULL;
    char *text_of_it = arena_bytes(a, ENTRY_MOST);
    if (getpwnam_r(text(a, name), &entry, text_of_it, ENTRY_MOST, &found) != 0 || !found)
        return false;
    *user = (config_user){.name = {entry.pw_name, strlen(entry.pw_name)},
                          .home = {entry.pw_dir, strlen(entry.pw_dir)},
                          .uid = entry.pw_uid,
                          .gid = entry.pw_gid,
                          .is_us = entry.pw_uid == geteuid(),
                          .may_become = entry.pw_uid == geteuid() || geteuid() == 0};
    return true;
}

unsigned process_cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
}
