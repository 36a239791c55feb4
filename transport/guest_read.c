/* SPDX-License-Identifier: Apache-2.0 */
/* guest_read.c - bytes from a guest: heads, bodies, and what nobody wants.
 *
 * Everything is received into the server's one scratch, and used there. What is left when a run
 * ends, part of a head or requests that came too early, moves to a buffer of the guest's own: one
 * that is idle, or waits for its answer, has none. While an answer is being made nothing more is
 * read, so a guest that sends on and on is held back by its own socket.
 *
 * A body's pieces go to exchange_body.c. Of one that is answered already the rest is swallowed,
 * within bounds, so that the connection can be kept. */
#include "exchange_private.h"
#include "h1_reply.h"
#include <errno.h>
#include <sys/socket.h>

enum {
    HEAD_READ = 16 * 1024,
    BEYOND = 1024,    /* read past a body's end: to know that there is nothing */
    MORE_HEAD = 1024, /* room for the rest of a head, at least */
    TRAILERS_MOST = 8 * 1024,
    SWALLOW = 256 * 1024, /* most that is read of a body nobody wants */
    LINGER_BYTES = 4 << 20
};

/* Receiving */

void guest_hold(guest *g)
{
    if (g->unread.n == 0) {
        if (g->held.p) buf_free(&g->held);
    } else if (g->in_scratch) {
        g->held.n = 0;
        (void)buf_put(&g->held, g->unread);
    } else if (g->held.n > g->unread.n) {
        buf_drop(&g->held, g->held.n - g->unread.n);
    }
    g->in_scratch = false;
    g->unread = buf_str(&g->held);
}

static ssize_t receive(guest *g, char *to, size_t n)
{
    if (g->ssl) return guest_tls_recv(g, to, n);
    ssize_t got = recv(g->fd, to, n, MSG_DONTWAIT);
    if (got >= 0) return got;
    return errno == EAGAIN || errno == EINTR ? GUEST_AGAIN : GUEST_BROKEN;
}

static size_t enough(const guest *g)
{
    bool within = g->stage == GUEST_BODY && !g->chunked;
    if (!within) return HEAD_READ;
    return g->left < SERVER_SCRATCH - BEYOND ? (size_t)g->left + BEYOND : SERVER_SCRATCH;
}

bool guest_fill(guest *g)
{
    if (!g->readable || g->ended || g->budget == 0) return false;
    g->budget--;
    char *to = g->s->scratch;
    size_t room = enough(g);
    bool behind = g->unread.n > 0;
    if (behind) {
        guest_hold(g);
        (void)buf_need(&g->held, MORE_HEAD);
        to = g->held.p + g->held.n;
        room = g->held.cap - g->held.n;
        g->unread = buf_str(&g->held);
    }
    ssize_t n = receive(g, to, room);
    if (n <= 0) {
        g->readable = false;
        g->ended = n == 0;
        g->dead = n == GUEST_BROKEN;
        return false;
    }
    if ((size_t)n < room && !g->ssl && !g->hung_up) g->readable = false;
    if (behind)
        g->held.n += (size_t)n;
    else
        g->in_scratch = true;
    g->unread = behind ? buf_str(&g->held) : (str){to, (size_t)n};
    return true;
}

/* Heads */

void guest_refuse(guest *g, refusal r)
{
    static const header json[] = {{{"Content-Type", 12}, {"application/json", 16}}, {{0}, {0}}};
    buf *b = &g->s->head;
    b->n = 0;
    (void)h1_reply_write(b, &(h1_reply){.status = r.status,
                                        .length = (int64_t)r.body.n,
                                        .headers = json,
                                        .date = server_date(g->s),
                                        .connection = S("close")});
    (void)buf_put(b, r.body);
    guest_say(g, buf_str(b));
}

static void send_away(guest *g, refusal r)
{
    g->owing = true;
    guest_refuse(g, r);
    guest_hang_up(g);
}

static void begin_request(guest *g, size_t size)
{
    exchange *x = exchange_take(g->s);
    str head = str_take(g->unread, size);
    g->unread = str_drop(g->unread, size);
    x->g = g;
    g->x = x;
    g->seen = true;
    g->stage = GUEST_BODY;
    exchange_begin(x, head, g->scan.lines);
}

/* RFC 9112 2.2: empty lines before a request are skipped. */
static void skip_empty_lines(guest *g)
{
    while (!g->scan.lines && str_starts(g->unread, S("\r\n"))) {
        g->unread = str_drop(g->unread, 2);
        g->scan = (h1_head_scan){0}; /* it may have seen the CR alone */
    }
}

