/* SPDX-License-Identifier: Apache-2.0 */
/* config_provider.c - what each kind of model provider wants of its backend: where it is, which
 * cloud's region and project, and how the gateway shows itself there. */
#include "../llm/llm.h"
#include "../transport/client.h"
#include "config_cloud.h"

enum { AUTH_BEARER = 1, AUTH_KEY = 2, AUTH_AWS = 4, AUTH_GCP = 8, AUTH_ENTRA = 16 };

typedef struct {
    const char *url; /* NULL: made of the region, or must be given */
    bool wants_region, wants_project;
    unsigned auths; /* beside a header of one's own */
} provider_row;

/* clang-format off */
static const provider_row rows[] = {
    [SCHEMA_OPENAI]        = {"https://api.openai.com", false, false, AUTH_BEARER | AUTH_KEY},
    [SCHEMA_ANTHROPIC]     = {"https://api.anthropic.com", false, false, AUTH_BEARER | AUTH_KEY},
    [SCHEMA_AZURE]         = {NULL, false, false, AUTH_BEARER | AUTH_KEY | AUTH_ENTRA},
    [SCHEMA_AWS_BEDROCK]   = {NULL, true, false, AUTH_BEARER | AUTH_AWS},
    [SCHEMA_AWS_ANTHROPIC] = {NULL, true, false, AUTH_BEARER | AUTH_AWS},
    [SCHEMA_GCP_VERTEX]    = {NULL, true, true, AUTH_BEARER | AUTH_GCP},
    [SCHEMA_GEMINI]        = {"https://generativelanguage.googleapis.com", false, false, AUTH_BEARER | AUTH_KEY},
    [SCHEMA_GCP_ANTHROPIC] = {NULL, true, true, AUTH_BEARER | AUTH_GCP},
    [SCHEMA_COHERE]        = {"https://api.cohere.com", false, false, AUTH_BEARER | AUTH_KEY},
};
/* clang-format on */

static void needs(config_reader *r, const config_backend *b, const char *key)
{
    problems_add(r->out, b->at.node->line, b->at.node->column, "this kind of backend wants `%s`",
                 key);
}

/* Google's own names for places that are no region of one data centre. */
static str google_url(arena *a, str region)
{
    if (str_eq(region, S("global"))) return S("https://aiplatform.googleapis.com");
    if (str_eq(region, S("us")) || str_eq(region, S("eu")))
        return arena_fmt(a, "https://aiplatform." STR_FMT ".rep.googleapis.com", STR_ARG(region));
    return arena_fmt(a, "https://" STR_FMT "-aiplatform.googleapis.com", STR_ARG(region));
}

static str default_url(config_reader *r, const config_backend *b, const provider_row *row)
{
    if (row->url) return (str){row->url, strlen(row->url)};
    if (row->wants_region && !b->region.n) return S("http://127.0.0.1"); /* was reported */
    if (row->wants_project) return google_url(r->a, b->region);
    if (row->wants_region)
        return arena_fmt(r->a, "https://bedrock-runtime." STR_FMT ".amazonaws.com%s",
                         STR_ARG(b->region), str_starts(b->region, S("cn-")) ? ".cn" : "");
    needs(r, b, "url");
    return S("http://127.0.0.1");
}

static bool is_label(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-') return false;
    }
    return s.n > 0;
}

static unsigned auths_of(const config_backend *b)
{
    return (b->auth.bearer.node ? AUTH_BEARER : 0u) | (b->api_key.node ? AUTH_KEY : 0u) |
           (b->aws ? AUTH_AWS : 0u) | (b->gcp ? AUTH_GCP : 0u) | (b->entra ? AUTH_ENTRA : 0u);
}

static void check_auths(config_reader *r, config_backend *b, const provider_row *row)
{
    unsigned given = auths_of(b);
    const yaml_node *n = b->auth.node;
    if (__builtin_popcount(given) + (b->auth.header != NULL) > 1)
        problems_add(r->out, n->line, n->column, "`auth` wants one way, not several");
    if (given & ~row->auths)
        problems_add(r->out, n->line, n->column,
                     "this kind of backend is not asked that way: it takes%s%s%s%s%s or `header`",
                     row->auths & AUTH_BEARER ? " `bearer`" : "",
                     row->auths & AUTH_KEY ? " `api_key`" : "",
                     row->auths & AUTH_AWS ? " `aws`" : "", row->auths & AUTH_GCP ? " `gcp`" : "",
                     row->auths & AUTH_ENTRA ? " `entra`" : "");
    if (b->aws) config_check_aws(r, b);
    if (b->gcp) config_check_gcp(r, b);
    if (b->entra) config_check_entra(r, b);
}

/* An endpoint's name, a private one's too, says in which region it takes signatures. */
static void take_aws_region(config_reader *r, config_backend *b)
{
    url_parts u;
    bool known = b->url.n && !url_parse(r->a, b->url, &u);
    str of_host = known ? config_aws_region(u.host) : (str){0};
    const yaml_node *n = config_place(b->at.node, "region");
    if (of_host.n && b->region.n && !str_eq(of_host, b->region))
        problems_add(r->out, n->line, n->column,
                     "the url is in " STR_FMT ", where a signature for " STR_FMT " is not taken",
                     STR_ARG(of_host), STR_ARG(b->region));
    if (!b->region.n) b->region = of_host;
    if (!b->region.n) b->region = config_variable(r, "AWS_REGION");
    if (!b->region.n) b->region = config_variable(r, "AWS_DEFAULT_REGION");
}

void config_check_provider(config_reader *r, config_backend *b)
{
    const provider_row *row = &rows[b->schema];
    if (row->wants_region && !row->wants_project) take_aws_region(r, b);
    if (row->wants_region && !b->region.n) needs(r, b, "region");
    if (row->wants_project && !b->project.n) needs(r, b, "project");
    if (b->region.n && !is_label(b->region)) {
        const yaml_node *n = config_place(b->at.node, "region");
        problems_add(r->out, n->line, n->column, "`" STR_FMT "` is no region", STR_ARG(b->region));
    }
    if (!b->url.p) b->url = default_url(r, b, row);
    config_check_proxy(r, b);
    if (b->auth.node) check_auths(r, b, row);
}
