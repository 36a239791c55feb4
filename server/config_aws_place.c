/* SPDX-License-Identifier: Apache-2.0 */
/* config_aws_place.c - keys in the environment, of the container, of the machine; and what the name
 * of an endpoint says. */
#include "../authz/gate.h"
#include "../transport/client.h"
#include "config_cloud.h"

const lease_spec *config_aws_environment(const config_reader *r)
{
    str id = config_variable(r, "AWS_ACCESS_KEY_ID");
    str secret = config_variable(r, "AWS_SECRET_ACCESS_KEY");
    if (!id.n || !secret.n) return NULL;
    lease_spec *s = config_lent(r, LEASE_AWS_KEY);
    s->of[LEASE_NAME] = id;
    s->of[LEASE_SECRET] = secret;
    s->of[LEASE_SESSION] = config_variable(r, "AWS_SESSION_TOKEN");
    return s;
}

/* Over plain http only on this machine, or where ECS and EKS have their agents. */
static bool may_lend(config_reader *r, str url)
{
    static const str agents[] = {{"169.254.170.2", 13},
                                 {"169.254.170.23", 14},
                                 {"fd00:ec2::23", 12},
                                 {0}};
    url_parts u;
    if (url_parse(r->a, url, &u)) return false;
    if (u.secure || gate_is_loopback(u.authority)) return true;
    for (const str *s = agents; s->p; s++)
        if (str_eq(u.host, *s)) return true;
    return false;
}

const lease_spec *config_aws_container(config_reader *r, const config_backend *b)
{
    str relative = config_variable(r, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    str url = config_variable(r, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    str file = config_variable(r, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (relative.n)
        url = arena_fmt(r->a, "http://169.254.170.2%s" STR_FMT, relative.p[0] == '/' ? "" : "/",
                        STR_ARG(relative));
    if (!url.n) return NULL;
    if (!may_lend(r, url)) {
        problems_add(r->out, b->aws->line, b->aws->column,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI wants https, loopback, 169.254.170.2, "
                     "169.254.170.23 or fd00:ec2::23");
        return NULL;
    }
    lease_spec *s = config_lent(r, LEASE_AWS_CONTAINER);
    s->of[LEASE_URL] = url;
    if (file.n)
        s->of[LEASE_FILE] = config_path(r, file);
    else
        s->of[LEASE_SECRET] = config_variable(r, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    return s;
}

const lease_spec *config_aws_machine(config_reader *r, const config_backend *b)
{
    url_parts u;
    str url = config_variable(r, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    str mode = config_variable(r, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
    if (str_eq(config_variable(r, "AWS_EC2_METADATA_DISABLED"), S("true"))) return NULL;
    if (!url.n)
        url = header_name_is(mode, S("ipv6")) ? S("http://[fd00:ec2::254]")
                                              : S("http://169.254.169.254");
    while (url.n && url.p[url.n - 1] == '/') url.n--;
    const err *e = url_parse(r->a, url, &u);
    if (e) {
        problems_add(r->out, b->aws->line, b->aws->column,
                     "AWS_EC2_METADATA_SERVICE_ENDPOINT: " STR_FMT, STR_ARG(e->text));
        return NULL;
    }
    lease_spec *s = config_lent(r, LEASE_AWS_MACHINE);
    s->of[LEASE_URL] = url;
    return s;
}

/* bedrock-runtime.REGION.amazonaws.com, …-fips…, vpce-….bedrock-runtime.REGION.vpce.amazonaws.com,
 * bedrock-runtime.REGION.api.aws, and China's own. */
str config_aws_region(str host)
{
    bool theirs = str_ends(host, S(".amazonaws.com")) || str_ends(host, S(".amazonaws.com.cn")) ||
                  str_ends(host, S(".api.aws"));
    while (theirs && host.n) {
        str_pair cut = str_cut(host, '.');
        if (str_eq(cut.head, S("bedrock-runtime")) || str_eq(cut.head, S("bedrock-runtime-fips")))
            return str_cut(cut.tail, '.').head;
        host = cut.tail;
    }
    return (str){0};
}
