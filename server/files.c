/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - the one place that reads files.
 *
 * A change is looked for by what the disk says of a file (device, inode, size, time of change), not
 * by the events: an inotify event only says "look". So a symbolic link that is swapped under a
 * directory, as container platforms do, is a change like any other. */
#include "files.h"

#include "../base/buf.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct seen {
    str path, pattern; /* one of them */
    struct stat was;
    bool was_there;
    const str *matched;
    struct seen *next;
} seen;

struct files {
    arena *a;
    str directory;
    seen *first;
};

files *files_new(arena *a, str directory)
{
    files *f = NEW(a, files);
    *f = (files){.a = a, .directory = arena_dup(a, directory)};
    return f;
}

static str absolute(const files *f, arena *a, str path)
{
    if (path.n && path.p[0] == '/') return arena_dup(a, path);
    return arena_fmt(a, STR_FMT "/" STR_FMT, STR_ARG(f->directory), STR_ARG(path));
}

static bool is_seen(const files *f, str path)
{
    for (const seen *s = f->first; s; s = s->next)
        if (str_eq(s->path, path)) return true;
    return false;
}

static void remember(files *f, str path)
{
    if (is_seen(f, path)) return;
    seen *s = NEW(f->a, seen);
    s->path = arena_dup(f->a, path);
    s->was_there = stat(s->path.p, &s->was) == 0;
    s->next = f->first;
    f->first = s;
}

static const err *read_all(arena *a, int fd, str path, size_t expected, str *text)
{
    buf got = buf_new(a, FILES_LIMIT);
    if (!buf_need(&got, expected + 1))
        return err_new(a, ERR_TOO_LARGE, STR_FMT " is over 16 MiB", STR_ARG(path));
    for (;;) {
        if (!buf_need(&got, 4096))
            return err_new(a, ERR_TOO_LARGE, STR_FMT " is over 16 MiB", STR_ARG(path));
        ssize_t n = read(fd, got.p + got.n, got.cap - got.n);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return err_new(a, ERR_NOT_FOUND, "cannot read " STR_FMT ": %m", STR_ARG(path));
        if (n == 0) break;
        got.n += (size_t)n;
    }
    *text = got.n ? buf_str(&got) : S("");
    return NULL;
}

static const err *read_file(arena *a, str full, str path, str *text)
{
    int fd = open(full.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return err_new(a, ERR_NOT_FOUND, "cannot read " STR_FMT ": %m", STR_ARG(path));
    struct stat st;
    const err *e = NULL;
    if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode))
        e = err_new(a, ERR_NOT_FOUND, "cannot read " STR_FMT ": not a file", STR_ARG(path));
    else if (st.st_size > FILES_LIMIT)
        e = err_new(a, ERR_TOO_LARGE, STR_FMT " is over 16 MiB", STR_ARG(path));
    else
        e = read_all(a, fd, path, (size_t)st.st_size, text);
    close(fd);
    return e;
}

const err *files_read(files *f, arena *a, str path, str *text)
{
    str full = absolute(f, a, path);
    remember(f, full);
    return read_file(a, full, path, text);
}

const err *files_read_once(arena *a, str path, str *text)
{
    return read_file(a, arena_dup(a, path), path, text);
}

static const err *world_read(void *ctx, arena *a, str path, str *text)
{
    return files_read(ctx, a, path, text);
}

static str world_variable(void *ctx, arena *a, str name)
{
    (void)ctx;
    const char *value = process_variable(arena_dup(a, name).p);
    return value ? arena_dup(a, (str){value, strlen(value)}) : (str){0};
}

