/* SPDX-License-Identifier: Apache-2.0 */
/* connect_leg.c - authorization code with PKCE, twice: for who the user is, and for his token.
 *
 * Both legs are one code with another authorization server. The login is what ties the browser to
 * the MCP caller: whoever sits there must be the very subject whose token made the call, or nothing
 * of his is kept. (MCP 2025-11-25 client/elicitation, on phishing; RFC 7636, 8707, 9207.) */
#include "connect_leg.h"
#include "../base/clock.h"
#include "../base/form.h"
#include "../base/json.h"
#include "announcement.h"
#include "authority.h"
#include "link_token.h"
#include "scope.h"
#include "user_token.h"

enum { LOCATION_MOST = 16 << 10, REGISTERED_MOST = 64 << 10, DEPTH = 16 };
static const int64_t ASK_MS = 10000;

static authority_ask ask_of(const connect_job *j)
{
    const upstream_spec *spec = &j->u->spec;
    if (j->c.leg == CONSENT_LOGIN)
        return (authority_ask){.issuer = j->login.issuer, .allow_private = true};
    return (authority_ask){.server_url = spec->grant.issuer.n ? (str){0} : spec->url,
                           .issuer = spec->grant.issuer,
                           .allow_private = spec->grant.allow_private};
}

static str back_url(const connect_job *j)
{
    return arena_fmt(j->a, STR_FMT CONSENT_BACK_PATH, STR_ARG(j->c.front));
}

/* Registering (RFC 7591), each time anew: nothing of it has to be kept. */

static const err *read_registered(connect_job *j, int status, str body)
{
    js_value root;
    if (status != 200 && status != 201)
        return err_new(j->a, ERR_UPSTREAM, "registration was answered %d", status);
    const err *e = js_check(j->a, body, DEPTH, &root);
    if (e) return e;
    j->c.client_id = js_text(j->a, js_get(root, S("client_id")));
    j->c.client_secret = js_text(j->a, js_get(root, S("client_secret")));
    j->c.secret_in_body =
        js_text_is(js_get(root, S("token_endpoint_auth_method")), S("client_secret_post"));
    return j->c.client_id.n ? NULL : err_new(j->a, ERR_UPSTREAM, "registration gave no client_id");
}

static const char *method_of(const authority *at)
{
    return at->none ? "none" : at->basic ? "client_secret_basic" : "client_secret_post";
}

static const err *register_us(connect_job *j, const authority_ask *ask, const authority *at)
{
    static const header headers[] = {{S("Content-Type"), S("application/json")},
                                     {S("Accept"), S("application/json")},
                                     {{0}, {0}}};
    int status = 0;
    str body = {0};
    if (!at->registration.n)
        return err_new(j->a, ERR_UPSTREAM, STR_FMT " registers nobody: a client_id is needed",
                       STR_ARG(at->issuer));
    buf b = buf_new(j->a, REGISTERED_MOST);
    consent_put_client(&b, j->c.front);
    buf_fmt(&b, ",\"token_endpoint_auth_method\":\"%s\"}", method_of(at));
    const fetch_request rq = {.url = at->registration,
                              .headers = headers,
                              .post_body = buf_str(&b),
                              .limit = REGISTERED_MOST,
                              .timeout_ms = ASK_MS,
                              .allow_private = authority_trusts(j->a, ask, at->registration)};
    const err *e = fetch(j->a, &rq, &status, &body);
    return e ? e : read_registered(j, status, body);
}

static const err *choose_client(connect_job *j, const authority_ask *ask, const authority *at)
{
    const grant *g = &j->u->spec.grant;
    bool login = j->c.leg == CONSENT_LOGIN;
    j->c.client_id = login ? j->login.login_client : g->client_id;
    j->c.client_secret = login ? j->login.login_secret : g->client_secret;
    j->c.secret_in_body = (!login && g->secret_in_body) || (!at->basic && at->post);
    if (!j->c.client_id.n && at->takes_documents)
        j->c.client_id = consent_self_url(j->a, j->c.front);
    return j->c.client_id.n ? NULL : register_us(j, ask, at);
}

