/* SPDX-License-Identifier: Apache-2.0 */
/* user_token.c - the record of one caller at one server, and its renewal.
 *
 * A record is found by the server's name and url and by its caller, not by the server's spec: a
 * changed timeout must not cost everybody his account. It is sealed for this use alone, and what
 * cannot be opened (another seal key) is as good as absent. */
#include "user_token.h"
#include "../authz/digest.h"
#include "../base/clock.h"
#include "../base/form.h"
#include "../base/json.h"
#include "authority.h"
#include "link_token.h"

enum { RECORD_MOST = 128 << 10, DEPTH = 4 };
static const int64_t KEPT_S = 90LL * 24 * 3600, EARLY_S = 60, ASK_MS = 10000;

str user_token_key(arena *a, str caller_id)
{
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(caller_id, sum);
    return digest_hex(a, sum, sizeof sum);
}

static store_key store_key_of(arena *a, const upstream *u, str key)
{
    uint8_t sum[DIGEST_BYTES];
    digest_sha256(arena_fmt(a, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(u->spec.name),
                            STR_ARG(u->spec.url), STR_ARG(key)),
                  sum);
    return (store_key){S("mcp.user_tokens"), digest_hex(a, sum, sizeof sum)};
}

/* The record */

static void put(buf *b, const char *name, str value)
{
    buf_fmt(b, ",\"%s\":", name);
    buf_json(b, value);
}

const err *user_token_keep(arena *a, upstream *u, str key, const user_token *t)
{
    const store *kept = &u->shared->kept;
    buf b = buf_new(a, RECORD_MOST);
    buf_fmt(&b, "{\"ends\":%lld,\"body\":%s", (long long)t->ends_s,
            t->g.secret_in_body ? "true" : "false");
    put(&b, "access", t->access);
    put(&b, "refresh", t->refresh);
    put(&b, "url", t->g.token_url);
    put(&b, "id", t->g.client_id);
    put(&b, "secret", t->g.client_secret);
    put(&b, "resource", t->g.resource);
    put(&b, "scope", t->g.scope);
    put(&b, "issuer", t->issuer);
    buf_put(&b, S("}"));
    if (!buf_ok(&b)) return err_new(a, ERR_TOO_LARGE, "a token that is too long to keep");
    str sealed = seal(u->shared->seals, a, SEAL_AT_REST, buf_str(&b));
    return kept->put(kept->ctx, a, store_key_of(a, u, key), sealed, KEPT_S);
}

/* False: there is none that can be read. */
static bool read_record(const upstream *u, arena *a, str sealed, user_token *out)
{
    str plain;
    js_value root;
    if (!sealed.p || !unseal(u->shared->seals, a, SEAL_AT_REST, sealed, &plain)) return false;
    const err *e = js_check(a, plain, DEPTH, &root);
    *out = (user_token){.access = js_text(a, js_get(root, S("access"))),
                        .refresh = js_text(a, js_get(root, S("refresh"))),
                        .issuer = js_text(a, js_get(root, S("issuer"))),
                        .g = {.token_url = js_text(a, js_get(root, S("url"))),
                              .client_id = js_text(a, js_get(root, S("id"))),
                              .client_secret = js_text(a, js_get(root, S("secret"))),
                              .resource = js_text(a, js_get(root, S("resource"))),
                              .scope = js_text(a, js_get(root, S("scope"))),
                              .secret_in_body = js_bool(js_get(root, S("body")), false)}};
    return !e && js_int(js_get(root, S("ends")), &out->ends_s);
}

bool user_token_find(arena *a, const upstream *u, str key, user_token *out)
{
    const store *kept = &u->shared->kept;
    str sealed = {0};
    const err *e = kept->get(kept->ctx, a, store_key_of(a, u, key), &sealed);
    return !e && read_record(u, a, sealed, out);
}

/* The endpoint */

static authority_ask trusted(const upstream_spec *spec)
{
    return (authority_ask){.server_url = spec->url,
                           .issuer = spec->grant.issuer,
                           .allow_private = spec->grant.allow_private};
}

static bool grant_is_over(arena *a, int status, str body)
{
    js_value root;
    const err *e = js_check(a, body, DEPTH, &root);
    return status == 400 && !e && js_text_is(js_get(root, S("error")), S("invalid_grant"));
}

static str whole_form(arena *a, str form, const grant *g)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    buf_put(&b, form);
    form_put(&b, S("resource"), g->resource);
    if (g->secret_in_body || !g->client_secret.n) form_put(&b, S("client_id"), g->client_id);
    if (g->secret_in_body) form_put(&b, S("client_secret"), g->client_secret);
    return buf_str(&b);
}

