/* SPDX-License-Identifier: Apache-2.0 */
#include "session_end.h"
#include "inflight.h"
#include "listener.h"
#include "session_state.h"
#include "tape.h"
#include "watching.h"
#include <stdlib.h>

typedef struct {
    letter mail;
    mcp_worker *to;
    session which; /* its sid alone */
    bool ended;    /* else: it wishes to hear of other resources */
} word;

static void drop(letter *self)
{
    free(self);
}

void session_watch(listener *l)
{
    arena *a = arena_new();
    size_t n = 0;
    str *wishes = session_wishes(l->v->w->shared->sessions, &l->v->q.session, a, &n);
    if (l->listed) watching_set(l, wishes, n);
    arena_free(a);
}

static void look_again(listener *l, void *m_)
{
    const word *m = m_;
    const visit *v = l->v;
    if (v->listen && v->q.has_session && memcmp(v->q.session.sid, m->which.sid, SESSION_SID) == 0)
        session_watch(l);
}

static void deliver(letter *self, loop *at)
{
    word *m = (word *)self;
    (void)at;
    if (m->ended) {
        listeners_end(m->to->listeners, &m->which);
        inflight_end(m->to, &m->which);
        tapes_end(m->to->tapes, &m->which);
    } else {
        listeners_each(m->to->listeners, look_again, m);
    }
    free(self);
}

static void tell_all(mcp_worker *w, const session *s, bool ended)
{
    for (unsigned i = 0; i < w->shared->workers; i++) {
        mcp_worker *to = w->shared->worker[i];
        word *m = to ? calloc(1, sizeof *m) : NULL;
        if (!m) continue;
        m->mail = (letter){.deliver = deliver, .drop = drop};
        m->to = to;
        m->ended = ended;
        memcpy(m->which.sid, s->sid, SESSION_SID);
        loop_post(to->loop, &m->mail);
    }
}

void session_end(mcp_worker *w, const session *s, int64_t now_ms)
{
    session_revoke(w->shared->revoked, s, now_ms);
    session_forget(w->shared->sessions, s);
    tell_all(w, s, true);
}

void session_wishes_changed(mcp_worker *w, const session *s)
{
    tell_all(w, s, false);
}
