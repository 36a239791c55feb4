/* SPDX-License-Identifier: Apache-2.0 */
/* link_question.c - what a legacy server asks its client in the middle of a call.
 *
 * A question that is taken is open until it is answered, withdrawn or declined; the list of the
 * open ones stands here, so that whatever ends a call, no server waits for ever. While one is
 * open the call's own time stands still: people answer slowly. Whoever took the question keeps the
 * time for that; the limit here only catches one that is forgotten. */
#include "capability.h"
#include "inquiry.h"
#include "link_table.h"
#include <stdlib.h>

static const int64_t FORGOTTEN_MS = 1200000;

static void free_open(link_open *o)
{
    free(o);
}

static link_open *open_new(str id, str method, handle asker)
{
    link_open *o = malloc(sizeof *o + id.n + method.n);
    if (!o) abort();
    char *text = (char *)(o + 1);
    memcpy(text, id.p, id.n);
    if (method.n) memcpy(text + id.n, method.p, method.n);
    *o = (link_open){.id = {text, id.n}, .method = {text + id.n, method.n}, .child = asker};
    return o;
}

static bool may_open(const link_call *c, str id)
{
    unsigned n = 0;
    for (const link_open *o = c->open; o; o = o->next) {
        if (str_eq(o->id, id)) return false; /* an id in use cannot be told from the first */
        n++;
    }
    return n < LINK_OPEN_MOST;
}

static link_open *take_out(link_call *c, str id)
{
    for (link_open **at = &c->open; *at; at = &(*at)->next) {
        link_open *o = *at;
        if (!str_eq(o->id, id)) continue;
        *at = o->next;
        return o;
    }
    return NULL;
}

static void restart_clock(link_call *c)
{
    int64_t ms = c->open ? FORGOTTEN_MS : c->rq.timeout_ms;
    loop_timer_start(c->t->w->loop, &c->deadline, ms, link_call_deadline, c);
}

bool link_call_asked(link_call *c, const link_message *m, handle asker)
{
    arena *scratch = arena_new();
    void *owner = handle_get(link_table_handles(c->t), c->type, c->owner);
    link_question q = {m->id.raw, js_text(scratch, m->method), m->params};
    unsigned needed = capability_needed(q.method, q.params);
    bool can = needed && !(needed & ~c->can_ask);
    bool taken = owner && c->ev.asked && can && may_open(c, q.id);
    if (taken) {
        link_open *o = open_new(q.id, q.method, asker);
        o->next = c->open;
        c->open = o;
        taken = c->ev.asked(owner, &q);
        if (!taken) free_open(take_out(c, q.id));
    }
    if (taken) restart_clock(c);
    c->lacked |= needed & ~c->can_ask;
    arena_free(scratch);
    return taken;
}

unsigned link_lacked(const link_call *c)
{
    return c->lacked;
}

void link_call_withdrawn(link_call *c, js_value id)
{
    link_open *o = take_out(c, id.raw);
    if (!o) return;
    void *owner = handle_get(link_table_handles(c->t), c->type, c->owner);
    if (owner && c->ev.withdrawn) c->ev.withdrawn(owner, o->id);
    free_open(o);
    restart_clock(c);
}

static void say(link_call *c, const link_open *o, str said)
{
    if (o->child && o->child != LINK_APART)
        link_stdio_say(c->t->w->shared, o->child, o->id, said);
    else
        link_http_say(c, o->id, said);
}

void link_answer(link_call *c, str id, str said)
{
    link_open *o = take_out(c, id);
    if (!o) return;
    say(c, o, said);
    free_open(o);
    restart_clock(c);
}

void link_call_decline(link_call *c)
{
    while (c->open) {
        link_open *o = take_out(c, c->open->id);
        say(c, o, inquiry_unanswered(o->method));
        free_open(o);
    }
}

void link_call_end_apart(link_call *c)
{
    for (link_open *o = c->open, *next; o; o = next) {
        next = o->next;
        if (o->child != LINK_APART) continue;
        (void)take_out(c, o->id);
        say(c, o, inquiry_unanswered(o->method));
        free_open(o);
    }
}

void link_call_forget(link_call *c)
{
    while (c->open) free_open(take_out(c, c->open->id));
}
