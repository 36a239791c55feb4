/* SPDX-License-Identifier: Apache-2.0 */
/* direct.h - an answer that is known at once, given through a flow of one step.
 *
 * `finished` is called when the answer is given, `x` still alive. The body must live as
 * exchange_reply says. Threads: the exchange's worker. */
#ifndef SP_DIRECT_H
#define SP_DIRECT_H
#include "../transport/exchange.h"

typedef void direct_finished(void *ctx, exchange *x); /* may be NULL */
void direct_reply(exchange *x, int status, const header *headers, str body,
                  direct_finished *finished, void *ctx);
/* The same as JSON: {"error":{"message":…,"type":…}}. */
void direct_refuse(exchange *x, int status, const char *message, direct_finished *finished,
                   void *ctx);
#endif
