/* SPDX-License-Identifier: Apache-2.0 */
/* introspect.h - asks an issuer about a token, beside the workers.
 *
 * What it says goes into the worker's cache of tokens; whatever else happens, the token is refused
 * for a moment. The waiter is woken either way.
 * Threads: a worker's. The views in `what` are copied. */
#ifndef SP_INTROSPECT_H
#define SP_INTROSPECT_H
#include "worker.h"

void introspect(worker *w, const identity_detail *what, handle waiter);
#endif
