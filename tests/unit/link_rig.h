/* SPDX-License-Identifier: Apache-2.0 */
/* link_rig.h - real workers for the tests of links and catalogs.
 *
 * Loops run in threads of their own; a test gets onto one by an errand, and waits for it. */
#ifndef SP_TEST_LINK_RIG_H
#define SP_TEST_LINK_RIG_H
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../base/clock.h"
#include "../../mcp/catalog.h"
#include "../../mcp/link_table.h"
#include "../../mcp/upstream_state.h"
#include "../../mcp/worker.h"

static inline void keep_text(char *to, size_t room, str s)
{
    size_t n = s.n < room - 1 ? s.n : room - 1;
    if (n) memcpy(to, s.p, n);
    to[n] = 0;
}

static inline void nap(int ms)
{
    struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

/* Workers */

typedef struct {
    mcp_shared s;
    mcp_worker *w[4];
    pthread_t thread[4];
    unsigned n, running;
    arena *a;
    int log_fd;
    upstream *made[8];
    size_t made_count;
} rig;

static inline void *rig_run(void *l)
{
    loop_run(l);
    return NULL;
}

/* Workers that stand still: for what is called from their side. */
static inline void rig_make(rig *r, unsigned n, child_spawner *spawner)
{
    *r = (rig){.n = n, .a = arena_new()};
    char name[] = "/tmp/link-log-XXXXXX";
    r->log_fd = mkstemp(name);
    assert_true(r->log_fd >= 0);
    (void)unlink(name);
    r->s = (mcp_shared){.log = log_new(r->log_fd, LOG_DEBUG_LEVEL),
                        .meters = metrics_new(),
                        .workers = n,
                        .spawner = spawner};
    r->s.worker = r->w;
    r->s.upstreams = upstream_table_new(&r->s);
    for (unsigned i = 0; i < n; i++) {
        mcp_worker *w = calloc(1, sizeof *w);
        w->shared = &r->s;
        w->index = i;
        w->loop = loop_new(i);
        w->client = client_new(w->loop, r->s.log, 8);
        r->w[i] = w;
        w->links = link_table_new(w);
        w->catalogs = catalog_waits_new(w);
    }
}

static inline void rig_open(rig *r, unsigned n, child_spawner *spawner)
{
    rig_make(r, n, spawner);
    for (; r->running < n; r->running++)
        pthread_create(&r->thread[r->running], NULL, rig_run, r->w[r->running]->loop);
}

/* The spawner, if any, ends when the links have and before the loops. */
static inline void rig_close_with(rig *r, child_spawner *spawner)
{
    loop *loops[4];
    for (size_t i = 0; i < r->made_count; i++) upstream_drop(r->made[i]);
    for (unsigned i = 0; i < r->running; i++) loop_stop(r->w[i]->loop);
    for (unsigned i = 0; i < r->running; i++) pthread_join(r->thread[i], NULL);
    for (unsigned i = 0; i < r->n; i++) {
        mcp_worker *w = r->w[i];
        loops[i] = w->loop;
        r->w[i] = NULL;
        link_table_free(w->links);
        catalog_waits_free(w->catalogs);
        client_free(w->client);
        free(w);
    }
    child_spawner_free(spawner);
    for (unsigned i = 0; i < r->n; i++) loop_free(loops[i]);
    upstream_table_free(r->s.upstreams);
    log_free(r->s.log);
    metrics_free(r->s.meters);
    close(r->log_fd);
    arena_free(r->a);
}

static inline void rig_close(rig *r)
{
    rig_close_with(r, NULL);
}

static inline bool rig_logged(const rig *r, const char *text)
{
    static char all[1 << 20];
    ssize_t n = pread(r->log_fd, all, sizeof all - 1, 0);
    all[n > 0 ? n : 0] = 0;
    return strstr(all, text) != NULL;
}

static inline upstream *rig_upstream(rig *r, upstream_spec spec)
{
    upstream *u = NULL;
    if (!spec.name.p) spec.name = S("test");
    const err *e = upstream_acquire(&r->s, r->a, &spec, &u);
    if (e) print_error("%.*s\n", STR_ARG(e->text));
    assert_null(e);
    r->made[r->made_count++] = u;
    return u;
}
#endif
