/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rpc.c - a body and its headers through the envelope and both dialects, and results back.
 *
 * The input is headers, one a line, an empty line, and the body. Whatever is read, what is
 * written for it must be JSON again. */
#include "../../mcp/dialect.h"
#include "../../mcp/mirror.h"
#include <stdlib.h>

enum { HEADERS = 12 };

static void demand(bool right)
{
    if (!right) abort();
}

static str take_headers(arena *a, str in, header *list)
{
    for (size_t i = 0; i < HEADERS && in.n; i++) {
        str_pair line = str_cut(in, '\n');
        if (!line.head.n) return line.tail;
        str_pair field = str_cut(line.head, ':');
        list[i] = (header){arena_dup(a, field.head), arena_dup(a, field.tail)};
        in = line.tail;
    }
    return in;
}

/* Anything may come from a server: here it is the client's own params. */
static void write_back(arena *a, const dialect_request *q, const rpc_message *m)
{
    js_value again;
    rpc_refusal no;
    buf b = buf_new(a, 1 << 24), e = buf_new(a, 1 << 24), made = buf_new(a, 1 << 24);
    rpc_open_result(&b, m->id);
    q->speaks->write_result(&b, q, m->params, NULL);
    rpc_close_result(&b);
    demand(buf_ok(&b) && !js_check(a, buf_str(&b), 200, &again));
    if (dialect_error(a, q, m->params, &no)) {
        rpc_write_error(&e, m->id, &no);
        demand(!js_check(a, buf_str(&e), 200, &again));
    }
    dialect_hints hints = {.ttl_ms = -1};
    q->speaks->write_made(&made, q, (str){0}, m->id.p ? &hints : NULL);
    demand(!js_check(a, buf_str(&made), 200, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const str key[] = {{"0123456789abcdef0123456789abcdef", 32}, {0}};
    arena *a = arena_new();
    header list[HEADERS + 1] = {0};
    sealer *seals = NULL;
    demand(!sealer_new(a, key, &seals));
    session_revoked *revoked = session_revoked_new();
    str body = take_headers(a, (str){(const char *)p, n}, list);
    js_value root;
    rpc_message m;
    rpc_refusal no;
    dialect_request q;
    dialect_context c = {.a = a,
                         .headers = list,
                         .seals = seals,
                         .revoked = revoked,
                         .bond = {S("fuzz"), S("/mcp")},
                         .now_ms = 1000,
                         .server_name = S("gw")};
    if (rpc_check(a, body, 64, &root, &no) && rpc_read(a, root, &m, &no)) {
        if (!dialect_read(&c, &m, &q, &no)) {
            buf b = buf_new(a, 1 << 24);
            demand(no.status >= 200 && no.code != 0);
            rpc_write_error(&b, m.id, &no);
            demand(!js_check(a, buf_str(&b), 200, &root));
        }
        write_back(a, &q, &m);
        (void)mirror_params(a, list, m.params, q.arguments);
    }
    session_revoked_free(revoked);
    arena_free(a);
    return 0;
}
