/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_file.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const err *failed(arena *a, str path, const char *what)
{
    return err_new(a, ERR_NOT_FOUND, "cannot %s the audit log " STR_FMT ": %s", what, STR_ARG(path),
                   strerrordesc_np(errno));
}

static bool read_at(int fd, char *to, size_t n, off_t at)
{
    while (n) {
        ssize_t got = pread(fd, to, n, at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        to += got;
        n -= (size_t)got;
        at += got;
    }
    return true;
}

static size_t behind_last_newline(str s)
{
    size_t n = s.n;
    while (n && s.p[n - 1] != '\n') n--;
    return n;
}

/* What stands behind the last newline goes; what stands before it must be a line. */
static const err *find_end(arena *a, str path, audit_file *f, off_t size)
{
    static const off_t most = (off_t)2 * AUDIT_LINE_MOST;
    size_t n = (size_t)(size < most ? size : most);
    char *bytes = arena_bytes(a, n);
    if (!read_at(f->fd, bytes, n, size - (off_t)n)) return failed(a, path, "read");
    str tail = {bytes, n};
    size_t end = behind_last_newline(tail);
    if (n - end > AUDIT_LINE_MOST)
        return err_new(a, ERR_MALFORMED, STR_FMT ": this is no audit log", STR_ARG(path));
    f->torn = n - end;
    if (f->torn && ftruncate(f->fd, size - (off_t)f->torn) != 0) return failed(a, path, "mend");
    f->empty = size == (off_t)f->torn;
    if (f->empty) return NULL;
    size_t begin = behind_last_newline(str_take(tail, end - 1));
    audit_chain before;
    const err *e =
        audit_chain_read(a, str_take(str_drop(tail, begin), end - 1 - begin), &before, &f->chain);
    return e ? err_wrap(a, e, STR_FMT ": the last line cannot be continued", STR_ARG(path)) : NULL;
}

const err *audit_file_open(arena *a, str path, audit_file *out)
{
    struct stat is;
    audit_file f = {.chain = audit_chain_new(), .empty = true};
    f.fd = open(arena_dup(a, path).p, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (f.fd < 0) return failed(a, path, "open");
    const err *e = NULL;
    if (flock(f.fd, LOCK_EX | LOCK_NB) != 0)
        e = errno == EWOULDBLOCK ? err_new(a, ERR_MALFORMED,
                                           "the audit log " STR_FMT " is another gateway's: give "
                                           "each its own",
                                           STR_ARG(path))
                                 : failed(a, path, "lock");
    else if (fstat(f.fd, &is) != 0)
        e = failed(a, path, "look at");
    else if (!S_ISREG(is.st_mode))
        e = err_new(a, ERR_MALFORMED, "the audit log " STR_FMT " is no file", STR_ARG(path));
    else if (is.st_size)
        e = find_end(a, path, &f, is.st_size);
    if (e)
        (void)close(f.fd);
    else
        *out = f;
    return e;
}