/* Paths as a person would write them: relative when the pattern was. */
static const str *match(const files *f, arena *a, str pattern)
{
    glob_t found = {0};
    str full = absolute(f, a, pattern);
    size_t drop = str_eq(full, pattern) ? 0 : f->directory.n + 1;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread matches files */
    size_t n = glob(full.p, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    str *paths = NEW_N(a, str, n + 1);
    for (size_t i = 0; i < n; i++) {
        str path = {found.gl_pathv[i], strlen(found.gl_pathv[i])};
        paths[i] = arena_dup(a, str_drop(path, drop));
    }
    globfree(&found);
    return paths;
}

static const str *world_glob(void *ctx, arena *a, str pattern)
{
    files *f = ctx;
    seen *s = NEW(f->a, seen);
    s->pattern = arena_dup(f->a, pattern);
    s->matched = match(f, f->a, pattern);
    s->next = f->first;
    f->first = s;
    return match(f, a, pattern);
}

static bool world_user(void *ctx, arena *a, str name, config_user *user)
{
    (void)ctx;
    return process_user(a, name, user);
}

config_world files_world(files *f)
{
    return (config_world){.directory = f->directory,
                          .variable = world_variable,
                          .read = world_read,
                          .glob = world_glob,
                          .user = world_user,
                          .ctx = f};
}

static bool same_file(const seen *s)
{
    struct stat now;
    bool there = stat(s->path.p, &now) == 0;
    if (!there || !s->was_there) return there == s->was_there;
    return now.st_dev == s->was.st_dev && now.st_ino == s->was.st_ino &&
           now.st_size == s->was.st_size && now.st_mtim.tv_sec == s->was.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == s->was.st_mtim.tv_nsec;
}

static bool same_match(const files *f, const seen *s)
{
    arena *scratch = arena_new();
    const str *now = match(f, scratch, s->pattern), *was = s->matched;
    while (now->p && was->p && str_eq(*now, *was)) now++, was++;
    bool same = !now->p && !was->p;
    arena_free(scratch);
    return same;
}

bool files_changed(files *f)
{
    for (const seen *s = f->first; s; s = s->next)
        if (s->path.p ? !same_file(s) : !same_match(f, s)) return true;
    return false;
}

void files_watch(files *f, int inotify)
{
    arena *scratch = arena_new();
    for (const seen *s = f->first; s; s = s->next) {
        str path = s->path.p ? s->path : absolute(f, scratch, s->pattern);
        size_t slash = path.n;
        while (slash > 1 && path.p[slash - 1] != '/') slash--;
        str directory = arena_dup(scratch, str_take(path, slash > 1 ? slash - 1 : 1));
        (void)inotify_add_watch(inotify, directory.p,
                                IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                    IN_MOVED_TO | IN_ATTRIB);
    }
    arena_free(scratch);
}

bool files_exists(str path)
{
    arena *scratch = arena_new();
    bool there = access(arena_dup(scratch, path).p, F_OK) == 0;
    arena_free(scratch);
    return there;
}

bool files_write(int fd, str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text = str_drop(text, (size_t)n);
    }
    return true;
}

const err *files_create(arena *a, str path, str text)
{
    str full = arena_dup(a, path);
    int fd = open(full.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return err_new(a, ERR_NOT_FOUND, "cannot create " STR_FMT ": %m", STR_ARG(path));
    bool written = files_write(fd, text);
    bool closed = close(fd) == 0;
    return written && closed ? NULL
                             : err_new(a, ERR_NOT_FOUND, "cannot write " STR_FMT, STR_ARG(path));
}

const err *files_replace(arena *a, str path, str text)
{
    str draft = arena_fmt(a, STR_FMT ".%d.new", STR_ARG(path), (int)getpid());
    str full = arena_dup(a, path);
    struct stat was;
    const err *e = files_create(a, draft, text);
    if (!e) (void)chmod(draft.p, stat(full.p, &was) == 0 ? was.st_mode & 0777 : 0644);
    if (!e && rename(draft.p, full.p) != 0)
        e = err_new(a, ERR_NOT_FOUND, "cannot replace " STR_FMT ": %m", STR_ARG(path));
    if (e) (void)unlink(draft.p);
    return e;
}

static size_t name_in(str path)
{
    size_t slash = path.n;
    while (slash > 0 && path.p[slash - 1] != '/') slash--;
    return slash;
}

const err *files_open(arena *a, str path, files **f, str *text)
{
    *f = files_new(a, files_directory_of(a, path));
    return files_read(*f, a, str_drop(path, name_in(path)), text);
}

str files_directory_of(arena *a, str path)
{
    size_t slash = name_in(path);
    str directory = slash ? arena_dup(a, str_take(path, slash > 1 ? slash - 1 : 1)) : S(".");
    char real[PATH_MAX];
    if (!realpath(directory.p, real)) return arena_dup(a, directory);
    return arena_dup(a, (str){real, strlen(real)});
}
