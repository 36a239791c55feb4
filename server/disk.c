/* SPDX-License-Identifier: Apache-2.0 */
#include "disk.h"
#include "process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *directory(void)
{
    const char *set = process_variable("TMPDIR");
    return set && *set ? set : "/tmp";
}

/* Not every file system has files without a name. */
static int open_nameless(const char *in)
{
    int fd = open(in, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0) return fd;
    arena *a = arena_new();
    str name = arena_fmt(a, "%s/sallyport-XXXXXX", in);
    char *template = arena_bytes(a, name.n + 1);
    for (size_t i = 0; i <= name.n; i++) template[i] = name.p[i];
    fd = mkostemp(template, O_CLOEXEC);
    if (fd >= 0) (void)unlink(template);
    arena_free(a);
    return fd;
}

static bool transfer(const spool_job *j)
{
    size_t done = 0;
    while (done < j->n) {
        off_t at = (off_t)(j->at + (int64_t)done);
        ssize_t n = j->writes ? pwrite(j->fd, j->p + done, j->n - done, at)
                              : pread(j->fd, j->p + done, j->n - done, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

static spool_job *job_of(errand *work)
{
    return (spool_job *)(void *)((char *)work - offsetof(spool_job, work));
}

static void run(errand *work)
{
    spool_job *j = job_of(work);
    if (j->fd < 0) j->fd = open_nameless(directory());
    j->failed = j->fd < 0 || !transfer(j);
    loop_post(j->home, &j->mail);
}

static void drop(errand *work)
{
    spool_job *j = job_of(work);
    j->mail.drop(&j->mail);
}

static void submit(void *ctx, spool_job *job)
{
    job->work = (errand){.run = run, .drop = drop};
    if (errands_add(ctx, &job->work)) return;
    job->failed = true; /* too much waits for the disk */
    loop_post(job->home, &job->mail);
}

spool_disk disk_for_spools(errands *e)
{
    return (spool_disk){submit, e};
}
