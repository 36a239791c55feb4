/* SPDX-License-Identifier: Apache-2.0 */
/* tape.h - the events of one stream of a session, kept for a client that comes back.
 *
 * Each event has an id that names the tape by a random nonce and the event by its number, so an id
 * cannot be guessed, and is good only for the session it was given to. A tape keeps the last
 * events, bounded in number and bytes; older ones fall off. It may have one reader at a time: who
 * comes later takes the place of who was there. A tape belongs to the worker of the request that
 * writes it, and is forgotten there when nobody has read it for a while, or shortly after its end
 * was read. Counted. Threads: any; a lock inside each, held for a copy. */
#ifndef SP_MCP_TAPE_H
#define SP_MCP_TAPE_H
#include "../transport/exchange.h"
#include "session.h"
#include "worker.h"

enum {
    TAPES_PER_CALLER = 200,
    TAPE_EVENTS = 256,
    TAPE_BYTES = 1 << 20,
    TAPE_ID_MOST = 64,
    TAPE_AWAY_MS = 60000, /* how long a client may be away */
    TAPE_READ_MS = 5000,  /* how long after the end the last bytes may still be on their way */
    TAPE_RETRY_MS = 1000  /* what clients are told to wait before they come back */
};

typedef struct tape tape;
/* Written by the flow `writer`, which first reads it too, for the client of `x`. When nobody has
 * read for too long, the writer is stopped (STOP). `share`: whose it is (caller_share). NULL: too
 * many are kept. */
tape *tape_new(mcp_worker *w, const session *s, str share, handle writer, const exchange *x);
void tape_leave(tape *t, int64_t now_ms); /* x is about to go; what was written may still be read */
/* One event; `data` empty: a priming event, for its id alone. */
void tape_put(tape *t, str data);
void tape_end(tape *t); /* nothing more will be written */
tape *tape_hold(tape *t);
void tape_abandon(
    tape *t);            /* nobody shall come back for it: its writer and its reader are stopped */
void tape_drop(tape *t); /* the writer or a reader has no use for it any more */

/* From an event's id. NULL: no such tape of this session here. *after: the number in it. */
tape *tape_find(mcp_shared *s, const session *of, str id, uint64_t *after);
/* The reader now: woken (WOKEN) when there is more, stopped (STOP) when another takes its place. */
void tape_read_by(tape *t, handle reader);
void tape_away(tape *t, handle reader, int64_t now_ms); /* it has left */
bool tape_is_away(tape *t);                             /* nobody reads */

typedef enum { TAPE_SOME, TAPE_WAIT, TAPE_OVER, TAPE_LOST } tape_state;
/* The bytes of the next event after *at, which moves on. LOST: it fell off. */
tape_state tape_next(tape *t, uint64_t *at, buf *out);

struct tapes *tapes_new(mcp_worker *w);              /* those a worker owns */
void tapes_end(struct tapes *all, const session *s); /* it was ended: so are its tapes */
void tapes_drain(
    struct tapes *all); /* nobody will come back: writers without a reader are stopped */
void tapes_free(struct tapes *all);
struct tape_names *tape_names_new(void); /* all of the process, by nonce */
void tape_names_free(struct tape_names *n);
#endif
