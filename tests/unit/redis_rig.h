/* SPDX-License-Identifier: Apache-2.0 */
/* redis_rig.h - a real redis-server of a test's own: a free port, a folder, killed and started
 * again. */
#ifndef SP_TEST_REDIS_RIG_H
#define SP_TEST_REDIS_RIG_H
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../base/arena.h"
#include "../../base/clock.h"

typedef struct {
    arena *a;
    char directory[32];
    uint16_t port;
    pid_t pid;
    str url;
} redis_rig;

static inline struct sockaddr_in redis_rig_at(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* Below the ports that the system gives to connections on their way out: it is listened on again
 * after a kill. */
static inline uint16_t redis_rig_free_port(void)
{
    for (;;) {
        int64_t any = clock_mono_us() + getpid() * 7919LL;
        uint16_t port = (uint16_t)(12000 + any % 20000);
        struct sockaddr_in at = redis_rig_at(port);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_free = bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
        close(fd);
        if (is_free) return port;
    }
}

static inline bool redis_rig_answers(const redis_rig *r)
{
    struct sockaddr_in at = redis_rig_at(r->port);
    char answer[64] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
                send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 &&
                recv(fd, answer, sizeof answer - 1, 0) > 0 && answer[0] == '+';
    close(fd);
    return good;
}

static inline void redis_rig_run(redis_rig *r)
{
    char port[8];
    (void)snprintf(port, sizeof port, "%u", r->port);
    r->pid = fork();
    if (r->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir",
               r->directory, "--appendonly", "yes", "--appendfsync", "always", "--save", "",
               (char *)NULL);
        _exit(127);
    }
}

/* Until it answers; false: it has ended, there is no redis-server or the port was not free. */
static inline bool redis_rig_up(redis_rig *r)
{
    redis_rig_run(r);
    for (int64_t end = clock_mono_ms() + 20000; clock_mono_ms() < end;) {
        if (waitpid(r->pid, NULL, WNOHANG) == r->pid) break;
        if (redis_rig_answers(r)) return true;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    r->pid = 0;
    return false;
}

static inline void redis_rig_kill(redis_rig *r)
{
    if (r->pid <= 0) return;
    kill(r->pid, SIGKILL);
    waitpid(r->pid, NULL, 0);
    r->pid = 0;
}

static inline bool redis_rig_start(redis_rig *r, arena *a)
{
    *r = (redis_rig){.a = a, .directory = "/tmp/redis-XXXXXX"};
    if (!mkdtemp(r->directory)) abort();
    for (int i = 0; i < 5; i++) {
        r->port = redis_rig_free_port();
        r->url = arena_fmt(a, "redis://127.0.0.1:%u", r->port);
        if (redis_rig_up(r)) return true;
    }
    return false;
}

static inline void redis_rig_end(redis_rig *r)
{
    redis_rig_kill(r);
    pid_t cleaner = fork();
    if (cleaner == 0) {
        execlp("rm", "rm", "-rf", r->directory, (char *)NULL);
        _exit(127);
    }
    waitpid(cleaner, NULL, 0);
}
#endif
