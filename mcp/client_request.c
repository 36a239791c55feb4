/* SPDX-License-Identifier: Apache-2.0 */
/* client_request.c - from an id on the wire to the one that waits for it.
 *
 * "q" HANDLE "-" NONCE, in hex: 16 and 32 digits. The handle names a worker, so an answer needs no
 * table to find its way; what it finds there decides whether it was meant. */
#include "client_request.h"
#include "../authz/digest.h"

enum { HANDLE_HEX = 16, ID_LENGTH = 1 + HANDLE_HEX + 1 + 2 * CLIENT_REQUEST_NONCE };

static const char request_type;

str client_request_id(const client_request *r, arena *a)
{
    str nonce = digest_hex(a, r->nonce, sizeof r->nonce);
    return arena_fmt(a, "q%016llx-" STR_FMT, (unsigned long long)r->self, STR_ARG(nonce));
}

str client_request_open(mcp_worker *w, client_request *r, arena *a)
{
    digest_random(r->nonce, sizeof r->nonce);
    r->self = handle_add(loop_handles(w->loop), &request_type, r);
    return r->self ? client_request_id(r, a) : (str){0};
}

void client_request_end(mcp_worker *w, client_request *r)
{
    if (r->self) handle_drop(loop_handles(w->loop), r->self);
    r->self = 0;
}

static bool hex_digit(char c, unsigned *v)
{
    if (c >= '0' && c <= '9')
        *v = (unsigned)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *v = (unsigned)(c - 'a') + 10;
    else
        return false;
    return true;
}

static bool read_hex(str text, uint8_t *out)
{
    for (size_t i = 0; i < text.n; i += 2) {
        unsigned high, low;
        if (!hex_digit(text.p[i], &high) || !hex_digit(text.p[i + 1], &low)) return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* False: not one of ours. Ours have nothing to be escaped, so the raw text is compared. */
static bool read_id(str raw, handle *h, uint8_t nonce[CLIENT_REQUEST_NONCE])
{
    uint8_t bytes[HANDLE_HEX / 2];
    if (raw.n != ID_LENGTH + 2 || raw.p[0] != '"' || raw.p[1] != 'q') return false;
    str rest = str_drop(raw, 2);
    if (rest.p[HANDLE_HEX] != '-' || !read_hex(str_take(rest, HANDLE_HEX), bytes)) return false;
    *h = 0;
    for (size_t i = 0; i < sizeof bytes; i++) *h = *h << 8 | bytes[i];
    rest = str_take(str_drop(rest, HANDLE_HEX + 1), (size_t)2 * CLIENT_REQUEST_NONCE);
    return read_hex(rest, nonce);
}

typedef struct {
    letter mail; /* first: a letter is found by its address */
    arena *a;
    mcp_worker *to;
    handle request;
    uint8_t nonce[CLIENT_REQUEST_NONCE], sid[SESSION_SID];
    str caller_id;
    js_value result, error;
} answer;

static void drop(letter *mail)
{
    arena_free(((answer *)mail)->a);
}

static bool was_meant(const client_request *r, const answer *said)
{
    str nonce = {(const char *)r->nonce, sizeof r->nonce};
    return digest_equal(nonce, (str){(const char *)said->nonce, sizeof said->nonce}) &&
           memcmp(r->sid, said->sid, SESSION_SID) == 0 && str_eq(r->caller_id, said->caller_id);
}

static void deliver(letter *mail, loop *at)
{
    answer *said = (answer *)mail;
    client_request *r = handle_get(loop_handles(at), &request_type, said->request);
    if (r && was_meant(r, said)) {
        client_request_end(said->to, r);
        r->answered(r->ctx, r, said->result, said->error);
    }
    drop(mail);
}

static js_value copied(arena *a, js_value v)
{
    return js_view(v.kind, v.kind == JS_ABSENT ? (str){0} : arena_dup(a, v.raw));
}

/* One path, also to oneself: an answer never runs inside the flow that brought it. */
void client_request_answer(mcp_worker *w, const session *s, str caller_id, const rpc_message *m)
{
    handle h;
    uint8_t nonce[CLIENT_REQUEST_NONCE];
    if (!read_id(m->id, &h, nonce) || handle_worker(h) >= w->shared->workers) return;
    if (m->result.kind != JS_OBJECT && m->error.kind != JS_OBJECT) return;
    arena *a = arena_new();
    answer *said = NEW(a, answer);
    said->mail = (letter){.deliver = deliver, .drop = drop};
    said->a = a;
    said->to = w->shared->worker[handle_worker(h)];
    said->request = h;
    memcpy(said->nonce, nonce, sizeof nonce);
    memcpy(said->sid, s->sid, SESSION_SID);
    said->caller_id = arena_dup(a, caller_id);
    said->result = copied(a, m->result);
    said->error = copied(a, m->error);
    loop_post(said->to->loop, &said->mail);
}