bool guest_read_head(guest *g)
{
    size_t size = 0;
    h1_head_found found = H1_HEAD_MORE;
    if (g->budget == 0) return false;
    skip_empty_lines(g);
    if (g->unread.n) {
        found = h1_head_find(&g->scan, g->unread, g->s->o.limits.header_bytes, &size);
    }
    switch (found) {
    case H1_HEAD_WHOLE:
        g->budget--;
        begin_request(g, size);
        return true;
    case H1_HEAD_BAD: send_away(g, refusal_syntax); return true;
    case H1_HEAD_LONG: send_away(g, refusal_large); return true;
    case H1_HEAD_MORE: break;
    }
    if (guest_fill(g)) return true;
    bool unwanted = g->s->draining && !g->unread.n && !g->readable;
    if (g->ended || unwanted) guest_hang_up(g);
    return g->ended || unwanted;
}

/* Bodies */

void guest_owes_body(guest *g, int64_t length)
{
    g->chunked = length < 0;
    g->owing = length != 0;
    g->left = length > 0 ? (uint64_t)length : 0;
    if (g->chunked) g->chunks = h1_chunks_new(TRAILERS_MOST);
}

static h1_chunks_event next_piece(guest *g, str *data)
{
    *data = (str){0};
    if (g->chunked) return h1_chunks_next(&g->chunks, &g->unread, data);
    if (g->left == 0) return CHUNKS_DONE;
    if (g->unread.n == 0) return CHUNKS_MORE;
    size_t n = g->unread.n < g->left ? g->unread.n : (size_t)g->left;
    *data = str_take(g->unread, n);
    g->unread = str_drop(g->unread, n);
    g->left -= n;
    return CHUNKS_DATA;
}

bool guest_swallow(guest *g, size_t n)
{
    if (n > SWALLOW - g->swallowed) return false;
    g->swallowed += n;
    return true;
}

bool guest_may_rest(const guest *g)
{
    return g->left <= SWALLOW - g->swallowed;
}

/* The peer has closed its side within a body. */
static bool broke_off(guest *g)
{
    exchange *x = g->x;
    if (x->replied && !x->streamed) {
        x->sated = true; /* it may still read */
        return false;
    }
    guest_hang_up(g);
    return true;
}

static bool malformed(guest *g)
{
    if (g->x->replied)
        guest_hang_up(g);
    else
        send_away(g, refusal_chunks);
    return true;
}

bool guest_read_body(guest *g)
{
    exchange *x = g->x;
    str data;
    if (!exchange_takes_body(x)) return false;
    switch (next_piece(g, &data)) {
    case CHUNKS_DATA:
        g->renewed = true;
        x->expects = false; /* it did not wait to be told */
        exchange_take_body(x, data);
        return true;
    case CHUNKS_DONE:
        g->stage = GUEST_ANSWER;
        g->owing = false;
        exchange_end_body(x);
        return true;
    case CHUNKS_BAD: return malformed(g);
    case CHUNKS_MORE: break;
    }
    if (x->expects && guest_fill(g)) return true;
    if (x->expects && !g->ended && !g->dead && !x->replied) {
        x->expects = false;
        guest_say(g, S("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    return guest_fill(g) || (g->ended && broke_off(g)) || g->dead;
}

bool guest_read_rest(guest *g)
{
    str data;
    switch (next_piece(g, &data)) {
    case CHUNKS_DATA:
        if (!guest_swallow(g, data.n)) guest_hang_up(g);
        return true;
    case CHUNKS_DONE: guest_next(g); return true;
    case CHUNKS_BAD: guest_hang_up(g); return true;
    case CHUNKS_MORE: break;
    }
    if (guest_fill(g)) return true;
    if (g->ended) guest_hang_up(g);
    return g->ended || g->dead;
}

/* After the end: past TLS, too. */
bool guest_linger(guest *g)
{
    ssize_t n = 0;
    g->unread = (str){0};
    if (!g->readable || g->budget == 0) return false;
    g->budget--;
    n = recv(g->fd, g->s->scratch, SERVER_SCRATCH, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        g->readable = false;
        return false;
    }
    if (n <= 0 || (size_t)n > LINGER_BYTES - g->swallowed) {
        g->stage = GUEST_OVER;
        return false;
    }
    g->swallowed += (size_t)n;
    return true;
}