const err *user_token_ask(arena *a, const upstream *u, str form, const user_token *before,
                          user_token *out, bool *over)
{
    int status = 0;
    str body = {0};
    js_value root;
    grant_token got = {0};
    const authority_ask ask = trusted(&u->spec);
    const fetch_request rq = {.url = before->g.token_url,
                              .headers = grant_headers(a, &before->g),
                              .post_body = whole_form(a, form, &before->g),
                              .limit = GRANT_ANSWER_MOST,
                              .timeout_ms = ASK_MS,
                              .allow_private = authority_trusts(a, &ask, before->g.token_url),
                              .stop = errands_stopping(u->shared->web)};
    const err *e = fetch(a, &rq, &status, &body);
    *over = !e && grant_is_over(a, status, body);
    if (!e) e = grant_read(a, status, body, &got);
    if (!e) e = js_check(a, body, DEPTH * 4, &root);
    if (e) return e;
    str next = js_text(a, js_get(root, S("refresh_token")));
    *out = *before;
    out->access = got.token;
    out->ends_s = clock_wall_ms() / 1000 + got.lives_s;
    if (next.n) out->refresh = next;
    return NULL;
}

/* The errand */

typedef struct {
    errand head;
    arena *arena;
    upstream *u; /* held */
    str key;
    bool anew;
} lookup;

/* The issuer is asked of the server itself, and only when a token was refused. */
static bool has_moved(const lookup *l, const user_token *t)
{
    authority_ask ask = trusted(&l->u->spec);
    authority now;
    if (!l->anew || !t->issuer.n || ask.issuer.n) return false;
    const err *e = authority_find(l->arena, &ask, &now);
    return !e && !str_eq(now.issuer, t->issuer);
}

static const err *forget(const lookup *l, bool *absent)
{
    const store *kept = &l->u->shared->kept;
    *absent = true;
    return kept->drop(kept->ctx, l->arena, store_key_of(l->arena, l->u, l->key));
}

/* A token that still serves goes on serving when the next cannot be had. */
static const err *renew(lookup *l, user_token *t, bool *absent)
{
    bool over = false;
    int64_t left_s = l->anew ? 0 : t->ends_s - clock_wall_ms() / 1000;
    if (left_s > EARLY_S) return NULL;
    if (has_moved(l, t)) return forget(l, absent);
    *absent = !t->refresh.n && left_s <= 0;
    if (!t->refresh.n) return NULL;
    buf form = buf_new(l->arena, SIZE_MAX / 2);
    form_put(&form, S("grant_type"), S("refresh_token"));
    form_put(&form, S("refresh_token"), t->refresh);
    user_token next;
    const err *e = user_token_ask(l->arena, l->u, buf_str(&form), t, &next, &over);
    if (over) return forget(l, absent);
    if (e) return left_s > 0 ? NULL : e;
    *t = next;
    return user_token_keep(l->arena, l->u, l->key, t);
}

static void run(errand *self)
{
    lookup *l = (lookup *)(void *)self;
    const store *kept = &l->u->shared->kept;
    str sealed = {0};
    user_token t = {0};
    const err *e = kept->get(kept->ctx, l->arena, store_key_of(l->arena, l->u, l->key), &sealed);
    bool absent = !e && !read_record(l->u, l->arena, sealed, &t);
    if (!e && !absent) e = renew(l, &t, &absent);
    grant_token got = {.token = t.access,
                       .lives_s = t.ends_s - clock_wall_ms() / 1000,
                       .scope = t.g.scope};
    if (absent) got = (grant_token){0};
    link_token_settle(l->u, l->key, &got, e);
    upstream_release(l->u);
    arena_free(l->arena);
}

static void drop(errand *self)
{
    lookup *l = (lookup *)(void *)self;
    upstream_release(l->u);
    arena_free(l->arena);
}

bool user_token_start(upstream *u, str key, bool anew)
{
    if (!u->shared->web || !u->shared->kept.get) return false;
    arena *a = arena_new();
    lookup *l = NEW(a, lookup);
    *l = (lookup){.head = {.run = run, .drop = drop},
                  .arena = a,
                  .u = upstream_hold(u),
                  .key = arena_dup(a, key),
                  .anew = anew};
    if (errands_add(u->shared->web, &l->head)) return true;
    drop(&l->head);
    return false;
}
