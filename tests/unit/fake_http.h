/* SPDX-License-Identifier: Apache-2.0 */
/* fake_http.h - a scripted HTTP server: one thread per connection.
 *
 * Each request is handed to the test's function, which writes whatever bytes it likes. */
#ifndef SP_TEST_FAKE_HTTP_H
#define SP_TEST_FAKE_HTTP_H
#include "fake_request.h"
#include <arpa/inet.h>
#include <sys/socket.h>

typedef struct fake fake;
typedef void fake_fn(fake *f, int fd, const fake_request *rq);
struct fake {
    int listener;
    unsigned port;
    fake_fn *fn;
    pthread_t thread;
    char url[64];
    atomic_int connections, requests, closed_early;
    atomic_int seen[16]; /* the test's own counters */
    pthread_mutex_t lock;
    char noted[8192];
    int fds[256];
    atomic_int open_threads;
    atomic_bool stopping;
};

typedef struct {
    fake *f;
    int fd;
} fake_conn;

static inline void *fake_serve(void *c_)
{
    fake_conn *c = c_;
    fake *f = c->f;
    int fd = c->fd;
    static __thread char in[81920];
    size_t n = 0;
    free(c);
    for (;;) {
        fake_request rq;
        if (!fake_read(fd, in, &n, sizeof in, &rq)) break;
        atomic_fetch_add(&f->requests, 1);
        pthread_mutex_lock(&f->lock);
        size_t used = strlen(f->noted);
        (void)snprintf(f->noted + used, sizeof f->noted - used, "%s %s|", rq.verb, rq.method);
        pthread_mutex_unlock(&f->lock);
        f->fn(f, fd, &rq);
    }
    for (size_t i = 0; i < 256; i++) {
        pthread_mutex_lock(&f->lock);
        if (f->fds[i] == fd + 1) f->fds[i] = 0;
        pthread_mutex_unlock(&f->lock);
    }
    close(fd);
    atomic_fetch_sub(&f->open_threads, 1);
    return NULL;
}

static inline void *fake_listen(void *f_)
{
    fake *f = f_;
    for (;;) {
        int fd = accept(f->listener, NULL, NULL);
        if (fd < 0 || atomic_load(&f->stopping)) {
            if (fd >= 0) close(fd);
            return NULL;
        }
        atomic_fetch_add(&f->connections, 1);
        fake_conn *c = malloc(sizeof *c);
        *c = (fake_conn){f, fd};
        pthread_mutex_lock(&f->lock);
        for (size_t i = 0; i < 256; i++) {
            if (f->fds[i]) continue;
            f->fds[i] = fd + 1;
            break;
        }
        pthread_mutex_unlock(&f->lock);
        pthread_t t;
        atomic_fetch_add(&f->open_threads, 1);
        pthread_create(&t, NULL, fake_serve, c);
        pthread_detach(t);
    }
}

static inline fake *fake_open(fake_fn *fn)
{
    fake *f = calloc(1, sizeof *f);
    f->fn = fn;
    pthread_mutex_init(&f->lock, NULL);
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    assert_int_equal(bind(f->listener, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(f->listener, 64), 0);
    getsockname(f->listener, (struct sockaddr *)&at, &n);
    f->port = ntohs(at.sin_port);
    (void)snprintf(f->url, sizeof f->url, "http://127.0.0.1:%u/mcp", f->port);
    pthread_create(&f->thread, NULL, fake_listen, f);
    return f;
}

static inline void fake_close(fake *f)
{
    atomic_store(&f->stopping, true);
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
    for (int i = 0; atomic_load(&f->open_threads) && i < 3000; i++) {
        pthread_mutex_lock(&f->lock);
        for (size_t k = 0; k < 256; k++) {
            if (f->fds[k]) shutdown(f->fds[k] - 1, SHUT_RDWR);
        }
        pthread_mutex_unlock(&f->lock);
        nap(1);
    }
    assert_int_equal(atomic_load(&f->open_threads), 0);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
#endif
