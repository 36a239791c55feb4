/* SPDX-License-Identifier: Apache-2.0 */
/* config_aws_chain.c - the places where AWS's own tools look for keys, one row each, in order.
 *
 * A place that is named but cannot be right (a container's address that keys must not be fetched
 * from, a profile that wants a program to be run) is an error and not passed over: whoever named it
 * did not mean the next one. */
#include "config_cloud.h"

static const lease_spec *from_environment(config_reader *r, const config_backend *b)
{
    (void)b;
    return config_aws_environment(r);
}

static const lease_spec *from_profile(config_reader *r, const config_backend *b)
{
    size_t before = r->out->count;
    str name = config_variable(r, "AWS_PROFILE");
    const lease_spec *s = config_aws_profile(r, b, name.n ? name : S("default"));
    if (!s && name.n && r->out->count == before)
        problems_add(r->out, b->aws->line, b->aws->column,
                     "AWS_PROFILE is `" STR_FMT
                     "`, and there is no such profile with keys or a role",
                     STR_ARG(name));
    return s;
}

static const lease_spec *from_web_identity(config_reader *r, const config_backend *b)
{
    str file = config_variable(r, "AWS_WEB_IDENTITY_TOKEN_FILE");
    str role = config_variable(r, "AWS_ROLE_ARN"),
        session = config_variable(r, "AWS_ROLE_SESSION_NAME");
    if (!file.n || !role.n) return NULL;
    lease_spec *s = config_lent(r, LEASE_AWS_WEB);
    s->of[LEASE_URL] = config_aws_sts(r, b);
    s->of[LEASE_NAME] = role;
    s->of[LEASE_SESSION_NAME] = session.n ? session : S("sallyport");
    s->of[LEASE_FILE] = config_path(r, file);
    return s;
}

static const struct {
    const char *name;
    const lease_spec *(*find)(config_reader *r, const config_backend *b);
} chain[] = {
    {"environment", from_environment},   {"profile", from_profile},
    {"web identity", from_web_identity}, {"container", config_aws_container},
    {"machine", config_aws_machine},
};

const lease_spec *config_aws_chain(config_reader *r, const config_backend *b)
{
    size_t before = r->out->count;
    for (size_t i = 0; i < sizeof chain / sizeof *chain; i++) {
        const lease_spec *s = chain[i].find(r, b);
        if (s || r->out->count != before) return s;
    }
    return NULL;
}
