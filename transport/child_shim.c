/* SPDX-License-Identifier: Apache-2.0 */
/* child_shim.c - what runs between our spawn and the program: it gives up everything.
 *
 * It is our own binary, started anew, so that nothing here happens between fork and exec in a
 * process with threads. The spawner has given it its group, clean signals, the child's pipes as
 * 0, 1 and 2, and as 3 a pipe on which it says why it could not go on; that the pipe closes
 * without a word means that the program runs.
 *
 * The order matters: another user is become first, since that takes back the death signal; this is
 * asked for before the parent is checked (else the parent could die in between, unnoticed); the
 * directory is entered as who the program will be; and descriptors are closed last, since 3 must
 * survive until exec. The environment is the program's from the start; PATH in it is what exec
 * searches. */
#include "child_private.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static _Noreturn void give_up(const char *what)
{
    char text[256];
    const char *reason = strerrordesc_np(errno);
    int n = snprintf(text, sizeof text, "%s: %s", what, reason ? reason : "failed");
    if (n > 0 && write(SHIM_STATUS_FD, text, strnlen(text, sizeof text)) < 0) _exit(126);
    _exit(127);
}

static void limit(__rlimit_resource_t what, rlim_t most)
{
    struct rlimit now;
    if (getrlimit(what, &now)) give_up("getrlimit");
    if (now.rlim_max == RLIM_INFINITY || now.rlim_max > most) now.rlim_max = most;
    now.rlim_cur = now.rlim_max;
    if (setrlimit(what, &now)) give_up("setrlimit");
}

static bool option(const char *arg, const char *name, const char **value)
{
    size_t n = strlen(name);
    if (strncmp(arg, name, n) != 0) return false;
    *value = arg + n;
    return true;
}

static _Noreturn void refuse(const char *what)
{
    errno = EINVAL;
    give_up(what);
}

static long number(const char *text)
{
    char *end = NULL;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < 0) refuse("option");
    return n;
}

/* "UID:GID:NAME", as the gateway looked it up. Groups first: afterwards it is too late. */
static void become(const char *user)
{
    char *gid = NULL, *name = NULL;
    errno = 0;
    unsigned long uid = strtoul(user, &gid, 10);
    unsigned long group = *gid == ':' ? strtoul(gid + 1, &name, 10) : 0;
    if (errno || !name || *name != ':' || !name[1]) refuse("user");
    if (initgroups(name + 1, (gid_t)group) || setgid((gid_t)group) || setuid((uid_t)uid))
        give_up("to run as another user");
    if (uid && setuid(0) == 0) refuse("user"); /* there must be no way back */
}

static void confine(long parent, long nofile)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) give_up("prctl");
    if (parent && getppid() != (pid_t)parent) _exit(127); /* it died before we asked */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) give_up("prctl");
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, (rlim_t)nofile);
}

int child_shim_main(int argc, char **argv)
{
    const char *cwd = "/", *user = NULL, *value = NULL;
    long parent = 0, nofile = SHIM_NOFILE;
    int i = argc > 1 && strcmp(argv[1], "child") == 0 ? 2 : 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (option(argv[i], "--parent=", &value))
            parent = number(value);
        else if (option(argv[i], "--nofile=", &value))
            nofile = number(value);
        else if (option(argv[i], "--cwd=", &value))
            cwd = value;
        else if (option(argv[i], "--user=", &value))
            user = value;
        else
            refuse(argv[i]);
    }
    if (i + 1 >= argc) refuse("no program");
    char **program = argv + i + 1;
    if (fcntl(SHIM_STATUS_FD, F_SETFD, FD_CLOEXEC)) give_up("not started by the gateway");
    if (getpgrp() != getpid() && setpgid(0, 0)) give_up("setpgid");
    if (user) become(user);
    confine(parent, nofile);
    if (chdir(cwd)) give_up(cwd);
    if (close_range(SHIM_STATUS_FD + 1, ~0u, 0)) give_up("close_range");
    (void)execvp(program[0], program);
    give_up(program[0]);
}
