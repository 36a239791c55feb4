/* SPDX-License-Identifier: Apache-2.0 */
/* following.h - the tasks one stream is told of.
 *
 * A client names tasks by the sealed ids it was given. One that is not this caller's at this
 * endpoint and one whose tool the rules deny him are left out alike. Each other is looked at by a
 * tasks/get that the client need not send: in his name, under the configuration of now, with all
 * that is done to the answer of one. It is looked at first, when its server says that it has
 * changed, and else as often as its server wants. He is owed what he was not told yet: one state of
 * a task, never a queue; a task that is over is told and let go.
 * Ownership: a look has an arena, and a snapshot, of its own, but uses its stream's exchange, which
 * lives until the last look has ended. Threads: the listener's worker, but for following_heard().
 */
#ifndef SP_MCP_FOLLOWING_H
#define SP_MCP_FOLLOWING_H
#include "listener.h"

enum { FOLLOWING_MOST = 32 };

typedef struct following {
    struct following *next;
    arena *a;     /* it lives there */
    str id;       /* as the client says it */
    bool left;    /* it is not, or no more, followed */
    str owed;     /* members of params; {0}: nothing new */
    arena *fresh; /* what is owed lives there */
    listener *of;
    struct look *look;  /* NULL: none is under way */
    upstream *u, *side; /* held; side: the caller's facet. NULL: not known yet */
    str own;            /* the server's id */
    int64_t next_ms, looked_ms;
    unsigned failures;
    bool acknowledged, decided, over;
    bool heard;    /* its server spoke of it since the last look began */
    uint64_t told; /* what it was; 0: nothing yet */
} following;

/* Too many, and what is no text, are left out. */
void following_begin(listener *l, js_value ids);
/* Have the rules spoken about each? */
bool following_is_decided(const listener *l);
/* Those that are left are promised to the client. */
void following_acknowledge(listener *l);
/* Begins the looks that are due. */
void following_tend(listener *l);
void following_told(following *k); /* what was owed */
void following_again(listener *l); /* the configuration is another */
void following_end(listener *l);
/* A server said that this task of its own has changed. Any thread. */
void following_heard(upstream *u, js_value id);
/* True: no look uses the stream's exchange; else the last one will release it. */
bool following_lets_go(listener *l);
#endif
