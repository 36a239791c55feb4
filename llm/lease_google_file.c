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

/* What the members of a file are to us. */
typedef struct {
    const char *dotted;
    lease_part part;
    bool needed;
    const char *otherwise; /* when it is absent */
} part_row;

static const err *take_all(const reading *r, const part_row *rows)
{
    for (; rows->dotted; rows++) {
        str *to = &r->out->of[rows->part];
        take(r, rows->part, rows->dotted);
        if (!to->n && rows->otherwise) *to = (str){rows->otherwise, strlen(rows->otherwise)};
        if (!to->n && rows->needed) return lacks(r, rows->dotted);
    }
    return NULL;
}

/* clang-format off */
static const part_row account_parts[] = {
    {"token_uri",      LEASE_URL, false, TOKEN_URL},
    {"client_email",   LEASE_NAME, true, NULL},
    {"private_key",    LEASE_SECRET, false, NULL},
    {"private_key_id", LEASE_KEY_ID, false, NULL},
    {0},
};
static const part_row user_parts[] = {
    {"token_uri",     LEASE_URL, false, TOKEN_URL},
    {"client_id",     LEASE_NAME, true, NULL},
    {"client_secret", LEASE_CLIENT_SECRET, false, NULL},
    {"refresh_token", LEASE_SECRET, true, NULL},
    {0},
};
static const part_row federated_parts[] = {
    {"token_url",          LEASE_URL, false, "https://sts.googleapis.com/v1/token"},
    {"audience",           LEASE_AUDIENCE, true, NULL},
    {"audience",           LEASE_NAME, true, NULL},
    {"subject_token_type", LEASE_SUBJECT_TYPE, true, NULL},
    {"service_account_impersonation_url", LEASE_IMPERSONATE, false, NULL},
    {0},
};
/* clang-format on */

static const err *read_account(const reading *r)
{
    r->out->kind = LEASE_GOOGLE_ACCOUNT;
    const err *e = take_all(r, account_parts);
    if (e || jwt_can_sign(r->out->of[LEASE_SECRET])) return e;
    return err_new(r->a, ERR_MALFORMED, "its private_key is no RSA key in PEM");
}

static const err *read_user(const reading *r)
{
    r->out->kind = LEASE_GOOGLE_USER;
    return take_all(r, user_parts);
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
    r->out->kind = LEASE_GOOGLE_FEDERATED;
    const err *e = take_all(r, federated_parts);
    return e ? e : read_source(r);
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
