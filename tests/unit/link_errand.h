/* SPDX-License-Identifier: Apache-2.0 */
/* link_errand.h - gets a function onto a worker, and waits until it has run. */
#ifndef SP_TEST_LINK_ERRAND_H
#define SP_TEST_LINK_ERRAND_H
#include "link_rig.h"

/* Work on a worker's thread, waited for. */
typedef struct {
    letter mail;
    void (*fn)(mcp_worker *w, void *ctx);
    mcp_worker *w;
    void *ctx;
    atomic_bool ran;
} rig_errand;

static inline void errand_deliver(letter *self, loop *at)
{
    rig_errand *e = (rig_errand *)self;
    (void)at;
    e->fn(e->w, e->ctx);
    atomic_store(&e->ran, true);
}
static inline void errand_drop(letter *self)
{
    (void)self;
}

static inline void rig_on(rig *r, unsigned worker, void (*fn)(mcp_worker *w, void *ctx), void *ctx)
{
    rig_errand e = {.mail = {.deliver = errand_deliver, .drop = errand_drop},
                    .fn = fn,
                    .w = r->w[worker],
                    .ctx = ctx};
    loop_post(r->w[worker]->loop, &e.mail);
    while (!atomic_load(&e.ran)) nap(1);
}
#endif