/* Beginning */

/* Who is asked for more keeps what he had: the next token takes the place of the last. */
static str scope_of(const connect_job *j, const authority *at)
{
    str wanted = j->u->spec.grant.scope.n ? j->u->spec.grant.scope : at->scope;
    str key = user_token_key(j->a, j->c.caller_id);
    user_token before;
    bool had = j->c.scope.n && user_token_find(j->a, j->u, key, &before) &&
               str_eq(before.issuer, at->issuer);
    if (had) wanted = scope_union(j->a, wanted, before.g.scope);
    wanted = scope_union(j->a, wanted, j->c.scope);
    if (!at->offline || !wanted.n) return wanted;
    return scope_union(j->a, wanted, S("offline_access"));
}

static const err *make_location(connect_job *j, const authority *at)
{
    const consent *c = &j->c;
    str sealed = consent_seal(j->u->shared->seals, j->a, c);
    buf q = buf_new(j->a, LOCATION_MOST);
    form_put(&q, S("response_type"), S("code"));
    form_put(&q, S("client_id"), c->client_id);
    form_put(&q, S("redirect_uri"), back_url(j));
    form_put(&q, S("state"), sealed);
    form_put(&q, S("code_challenge"), consent_challenge(j->a, c->verifier));
    form_put(&q, S("code_challenge_method"), S("S256"));
    form_put(&q, S("scope"), c->leg == CONSENT_LOGIN ? S("openid") : c->scope);
    if (c->leg == CONSENT_LOGIN) form_put(&q, S("nonce"), c->browser);
    form_put(&q, S("resource"), c->resource);
    if (!sealed.n || !buf_ok(&q)) return err_new(j->a, ERR_TOO_LARGE, "too long an address");
    bool has_query = memchr(at->authorize.p, '?', at->authorize.n) != NULL;
    j->location = arena_fmt(j->a, STR_FMT "%s" STR_FMT, STR_ARG(at->authorize),
                            has_query ? "&" : "?", STR_ARG(buf_str(&q)));
    return NULL;
}

/* The browser is sent there: no other scheme, and nothing that could end the header. */
static const err *check_authorize(connect_job *j, const authority_ask *ask, const authority *at)
{
    url_parts u;
    const err *e = url_parse(j->a, at->authorize, &u);
    if (!e && !u.secure && !authority_trusts(j->a, ask, at->authorize))
        e = err_new(j->a, ERR_UPSTREAM, "the authorization endpoint is not https");
    for (size_t i = 0; !e && i < at->authorize.n; i++)
        if (at->authorize.p[i] <= ' ' || at->authorize.p[i] > '~')
            e = err_new(j->a, ERR_UPSTREAM, "the authorization endpoint is no URL");
    if (!e && j->c.leg == CONSENT_SERVER && !at->pkce)
        e = err_new(j->a, ERR_UPSTREAM, STR_FMT " does not do PKCE", STR_ARG(at->issuer));
    return e;
}

const err *connect_begin(connect_job *j)
{
    consent *c = &j->c;
    authority at;
    c->leg = c->leg == CONSENT_START && c->login.n ? CONSENT_LOGIN : CONSENT_SERVER;
    const authority_ask ask = ask_of(j);
    const err *e = authority_find(j->a, &ask, &at);
    if (!e) e = check_authorize(j, &ask, &at);
    if (!e) e = choose_client(j, &ask, &at);
    if (e) return e;
    c->issuer = at.issuer;
    c->token_url = at.token;
    c->says_issuer = at.says_issuer;
    c->verifier = consent_random(j->a);
    c->resource = (str){0};
    if (c->leg == CONSENT_SERVER) {
        c->resource = at.resource.n ? at.resource : j->u->spec.url;
        c->scope = scope_of(j, &at);
    }
    return make_location(j, &at);
}

