/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"
#include "../authz/api_key.h"
#include "body.h"

/* The caller's own key */

enum { KEY_MOST = 8192 };

static str claim_of(arena *a, const caller *who, str path)
{
    const json_t *at = who->claims;
    while (at && path.n) {
        str_pair cut = str_cut(path, '.');
        at = json_object_getn(at, cut.head.p, cut.head.n);
        path = cut.tail;
    }
    if (!json_is_string(at)) return (str){0};
    return arena_dup(a, (str){json_string_value(at), json_string_length(at)});
}

/* It becomes a header's value, and a part of what is signed. */
static bool is_clean(str value)
{
    if (value.n > KEY_MOST || api_key_is(value)) return false; /* ours is nobody else's business */
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] <= ' ' || value.p[i] == 0x7f) return false;
    return value.n > 0;
}

static str own_key(arena *a, const llm_own_key *own, const credential_request *rq)
{
    str key =
        own->header.p ? header_get(rq->client, own->header) : claim_of(a, rq->who, own->claim);
    return is_clean(key) ? key : (str){0};
}

static str part_of_key(arena *a, const llm_own_key *own, const credential_request *rq,
                       const char *part)
{
    bool dashed = own->header.n && own->header.p[own->header.n - 1] == '-';
    str name = arena_fmt(a, STR_FMT "%s%s", STR_ARG(own->header), dashed ? "" : "-", part);
    str key = header_get(rq->client, name);
    return is_clean(key) ? key : (str){0};
}

/* NULL: the caller has none. */
static const sigv4_key *own_aws(arena *a, const llm_backend *b, const credential_request *rq)
{
    if (!b->own.header.p) return NULL;
    sigv4_key *key = NEW(a, sigv4_key);
    *key = *b->aws;
    key->access_key_id = part_of_key(a, &b->own, rq, "access-key-id");
    key->secret_access_key = part_of_key(a, &b->own, rq, "secret-access-key");
    key->session_token = part_of_key(a, &b->own, rq, "session-token");
    return key->access_key_id.n && key->secret_access_key.n ? key : NULL;
}

static bool asks_for_own(const llm_backend *b)
{
    return b->own.header.p || b->own.claim.p;
}

bool credential_is_there(arena *a, const llm_backend *b, const credential_request *rq)
{
    if (!asks_for_own(b) || b->own.fallback) return true;
    return b->aws ? own_aws(a, b, rq) != NULL : own_key(a, &b->own, rq).n > 0;
}

bool credential_is_lent(arena *a, const llm_backend *b, const credential_request *rq)
{
    if (!b->lease) return false;
    if (!asks_for_own(b)) return true;
    return b->aws ? !own_aws(a, b, rq) : !own_key(a, &b->own, rq).n;
}

static const header *own_header(arena *a, const llm_own_key *own, str key)
{
    header *list = NEW_N(a, header, 2);
    list[0] =
        (header){own->goes_in, arena_fmt(a, STR_FMT STR_FMT, STR_ARG(own->scheme), STR_ARG(key))};
    return list;
}

static const sigv4_key *lent_aws(arena *a, const llm_backend *b, const credential_request *rq)
{
    if (!rq->lent || !rq->lent->key_id.n) return b->aws;
    sigv4_key *key = NEW(a, sigv4_key);
    *key = *b->aws;
    key->access_key_id = rq->lent->key_id;
    key->secret_access_key = rq->lent->secret;
    key->session_token = rq->lent->token;
    return key;
}

static const header *signed_headers(arena *a, const llm_backend *b, const credential_request *rq)
{
    const sigv4_key *own = own_aws(a, b, rq);
    const sigv4_request sign = {.method = rq->method,
                                .path = rq->target,
                                .host = b->authority,
                                .content_type = rq->content_type,
                                .body = body_joined(a, rq->body, rq->parts),
                                .now_ms = rq->now_ms + (b->ahead ? *b->ahead : 0)};
    return sigv4_sign(a, own ? own : lent_aws(a, b, rq), &sign);
}

const header *credential_headers(arena *a, const llm_backend *b, const credential_request *rq)
{
    static const header none[1];
    if (b->aws) return signed_headers(a, b, rq);
    str key = asks_for_own(b) ? own_key(a, &b->own, rq) : (str){0};
    if (key.n) return own_header(a, &b->own, key);
    if (rq->lent && rq->lent->token.n) {
        static const llm_own_key lent = {.goes_in = {"authorization", 13},
                                         .scheme = {"Bearer ", 7}};
        return own_header(a, &lent, rq->lent->token);
    }
    return b->auth ? b->auth : none;
}
