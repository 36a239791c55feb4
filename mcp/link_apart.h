/* SPDX-License-Identifier: Apache-2.0 */
/* link_apart.h - what a legacy server asks on its session's own stream instead of its call's.
 *
 * Private to link*.c. Threads: the worker of `ear`, the call that listens to that stream. */
#ifndef SP_MCP_LINK_APART_H
#define SP_MCP_LINK_APART_H
#include "link_table.h"

/* A call of that session gets it, on whichever worker; when none takes it the server is refused.
 */
void link_apart_asked(const link_call *ear, const link_message *m);
void link_apart_withdrawn(const link_call *ear, js_value id);
#endif
