/* SPDX-License-Identifier: Apache-2.0 */
/* config_aws_profile.c - what a profile of AWS's shared files means: keys, or a role and who
 * assumes it.
 *
 * A profile may name another as its source, which may have a role of its own; that ends somewhere.
 * Programs (credential_process) and browsers (sso_…) are not gone to: the first would run whatever
 * that file says with the gateway's secrets in reach, the second wants a person. */
#include "aws_profile.h"
#include "config_cloud.h"

enum { SOURCES_MOST = 4 };

typedef struct {
    config_reader *r;
    const config_backend *b;
    unsigned left; /* sources that may still follow */
} search;

static const lease_spec *find(search *s, str name);

static const lease_spec *refuse(const search *s, str name, const char *why)
{
    problems_add(s->r->out, s->b->aws->line, s->b->aws->column, "profile `" STR_FMT "` %s",
                 STR_ARG(name), why);
    return NULL;
}

static void read_file(const search *s, const char *named_by, const char *usual, bool is_config,
                      str name, aws_profile *into)
{
    str path = config_variable(s->r, named_by), home = config_variable(s->r, "HOME"), text = {0};
    if (!path.n && home.n) path = arena_fmt(s->r->a, STR_FMT "%s", STR_ARG(home), usual);
    if (path.n && config_may_read(s->r, path, &text)) aws_profile_read(text, name, is_config, into);
}

static const lease_spec *keys_of(const search *s, const aws_profile *p)
{
    if (!p->key_id.n || !p->secret.n) return NULL;
    lease_spec *keys = config_lent(s->r, LEASE_AWS_KEY);
    keys->of[LEASE_NAME] = p->key_id;
    keys->of[LEASE_SECRET] = p->secret;
    keys->of[LEASE_SESSION] = p->token;
    return keys;
}

static const lease_spec *source_of(search *s, str name, const aws_profile *p)
{
    if (p->source_profile.n && str_eq(p->source_profile, name)) {
        const lease_spec *own = keys_of(s, p);
        return own ? own : refuse(s, name, "is its own source, and has no keys");
    }
    if (p->source_profile.n) {
        size_t before = s->r->out->count;
        if (s->left-- == 0) return refuse(s, name, "has too many sources one after the other");
        const lease_spec *other = find(s, p->source_profile);
        if (other || s->r->out->count != before) return other;
        return refuse(s, p->source_profile, "is named as a source, and is not there");
    }
    const lease_spec *lent = NULL;
    if (str_eq(p->credential_source, S("Environment"))) lent = config_aws_environment(s->r);
    if (str_eq(p->credential_source, S("EcsContainer"))) lent = config_aws_container(s->r, s->b);
    if (str_eq(p->credential_source, S("Ec2InstanceMetadata")))
        lent = config_aws_machine(s->r, s->b);
    if (lent) return lent;
    return refuse(s, name,
                  "has a role_arn, and neither a source_profile nor a credential_source that has "
                  "keys, nor a web_identity_token_file");
}

static const lease_spec *role_of(search *s, str name, const aws_profile *p)
{
    lease_spec *role = config_lent(s->r, p->web_file.n ? LEASE_AWS_WEB : LEASE_AWS_ROLE);
    role->of[LEASE_NAME] = p->role_arn;
    role->of[LEASE_SESSION_NAME] = p->session_name.n ? p->session_name : S("sallyport");
    role->of[LEASE_EXTERNAL_ID] = p->external_id;
    role->of[LEASE_REGION] = s->b->region;
    if (p->web_file.n) role->of[LEASE_FILE] = config_path(s->r, p->web_file);
    if (!p->web_file.n) role->base = source_of(s, name, p);
    if (!p->web_file.n && !role->base) return NULL;
    role->of[LEASE_URL] = config_aws_sts(s->r, s->b);
    return role;
}

static const lease_spec *find(search *s, str name)
{
    aws_profile p = {0};
    read_file(s, "AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials", false, name, &p);
    read_file(s, "AWS_CONFIG_FILE", "/.aws/config", true, name, &p);
    if (p.role_arn.n) return role_of(s, name, &p);
    const lease_spec *keys = keys_of(s, &p);
    if (keys) return keys;
    if (p.process.n)
        return refuse(s, name,
                      "wants a program to be run (credential_process): that is not done here; give "
                      "it keys, a role or a web identity");
    if (p.sso.n)
        return refuse(s, name,
                      "wants a person at a browser (sso_…): that is not done here; give it keys, a "
                      "role or a web identity");
    return NULL;
}

const lease_spec *config_aws_profile(config_reader *r, const config_backend *b, str name)
{
    search s = {.r = r, .b = b, .left = SOURCES_MOST};
    return find(&s, name);
}
