/* SPDX-License-Identifier: Apache-2.0 */
#include "session_end.h"
#include "inflight.h"
#include "listener.h"
#include "session_state.h"
#include "tape.h"
#include <stdlib.h>

typedef struct {
    letter mail;
    mcp_worker *to;
    session which; /* its sid alone */
} word;

static void drop(letter *self)
{
    free(self);
}

static void deliver(letter *self, loop *at)
{
    word *m = (word *)self;
    (void)at;
    listeners_end(m->to->listeners, &m->which);
    inflight_end(m->to, &m->which);
    tapes_end(m->to->tapes, &m->which);
    free(self);
}

void session_end(mcp_worker *w, const session *s, int64_t now_ms)
{
    session_revoke(w->shared->revoked, s, now_ms);
    session_forget(w->shared->sessions, s);
    for (unsigned i = 0; i < w->shared->workers; i++) {
        mcp_worker *to = w->shared->worker[i];
        word *m = to ? calloc(1, sizeof *m) : NULL;
        if (!m) continue;
        m->mail = (letter){.deliver = deliver, .drop = drop};
        m->to = to;
        memcpy(m->which.sid, s->sid, SESSION_SID);
        loop_post(to->loop, &m->mail);
    }
}
