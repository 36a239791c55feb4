/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_send.h"
#include <string.h>
#include <sys/socket.h>

enum { SMALL = 4096, FLAGS = MSG_NOSIGNAL | MSG_DONTWAIT };

/* The pieces one behind the other, in `to`; 0 when they do not fit. */
static size_t gather(char to[SMALL], const struct iovec *v, int n)
{
    size_t at = 0;
    for (int i = 0; i < n; i++) {
        if (v[i].iov_len > SMALL - at) return 0;
        memcpy(to + at, v[i].iov_base, v[i].iov_len);
        at += v[i].iov_len;
    }
    return at;
}

ssize_t socket_send(int fd, struct iovec *v, int n)
{
    char together[SMALL];
    if (n == 1) return send(fd, v->iov_base, v->iov_len, FLAGS);
    size_t all = gather(together, v, n);
    if (all) return send(fd, together, all, FLAGS);
    struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)n};
    return sendmsg(fd, &m, FLAGS);
}
