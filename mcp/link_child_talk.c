/* SPDX-License-Identifier: Apache-2.0 */
/* link_child_talk.c - getting acquainted with a child, and listening to it.
 *
 * Each new child is asked server/discover first, unless its server is known to be legacy. A
 * refusal, an exit or a moment of silence means legacy: initialize. An answer that comes
 * after the silence still counts. Ids on the wire are unique in the process, so an answer
 * names its flight whoever asked. A child that talks more than anybody asked is read at a bounded
 * pace. (MCP 2025-11-25 and 2026-07-28 basic/transports, stdio; basic/lifecycle.) */
#include "announcement.h"
#include "link_child.h"
#include "offer.h"

enum { CHATTER_MOST = 1000, CHATTER_BYTES = 1 << 20 };
static const int64_t SILENCE_MS = 1500, HELLO_MS = 60000, BREATH_MS = 100;

/* Who are you? */

static void initialize(link_child *c)
{
    buf b = buf_new(c->scratch, 4096);
    c->state = INITIALIZING;
    c->hello_id = link_table_id(c->t);
    link_message_initialize(&b, c->hello_id, c->can_ask);
    loop_timer_start(c->t->w->loop, &c->timer, HELLO_MS, link_child_late, c);
    if (!link_child_say(c, &b)) link_child_broken(c, S("takes no requests"), (str){0});
}

static void silent(void *c_)
{
    link_child *c = c_;
    initialize(c);
    arena_reset(c->scratch);
}

static void probe(link_child *c)
{
    buf b = buf_new(c->scratch, 4096);
    c->state = PROBING;
    c->probe_id = link_table_id(c->t);
    link_message_request(&b, ERA_MODERN, c->probe_id, &(link_request){.method = S(LINK_PROBE)});
    loop_timer_start(c->t->w->loop, &c->timer, SILENCE_MS, silent, c);
    if (!link_child_say(c, &b)) link_child_broken(c, S("takes no requests"), (str){0});
}

void link_child_talk_begin(void *c_)
{
    link_child *c = c_;
    bool legacy =
        c->legacy_next || upstream_era_now(c->u, loop_now_ms(c->t->w->loop)) == ERA_LEGACY;
    if (legacy)
        initialize(c);
    else
        probe(c);
    arena_reset(c->scratch);
}

/* What it says */

static void resume(void *c_)
{
    link_child *c = c_;
    c->chatter = c->chatter_bytes = 0;
    if (c->paused) link_child_pause(c, false);
    c->paused = false;
}

/* Everything but answers counts. Reading stops for the rest of a window that has had enough. */
static void heed_pace(link_child *c, size_t n)
{
    if (!c->breath.heap_at) loop_timer_start(c->t->w->loop, &c->breath, BREATH_MS, resume, c);
    c->chatter++;
    c->chatter_bytes += n;
    if (c->paused || (c->chatter < CHATTER_MOST && c->chatter_bytes < CHATTER_BYTES)) return;
    c->paused = true;
    link_child_pause(c, true);
}

static link_flight *flight_of(const link_child *c, js_value id)
{
    int64_t n;
    if (!js_int(id, &n)) return NULL;
    link_flight *f = map_get(c->t->flights, link_child_id(&n));
    return f && f->on == c && f->sent ? f : NULL;
}

/* Log messages name no request: they are the only call's, or nobody's. */
static void on_notice(link_child *c, str line, const link_message *m)
{
    link_flight *f = NULL;
    announcement_heard(c->u, c->isolation, m->method, m->params);
    if (js_text_is(m->method, S("notifications/progress"))) {
        f = flight_of(c, js_get(m->params, S("progressToken")));
        if (f && !f->rq.progress) f = NULL;
    } else if (js_text_is(m->method, S("notifications/message"))) {
        f = link_child_only(c);
        if (f && !f->rq.log_level.p) f = NULL;
    } else if (js_text_is(m->method, S("notifications/resources/updated"))) {
        f = c->flights;
        while (f && !f->rq.endless) f = f->next;
    } else if (js_text_is(m->method, S("notifications/cancelled"))) {
        f = c->can_ask ? link_child_only(c) : NULL;
        if (f) link_flight_question(f, c->self, line, m);
        return;
    }
    if (f) link_flight_notice(f, line, m);
}

static void on_question(link_child *c, str line, const link_message *m)
{
    link_flight *f = c->era == ERA_LEGACY ? link_child_only(c) : NULL;
    if (f && c->state == READY && !js_text_is(m->method, S("ping"))) {
        link_flight_question(f, c->self, line, m);
        return;
    }
    buf b = buf_new(c->scratch, line.n + 4096);
    link_message_reply(&b, m);
    (void)link_child_say(c, &b);
}

static void introduce(link_child *c, const link_message *m)
{
    buf b = buf_new(c->scratch, 4096);
    if (!m->result.kind) {
        str text = js_text(c->scratch, js_get(m->error, S("message")));
        link_child_broken(c, S("refused to initialize"), str_take(text, 200));
        return;
    }
    if (!link_message_knows(js_get(m->result, S("protocolVersion")))) {
        link_child_broken(c, S("speaks no revision we know"), (str){0});
        return;
    }
    link_log_init(&c->log, m->result);
    offer_heard(c->u, m->result);
    link_message_initialized(&b);
    if (link_child_say(c, &b))
        link_child_ready(c, ERA_LEGACY);
    else
        link_child_broken(c, S("takes no requests"), (str){0});
}

/* Any refusal but the modern ones means legacy. */
static void on_probed(link_child *c, const link_message *m)
{
    int64_t code = link_message_code(m);
    bool modern =
        m->result.kind ? link_message_modern(m->result) : code == -32020 || code == -32021;
    if (modern) offer_heard(c->u, m->result);
    if (modern)
        link_child_ready(c, ERA_MODERN);
    else if (c->state == PROBING)
        initialize(c);
}

static void on_answer(link_child *c, str line, const link_message *m)
{
    link_flight *f = flight_of(c, m->id);
    if (f) {
        c->failures = 0;
        link_flight_answer(f, line, m);
        link_child_land(f);
        link_child_next(c);
    } else if (c->state < READY && c->probe_id && link_message_answers(m, c->probe_id)) {
        on_probed(c, m);
    } else if (c->state == INITIALIZING && link_message_answers(m, c->hello_id)) {
        introduce(c, m);
    } else {
        heed_pace(c, line.n);
    }
}

void link_child_talk_line(void *c_, str line)
{
    link_child *c = c_;
    link_message m;
    const err *e = link_message_read(c->scratch, line, &m);
    if (e || m.kind != LINK_ANSWER) heed_pace(c, line.n);
    if (e) {
        log_say(c->u->shared->log, LOG_DEBUG_LEVEL, "unreadable message from upstream",
                (log_fact[]){{"server", c->u->spec.name}, {"error", e->text}, {0}});
    } else if (m.kind == LINK_ANSWER) {
        on_answer(c, line, &m);
    } else if (m.kind == LINK_NOTICE) {
        on_notice(c, line, &m);
    } else {
        on_question(c, line, &m);
    }
    arena_reset(c->scratch);
}
