/* SPDX-License-Identifier: Apache-2.0 */
/* parked.c - one call between two rounds, and the letters from and to its waiters.
 *
 * Questions that come close together go out in one round: the first starts a short gathering.
 * Then the waiter is told and nobody waits any more; a longer time begins in which the client
 * must come back. Answers that are missing or have the wrong shape are asked for again.
 * What the server says meanwhile (its answer, its end) is kept for the next round; progress and
 * messages are left out while nobody waits, since there is no stream they could go to.
 * (mcp.md 9.2) */
#include "parked.h"
#include "../authz/digest.h"
#include "inquiry.h"
#include "parked_state.h"
#include "parked_task.h"
#include "worker.h"
#include <stdlib.h>

enum { PER_CALLER = 16, IN_ALL = 1024, ASKED_MOST = 64, NOTICES_MOST = 128 << 10 };
static const int64_t GATHER_MS = 20, NOTICES_MS = 1000;

const char parked_type = 0;

static void destroy(parked *p)
{
    parked_task_forget(p);
    loop_timer_stop(p->w->loop, &p->timer);
    handle_drop(loop_handles(p->w->loop), p->self);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->w->parked = p->next;
    if (p->next) p->next->prev = p->prev;
    arena_free(p->a); /* it lives there too, and so do its places in the tally */
}

void parked_give_up(void *p_)
{
    parked *p = p_;
    if (p->link) link_cancel(p->link);
    destroy(p);
}

/* Letters to a waiter */

typedef enum { REPORT_INPUT, REPORT_SHOWN, REPORT_NOTICE, REPORT_DONE, REPORT_LOST } report_kind;

typedef struct {
    letter mail; /* first: a letter is found by its address */
    arena *a;
    parked_waiter to;
    report_kind kind;
    parked_name name;
    js_value shown, requests, result, error, params;
    str method;
    const err *why;
} report;

static void report_drop(letter *self)
{
    arena_free(((report *)self)->a);
}

static void report_deliver(letter *self, loop *at)
{
    report *r = (report *)self;
    void *owner = handle_get(loop_handles(at), r->to.type, r->to.self);
    if (owner && r->kind == REPORT_INPUT)
        r->to.ev->input(owner, r->requests, &r->name);
    else if (owner && r->kind == REPORT_SHOWN)
        r->to.ev->shown(owner, r->shown, r->requests);
    else if (owner && r->kind == REPORT_NOTICE)
        r->to.ev->notice(owner, r->method, r->params);
    else if (owner && r->kind == REPORT_DONE)
        r->to.ev->done(owner, r->result, r->error, r->why);
    else if (owner)
        r->to.ev->lost(owner);
    report_drop(self);
}

static report *report_new(const parked_waiter *to, report_kind kind)
{
    arena *a = arena_new();
    report *r = NEW(a, report);
    r->mail = (letter){.deliver = report_deliver, .drop = report_drop};
    r->a = a;
    r->to = *to;
    r->kind = kind;
    return r;
}

static void send(report *r)
{
    loop_post(r->to.w->loop, &r->mail);
}

static js_value copied(arena *a, js_value v)
{
    return js_view(v.kind, v.kind == JS_ABSENT ? (str){0} : arena_dup(a, v.raw));
}

static const err *copied_err(arena *a, const err *why)
{
    return why ? err_new(a, why->kind, STR_FMT, STR_ARG(why->text)) : NULL;
}

void parked_tell_lost(const parked_waiter *to)
{
    send(report_new(to, REPORT_LOST));
}

static parked_name name_of(const parked *p)
{
    parked_name name = {.call = p->self, .round = p->round};
    memcpy(name.nonce, p->nonce, sizeof name.nonce);
    return name;
}

static void tell_done(const parked *p, js_value result, js_value error, const err *why)
{
    report *r = report_new(&p->waiter, REPORT_DONE);
    r->result = copied(r->a, result);
    r->error = copied(r->a, error);
    r->why = copied_err(r->a, why);
    send(r);
}

static js_value requests_of(const parked *p, arena *a)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    if (!p->count) return (js_value){0};
    buf_put(&b, S("{"));
    for (size_t i = 0; i < p->count; i++) {
        buf_fmt(&b, "%s\"" STR_FMT "%u\":", i ? "," : "", STR_ARG(p->prefix), p->item[i].key);
        buf_put(&b, p->item[i].request);
    }
    buf_put(&b, S("}"));
    return js_view(JS_OBJECT, buf_str(&b));
}

