/* SPDX-License-Identifier: Apache-2.0 */
#include "shelf.h"

typedef struct {
    errand job;
    letter mail; /* carries the answer, and the same memory */
    arena *a;
    shelf from;
    store_key key;
    str value;
    int64_t lives_s; /* over 0: put; else: get */
    bool drops;
    loop *at;
    handle who;
    shelf_got *got;
} task;

static task *of_job(errand *job)
{
    return (task *)(void *)((char *)job - offsetof(task, job));
}

static task *of_mail(letter *mail)
{
    return (task *)(void *)((char *)mail - offsetof(task, mail));
}

static void drop_job(errand *job)
{
    arena_free(of_job(job)->a);
}

static void drop_mail(letter *mail)
{
    arena_free(of_mail(mail)->a);
}

static void deliver(letter *mail, loop *at)
{
    task *t = of_mail(mail);
    t->got(at, t->who, t->value);
    arena_free(t->a);
}

static void run(errand *job)
{
    task *t = of_job(job);
    const store *s = &t->from.kept;
    const err *e = t->lives_s > 0 ? s->put(s->ctx, t->a, t->key, t->value, t->lives_s)
                                  : s->get(s->ctx, t->a, t->key, &t->value);
    if (!e && t->drops && t->value.p) e = s->drop(s->ctx, t->a, t->key);
    if (e) {
        const log_fact facts[] = {{"space", t->key.space}, {"error", e->text}, {0}};
        log_say(t->from.log, LOG_WARN_LEVEL, "the store failed", facts);
    }
    if (t->got)
        loop_post(t->at, &t->mail);
    else
        arena_free(t->a);
}

static bool start(const shelf *s, const task *what)
{
    if (!s->disk) return false;
    arena *a = arena_new_of(1024); /* a long value has a block of its own */
    task *t = NEW(a, task);
    *t = *what;
    t->a = a;
    t->from = *s;
    t->job = (errand){.run = run, .drop = drop_job};
    t->mail = (letter){.deliver = deliver, .drop = drop_mail};
    t->key = (store_key){arena_dup(a, what->key.space), arena_dup(a, what->key.name)};
    t->value = arena_dup(a, what->value);
    bool taken = errands_add(s->disk, &t->job);
    if (!taken) arena_free(a);
    return taken;
}

bool shelf_put(const shelf *s, store_key key, str value, int64_t lives_s)
{
    return start(s, &(task){.key = key, .value = value, .lives_s = lives_s});
}

bool shelf_get(const shelf *s, store_key key, loop *at, handle who, shelf_got *got)
{
    return start(s, &(task){.key = key, .at = at, .who = who, .got = got});
}

bool shelf_take(const shelf *s, store_key key, loop *at, handle who, shelf_got *got)
{
    return start(s, &(task){.key = key, .at = at, .who = who, .got = got, .drops = true});
}
