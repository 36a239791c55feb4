/* SPDX-License-Identifier: Apache-2.0 */
/* ticket.h - what a call has paid, while its client is asked and nothing of the call waits here.
 *
 * A new server's question ends a call, which is made again with the answers. What was set aside for
 * it is kept here meanwhile, under a nonce in the client's sealed state: so a call is paid once,
 * however many rounds it takes, and one that is never finished has been paid all the same. A
 * ticket is good once. One that nobody takes in as long as a round may take is settled.
 * Bounded, for a caller and in all. Threads: any; settled on the worker that keeps it. */
#ifndef SP_MCP_TICKET_H
#define SP_MCP_TICKET_H
#include "charge.h"
#include "request_state.h"
#include "worker.h"

struct tickets *tickets_new(void);
void tickets_free(struct tickets *t); /* after all workers' were drained */

/* Takes the charge over. False: there is none, or no room; nothing has changed. */
bool ticket_keep(mcp_worker *w, str caller_id, charge *c, uint8_t nonce[STATE_NONCE]);
/* Gives it back, once. */
bool ticket_take(mcp_shared *s, const uint8_t nonce[STATE_NONCE], charge *c);
void tickets_drain(mcp_worker *w); /* of this worker: they are settled */
#endif