void parked_tell(const parked *p, const parked_waiter *to)
{
    report *r = report_new(to, p->task.n ? REPORT_SHOWN : REPORT_INPUT);
    r->requests = requests_of(p, r->a);
    r->shown = copied(r->a, p->shown);
    r->name = name_of(p);
    send(r);
}

void parked_tell_waiter(void *p_)
{
    parked *p = p_;
    parked_tell(p, &p->waiter);
    p->waiter.ev = NULL;
    loop_timer_start(p->w->loop, &p->timer, STATE_LIFE_MS, parked_give_up, p);
}

static void gather(parked *p)
{
    loop_timer_start(p->w->loop, &p->timer, GATHER_MS, parked_tell_waiter, p);
}

/* What the link reports */

static bool keep_question(parked *p, const link_question *q)
{
    buf b = buf_new(p->a, INQUIRY_MOST + 4096);
    if (p->count == PARKED_OPEN_MOST || p->asked == ASKED_MOST || q->params.raw.n > INQUIRY_MOST)
        return false;
    buf_put(&b, S("{\"method\":"));
    buf_json(&b, q->method);
    buf_put(&b, S(",\"params\":"));
    if (!inquiry_put(p->a, &b, q->method, q->params, MCP_2026_07_28) || !buf_put(&b, S("}")))
        return false;
    p->item[p->count++] = (parked_item){.id = arena_dup(p->a, q->id),
                                        .method = arena_dup(p->a, q->method),
                                        .key = ++p->asked,
                                        .request = buf_str(&b)};
    return true;
}

static bool on_asked(void *p_, const link_question *q)
{
    parked *p = p_;
    if (!keep_question(p, q)) return false;
    if (p->waiter.ev && p->count == 1) gather(p);
    return true;
}

/* Letters are not held back, so a server that floods is cut short here. */
static bool has_room(parked *p, size_t bytes)
{
    int64_t now_ms = loop_now_ms(p->w->loop);
    if (now_ms - p->noticed_ms > NOTICES_MS) {
        p->noticed_ms = now_ms;
        p->noticed = 0;
    }
    if (bytes > NOTICES_MOST - p->noticed) return false;
    p->noticed += bytes;
    return true;
}

static void on_notice(void *p_, str method, js_value params)
{
    parked *p = p_;
    if (!p->waiter.ev || !p->waiter.ev->notice || !has_room(p, params.raw.n)) return;
    report *r = report_new(&p->waiter, REPORT_NOTICE);
    r->method = arena_dup(r->a, method);
    r->params = copied(r->a, params);
    send(r);
}

static void forget(parked *p, size_t i)
{
    p->count--;
    memmove(&p->item[i], &p->item[i + 1], (p->count - i) * sizeof p->item[0]);
}

static void on_withdrawn(void *p_, str id)
{
    parked *p = p_;
    for (size_t i = 0; i < p->count; i++) {
        if (!str_eq(p->item[i].id, id)) continue;
        forget(p, i);
        break;
    }
    if (!p->waiter.ev || p->count) return;
    loop_timer_stop(p->w->loop, &p->timer);
    if (p->task.n) parked_tell_waiter(p);
}

static void on_done(void *p_, js_value result, js_value error, const err *why)
{
    parked *p = p_;
    p->link = NULL;
    p->count = 0;
    if (p->waiter.ev) {
        tell_done(p, result, error, why);
        destroy(p);
        return;
    }
    if (p->task.n) {
        parked_task_over(p);
        return;
    }
    p->result = copied(p->a, result);
    p->error = copied(p->a, error);
    p->why = copied_err(p->a, why);
}

const link_events parked_hears = {.notice = on_notice,
                                  .asked = on_asked,
                                  .withdrawn = on_withdrawn,
                                  .done = on_done};

parked *parked_new(mcp_worker *w, str caller_id)
{
    arena *a = arena_new();
    parked *p = NEW(a, parked);
    p->a = a;
    p->w = w;
    p->caller_id = arena_dup(a, caller_id);
    p->prefix = S("q");
    bool room = !w->draining && tally_take(w->shared->parked, caller_id, PER_CALLER, a) &&
                tally_take(w->shared->parked, (str){0}, IN_ALL, a);
    p->self = room ? handle_add(loop_handles(w->loop), &parked_type, p) : 0;
    if (!p->self) {
        arena_free(a);
        return NULL;
    }
    digest_random(p->nonce, sizeof p->nonce);
    p->next = w->parked;
    if (p->next) p->next->prev = p;
    w->parked = p;
    return p;
}

