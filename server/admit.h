/* SPDX-License-Identifier: Apache-2.0 */
/* admit.h - may this request come in at all, whichever door it wants? (docs/decisions/0002)
 *
 * Host and Origin are checked as authz/gate.h says; a page of an origin that may come is told so
 * in whatever the reply will be (CORS), and its preflight is answered here.
 * Threads: the exchange's worker. */
#ifndef SP_ADMIT_H
#define SP_ADMIT_H
#include "../authz/gate.h"
#include "direct.h"

typedef struct {
    const gate *rules;
    bool loopback; /* the listener it came by */
    direct_finished *finished;
    void *ctx;
} admittance;

/* False: it has been answered (403, or 204 to a preflight). */
bool admit(const admittance *a, exchange *x);
#endif
