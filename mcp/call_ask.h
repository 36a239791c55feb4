/* SPDX-License-Identifier: Apache-2.0 */
/* call_ask.h - a call whose server wants something of the client before it answers.
 *
 * Four ways, by the eras of both sides. Old client: it is asked by requests on its stream
 * (round.h), whatever its server is. New client, new server: the questions pass, with the server's
 * state sealed. New client, old server: the call is parked (parked.h) and found again by the
 * client's next round. What a client has not declared is never asked of it.
 * Threads: its worker's. */
#ifndef SP_MCP_CALL_ASK_H
#define SP_MCP_CALL_ASK_H
#include "corridor.h"
#include "link.h"

/* capability.h: what this request's client can be asked now. */
unsigned call_can_ask(visit *v);
/* Was this call paid for by the round before? Then it costs nothing more. */
bool call_is_paid_for(visit *v);
/* Before the server is called. NEXT: call it, with k->again. WAIT: a parked call was resumed. */
flow_go call_take_round(visit *v);
/* As link_events. */
bool call_asked(void *owner, const link_question *q);
void call_withdrawn(void *owner, str id);
/* The server's result is input_required. */
void call_wants_input(visit *v, js_value result);
/* The server's error says that an address must be opened first (-32042): true when the client is
 * asked to. */
bool call_wants_address(visit *v, js_value error);
/* The call failed, and its old server had asked what this new client cannot be asked (`bits` of
 * capability.h): true when the client is told so instead. */
bool call_lacked(visit *v, unsigned bits, js_value result, js_value error);
/* Nothing more is asked or awaited. */
void call_ask_end(visit *v);
#endif
