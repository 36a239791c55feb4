/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h - Host and Origin: may this web page, by this name, talk to us at all?
 *
 * Guards against DNS rebinding and cross-site requests (MCP basic/security; contract §3):
 * on a loopback listener the Host must be loopback or listed; an Origin, when present, must be of
 * the same host, loopback on a loopback listener, or listed. */
#ifndef SP_GATE_H
#define SP_GATE_H
#include "../base/str.h"

typedef struct {
    const str *allowed_origins; /* ends with {0} */
    const str
        *allowed_hosts; /* host or host:port, ends with {0}; includes the endpoints' public hosts */
} gate;

typedef enum { GATE_OPEN, GATE_BAD_HOST, GATE_BAD_ORIGIN } gate_result;
/* origin.p NULL: no Origin header. */
gate_result gate_check(const gate *g, bool loopback_listener, str host, str origin, bool secure);
bool gate_is_loopback(str host_or_address); /* with or without port: localhost, 127/8, [::1] */
#endif
