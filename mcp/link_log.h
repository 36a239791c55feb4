/* SPDX-License-Identifier: Apache-2.0 */
/* link_log.h - a legacy server over HTTP that logs on its session's own stream.
 *
 * Private to link*.c. Threads: the call's worker. */
#ifndef SP_MCP_LINK_LOG_H
#define SP_MCP_LINK_LOG_H
#include "link_table.h"

void link_log_begin(link_call *c); /* before it is sent */
void link_log_leave(link_call *c);
void link_log_apart(link_call *ear, js_value params); /* it came on that stream */
/* True: the answer is kept for a moment, since what was logged before it may come after it. */
bool link_log_hold(link_call *c, js_value result, js_value error);
#endif
