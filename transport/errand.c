/* SPDX-License-Identifier: Apache-2.0 */
#include "errand.h"
#include <pthread.h>
#include <stdlib.h>

enum { THREADS_MOST = 8 };

struct errands {
    pthread_mutex_t lock; /* of all that follows but the threads */
    pthread_cond_t more;
    errand *first, **last;
    size_t waiting, most;
    atomic_bool stopping;
    pthread_t threads[THREADS_MOST];
    unsigned count;
};

static errand *take(errands *e)
{
    errand *one = e->first;
    e->first = one->next;
    if (!e->first) e->last = &e->first;
    e->waiting--;
    return one;
}

static void *serve(void *ctx)
{
    errands *e = ctx;
    pthread_mutex_lock(&e->lock);
    while (!e->stopping) {
        if (!e->first) {
            pthread_cond_wait(&e->more, &e->lock);
            continue;
        }
        errand *one = take(e);
        pthread_mutex_unlock(&e->lock);
        one->run(one);
        pthread_mutex_lock(&e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

errands *errands_new(unsigned threads, size_t most)
{
    errands *e = calloc(1, sizeof *e);
    if (!e) abort();
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->more, NULL);
    e->last = &e->first;
    e->most = most;
    for (unsigned i = 0; i < threads && i < THREADS_MOST; i++)
        if (pthread_create(&e->threads[e->count], NULL, serve, e) == 0) e->count++;
    return e;
}

bool errands_add(errands *to, errand *what)
{
    pthread_mutex_lock(&to->lock);
    bool room = !to->stopping && to->count && to->waiting < to->most;
    if (room) {
        what->next = NULL;
        *to->last = what;
        to->last = &what->next;
        to->waiting++;
        pthread_cond_signal(&to->more);
    }
    pthread_mutex_unlock(&to->lock);
    return room;
}

const atomic_bool *errands_stopping(const errands *e)
{
    return &e->stopping;
}

void errands_stop(errands *e)
{
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_broadcast(&e->more);
    pthread_mutex_unlock(&e->lock);
    for (unsigned i = 0; i < e->count; i++) pthread_join(e->threads[i], NULL);
    e->count = 0;
    while (e->first) {
        errand *one = take(e);
        one->drop(one);
    }
}

void errands_free(errands *e)
{
    if (!e) return;
    errands_stop(e);
    pthread_cond_destroy(&e->more);
    pthread_mutex_destroy(&e->lock);
    free(e);
}
