/* SPDX-License-Identifier: Apache-2.0 */
/* parked_task.c - names of tasks, and the letters to the calls that wait for their results.
 *
 * A name holds its caller, so that nobody finds the call of another. The keys of the questions
 * are new with each call: a client may keep old ones for the life of its task. */
#include "parked_task.h"
#include "../authz/digest.h"
#include "../base/map.h"
#include "parked_state.h"
#include <pthread.h>
#include <stdlib.h>

enum { PREFIX_BYTES = 4 };
static const int64_t QUIET_MS = 1000; /* a server that asks something asks it at once */

struct parked_names {
    pthread_mutex_t lock;
    map *by_task; /* -> parked_name, in the arena of its call */
};

struct parked_names *parked_names_new(void)
{
    struct parked_names *n = calloc(1, sizeof *n);
    if (!n) abort();
    (void)pthread_mutex_init(&n->lock, NULL);
    n->by_task = map_new(NULL);
    return n;
}

void parked_names_free(struct parked_names *n)
{
    if (!n) return;
    map_free(n->by_task);
    (void)pthread_mutex_destroy(&n->lock);
    free(n);
}

static bool publish(parked *p, parked_name *out)
{
    struct parked_names *n = p->w->shared->tasks;
    parked_name *name = NEW(p->a, parked_name);
    name->call = p->self;
    memcpy(name->nonce, p->nonce, sizeof name->nonce);
    *out = *name;
    (void)pthread_mutex_lock(&n->lock);
    bool is_new = !map_get(n->by_task, p->task);
    if (is_new) map_put(n->by_task, p->task, name);
    (void)pthread_mutex_unlock(&n->lock);
    return is_new;
}

bool parked_task_find(mcp_shared *s, str task, parked_name *name)
{
    struct parked_names *n = s->tasks;
    (void)pthread_mutex_lock(&n->lock);
    const parked_name *found = map_get(n->by_task, task);
    if (found) *name = *found;
    (void)pthread_mutex_unlock(&n->lock);
    return found != NULL;
}

void parked_task_forget(parked *p)
{
    struct parked_names *n = p->w->shared->tasks;
    if (!p->task.n) return;
    (void)pthread_mutex_lock(&n->lock);
    const parked_name *found = map_get(n->by_task, p->task);
    if (found && found->call == p->self) (void)map_del(n->by_task, p->task);
    (void)pthread_mutex_unlock(&n->lock);
}

/* Not at once: its end may be heard from inside an answer to it. */
void parked_task_over(parked *p)
{
    parked_task_forget(p);
    loop_timer_start(p->w->loop, &p->timer, 0, parked_give_up, p);
}

task_holding parked_task_hold(const parked_waiter *who, str task, js_value shown,
                              const link_request *rq, parked_name *name)
{
    parked *p = parked_new(who->w, rq->caller_id);
    if (!p) return TASK_NO_ROOM;
    p->task = arena_dup(p->a, task);
    if (!publish(p, name)) {
        parked_give_up(p);
        return TASK_HELD_ALREADY;
    }
    uint8_t bytes[PREFIX_BYTES];
    digest_random(bytes, sizeof bytes);
    p->prefix = arena_fmt(p->a, "q" STR_FMT "-", STR_ARG(digest_hex(p->a, bytes, sizeof bytes)));
    p->shown = js_view(shown.kind, arena_dup(p->a, shown.raw));
    p->waiter = *who;
    loop_timer_start(p->w->loop, &p->timer, QUIET_MS, parked_tell_waiter, p);
    p->link = link_start(p->w, rq, &parked_type, p->self, &parked_hears);
    return TASK_HELD;
}

static void look(const parked_letter *m, parked *p)
{
    if (!p || !p->link) {
        parked_tell_lost(&m->who);
        return;
    }
    parked_take_answers(p, m->a, m->answers);
    parked_tell(p, &m->who);
    if (p->link && !p->waiter.ev)
        loop_timer_start(p->w->loop, &p->timer, STATE_LIFE_MS, parked_give_up, p);
}

void parked_task_look(const parked_waiter *who, const parked_name *name, js_value answers)
{
    parked_post(who, name, (str){0}, answers, look);
}

static void end(const parked_letter *m, parked *p)
{
    bool stands = p && p->link;
    if (stands && p->waiter.ev) parked_tell_lost(&p->waiter);
    if (stands) parked_give_up(p);
    parked_tell_lost(&m->who);
}

void parked_task_drop(const parked_waiter *who, const parked_name *name)
{
    parked_post(who, name, (str){0}, (js_value){0}, end);
}
