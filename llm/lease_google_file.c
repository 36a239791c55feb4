/* SPDX-License-Identifier: Apache-2.0 */
/* lease_google_file.c - the files that Google's own tools write, and what they mean.
 *
 * A file may name programs to be run (credential_source.executable): it is not asked to. */
#include "../authz/jwt_sign.h"
#include "../base/buf.h"
#include "../base/json.h"
#include "lease_google.h"

enum { FILE_DEPTH = 16, HEADERS_MOST = 4096 };

#define TOKEN_URL "https://oauth2.googleapis.com/token"

typedef struct {
    arena *a;
    js_value root;
    lease_spec *out;
} reading;

static str text_at(const reading *r, const char *dotted)
{
    return js_text(r->a, js_at(r->root, dotted));
}

static void take(const reading *r, lease_part part, const char *dotted)
{
    r->out->of[part] = text_at(r, dotted);
}

static const err *lacks(const reading *r, const char *what)
{
    return err_new(r->a, ERR_MALFORMED, "it has no %s", what);
}

static const err *read_account(const reading *r)
{
    lease_spec *out = r->out;
    out->kind = LEASE_GOOGLE_ACCOUNT;
    take(r, LEASE_URL, "token_uri");
    take(r, LEASE_NAME, "client_email");
    take(r, LEASE_SECRET, "private_key");
    take(r, LEASE_KEY_ID, "private_key_id");
    if (!out->of[LEASE_URL].n) out->of[LEASE_URL] = S(TOKEN_URL);
    if (!out->of[LEASE_NAME].n) return lacks(r, "client_email");
    if (jwt_can_sign(out->of[LEASE_SECRET])) return NULL;
    return err_new(r->a, ERR_MALFORMED, "its private_key is no RSA key in PEM");
}

static const err *read_user(const reading *r)
{
    lease_spec *out = r->out;
    out->kind = LEASE_GOOGLE_USER;
    take(r, LEASE_URL, "token_uri");
    take(r, LEASE_NAME, "client_id");
    take(r, LEASE_CLIENT_SECRET, "client_secret");
    take(r, LEASE_SECRET, "refresh_token");
    if (!out->of[LEASE_URL].n) out->of[LEASE_URL] = S(TOKEN_URL);
    if (!out->of[LEASE_NAME].n) return lacks(r, "client_id");
    return out->of[LEASE_SECRET].n ? NULL : lacks(r, "refresh_token");
}

/* {"Name": "value"} as lines of "Name: value". */
static str header_lines(const reading *r)
{
    buf b = buf_new(r->a, HEADERS_MOST);
    js_iter it = js_iterate(js_at(r->root, "credential_source.headers"));
    while (js_next(&it))
        buf_fmt(&b, STR_FMT ": " STR_FMT "\n", STR_ARG(js_key_text(r->a, &it)),
                STR_ARG(js_text(r->a, it.value)));
    return buf_ok(&b) ? buf_str(&b) : (str){0};
}

static const err *read_source(const reading *r)
{
    lease_spec *out = r->out;
    js_value source = js_get(r->root, S("credential_source"));
    str type = text_at(r, "credential_source.format.type");
    if (js_get(source, S("environment_id")).kind != JS_ABSENT ||
        js_get(source, S("executable")).kind != JS_ABSENT)
        return err_new(r->a, ERR_MALFORMED,
                       "its credential_source is neither a file nor a url: that is not supported");
    take(r, LEASE_FILE, "credential_source.file");
    take(r, LEASE_SUBJECT_URL, "credential_source.url");
    out->of[LEASE_SUBJECT_HEADERS] = header_lines(r);
    if (str_eq(type, S("json")))
        take(r, LEASE_FIELD, "credential_source.format.subject_token_field_name");
    if (str_eq(type, S("json")) && !out->of[LEASE_FIELD].n)
        return lacks(r, "subject_token_field_name");
    bool one = (out->of[LEASE_FILE].n > 0) != (out->of[LEASE_SUBJECT_URL].n > 0);
    return one ? NULL : err_new(r->a, ERR_MALFORMED, "its credential_source wants a file or a url");
}

static const err *read_federated(const reading *r)
{
    lease_spec *out = r->out;
    out->kind = LEASE_GOOGLE_FEDERATED;
    take(r, LEASE_URL, "token_url");
    take(r, LEASE_AUDIENCE, "audience");
    take(r, LEASE_SUBJECT_TYPE, "subject_token_type");
    take(r, LEASE_IMPERSONATE, "service_account_impersonation_url");
    out->of[LEASE_NAME] = out->of[LEASE_AUDIENCE];
    if (!out->of[LEASE_URL].n) out->of[LEASE_URL] = S("https://sts.googleapis.com/v1/token");
    if (!out->of[LEASE_AUDIENCE].n) return lacks(r, "audience");
    if (!out->of[LEASE_SUBJECT_TYPE].n) return lacks(r, "subject_token_type");
    return read_source(r);
}

const err *lease_of_google(arena *a, str json, lease_spec *out)
{
    static const struct {
        const char *type;
        const err *(*read)(const reading *r);
    } types[] = {{"service_account", read_account},
                 {"authorized_user", read_user},
                 {"external_account", read_federated},
                 {0}};
    reading r = {.a = a, .out = out};
    *out = (lease_spec){0};
    if (js_check(a, json, FILE_DEPTH, &r.root) || r.root.kind != JS_OBJECT)
        return err_new(a, ERR_MALFORMED, "it is no JSON object");
    str type = text_at(&r, "type");
    if (!type.n) return read_account(&r); /* what older tools wrote */
    for (size_t i = 0; types[i].type; i++)
        if (str_eq(type, (str){types[i].type, strlen(types[i].type)})) return types[i].read(&r);
    return err_new(a, ERR_MALFORMED,
                   "its type is none of service_account, authorized_user, external_account");
}
