/* SPDX-License-Identifier: Apache-2.0 */
/* upstream_spec.c - what can be said about a spec without an upstream: its key, its copy, its
 * choice of tools. */
#include "../authz/digest.h"
#include "link_message.h"
#include "upstream_state.h"

enum { CANONICAL_MOST = 16 << 20, DESCRIPTION_MOST = 64 << 10 };

/* The canonical text: every member, each with its length, so that no two specs read the same. */

static void put_text(buf *b, str s)
{
    buf_fmt(b, "%c%zu:", s.p ? 's' : 'n', s.n);
    buf_put(b, s);
}

static void put_texts(buf *b, const str *list)
{
    for (; list && list->p; list++) put_text(b, *list);
    buf_put(b, S(";"));
}

static void put_headers(buf *b, const header *list)
{
    for (; list && list->name.p; list++) {
        put_text(b, list->name);
        put_text(b, list->value);
    }
    buf_put(b, S(";"));
}

static void put_rows(buf *b, const struct forward_row *list)
{
    for (; list && list->from.p; list++) {
        put_text(b, list->from);
        put_text(b, list->to);
    }
    buf_put(b, S(";"));
}

static void put_grant(buf *b, const grant *g)
{
    buf_fmt(b, "%d %d %d ", (int)g->kind, (int)g->secret_in_body, (int)g->allow_private);
    put_text(b, g->token_url);
    put_text(b, g->issuer);
    put_text(b, g->client_id);
    put_text(b, g->client_secret);
    put_text(b, g->audience);
    put_text(b, g->resource);
    put_text(b, g->scope);
}

str upstream_spec_key(arena *a, const upstream_spec *s)
{
    buf b = buf_new(a, CANONICAL_MOST);
    put_text(&b, s->name);
    buf_fmt(&b, "%d %d %d ", (int)s->kind, (int)s->isolation, (int)s->lists);
    put_text(&b, s->url);
    put_headers(&b, s->auth);
    put_text(&b, s->ca_pem);
    put_texts(&b, s->argv);
    put_texts(&b, s->env);
    put_text(&b, s->cwd);
    put_text(&b, s->user.name);
    buf_fmt(&b, "%u %u ", s->user.uid, s->user.gid);
    put_texts(&b, s->include);
    put_texts(&b, s->exclude);
    put_rows(&b, s->forward_headers);
    put_rows(&b, s->forward_claims);
    put_grant(&b, &s->grant);
    buf_fmt(&b, ";%lld %lld %lld %lld", (long long)s->timeout_ms, (long long)s->list_timeout_ms,
            (long long)s->connect_ms, (long long)s->ttl_ms);
    buf_fmt(&b, " %u %zu %zu %d%d", s->concurrent, s->description_most, s->result_most, s->trusted,
            s->instructions);
    if (!buf_ok(&b)) return (str){0};
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(buf_str(&b), sum);
    return digest_hex(a, sum, sizeof sum);
}

/* Copies. A list that is NULL becomes an empty one: readers need no second case. */

static str copy(arena *a, str s)
{
    return s.p ? arena_dup(a, s) : s;
}

static const struct forward_row *copy_rows(arena *a, const struct forward_row *list)
{
    size_t n = 0;
    while (list && list[n].from.p) n++;
    struct forward_row *out = NEW_N(a, struct forward_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct forward_row){arena_dup(a, list[i].from), arena_dup(a, list[i].to)};
    }
    return out;
}

static grant copy_grant(arena *a, const grant *from)
{
    return (grant){.kind = from->kind,
                   .token_url = copy(a, from->token_url),
                   .issuer = copy(a, from->issuer),
                   .allow_private = from->allow_private,
                   .client_id = copy(a, from->client_id),
                   .client_secret = copy(a, from->client_secret),
                   .secret_in_body = from->secret_in_body,
                   .audience = copy(a, from->audience),
                   .resource = copy(a, from->resource),
                   .scope = copy(a, from->scope)};
}

static int64_t or_default(int64_t given, int64_t otherwise)
{
    return given > 0 ? given : otherwise;
}

void upstream_spec_copy(arena *a, const upstream_spec *from, upstream_spec *to)
{
    *to = *from;
    to->name = copy(a, from->name);
    to->url = copy(a, from->url);
    to->auth = headers_copy(a, from->auth);
    to->ca_pem = copy(a, from->ca_pem);
    to->argv = arena_dup_all(a, from->argv);
    to->env = arena_dup_all(a, from->env);
    to->cwd = copy(a, from->cwd);
    to->user.name = copy(a, from->user.name);
    to->include = arena_dup_all(a, from->include);
    to->exclude = arena_dup_all(a, from->exclude);
    to->forward_headers = copy_rows(a, from->forward_headers);
    to->forward_claims = copy_rows(a, from->forward_claims);
    to->grant = copy_grant(a, &from->grant);
    to->timeout_ms = or_default(from->timeout_ms, 30000);
    to->list_timeout_ms = or_default(from->list_timeout_ms, 5000);
    to->connect_ms = or_default(from->connect_ms, 5000);
    to->description_most = from->description_most ? from->description_most : DESCRIPTION_MOST;
    to->result_most = from->result_most ? from->result_most : LINK_MESSAGE_MOST;
    to->ttl_ms = from->ttl_ms >= 0 ? from->ttl_ms : 60000;
}

bool upstream_tool_selected(const upstream *u, str tool)
{
    if (!selector_is_empty(u->include) && !selector_takes(u->include, tool, false)) return false;
    return !selector_takes(u->exclude, tool, true);
}
