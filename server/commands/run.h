/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - what serve and demo have in common. */
#ifndef SP_COMMAND_RUN_H
#define SP_COMMAND_RUN_H
#include "../gateway.h"

/* Starts, calls `started` (may be NULL), runs until a signal. Gives the exit code.
 * run_prepare() first, before any thread is made. */
MUST_CHECK const err *run_prepare(arena *a, gateway_options *o);
int run_gateway(arena *a, const gateway_options *o, void (*started)(void *ctx, const gateway *g),
                void *ctx);
#endif
