/* SPDX-License-Identifier: Apache-2.0 */
/* lease_entra.c - an application of Microsoft Entra ID: by its secret (RFC 6749 4.4), by a
 * statement that its certificate's key signs, or by a token of an issuer that it trusts (RFC 7523).
 */
#include "../authz/digest.h"
#include "../authz/jwt_sign.h"
#include "../base/form.h"
#include "../base/json_make.h"
#include "lease_private.h"

enum { FORM_MOST = 64 << 10, STATEMENT_S = 600, EARLY_S = 60, ID_BYTES = 16 };

static const char assertion_type[] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

static str statement(const lease_trip *t, int64_t now_ms)
{
    uint8_t id[ID_BYTES];
    int64_t now_s = now_ms / 1000;
    const lease_spec *s = t->spec;
    digest_random(id, sizeof id);
    jnode *claims = jn_object(t->a);
    jn_set_text(claims, "aud", s->of[LEASE_URL]);
    jn_set_text(claims, "iss", s->of[LEASE_NAME]);
    jn_set_text(claims, "sub", s->of[LEASE_NAME]);
    jn_set_text(claims, "jti", digest_hex(t->a, id, sizeof id));
    jn_set(claims, "nbf", jn_int(t->a, now_s - EARLY_S));
    jn_set(claims, "iat", jn_int(t->a, now_s));
    jn_set(claims, "exp", jn_int(t->a, now_s + STATEMENT_S));
    const jwt_sign_head head = {.pss = true, .thumbprint = s->of[LEASE_THUMBPRINT]};
    return jwt_sign(t->a, s->of[LEASE_SECRET], &head, jn_dump(t->a, claims));
}

static str form_with(const lease_trip *t, str secret, str assertion)
{
    const lease_spec *s = t->spec;
    buf b = buf_new(t->a, FORM_MOST);
    form_put(&b, S("grant_type"), S("client_credentials"));
    form_put(&b, S("client_id"), s->of[LEASE_NAME]);
    form_put(&b, S("scope"), s->of[LEASE_SCOPE]);
    form_put(&b, S("client_secret"), secret);
    if (assertion.n)
        form_put(&b, S("client_assertion_type"), (str){assertion_type, sizeof assertion_type - 1});
    form_put(&b, S("client_assertion"), assertion);
    return buf_str(&b);
}

static str stated_form(const lease_trip *t, int64_t now_ms)
{
    return form_with(t, (str){0}, statement(t, now_ms));
}

const err *lease_entra(const lease_trip *t, lease_token *out)
{
    const lease_spec *s = t->spec;
    str assertion = {0};
    if (s->of[LEASE_SECRET].n) return lease_ask_oauth_at(t, stated_form, out);
    const err *e = s->of[LEASE_FILE].n ? lease_file_token(t, &assertion) : NULL;
    if (e) return e;
    return lease_ask_oauth(t, form_with(t, s->of[LEASE_CLIENT_SECRET], assertion), out);
}
