/* SPDX-License-Identifier: Apache-2.0 */
/* quota_file.c - the old content is copied aside, then the file is emptied and mapped: so what a
 * killed process left is read once, and never mixed with what is new. */
#include "quota_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES = (65536 + 1) * 128, FILES_MOST = 64, BOOT_BYTES = 36 };

struct quota_file {
    int fd;
    char *path;
    void *memory, *left;
    size_t left_bytes;
};

static const err *failed(arena *a, const char *path, const char *what)
{
    return err_new(a, ERR_BUG, "%s: %s: %m", path, what);
}

/* Ours alone, or -1; *busy: another process has it. */
static int open_locked(const char *path, bool *busy)
{
    struct stat s;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    *busy = false;
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) &&
        s.st_nlink == 1) /* not one that was removed while we opened it */
        return fd;
    *busy = true;
    close(fd);
    return -1;
}

static void read_left(quota_file *f)
{
    struct stat s;
    if (fstat(f->fd, &s) != 0 || s.st_size != FILE_BYTES) return;
    f->left = malloc(FILE_BYTES);
    if (!f->left) abort();
    while (f->left_bytes < FILE_BYTES) {
        ssize_t n = pread(f->fd, (char *)f->left + f->left_bytes, FILE_BYTES - f->left_bytes,
                          (off_t)f->left_bytes);
        if (n <= 0) break;
        f->left_bytes += (size_t)n;
    }
    if (f->left_bytes < FILE_BYTES) quota_file_forget_left(f);
}

const err *quota_file_new(arena *a, str path, quota_file **out)
{
    bool busy = true;
    str name = path;
    quota_file *f = calloc(1, sizeof *f);
    if (!f) abort();
    f->fd = -1;
    for (int i = 0; i < FILES_MOST && f->fd < 0 && busy; i++) {
        name = i ? arena_fmt(a, STR_FMT ".%d", STR_ARG(path), i) : arena_dup(a, path);
        f->fd = open_locked(name.p, &busy);
    }
    f->path = strdup(name.p);
    if (!f->path) abort();
    const err *e = f->fd < 0 ? failed(a, f->path, "cannot be opened") : NULL;
    if (!e) read_left(f);
    if (!e && (ftruncate(f->fd, 0) || ftruncate(f->fd, FILE_BYTES)))
        e = failed(a, f->path, "cannot be made as large as it must be");
    void *m = e ? NULL : mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (!e && m == MAP_FAILED) e = failed(a, f->path, "cannot be mapped");
    if (e) {
        quota_file_free(f, false);
        return e;
    }
    f->memory = m;
    *out = f;
    return NULL;
}

void *quota_file_memory(quota_file *f, size_t *bytes)
{
    *bytes = FILE_BYTES;
    return f->memory;
}

const void *quota_file_left(const quota_file *f, size_t *bytes)
{
    *bytes = f->left_bytes;
    return f->left;
}

void quota_file_forget_left(quota_file *f)
{
    free(f->left);
    f->left = NULL;
    f->left_bytes = 0;
}

void quota_file_free(quota_file *f, bool done)
{
    if (!f) return;
    if (f->memory) munmap(f->memory, FILE_BYTES);
    if (done) (void)unlink(f->path);
    if (f->fd >= 0) close(f->fd);
    free(f->left);
    free(f->path);
    free(f);
}

str quota_file_boot(arena *a)
{
    char *text = NEW_N(a, char, BOOT_BYTES);
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, BOOT_BYTES);
    if (fd >= 0) close(fd);
    return n == BOOT_BYTES ? (str){text, BOOT_BYTES} : (str){0};
}
