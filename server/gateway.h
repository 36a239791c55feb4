/* SPDX-License-Identifier: Apache-2.0 */
/* gateway.h - the running whole: from a configuration to listening workers, and back to nothing.
 *
 * gateway_start() reads, checks and opens everything, or says what is wrong and leaves nothing
 * behind. gateway_run() stays until a signal ends it: SIGHUP or a changed file reloads (a bad file
 * keeps what runs), SIGTERM or SIGINT drains, a second one ends at once. Threads: all calls from
 * the main thread, whose signals process_signals() has blocked. */
#ifndef SP_GATEWAY_H
#define SP_GATEWAY_H
#include "../base/log.h"
#include "config.h"

typedef struct gateway gateway;

typedef struct {
    str file; /* path; {0}: `made` is the configuration, and nothing is reloaded */
    config_file made;
    config_file extra; /* a policy beside the files'; text.p NULL: none */
    char *const *shim; /* see child.h */
    int signals;       /* from process_signals */
    str note;          /* said at start: "policy: everything is allowed", …; {0}: nothing */
} gateway_options;

/* Problems of the configuration are written to stderr, one a line; the error then only counts them.
 */
MUST_CHECK const err *gateway_start(arena *a, const gateway_options *o, logger *log, gateway **out);
/* "127.0.0.1:8080": the real address of the i-th listener, {0} past the end; of the admin listener.
 */
str gateway_address(const gateway *g, size_t i);
str gateway_admin_address(const gateway *g);
int gateway_run(gateway *g); /* the exit code */
void gateway_free(gateway *g);
#endif
