/* SPDX-License-Identifier: Apache-2.0 */
/* spool.h - bytes that wait to be passed on, more of them than memory should hold.
 *
 * First in, first out. A window stays in memory; what does not fit goes to a file without a name,
 * through the disk's thread, and comes back when its turn has come. So a put never blocks and
 * never fails at once: it says whether there is room for more, and `moved` tells when there is
 * again, or when bytes may be taken that were not there before.
 * Ownership: a spool belongs to an arena; a job on its way outlives it.
 * Failure: a disk that fails makes spool_error() non-NULL, for ever; `moved` tells it.
 * Threads: the worker's; the disk's thread sees jobs only. */
#ifndef SP_SPOOL_H
#define SP_SPOOL_H
#include "errand.h"
#include "loop.h"

enum { SPOOL_WINDOW = 512 * 1024, SPOOL_BLOCK = 256 * 1024 };

typedef struct spool spool;

/* One piece of work of the disk's thread. It opens a file where `fd` is -1, does what is asked, and
 * posts the job home; it touches nothing else of the spool. Where nothing can be done any more the
 * job is dropped as its letter is. */
typedef struct {
    letter mail;
    errand work; /* the disk's */
    loop *home;
    spool *owner; /* NULL: it is gone, and the file with it */
    int fd;
    bool writes, failed;
    int64_t at; /* in the file */
    char *p;
    size_t n;
} spool_job;

typedef struct {
    void (*submit)(void *ctx, spool_job *job);
    void *ctx;
} spool_disk;

spool *spool_new(arena *a, loop *l, const spool_disk *disk, void (*moved)(void *ctx), void *ctx);
bool spool_put(spool *s, str bytes); /* copied; false: no room for more until `moved` */
bool spool_has_room(const spool *s);
/* The first bytes; empty: none are here now, though they may come. The view lives until the next
 * call that changes the spool. */
str spool_first(spool *s);
void spool_taken(spool *s, size_t n);
uint64_t spool_waiting(const spool *s); /* put and not taken */
const err *spool_error(const spool *s);
#endif
