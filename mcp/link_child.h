/* SPDX-License-Identifier: Apache-2.0 */
/* link_child.h - a child process and the calls on it, on the worker that owns it.
 *
 * Private to link_child.c (its life) and link_child_talk.c (what is said). */
#ifndef SP_MCP_LINK_CHILD_H
#define SP_MCP_LINK_CHILD_H
#include "link_flight.h"

typedef enum { RESTING, STARTING, PROBING, INITIALIZING, READY } link_child_state;

typedef struct link_child {
    link_table *t;
    arena *arena;
    arena *scratch; /* one line */
    upstream *u;    /* held */
    str key, isolation, caller_id;
    handle self;
    child *process;             /* NULL: RESTING, or */
    struct link_stream *stream; /* of a server over HTTP+SSE; link_stream.h */
    link_child_state state;
    upstream_era era;
    bool legacy_next; /* it exits when probed */
    unsigned can_ask; /* capability.h: what it was told its client can */
    link_log log;
    int64_t probe_id, hello_id;
    link_flight *flights; /* oldest first: waiting and sent */
    link_flight *last;
    size_t count;
    unsigned failures;
    int64_t rest_until_ms, used_ms;
    loop_timer timer;  /* of the state */
    loop_timer breath; /* running: the window in which chatter is counted */
    size_t chatter, chatter_bytes;
    bool paused;
} link_child;

str link_child_id(const int64_t *id);       /* the key of a flight */
void link_child_land(link_flight *f);       /* it is over; frees it */
bool link_child_say(link_child *c, buf *b); /* one line; changes line ends in it to spaces */
void link_child_ready(link_child *c, upstream_era era);
void link_child_next(link_child *c);               /* a call has ended: may another begin? */
void link_child_pause(link_child *c, bool on);     /* reads nothing more, or again */
link_flight *link_child_only(const link_child *c); /* NULL: none was sent, or several */
void link_child_broken(link_child *c, str what,
                       str detail); /* ends the process and what is under way */
void link_child_late(void *c);      /* a timer's: it took too long */

/* link_child_talk.c, as child_events */
void link_child_talk_begin(void *c);
void link_child_talk_line(void *c, str line);
#endif
