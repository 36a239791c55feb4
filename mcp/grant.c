/* SPDX-License-Identifier: Apache-2.0 */
/* grant.c - what is said to a token endpoint, and what is believed of its answer.
 *
 * An endpoint's error_description is not repeated anywhere: some quote the token in it. */
#include "grant.h"
#include "../authz/digest.h"
#include "../base/form.h"
#include "../base/json.h"

enum { DEPTH = 16, ERROR_CODE_MOST = 64 };
static const int64_t LIVES_S = 60, LIVES_LEAST_S = 5, LIVES_MOST_S = 24LL * 3600;

#define TOKEN_TYPE "urn:ietf:params:oauth:token-type:access_token"

str grant_body(arena *a, const grant *g, str subject)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    form_put(&b, S("grant_type"),
             subject.n ? S("urn:ietf:params:oauth:grant-type:token-exchange")
                       : S("client_credentials"));
    if (subject.n) {
        form_put(&b, S("subject_token"), subject);
        form_put(&b, S("subject_token_type"), S(TOKEN_TYPE));
        form_put(&b, S("requested_token_type"), S(TOKEN_TYPE));
    }
    form_put(&b, S("audience"), g->audience);
    form_put(&b, S("resource"), g->resource);
    form_put(&b, S("scope"), g->scope);
    if (g->secret_in_body || !g->client_secret.n) form_put(&b, S("client_id"), g->client_id);
    if (g->secret_in_body) form_put(&b, S("client_secret"), g->client_secret);
    return buf_str(&b);
}

static str basic(arena *a, const grant *g)
{
    buf b = buf_new(a, SIZE_MAX / 2);
    form_put_text(&b, g->client_id);
    buf_put(&b, S(":"));
    form_put_text(&b, g->client_secret);
    str coded = digest_base64(a, buf_str(&b));
    return arena_fmt(a, "Basic " STR_FMT, STR_ARG(coded));
}

const header *grant_headers(arena *a, const grant *g)
{
    header *list = NEW_N(a, header, 4);
    size_t n = 0;
    list[n++] = (header){S("Content-Type"), S("application/x-www-form-urlencoded")};
    list[n++] = (header){S("Accept"), S("application/json")};
    if (g->client_secret.n && !g->secret_in_body)
        list[n++] = (header){S("Authorization"), basic(a, g)};
    return list;
}

/* What may stand behind "Bearer " (RFC 6750 2.1, and a little more: visible, no spaces). */
static bool is_token(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x21 || s.p[i] > 0x7E) return false;
    return s.n > 0 && s.n <= GRANT_TOKEN_MOST;
}

/* An error code is one of RFC 6749's words; anything else is not worth a place in a log. */
static str error_code(arena *a, js_value root)
{
    str code = js_text(a, js_get(root, S("error")));
    for (size_t i = 0; i < code.n; i++)
        if ((code.p[i] < 'a' || code.p[i] > 'z') && code.p[i] != '_') return S("an error");
    return code.n && code.n <= ERROR_CODE_MOST ? code : S("an error");
}

static const err *read_token(arena *a, js_value root, grant_token *out)
{
    js_value lives = js_get(root, S("expires_in"));
    str type = js_text(a, js_get(root, S("token_type")));
    *out = (grant_token){.token = js_text(a, js_get(root, S("access_token"))), .lives_s = LIVES_S};
    if (!is_token(out->token))
        return err_new(a, ERR_UPSTREAM, "the token endpoint gave no usable access_token");
    if (type.n && !header_name_is(type, S("bearer")) && !header_name_is(type, S("n_a")))
        return err_new(a, ERR_UPSTREAM, "the token endpoint gave a token that is no bearer token");
    if (js_int(lives, &out->lives_s)) {
        if (out->lives_s < LIVES_LEAST_S) out->lives_s = LIVES_LEAST_S;
        if (out->lives_s > LIVES_MOST_S) out->lives_s = LIVES_MOST_S;
    }
    return NULL;
}

const err *grant_read(arena *a, int status, str body, grant_token *out)
{
    js_value root = {0};
    const err *e = js_check(a, body, DEPTH, &root);
    if (status >= 300 && status < 400)
        return err_new(a, ERR_UPSTREAM, "the token endpoint redirects, which is not followed");
    if (status != 200) {
        str code = e ? S("an error") : error_code(a, root);
        return err_new(a, ERR_UPSTREAM, "the token endpoint answered %d, " STR_FMT, status,
                       STR_ARG(code));
    }
    if (e || root.kind != JS_OBJECT)
        return err_new(a, ERR_UPSTREAM, "the token endpoint answered no JSON object");
    return read_token(a, root, out);
}
