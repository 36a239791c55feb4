/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c - reading allow-lists. */
#include "forward.h"
#include "link_param.h"
#include "resource_metadata.h"

enum { CLAIM_MOST = 4096 };

static void put_text_of(buf *b, arena *a, const json_t *claim)
{
    if (json_is_string(claim))
        buf_put(b, (str){json_string_value(claim), json_string_length(claim)});
    else
        buf_put(b, js_dump(a, claim));
}

static void put_list(buf *b, arena *a, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i) buf_put(b, S(","));
        put_text_of(b, a, json_array_get(list, i));
    }
}

static const json_t *find(const json_t *claims, str path)
{
    const json_t *at = claims;
    while (at && path.n) {
        str_pair cut = str_cut(path, '.');
        at = json_object_getn(at, cut.head.p, cut.head.n);
        path = cut.tail;
    }
    return at;
}

static str claim_text(arena *a, const json_t *claim)
{
    buf b = buf_new(a, CLAIM_MOST);
    if (json_is_array(claim))
        put_list(&b, a, claim);
    else if (!json_is_object(claim) && !json_is_null(claim))
        put_text_of(&b, a, claim);
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}

str forward_claim(arena *a, const caller *who, str path)
{
    str_pair cut = str_cut(path, '.');
    str text = {0};
    if (str_eq(path, S("caller.id")))
        text = who->id;
    else if (str_eq(path, S("caller.name")))
        text = who->name;
    else if (str_eq(cut.head, S("jwt"))) {
        const json_t *claim = find(who->claims, cut.tail);
        if (claim) text = claim_text(a, claim);
    }
    return text.n ? link_param_encode(a, text) : (str){0};
}

static size_t count(const struct forward_row *list)
{
    size_t n = 0;
    while (list && list[n].from.p) n++;
    return n;
}

static const header *forwarded(const visit *v, const upstream_spec *spec)
{
    size_t headers = count(spec->forward_headers), claims = count(spec->forward_claims), n = 0;
    if (headers + claims == 0) return NULL;
    header *list = NEW_N(v->a, header, headers + claims + 1);
    for (size_t i = 0; i < headers; i++) {
        const struct forward_row *f = &spec->forward_headers[i];
        str value = exchange_header(v->x, f->from);
        if (value.p) list[n++] = (header){f->to.n ? f->to : f->from, value};
    }
    for (size_t i = 0; i < claims; i++) {
        const struct forward_row *f = &spec->forward_claims[i];
        str value = forward_claim(v->a, v->who, f->from);
        if (value.p) list[n++] = (header){f->to, value};
    }
    return list;
}

/* Only a token that made this caller; an API key is not one. */
static str token_of(const visit *v)
{
    str sent = exchange_header(v->x, S("authorization"));
    if (v->who->kind != CALLER_JWT || sent.n < 7) return (str){0};
    return header_name_is(str_take(sent, 7), S("bearer ")) ? dialect_trim(str_drop(sent, 7))
                                                           : (str){0};
}

/* Who the caller is must be known at a browser, too: by the login at the issuer of his token.
 * Without a token he is whoever is at this machine; the configuration sees to it that it is this
 * one. */
static void fill_user(const visit *v, link_request *rq)
{
    const identity *id = v->rq.config->who;
    rq->caller_token = v->who->id;
    if (v->who->kind == CALLER_ANONYMOUS) rq->front = mcp_front(v->a, v->rq.endpoint, v->x);
    for (size_t i = 0; i < id->issuer_count; i++) {
        const jwt_issuer *one = &id->issuers[i];
        if (!one->login_client.n || !caller_is_of(v->who, one->issuer)) continue;
        rq->login = one->issuer;
        rq->front = mcp_front(v->a, v->rq.endpoint, v->x);
    }
}

void forward_fill(const visit *v, const upstream_spec *spec, link_request *rq)
{
    bool wanted = spec->grant.kind == GRANT_EXCHANGE || spec->grant.kind == GRANT_PASSTHROUGH;
    rq->headers = forwarded(v, spec);
    rq->caller_token = wanted ? token_of(v) : (str){0};
    if (spec->grant.kind == GRANT_USER) fill_user(v, rq);
}

bool forward_may_repeat(const upstream_spec *spec, js_value annotations)
{
    return spec->trusted && (js_bool(js_get(annotations, S("readOnlyHint")), false) ||
                             js_bool(js_get(annotations, S("idempotentHint")), false));
}
