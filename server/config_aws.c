/* SPDX-License-Identifier: Apache-2.0 */
/* config_aws.c - whose keys sign for AWS: as written, of a web identity, of a profile, or whatever
 * AWS's own tools would find; and the role that is assumed with them, if there is one. */
#include "config_cloud.h"

static void complain(config_reader *r, const yaml_node *n, const char *what)
{
    problems_add(r->out, n->line, n->column, "%s", what);
}

str config_aws_sts(config_reader *r, const config_backend *b)
{
    str url = b->aws_sts.n ? b->aws_sts : config_variable(r, "AWS_ENDPOINT_URL_STS");
    if (url.n) {
        config_check_secure_url(r, b->aws_sts.n ? config_place(b->aws, "sts_url") : b->aws, "keys",
                                url);
        return url;
    }
    return arena_fmt(r->a, "https://sts." STR_FMT ".amazonaws.com%s", STR_ARG(b->region),
                     str_starts(b->region, S("cn-")) ? ".cn" : "");
}

static bool is_session_name(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && !strchr("_+=,.@-", c)) return false;
    }
    return s.n >= 2 && s.n <= 64;
}

static void check_role(config_reader *r, const yaml_node *map, str arn, str session)
{
    if (!str_starts(arn, S("arn:")))
        complain(r, config_place(map, "role_arn"), "a role is named by its ARN, arn:aws:iam::…");
    if (!is_session_name(session))
        complain(r, config_place(map, "session_name"),
                 "a session's name has 2 to 64 letters, digits and _+=,.@-");
}

static const lease_spec *written_keys(const config_reader *r, const config_backend *b)
{
    lease_spec *s = config_lent(r, LEASE_AWS_KEY);
    s->of[LEASE_NAME] = b->aws_key_id.value;
    s->of[LEASE_SECRET] = b->aws_secret.value;
    s->of[LEASE_SESSION] = b->aws_token.value;
    return s;
}

static const lease_spec *written_web(config_reader *r, const config_backend *b)
{
    lease_spec *s = config_lent(r, LEASE_AWS_WEB);
    check_role(r, b->aws_web, b->web_arn, b->web_session);
    s->of[LEASE_URL] = config_aws_sts(r, b);
    s->of[LEASE_NAME] = b->web_arn;
    s->of[LEASE_SESSION_NAME] = b->web_session;
    s->of[LEASE_FILE] = config_path(r, b->web_file);
    return s;
}

static const lease_spec *assumed(config_reader *r, const config_backend *b, const lease_spec *base)
{
    lease_spec *s = config_lent(r, LEASE_AWS_ROLE);
    check_role(r, b->aws_role, b->role_arn, b->role_session);
    s->of[LEASE_URL] = config_aws_sts(r, b);
    s->of[LEASE_REGION] = b->region;
    s->of[LEASE_NAME] = b->role_arn;
    s->of[LEASE_SESSION_NAME] = b->role_session;
    s->of[LEASE_EXTERNAL_ID] = b->role_external_id;
    s->base = base;
    return s;
}

static const lease_spec *found(config_reader *r, config_backend *b)
{
    bool keys = b->aws_key_id.value.p || b->aws_secret.value.p;
    size_t before = r->out->count;
    if (keys + (b->aws_web != NULL) + (b->aws_profile.n > 0) > 1) {
        complain(r, b->aws, "`aws` wants one of keys, `profile` and `web_identity`");
        return NULL;
    }
    if (keys && b->aws_key_id.value.n && b->aws_secret.value.n) return written_keys(r, b);
    if (keys) {
        complain(r, b->aws, "`aws` wants access_key_id and secret_access_key, or neither");
        return NULL;
    }
    if (b->aws_web) return written_web(r, b);
    const lease_spec *s =
        b->aws_profile.n ? config_aws_profile(r, b, b->aws_profile) : config_aws_chain(r, b);
    if (s || r->out->count != before) return s;
    if (b->aws_profile.n)
        complain(r, config_place(b->aws, "profile"),
                 "there is no such profile with keys or a role");
    else
        complain(r, b->aws,
                 "no keys for `aws`: none are written, none are in the environment, in a profile, "
                 "or lent by a web identity or a container, and instance metadata is disabled");
    return NULL;
}

/* Keys that nobody lends sign without a lease. */
static void sign_with(config_backend *b, const lease_spec *keys)
{
    b->aws_key_id.value = keys->of[LEASE_NAME];
    b->aws_secret.value = keys->of[LEASE_SECRET];
    b->aws_token.value = keys->of[LEASE_SESSION];
}

void config_check_aws(config_reader *r, config_backend *b)
{
    const lease_spec *s = found(r, b);
    if (s && b->aws_role) s = assumed(r, b, s);
    if (s && s->kind == LEASE_AWS_KEY)
        sign_with(b, s);
    else
        b->lent = s;
}
