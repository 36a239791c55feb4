/* SPDX-License-Identifier: Apache-2.0 */
/* link_fixture.h - two workers against one scripted server, opened and closed around each test. */
#ifndef SP_TEST_LINK_FIXTURE_H
#define SP_TEST_LINK_FIXTURE_H
#include "fake_reply.h"
#include "link_watch.h"

enum { HITS, GOODBYES, INITS, CANCELS, REPLIES, STAGE };

static rig r;
static fake *f;

static inline int open_two(void **state)
{
    (void)state;
    rig_open(&r, 2, NULL);
    return 0;
}

static inline int close_all(void **state)
{
    (void)state;
    rig_close(&r);
    if (f) fake_close(f);
    f = NULL;
    return 0;
}

static inline upstream *against(fake_fn *fn)
{
    f = fake_open(fn);
    return rig_upstream(&r, fake_spec(f));
}

static inline bool wait_seen(int which, int at_least)
{
    for (int i = 0; i < 4000 && atomic_load(&f->seen[which]) < at_least; i += 2) nap(2);
    return atomic_load(&f->seen[which]) >= at_least;
}

static inline bool discovered(int fd, const fake_request *rq)
{
    if (strcmp(rq->method, "server/discover") != 0) return false;
    fake_discover(fd, rq);
    return true;
}

static inline void answer(int fd, const fake_request *rq, const char *text)
{
    fake_json(fd, 200, "", "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"said\":\"%s\"}}", rq->id,
              text);
}

static inline void modern_server(fake *s, int fd, const fake_request *rq)
{
    if (discovered(fd, rq)) return;
    pthread_mutex_lock(&s->lock);
    keep_text(s->noted, sizeof s->noted, (str){rq->head, strlen(rq->head)});
    size_t n = strlen(s->noted);
    keep_text(s->noted + n, sizeof s->noted - n, (str){rq->body, strlen(rq->body)});
    pthread_mutex_unlock(&s->lock);
    answer(fd, rq, "hi");
}

#define HTTP_TEST(t) cmocka_unit_test_setup_teardown(t, open_two, close_all)
#endif
