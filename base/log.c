/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a line is put together in memory and leaves in one system call.
 *
 * Two threads therefore never mix their lines, without a lock. A text from a peer cannot fill
 * the disk by itself: a value is cut at 4 KiB, a line at 64 KiB. */
#include "log.h"
#include "buf.h"
#include "clock.h"
#include "utf8.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

enum { VALUE_MOST = 4096, LINE_MOST = 64 * 1024 };

struct logger {
    int fd;
    log_level least;
};

logger *log_new(int fd, log_level least)
{
    logger *l = malloc(sizeof *l);
    if (!l) abort();
    *l = (logger){fd, least};
    return l;
}

void log_free(logger *l)
{
    free(l);
}

void log_raw(logger *l, str line)
{
    union { /* writev wants a pointer to what it will not change */
        const char *in;
        void *out;
    } text = {.in = line.p};
    char end[] = "\n";
    struct iovec parts[] = {{text.out, line.n}, {end, 1}};
    ssize_t wrote;
    do wrote = writev(l->fd, parts, 2);
    while (wrote < 0 && errno == EINTR);
}

/* A prefix that does not end inside a character. */
static str cut(str s)
{
    if (s.n <= VALUE_MOST) return s;
    size_t n = VALUE_MOST;
    while (n > VALUE_MOST - 4 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return str_take(s, n);
}

static void put_head(buf *b, arena *a, log_level level, const char *event)
{
    static const char *const names[] = {[LOG_DEBUG_LEVEL] = "debug",
                                        [LOG_INFO_LEVEL] = "info",
                                        [LOG_WARN_LEVEL] = "warn",
                                        [LOG_ERROR_LEVEL] = "error"};
    str time = clock_rfc3339(a, clock_wall_ms());
    buf_fmt(b, "{\"time\":\"" STR_FMT "\",\"level\":\"%s\",\"event\":", STR_ARG(time),
            names[level]);
    buf_json_safe(b, cut((str){event, strlen(event)}));
}

static void put_facts(buf *b, const log_fact *facts)
{
    for (const log_fact *f = facts; f && f->key; f++) {
        size_t before = b->n;
        buf_put(b, S(","));
        buf_json_safe(b, (str){f->key, strlen(f->key)});
        buf_put(b, S(":"));
        buf_json_safe(b, cut(f->value));
        if (buf_ok(b)) continue;
        b->n = before; /* the rest does not fit: the line ends whole */
        return;
    }
}

void log_say(logger *l, log_level level, const char *event, const log_fact *facts)
{
    if (level < l->least) return;
    arena *a = arena_new();
    buf b = buf_new(a, LINE_MOST);
    put_head(&b, a, level, event);
    put_facts(&b, facts);
    str tail = buf_ok(&b) ? S("}") : S(",\"cut\":true}");
    str text = buf_str(&b);
    log_raw(l, arena_fmt(a, STR_FMT STR_FMT, STR_ARG(text), STR_ARG(tail)));
    arena_free(a);
}
