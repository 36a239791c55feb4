/* SPDX-License-Identifier: Apache-2.0 */
/* config_google.c - Google's credentials: as written, or where Google's own tools look for them. */
#include "../llm/lease_google.h"
#include "../transport/client.h"
#include "config_cloud.h"

static void check_file(config_reader *r, config_backend *b, const yaml_node *n, str json)
{
    lease_spec *s = config_lent(r, LEASE_GOOGLE_ACCOUNT);
    const err *e = lease_of_google(r->a, json, s);
    if (e) {
        problems_add(r->out, n->line, n->column, "no credential file of Google's: " STR_FMT,
                     STR_ARG(e->text));
        return;
    }
    config_check_secure_url(r, n, "tokens", s->of[LEASE_URL]);
    if (s->of[LEASE_IMPERSONATE].n)
        config_check_secure_url(r, n, "tokens", s->of[LEASE_IMPERSONATE]);
    if (s->of[LEASE_FILE].n) s->of[LEASE_FILE] = config_path(r, s->of[LEASE_FILE]);
    b->lent = s;
}

static void check_machine(config_reader *r, config_backend *b)
{
    url_parts u;
    str host = config_variable(r, "GCE_METADATA_HOST");
    lease_spec *s = config_lent(r, LEASE_GOOGLE_MACHINE);
    s->of[LEASE_URL] =
        arena_fmt(r->a, "http://" STR_FMT, STR_ARG(host.n ? host : S("metadata.google.internal")));
    if (url_parse(r->a, s->of[LEASE_URL], &u) || !str_eq(u.path, S("/")))
        problems_add(r->out, b->gcp->line, b->gcp->column, "GCE_METADATA_HOST is no host");
    b->lent = s;
}

static str usual_file(const config_reader *r)
{
    str folder = config_variable(r, "CLOUDSDK_CONFIG"), home = config_variable(r, "HOME");
    if (!folder.n && home.n) folder = arena_fmt(r->a, STR_FMT "/.config/gcloud", STR_ARG(home));
    if (!folder.n) return (str){0};
    return arena_fmt(r->a, STR_FMT "/application_default_credentials.json", STR_ARG(folder));
}

/* The order of Application Default Credentials. */
static void check_default(config_reader *r, config_backend *b)
{
    str named = config_variable(r, "GOOGLE_APPLICATION_CREDENTIALS"), usual = usual_file(r);
    str json = {0};
    if (named.n && !config_may_read(r, named, &json))
        problems_add(r->out, b->gcp->line, b->gcp->column,
                     "GOOGLE_APPLICATION_CREDENTIALS is `" STR_FMT "`, which cannot be read",
                     STR_ARG(named));
    else if (named.n || (usual.n && config_may_read(r, usual, &json)))
        check_file(r, b, b->gcp, json);
    else
        check_machine(r, b);
}

void config_check_gcp(config_reader *r, config_backend *b)
{
    bool token = b->gcp_token.value.p || yaml_get(b->gcp, S("token"));
    bool file = b->gcp_file.value.p || yaml_get(b->gcp, S("file"));
    if (token && file)
        problems_add(r->out, b->gcp->line, b->gcp->column,
                     "`gcp` wants one of `token` and `file`, or neither");
    else if (b->gcp_file.value.p)
        check_file(r, b, config_place(b->gcp, "file"), b->gcp_file.value);
    else if (!token && !file)
        check_default(r, b);
}
