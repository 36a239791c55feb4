/* SPDX-License-Identifier: Apache-2.0 */
/* spool.c - in the order of the bytes: head, file, the job on its way, tail.
 *
 * As long as the head has room nothing else exists. One job at a time is out: a full tail on its
 * way to the file, or the file's next block on its way to an empty head. Memory never holds more
 * than the head, one block on its way and one being filled. */
#include "spool.h"
#include "../base/buf.h"
#include <stdlib.h>
#include <unistd.h>

struct spool {
    arena *a;
    loop *l;
    spool_disk disk;
    void (*moved)(void *ctx);
    void *ctx;
    buf head, tail;
    size_t head_at; /* bytes of the head already taken */
    int fd;
    int64_t read_at, write_at; /* what the file still holds */
    spool_job *job;            /* NULL: none is out */
    const err *failed;
    uint64_t waiting;
};

static void job_free(spool_job *j, bool with_file)
{
    if (with_file && j->fd >= 0) (void)close(j->fd);
    free(j->p);
    free(j);
}

static void drop(void *s_)
{
    spool *s = s_;
    if (s->job)
        s->job->owner = NULL; /* the file is the job's to close */
    else if (s->fd >= 0)
        (void)close(s->fd);
    buf_free(&s->head);
    buf_free(&s->tail);
}

spool *spool_new(arena *a, loop *l, const spool_disk *disk, void (*moved)(void *ctx), void *ctx)
{
    spool *s = NEW(a, spool);
    *s = (spool){.a = a, .l = l, .disk = *disk, .moved = moved, .ctx = ctx, .fd = -1};
    s->head = s->tail = buf_new(NULL, SIZE_MAX); /* who puts has a limit of his own */
    arena_own(a, drop, s);
    return s;
}

/* Jobs */

static bool file_is_empty(const spool *s)
{
    return s->read_at == s->write_at;
}

static void came_back(letter *self, loop *at);

/* The loop is gone before the job came home. */
static void job_lost(letter *self)
{
    spool_job *j = (spool_job *)(void *)self;
    if (j->owner) j->owner->job = NULL;
    job_free(j, j->owner == NULL);
}

static void send(spool *s, bool writes, buf block)
{
    spool_job *j = calloc(1, sizeof *j);
    if (!j) abort();
    *j = (spool_job){.mail = {.deliver = came_back, .drop = job_lost},
                     .home = s->l,
                     .owner = s,
                     .fd = s->fd,
                     .writes = writes,
                     .at = writes ? s->write_at : s->read_at,
                     .p = block.p,
                     .n = block.n};
    s->job = j;
    s->disk.submit(s->disk.ctx, j);
}

/* The tail's bytes become the job's, and a new tail begins. */
static void write_tail(spool *s)
{
    buf full = s->tail;
    s->tail = buf_new(NULL, SIZE_MAX);
    send(s, true, full);
}

static void read_file(spool *s)
{
    int64_t left = s->write_at - s->read_at;
    buf block = buf_new(NULL, SIZE_MAX);
    block.n = left < SPOOL_BLOCK ? (size_t)left : SPOOL_BLOCK;
    block.p = malloc(block.n);
    if (!block.p) abort();
    send(s, false, block);
}

/* An empty head is filled before a full tail is emptied: what is taken makes room. */
static void go_on(spool *s)
{
    if (s->job || s->failed) return;
    if (s->head.n == 0 && !file_is_empty(s)) {
        read_file(s);
    } else if (s->head.n == 0) {
        buf empty = s->head;
        s->head = s->tail;
        s->tail = empty;
    } else if (s->tail.n >= SPOOL_BLOCK) {
        write_tail(s);
    }
}

static void came_back(letter *self, loop *at)
{
    (void)at;
    spool_job *j = (spool_job *)(void *)self;
    spool *s = j->owner;
    if (!s) {
        job_free(j, true);
        return;
    }
    s->job = NULL;
    s->fd = j->fd;
    if (j->failed) {
        s->failed = err_new(s->a, ERR_BUG, "the disk failed under an upload");
    } else if (j->writes) {
        s->write_at += (int64_t)j->n;
    } else {
        s->read_at += (int64_t)j->n;
        (void)buf_put(&s->head, (str){j->p, j->n});
    }
    job_free(j, false);
    go_on(s);
    s->moved(s->ctx);
}

/* Bytes */

/* Only while everything is in memory may the head grow at its end. */
static bool fits_head(const spool *s, size_t n)
{
    return !s->job && file_is_empty(s) && s->tail.n == 0 && s->head.n - s->head_at < SPOOL_WINDOW &&
           n <= SPOOL_WINDOW - (s->head.n - s->head_at);
}

bool spool_put(spool *s, str bytes)
{
    s->waiting += bytes.n;
    if (fits_head(s, bytes.n)) {
        if (s->head_at && s->head.n + bytes.n > SPOOL_WINDOW) {
            buf_drop(&s->head, s->head_at);
            s->head_at = 0;
        }
        (void)buf_put(&s->head, bytes);
    } else {
        (void)buf_put(&s->tail, bytes);
        go_on(s);
    }
    return spool_has_room(s);
}

bool spool_has_room(const spool *s)
{
    return s->tail.n < SPOOL_BLOCK;
}

str spool_first(spool *s)
{
    if (s->head.n == 0) go_on(s);
    return str_drop(buf_str(&s->head), s->head_at);
}

void spool_taken(spool *s, size_t n)
{
    s->waiting -= n;
    s->head_at += n;
    if (s->head_at < s->head.n) return;
    s->head.n = s->head_at = 0;
    go_on(s);
}

uint64_t spool_waiting(const spool *s)
{
    return s->waiting;
}

const err *spool_error(const spool *s)
{
    return s->failed;
}
