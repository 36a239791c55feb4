/* SPDX-License-Identifier: Apache-2.0 */
/* talk.h - a connection whose user waits for it: for service threads, never on a worker.
 *
 * Plain TCP or TLS (the peer's name is checked against the trust given). Every wait ends at its
 * `until_ms` (monotonic) with ERR_TIMEOUT; looking up a name takes as long as the system's resolver
 * allows. After an error nothing but talk_close() may follow.
 * Ownership: the caller's, until talk_close(). Threads: one at a time. */
#ifndef SP_TALK_H
#define SP_TALK_H
#include "tls.h"
#include <stdint.h>

typedef struct talk talk;

typedef struct {
    str host; /* a name or an address, without brackets */
    uint16_t port;
    const tls_client *tls; /* NULL: plain */
} talk_place;

MUST_CHECK const err *talk_open(arena *a, const talk_place *to, int64_t until_ms, talk **out);
MUST_CHECK const err *talk_say(arena *a, talk *t, str bytes, int64_t until_ms);
/* At least one byte into `at`; *n 0: the peer has ended. */
MUST_CHECK const err *talk_hear(arena *a, talk *t, char *at, size_t room, int64_t until_ms,
                                size_t *n);
void talk_close(talk *t); /* NULL is fine */
#endif
