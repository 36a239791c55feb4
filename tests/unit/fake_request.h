/* SPDX-License-Identifier: Apache-2.0 */
/* fake_request.h - reading a request as far as a scripted server needs it. */
#ifndef SP_TEST_FAKE_REQUEST_H
#define SP_TEST_FAKE_REQUEST_H
#include "link_rig.h"
#include <strings.h>

typedef struct {
    char head[16384], body[65536];
    char id[64], method[128], session[128], verb[16];
} fake_request;

static inline bool read_some(int fd, char *p, size_t *n, size_t room)
{
    ssize_t got = read(fd, p + *n, room - 1 - *n);
    if (got <= 0) return false;
    *n += (size_t)got;
    p[*n] = 0;
    return true;
}

static inline void head_value(const char *head, const char *name, char *to, size_t room)
{
    to[0] = 0;
    for (const char *p = head; p && *p; p = strstr(p, "\r\n") ? strstr(p, "\r\n") + 2 : NULL) {
        if (strncasecmp(p, name, strlen(name)) || p[strlen(name)] != ':') continue;
        p += strlen(name) + 1;
        while (*p == ' ') p++;
        keep_text(to, room, (str){p, strcspn(p, "\r\n")});
        return;
    }
}

static inline void json_word(const char *body, const char *name, char *to, size_t room)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\":", name);
    const char *p = strstr(body, key);
    to[0] = 0;
    if (!p) return;
    p += strlen(key);
    if (*p == '"') p++;
    keep_text(to, room, (str){p, strcspn(p, ",}\"")});
}

/* The next request of a connection; *n bytes of what follows it stay in `in`. */
static inline bool fake_read(int fd, char *in, size_t *n, size_t room, fake_request *rq)
{
    char *end;
    in[*n] = 0;
    while (!(end = strstr(in, "\r\n\r\n"))) {
        if (!read_some(fd, in, n, room)) return false;
    }
    size_t head = (size_t)(end + 4 - in);
    char number[32];
    keep_text(rq->head, sizeof rq->head, (str){in, head});
    head_value(rq->head, "content-length", number, sizeof number);
    size_t body = (size_t)strtoul(number, NULL, 10);
    while (*n < head + body) {
        if (!read_some(fd, in, n, room)) return false;
    }
    keep_text(rq->body, sizeof rq->body, (str){in + head, body});
    memmove(in, in + head + body, *n - head - body);
    *n -= head + body;
    json_word(rq->body, "id", rq->id, sizeof rq->id);
    json_word(rq->body, "method", rq->method, sizeof rq->method);
    head_value(rq->head, "mcp-session-id", rq->session, sizeof rq->session);
    keep_text(rq->verb, sizeof rq->verb, (str){rq->head, strcspn(rq->head, " ")});
    return true;
}
#endif
