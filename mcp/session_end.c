/* SPDX-License-Identifier: Apache-2.0 */
#include "session_end.h"
#include "../base/clock.h"
#include "inflight.h"
#include "listener.h"
#include "session_state.h"
#include "tape.h"
#include "watching.h"
#include <stdlib.h>

#define SESSION_TOPIC "mcp.sessions.ended"

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

static void tell_all(const mcp_shared *shared, const session *s, bool ended)
{
    for (unsigned i = 0; i < shared->workers; i++) {
        mcp_worker *to = shared->worker[i];
        word *m = to ? calloc(1, sizeof *m) : NULL;
        if (!m) continue;
        m->mail = (letter){.deliver = deliver, .drop = drop};
        m->to = to;
        m->ended = ended;
        memcpy(m->which.sid, s->sid, SESSION_SID);
        loop_post(to->loop, &m->mail);
    }
}

static void end_here(mcp_shared *shared, const session *s, int64_t now_ms)
{
    session_revoke(shared->revoked, s, now_ms);
    session_forget(shared->sessions, s);
    tell_all(shared, s, true);
}

/* Other replicas: the key is the sid, the value when the id would have expired (ms, 8 bytes). */
static void tell_replicas(const mcp_shared *shared, const session *s, int64_t now_ms)
{
    if (!shared->words.tell) return;
    bulletin_word w = {.topic = S(SESSION_TOPIC),
                       .key = {(const char *)s->sid, SESSION_SID},
                       .value = {(const char *)&s->expires_ms, sizeof s->expires_ms}};
    if (shared->words.tell(shared->words.ctx, w, (s->expires_ms - now_ms) / 1000 + 1)) return;
    const log_fact none[] = {{0}};
    log_say(shared->log, LOG_ERROR_LEVEL, "other replicas are not told of an ended session", none);
}

static void heard(void *ctx, str key, str value)
{
    mcp_shared *shared = ctx;
    session s = {0};
    if (key.n != SESSION_SID || value.n != sizeof s.expires_ms) return;
    memcpy(s.sid, key.p, SESSION_SID);
    memcpy(&s.expires_ms, value.p, sizeof s.expires_ms);
    if (!session_is_revoked(shared->revoked, &s)) end_here(shared, &s, clock_wall_ms());
}

void session_hear_ends(mcp_shared *shared)
{
    if (shared->words.hear) shared->words.hear(shared->words.ctx, S(SESSION_TOPIC), heard, shared);
}

void session_close(mcp_worker *w, const session *s, int64_t now_ms)
{
    end_here(w->shared, s, now_ms);
}

void session_end(mcp_worker *w, const session *s, int64_t now_ms)
{
    end_here(w->shared, s, now_ms);
    tell_replicas(w->shared, s, now_ms);
}

void session_wishes_changed(mcp_worker *w, const session *s)
{
    tell_all(w->shared, s, false);
}
