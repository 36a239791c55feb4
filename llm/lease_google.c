/* SPDX-License-Identifier: Apache-2.0 */
/* lease_google.c - how Google is asked, by each kind of credential. */
#include "../authz/jwt_sign.h"
#include "../base/form.h"
#include "../base/json_make.h"
#include "lease_private.h"

enum { FORM_MOST = 64 << 10, STATEMENT_S = 3600, HEADERS_MOST = 16 };

static const char scope[] = "https://www.googleapis.com/auth/cloud-platform";
static const char statement_grant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";
static const char exchange_grant[] = "urn:ietf:params:oauth:grant-type:token-exchange";
static const char access_token[] = "urn:ietf:params:oauth:token-type:access_token";

#define TEXT(array) ((str){(array), sizeof(array) - 1})

/* A service account */

static str statement(const lease_trip *t, int64_t now_ms)
{
    const str *of = t->spec->of;
    int64_t now_s = now_ms / 1000;
    jnode *claims = jn_object(t->a);
    jn_set_text(claims, "iss", of[LEASE_NAME]);
    jn_set_text(claims, "scope", TEXT(scope));
    jn_set_text(claims, "aud", of[LEASE_URL]);
    jn_set(claims, "iat", jn_int(t->a, now_s));
    jn_set(claims, "exp", jn_int(t->a, now_s + STATEMENT_S));
    const jwt_sign_head head = {.key_id = of[LEASE_KEY_ID]};
    return jwt_sign(t->a, of[LEASE_SECRET], &head, jn_dump(t->a, claims));
}

static str account_form(const lease_trip *t, int64_t now_ms)
{
    buf b = buf_new(t->a, FORM_MOST);
    form_put(&b, S("grant_type"), TEXT(statement_grant));
    form_put(&b, S("assertion"), statement(t, now_ms));
    return buf_str(&b);
}

const err *lease_google_account(const lease_trip *t, lease_token *out)
{
    return lease_ask_oauth_at(t, account_form, out);
}

/* A user */

const err *lease_google_user(const lease_trip *t, lease_token *out)
{
    const str *of = t->spec->of;
    buf b = buf_new(t->a, FORM_MOST);
    form_put(&b, S("grant_type"), S("refresh_token"));
    form_put(&b, S("client_id"), of[LEASE_NAME]);
    form_put(&b, S("client_secret"), of[LEASE_CLIENT_SECRET]);
    form_put(&b, S("refresh_token"), of[LEASE_SECRET]);
    return lease_ask_oauth(t, buf_str(&b), out);
}

/* A workload identity */

static const header *subject_headers(const lease_trip *t)
{
    header *list = NEW_N(t->a, header, HEADERS_MOST + 1);
    str rest = t->spec->of[LEASE_SUBJECT_HEADERS];
    for (size_t i = 0; i < HEADERS_MOST && rest.n; i++) {
        str_pair line = str_cut(rest, '\n');
        str_pair cut = str_cut(line.head, ':');
        list[i] = (header){cut.head, str_drop(cut.tail, 1)};
        rest = line.tail;
    }
    return list;
}

static const err *subject_of(const lease_trip *t, str *out)
{
    static const char who[] = "where the subject's token is";
    const str *of = t->spec->of;
    lease_answer said;
    if (of[LEASE_FILE].n) return lease_file_token(t, out);
    const lease_question q = {.url = of[LEASE_SUBJECT_URL],
                              .headers = subject_headers(t),
                              .nearby = true};
    const err *e = lease_ask_for(t, who, &q, &said);
    if (e) return e;
    e = lease_read_subject(t->a, said.body, of[LEASE_FIELD], out);
    return e ? err_wrap(t->a, e, "%s", who) : NULL;
}

/* The federated token stands for the workload; the account's is what models are served for. */
static const err *impersonate(const lease_trip *t, str federated, lease_token *out)
{
    static const char who[] = "the impersonated account";
    const header headers[] = {{S("content-type"), S("application/json")},
                              {S("authorization"),
                               arena_fmt(t->a, "Bearer " STR_FMT, STR_ARG(federated))},
                              {{0}, {0}}};
    lease_answer said;
    jnode *body = jn_object(t->a), *scopes = jn_array(t->a);
    jn_add(scopes, jn_text(t->a, TEXT(scope)));
    jn_set(body, "scope", scopes);
    jn_set_text(body, "lifetime", S("3600s"));
    const lease_question q = {.url = t->spec->of[LEASE_IMPERSONATE],
                              .headers = headers,
                              .body = jn_dump(t->a, body)};
    const err *e = lease_ask_for(t, who, &q, &said);
    if (e) return e;
    e = lease_read_impersonated(t->a, said.body, said.now_ms, out);
    return e ? err_wrap(t->a, e, "%s", who) : NULL;
}

const err *lease_google_federated(const lease_trip *t, lease_token *out)
{
    const str *of = t->spec->of;
    str subject = {0};
    buf b = buf_new(t->a, FORM_MOST);
    const err *e = subject_of(t, &subject);
    if (e) return e;
    form_put(&b, S("grant_type"), TEXT(exchange_grant));
    form_put(&b, S("audience"), of[LEASE_AUDIENCE]);
    form_put(&b, S("scope"), TEXT(scope));
    form_put(&b, S("requested_token_type"), TEXT(access_token));
    form_put(&b, S("subject_token"), subject);
    form_put(&b, S("subject_token_type"), of[LEASE_SUBJECT_TYPE]);
    e = lease_ask_oauth(t, buf_str(&b), out);
    if (e || !of[LEASE_IMPERSONATE].n) return e;
    return impersonate(t, out->token, out);
}

/* The machine */

const err *lease_google_machine(const lease_trip *t, lease_token *out)
{
    static const char who[] = "the metadata server";
    static const header flavour[] = {{{"metadata-flavor", 15}, {"Google", 6}}, {{0}, {0}}};
    lease_answer said;
    const lease_question q =
        {.url =
             arena_fmt(t->a, STR_FMT "/computeMetadata/v1/instance/service-accounts/default/token",
                       STR_ARG(t->spec->of[LEASE_URL])),
         .headers = flavour,
         .nearby = true};
    const err *e = lease_ask_for(t, who, &q, &said);
    if (e) return e;
    e = lease_read_oauth(t->a, said.body, out);
    return e ? err_wrap(t->a, e, "%s", who) : NULL;
}
