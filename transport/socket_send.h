/* SPDX-License-Identifier: Apache-2.0 */
/* socket_send.h - bytes that lie in pieces, to a socket, without waiting.
 *
 * Small pieces are laid together first: the kernel takes one buffer faster than several, by more
 * than copying them costs. Returns what send(2) does; errno as there. No SIGPIPE. Any thread. */
#ifndef SP_SOCKET_SEND_H
#define SP_SOCKET_SEND_H
#include <sys/types.h>
#include <sys/uio.h>

ssize_t socket_send(int fd, struct iovec *v, int n); /* v is not changed */
#endif
