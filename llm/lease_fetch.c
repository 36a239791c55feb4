/* SPDX-License-Identifier: Apache-2.0 */
/* lease_fetch.c - how each cloud is asked for a token, and what it says.
 *
 * Google takes a statement that is signed with the account's key, RSA with SHA-256; Entra takes the
 * application's secret. Both answer as RFC 6749 5.1 has it. */
#include "../authz/jwt_sign.h"
#include "../base/clock.h"
#include "../base/form.h"
#include "../base/json_make.h"
#include "../transport/client.h"
#include "lease.h"

enum { ANSWER_MOST = 64 << 10, TOKEN_MOST = 16 << 10, STATEMENT_S = 3600, ASK_MS = 10000 };
enum { LIVES_LEAST_S = 1, LIVES_MOST_S = 86400 };

static const char google_scope[] = "https://www.googleapis.com/auth/cloud-platform";
static const char statement_grant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";

static str text_at(arena *a, js_value root, const char *name)
{
    return js_text(a, js_get(root, (str){name, strlen(name)}));
}

const err *lease_of_account(arena *a, str json, lease_spec *out)
{
    js_value root;
    if (js_check(a, json, 8, &root) || root.kind != JS_OBJECT)
        return err_new(a, ERR_MALFORMED, "it is no JSON object");
    *out = (lease_spec){.kind = LEASE_GOOGLE,
                        .token_url = text_at(a, root, "token_uri"),
                        .name = text_at(a, root, "client_email"),
                        .secret = text_at(a, root, "private_key"),
                        .scope = {google_scope, sizeof google_scope - 1}};
    if (!out->token_url.n) out->token_url = S("https://oauth2.googleapis.com/token");
    if (!out->name.n) return err_new(a, ERR_MALFORMED, "it has no client_email");
    if (jwt_can_sign(out->secret)) return NULL;
    return err_new(a, ERR_MALFORMED, "its private_key is no RSA key in PEM");
}

/* Asking */

static str statement(arena *a, const lease_spec *spec)
{
    int64_t now_s = clock_wall_ms() / 1000;
    jnode *claims = jn_object(a);
    jn_set_text(claims, "iss", spec->name);
    jn_set_text(claims, "scope", spec->scope);
    jn_set_text(claims, "aud", spec->token_url);
    jn_set(claims, "iat", jn_int(a, now_s));
    jn_set(claims, "exp", jn_int(a, now_s + STATEMENT_S));
    return jwt_sign(a, spec->secret, jn_dump(a, claims));
}

static str question(arena *a, const lease_spec *spec)
{
    buf b = buf_new(a, ANSWER_MOST);
    if (spec->kind == LEASE_GOOGLE) {
        form_put(&b, S("grant_type"), (str){statement_grant, sizeof statement_grant - 1});
        form_put(&b, S("assertion"), statement(a, spec));
    } else {
        form_put(&b, S("grant_type"), S("client_credentials"));
        form_put(&b, S("client_id"), spec->name);
        form_put(&b, S("client_secret"), spec->secret);
        form_put(&b, S("scope"), spec->scope);
    }
    return buf_str(&b);
}

/* The answer */

static bool is_token(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] > '~') return false;
    return s.n > 0 && s.n <= TOKEN_MOST;
}

/* Some say it as text. */
static int64_t lives_of(arena *a, js_value v)
{
    int64_t s = 0;
    js_value inner = v;
    if (v.kind == JS_STRING && js_check(a, js_text(a, v), 1, &inner)) return LIVES_LEAST_S;
    if (!js_int(inner, &s) || s < LIVES_LEAST_S) return LIVES_LEAST_S;
    return s < LIVES_MOST_S ? s : LIVES_MOST_S;
}

const err *lease_fetch(arena *a, const lease_spec *spec, lease_token *out)
{
    static const header form[] = {{{"content-type", 12}, {"application/x-www-form-urlencoded", 33}},
                                  {{0}, {0}}};
    int status = 0;
    str body = {0};
    js_value root;
    /* its address is of the operator's making: it may be on a private network */
    const fetch_request rq = {.url = spec->token_url,
                              .headers = form,
                              .post_body = question(a, spec),
                              .limit = ANSWER_MOST,
                              .timeout_ms = ASK_MS,
                              .allow_private = true};
    const err *e = fetch(a, &rq, &status, &body);
    if (e) return err_wrap(a, e, "the token endpoint");
    if (status != 200) return err_new(a, ERR_UPSTREAM, "the token endpoint says %d", status);
    if (js_check(a, body, 16, &root))
        return err_new(a, ERR_UPSTREAM, "the token endpoint's answer is no JSON");
    out->token = text_at(a, root, "access_token");
    out->lives_ms = lives_of(a, js_get(root, S("expires_in"))) * 1000;
    if (is_token(out->token)) return NULL;
    return err_new(a, ERR_UPSTREAM, "the token endpoint's answer holds no token");
}