bool parked_begin(const parked_waiter *who, str caller_id, link_call *c, const link_question *q,
                  parked_name *name)
{
    parked *p = parked_new(who->w, caller_id);
    if (!p) return false;
    if (!keep_question(p, q)) {
        destroy(p);
        return false;
    }
    p->link = c;
    p->waiter = *who;
    link_hand_over(c, &parked_type, p->self, &parked_hears);
    gather(p);
    *name = name_of(p);
    return true;
}

/* The next round, on the call's own worker */

/* What fits a question is passed on; its server judges the rest. */
static bool answers_it(js_value said)
{
    return said.kind == JS_OBJECT;
}

void parked_take_answers(parked *p, arena *scratch, js_value answers)
{
    for (size_t i = 0; i < p->count && p->link;) {
        js_value said =
            js_get(answers, arena_fmt(scratch, STR_FMT "%u", STR_ARG(p->prefix), p->item[i].key));
        if (!answers_it(said)) {
            i++;
            continue;
        }
        str id = p->item[i].id;
        forget(p, i);
        buf b = buf_new(scratch, SIZE_MAX / 2);
        buf_put(&b, S("\"result\":"));
        buf_put(&b, said.raw);
        link_answer(p->link, id, buf_str(&b));
    }
}

static parked *find(loop *at, const parked_name *name)
{
    parked *p = handle_get(loop_handles(at), &parked_type, name->call);
    str nonce = {(const char *)name->nonce, sizeof name->nonce};
    return p && digest_equal((str){(const char *)p->nonce, sizeof p->nonce}, nonce) ? p : NULL;
}

void parked_carry(mcp_worker *w, const parked_name *name, void (*drop)(void *), void *thing)
{
    arena_own(find(w->loop, name)->a, drop, thing);
}

static void take_round(parked *p, const parked_waiter *who, arena *scratch, js_value answers)
{
    p->waiter = *who;
    p->round++;
    loop_timer_stop(p->w->loop, &p->timer);
    parked_take_answers(p, scratch, answers);
    if (!p->link) {
        tell_done(p, p->result, p->error, p->why);
        destroy(p);
    } else if (p->count) {
        gather(p);
    }
}

/* Letters from a waiter */

static void letter_drop(letter *self)
{
    arena_free(((parked_letter *)self)->a);
}

static void letter_deliver(letter *self, loop *at)
{
    parked_letter *m = (parked_letter *)self;
    m->read(m, find(at, &m->name));
    letter_drop(self);
}

/* Without a worker the name is none of ours, or the process ends. */
void parked_post(const parked_waiter *who, const parked_name *name, str caller_id, js_value answers,
                 parked_read *read)
{
    const mcp_shared *s = who->w->shared;
    unsigned at = handle_worker(name->call);
    const mcp_worker *w = at < s->workers ? s->worker[at] : NULL;
    arena *a = arena_new();
    parked_letter *m = NEW(a, parked_letter);
    *m = (parked_letter){.mail = {.deliver = letter_deliver, .drop = letter_drop},
                         .a = a,
                         .read = read,
                         .who = *who,
                         .name = *name,
                         .caller_id = arena_dup(a, caller_id),
                         .answers = copied(a, answers)};
    if (w) {
        loop_post(w->loop, &m->mail);
        return;
    }
    read(m, NULL);
    letter_drop(&m->mail);
}

static void resume(const parked_letter *m, parked *p)
{
    if (p && str_eq(p->caller_id, m->caller_id) && p->round == m->name.round && !p->waiter.ev)
        take_round(p, &m->who, m->a, m->answers);
    else
        parked_tell_lost(&m->who);
}

void parked_resume(const parked_waiter *who, str caller_id, const parked_name *name,
                   js_value answers)
{
    parked_post(who, name, caller_id, answers, resume);
}

static void leave(const parked_letter *m, parked *p)
{
    if (p && p->waiter.ev && p->waiter.self == m->who.self) parked_give_up(p);
}

void parked_leave(const parked_waiter *who, const parked_name *name)
{
    parked_post(who, name, (str){0}, (js_value){0}, leave);
}

void parked_drain(mcp_worker *w)
{
    static const err stopping = {ERR_CANCELLED, {"the gateway is stopping", 23}};
    while (w->parked) {
        parked *p = w->parked;
        if (p->waiter.ev) tell_done(p, (js_value){0}, (js_value){0}, &stopping);
        parked_give_up(p);
    }
}

void parked_free_all(mcp_worker *w)
{
    while (w->parked) destroy(w->parked);
}
