/* SPDX-License-Identifier: Apache-2.0 */
/* config_entra.c - an application of Microsoft Entra ID, and the way it shows itself. */
#include "../authz/jwt_sign.h"
#include "config_cloud.h"

/* The tenant becomes a part of a URL. */
static void check_tenant(config_reader *r, const config_backend *b)
{
    const yaml_node *n = config_place(b->entra, "tenant");
    for (size_t i = 0; i < b->entra_tenant.n; i++) {
        char c = b->entra_tenant.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || c == '-' || c == '.') continue;
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no directory",
                     STR_ARG(b->entra_tenant));
        return;
    }
}

static void take(config_reader *r, const config_backend *b, str *to, const char *key,
                 const char *variable)
{
    if (to->n) return;
    *to = config_variable(r, variable);
    if (!to->n)
        problems_add(r->out, b->entra->line, b->entra->column, "`%s` is missing, and %s is not set",
                     key, variable);
}

static void take_certificate(config_reader *r, const config_backend *b, lease_spec *s)
{
    const yaml_node *n = config_place(b->entra, "certificate");
    str key = b->entra_key.value.p ? b->entra_key.value : b->entra_certificate.value;
    s->of[LEASE_SECRET] = key;
    s->of[LEASE_THUMBPRINT] = jwt_thumbprint(r->a, b->entra_certificate.value, key);
    if (!s->of[LEASE_THUMBPRINT].n)
        problems_add(r->out, n->line, n->column,
                     "this wants a certificate in PEM and its own private key (RSA)");
}

static void take_way(config_reader *r, config_backend *b, lease_spec *s)
{
    bool certificate = yaml_get(b->entra, S("certificate")) != NULL;
    bool secret = yaml_get(b->entra, S("client_secret")) != NULL;
    if (!secret && !certificate && !b->entra_file.n)
        b->entra_file = config_variable(r, "AZURE_FEDERATED_TOKEN_FILE");
    if (secret + certificate + (b->entra_file.n > 0) != 1)
        problems_add(r->out, b->entra->line, b->entra->column,
                     "`entra` wants one of `client_secret`, `certificate` and `token_file`, or "
                     "AZURE_FEDERATED_TOKEN_FILE");
    if (yaml_get(b->entra, S("key")) && !certificate)
        problems_add(r->out, b->entra->line, b->entra->column, "a `key` goes with a `certificate`");
    if (secret) s->of[LEASE_CLIENT_SECRET] = b->entra_secret.value;
    if (b->entra_certificate.value.p) take_certificate(r, b, s);
    if (b->entra_file.n) s->of[LEASE_FILE] = config_path(r, b->entra_file);
}

void config_check_entra(config_reader *r, config_backend *b)
{
    lease_spec *s = config_lent(r, LEASE_ENTRA);
    str authority = config_variable(r, "AZURE_AUTHORITY_HOST");
    if (!authority.n) authority = S("https://login.microsoftonline.com/");
    take(r, b, &b->entra_client, "client_id", "AZURE_CLIENT_ID");
    if (!b->entra_url.n) {
        take(r, b, &b->entra_tenant, "tenant", "AZURE_TENANT_ID");
        b->entra_url =
            arena_fmt(r->a, STR_FMT "%s" STR_FMT "/oauth2/v2.0/token", STR_ARG(authority),
                      str_ends(authority, S("/")) ? "" : "/", STR_ARG(b->entra_tenant));
    }
    check_tenant(r, b);
    config_check_secure_url(r, config_place(b->entra, "token_url"), "tokens", b->entra_url);
    s->of[LEASE_URL] = b->entra_url;
    s->of[LEASE_NAME] = b->entra_client;
    s->of[LEASE_SCOPE] = b->entra_scope;
    take_way(r, b, s);
    b->lent = s;
}
