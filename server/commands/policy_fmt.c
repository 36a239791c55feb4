/* SPDX-License-Identifier: Apache-2.0 */
/* policy_fmt.c - prints files in their one layout, or says which are not, or rewrites them.
 *
 * A file is replaced whole: its new text goes to a temporary file beside it, with its mode, which
 * then takes its name. Whoever reads it meanwhile sees the old or the new, never half. */
#include "../../authz/policy/fmt.h"
#include "../files.h"
#include "policy_verb.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    arena *a;
    files *world;
    bool only_check, write;
    bool differs; /* some file is not as it should be */
} job;

static const err *failed(arena *a, const char *name, const char *what)
{
    return err_new(a, ERR_UNSUPPORTED, "%s: cannot %s: %s", name, what, strerrordesc_np(errno));
}

/* `path` is the file itself, no link to it. */
static const err *replace(arena *a, const char *path, str text)
{
    struct stat was;
    str temporary = arena_fmt(a, "%s.XXXXXX", path);
    char *name = arena_bytes(a, temporary.n + 1);
    memcpy(name, temporary.p, temporary.n + 1);
    if (stat(path, &was) != 0) return failed(a, path, "look at it");
    int fd = mkstemp(name);
    if (fd < 0) return failed(a, path, "write beside it");
    bool good = files_write(fd, text) && fchmod(fd, was.st_mode & 07777) == 0 && fsync(fd) == 0;
    good = close(fd) == 0 && good;
    if (good && rename(name, path) == 0) return NULL;
    const err *e = failed(a, path, "write it");
    (void)unlink(name);
    return e;
}

static const err *rewrite(arena *a, const char *name, str text)
{
    char *path = realpath(name, NULL);
    if (!path) return failed(a, name, "find it");
    const err *e = replace(a, path, text);
    free(path);
    return e;
}

static const err *one(job *j, const char *name)
{
    str file = {name, strlen(name)}, text, made;
    const err *e = files_read(j->world, j->a, file, &text);
    if (!e) e = policy_fmt(j->a, file, text, &made);
    if (e) return e;
    bool same = str_eq(text, made);
    if (!same) j->differs = true;
    if (j->only_check) {
        if (!same) (void)printf("%s\n", name);
        return NULL;
    }
    if (j->write) return same ? NULL : rewrite(j->a, name, made);
    (void)fwrite(made.p, 1, made.n, stdout);
    return NULL;
}

int policy_verb_fmt(arena *a, int argc, char **argv)
{
    job j = {.a = a};
    const char **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{.name = "--check", .given = &j.only_check},
                                      {.name = "--write", .brief_name = "-w", .given = &j.write},
                                      {0}};
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (count == 0) return command_usage("policy fmt", "it wants policy files");
    if (j.only_check && j.write) return command_usage("policy fmt", "--check writes nothing");
    j.world = files_new(a, files_directory_of(a, S("./")));
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        const err *e = one(&j, names[i]);
        if (!e) continue;
        (void)fprintf(stderr, STR_FMT "\n", STR_ARG(e->text));
        wrong = 1;
    }
    if (fflush(stdout) != 0) wrong = 1;
    return wrong || (j.only_check && j.differs) ? 1 : 0;
}