/* Ending */

static str code_form(const connect_job *j)
{
    buf b = buf_new(j->a, SIZE_MAX / 2);
    form_put(&b, S("grant_type"), S("authorization_code"));
    form_put(&b, S("code"), j->code);
    form_put(&b, S("redirect_uri"), back_url(j));
    form_put(&b, S("code_verifier"), j->c.verifier);
    return buf_str(&b);
}

static grant client_of(const connect_job *j)
{
    return (grant){.kind = GRANT_USER,
                   .token_url = j->c.token_url,
                   .client_id = j->c.client_id,
                   .client_secret = j->c.client_secret,
                   .secret_in_body = j->c.secret_in_body,
                   .resource = j->c.resource,
                   .scope = j->c.scope};
}

static const err *check_user(connect_job *j, str id_token)
{
    const str us[] = {j->c.client_id, {0}};
    jwt_issuer only = j->login;
    jwt_facts facts = {0};
    only.audiences = us;
    if (jwt_verify(j->a, &only, 1, id_token, clock_wall_ms() / 1000, &facts) != JWT_OK)
        return err_new(j->a, ERR_FORBIDDEN, "the login gave no good id token (%s)",
                       facts.why ? facts.why : "unknown key");
    const json_t *nonce = json_object_get(facts.claims, "nonce");
    if (!json_is_string(nonce) ||
        !str_eq((str){json_string_value(nonce), json_string_length(nonce)}, j->c.browser))
        return err_new(j->a, ERR_FORBIDDEN, "the id token is of another login");
    if (!str_eq(caller_of_claims(j->a, facts.claims)->id, j->c.caller_id))
        return err_new(j->a, ERR_FORBIDDEN, "who is at the browser is not who made the call");
    return NULL;
}

static const err *end_login(connect_job *j)
{
    int status = 0;
    str body = {0};
    js_value root;
    const grant g = client_of(j);
    buf form = buf_new(j->a, SIZE_MAX / 2);
    buf_put(&form, code_form(j));
    if (g.secret_in_body || !g.client_secret.n) form_put(&form, S("client_id"), g.client_id);
    if (g.secret_in_body) form_put(&form, S("client_secret"), g.client_secret);
    const fetch_request rq = {.url = g.token_url,
                              .headers = grant_headers(j->a, &g),
                              .post_body = buf_str(&form),
                              .limit = GRANT_ANSWER_MOST,
                              .timeout_ms = ASK_MS,
                              .allow_private = true};
    const err *e = fetch(j->a, &rq, &status, &body);
    if (!e) e = js_check(j->a, body, DEPTH, &root);
    if (!e && status != 200)
        e = err_new(j->a, ERR_UPSTREAM, "the login's token endpoint answered %d", status);
    if (!e) e = check_user(j, js_text(j->a, js_get(root, S("id_token"))));
    return e ? e : connect_begin(j);
}

static const err *end_server(connect_job *j)
{
    bool over = false;
    user_token got;
    const user_token none = {.g = client_of(j), .issuer = j->c.issuer};
    const err *e = user_token_ask(j->a, j->u, code_form(j), &none, &got, &over);
    str key = user_token_key(j->a, j->c.caller_id);
    if (!e) e = user_token_keep(j->a, j->u, key, &got);
    if (e) return e;
    const grant_token now = {.token = got.access,
                             .lives_s = got.ends_s - clock_wall_ms() / 1000,
                             .scope = got.g.scope};
    link_token_settle(j->u, key, &now, NULL);
    announcement_for_caller(j->u, j->c.caller_id); /* strangers are shown nothing */
    j->location = (str){0};
    return NULL;
}

const err *connect_end(connect_job *j)
{
    return j->c.leg == CONSENT_LOGIN ? end_login(j) : end_server(j);
}
