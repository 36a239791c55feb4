/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* config_cloud_test.c - where a cloud's credential is found, in environments and files made here.
 */
#include "own_arena.h"

#include "../../base/buf.h"
#include "../../server/config_cloud.h"
#include <string.h>

/* "NAME=value" lines, and one file; `auth` is the backend's. */
typedef struct {
    const char *auth, *variables, *path, *text;
    const char *found; /* how it is lent, or what is wrong */
} cloud_case;

static str text_of(const char *p)
{
    return p ? (str){p, strlen(p)} : (str){0};
}

static str world_variable(void *ctx, arena *to, str name)
{
    const cloud_case *c = ctx;
    str rest = text_of(c->variables);
    (void)to;
    while (rest.n) {
        str_pair line = str_cut(rest, '\n');
        str_pair cut = str_cut(line.head, '=');
        if (str_eq(cut.head, name)) return cut.tail;
        rest = line.tail;
    }
    return (str){0};
}

static const err *world_read(void *ctx, arena *to, str path, str *text)
{
    const cloud_case *c = ctx;
    *text = text_of(c->text);
    return c->path && str_eq(path, text_of(c->path)) ? NULL
                                                     : err_new(to, ERR_NOT_FOUND, "cannot read");
}

static const str *world_glob(void *ctx, arena *to, str pattern)
{
    (void)ctx, (void)pattern;
    return NEW(to, str);
}

static void put_spec(buf *out, const lease_spec *s)
{
    static const char *const names[LEASE_PARTS] = {[LEASE_URL] = "url",
                                                   [LEASE_NAME] = "name",
                                                   [LEASE_SECRET] = "secret",
                                                   [LEASE_CLIENT_SECRET] = "client_secret",
                                                   [LEASE_FILE] = "file",
                                                   [LEASE_SUBJECT_URL] = "subject",
                                                   [LEASE_FIELD] = "field",
                                                   [LEASE_SUBJECT_HEADERS] = "headers",
                                                   [LEASE_IMPERSONATE] = "as",
                                                   [LEASE_SESSION] = "session",
                                                   [LEASE_EXTERNAL_ID] = "external",
                                                   [LEASE_SESSION_NAME] = "called"};
    buf_fmt(out, "%s", lease_kind_name(s->kind));
    for (int i = 0; i < LEASE_PARTS; i++)
        if (names[i] && s->of[i].n) buf_fmt(out, " %s=" STR_FMT, names[i], STR_ARG(s->of[i]));
    if (s->base) buf_put(out, S(" < "));
    if (s->base) put_spec(out, s->base);
}

/* "f:4:63: what" -> "! what" */
static str without_place(str told)
{
    for (int i = 0; i < 3; i++) told = str_cut(told, ':').tail;
    return arena_fmt(a, "!" STR_FMT, STR_ARG(told));
}

static str found_by(const cloud_case *c)
{
    union { /* a ctx is writable, a case is not written to */
        const cloud_case *in;
        void *out;
    } ctx = {.in = c};
    const config_world world = {.directory = S("/etc/sp"),
                                .variable = world_variable,
                                .read = world_read,
                                .glob = world_glob,
                                .ctx = ctx.out};
    config *made = NULL;
    problems p;
    buf out = buf_new(a, 4096);
    str file = arena_fmt(a, "version: 1\nllm:\n  backends:\n    b: { %s }\n", c->auth);
    problems_init(&p, a, S("f"));
    config_load(a, &world, S("f"), file, &p, &made);
    if (!made) return without_place(p.first->text);
    const config_backend *b = made->llm ? made->backends.items : NULL;
    assert_non_null(b);
    if (b->lent)
        put_spec(&out, b->lent);
    else
        buf_fmt(&out, "signs " STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(b->aws_key_id.value),
                STR_ARG(b->aws_secret.value), STR_ARG(b->aws_token.value));
    return buf_str(&out);
}

static void all_are_found(const cloud_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        str got = found_by(&cases[i]);
        if (!str_eq(got, text_of(cases[i].found)))
            fail_msg("case %zu: got `%.*s`, wanted `%s`", i, (int)got.n, got.p, cases[i].found);
    }
}

#define AWS(more)  "schema: aws-bedrock, region: eu-west-1, auth: { aws: { " more " } }"
#define ROLE       "arn:aws:iam::1:role/r"
#define CONFIG     "/c/config"
#define NOWHERE    "AWS_EC2_METADATA_DISABLED=true"
#define STS        "url=https://sts.eu-west-1.amazonaws.com"
#define AT_MACHINE "instance metadata url=http://169.254.169.254"

static void keys_of_aws_are_found_in_order(void **state)
{
    (void)state;
    /* clang-format off */
    static const cloud_case cases[] = {
        {AWS("access_key_id: A, secret_access_key: s"), "AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY=t", 0, 0, "signs A s "},
        {AWS(""), "AWS_ACCESS_KEY_ID=B\nAWS_SECRET_ACCESS_KEY=t\nAWS_SESSION_TOKEN=u", 0, 0, "signs B t u"},
        {AWS(""), "HOME=/h", "/h/.aws/credentials", "[default]\naws_access_key_id = C\naws_secret_access_key = v", "signs C v "},
        {AWS(""), "HOME=/h", "/h/.aws/config", "[default]\naws_access_key_id = C\naws_secret_access_key = v", "signs C v "},
        {AWS(""), "AWS_WEB_IDENTITY_TOKEN_FILE=/t\nAWS_ROLE_ARN=" ROLE, 0, 0,
         "web identity " STS " name=" ROLE " file=/t called=sallyport"},
        {AWS(""), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x", 0, 0, "container url=http://169.254.170.2/v2/x"},
        {AWS(""), "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/v1\nAWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/t", 0, 0,
         "container url=http://169.254.170.23/v1 file=/t"},
        {AWS(""), "AWS_CONTAINER_CREDENTIALS_FULL_URI=https://any.where/v1\nAWS_CONTAINER_AUTHORIZATION_TOKEN=t", 0, 0,
         "container url=https://any.where/v1 secret=t"},
        {AWS(""), "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23.evil/v1", 0, 0,
         "! AWS_CONTAINER_CREDENTIALS_FULL_URI wants https, loopback, 169.254.170.2, 169.254.170.23 or fd00:ec2::23"},
        {AWS(""), "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://10.0.0.1/", 0, 0,
         "! AWS_CONTAINER_CREDENTIALS_FULL_URI wants https, loopback, 169.254.170.2, 169.254.170.23 or fd00:ec2::23"},
        {AWS(""), NULL, 0, 0, AT_MACHINE},
        {AWS(""), "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6", 0, 0, "instance metadata url=http://[fd00:ec2::254]"},
        {AWS(""), NOWHERE, 0, 0, "! no keys for `aws`: none are written, none are in the environment, in a profile, "
         "or lent by a web identity or a container, and instance metadata is disabled"},
        {AWS(""), "AWS_PROFILE=x\nHOME=/h", 0, 0, "! AWS_PROFILE is `x`, and there is no such profile with keys or a role"},
        {AWS("profile: x"), "HOME=/h", 0, 0, "! there is no such profile with keys or a role"},
        {AWS("profile: x, access_key_id: A, secret_access_key: s"), 0, 0, 0, "! `aws` wants one of keys, `profile` and `web_identity`"},
        {AWS("web_identity: { role_arn: '" ROLE "', token_file: t.jwt, session_name: a b }"), 0, 0, 0,
         "! a session's name has 2 to 64 letters, digits and _+=,.@-"},
        {AWS("assume_role: { role_arn: me }"), 0, 0, 0, "! a role is named by its ARN, arn:aws:iam::…"},
        {AWS("assume_role: { role_arn: '" ROLE "', external_id: e }, sts_url: 'http://localhost:1'"), 0, 0, 0,
         "assumed role url=http://localhost:1 name=" ROLE " called=sallyport external=e < " AT_MACHINE},
        {AWS("sts_url: 'http://sts.evil', assume_role: { role_arn: '" ROLE "' }"), 0, 0, 0,
         "! keys are fetched over https, or http on loopback"},
    };
    /* clang-format on */
    all_are_found(cases, sizeof cases / sizeof *cases);
}

static void a_profile_leads_to_keys_or_says_why_not(void **state)
{
    (void)state;
    /* clang-format off */
#define FILES "AWS_CONFIG_FILE=" CONFIG "\nAWS_ACCESS_KEY_ID=E\nAWS_SECRET_ACCESS_KEY=e"
    static const cloud_case cases[] = {
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nrole_arn=" ROLE "\ncredential_source=Environment\n",
         "assumed role " STS " name=" ROLE " called=sallyport < key name=E secret=e"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nrole_arn=" ROLE "\nsource_profile=p\naws_access_key_id=P\naws_secret_access_key=q\n",
         "assumed role " STS " name=" ROLE " called=sallyport < key name=P secret=q"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nrole_arn=" ROLE "\nweb_identity_token_file=/t\nrole_session_name=me\n",
         "web identity " STS " name=" ROLE " file=/t called=me"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nrole_arn=" ROLE "\nsource_profile=gone\n",
         "! profile `gone` is named as a source, and is not there"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nrole_arn=" ROLE "\nsource_profile=q\n[profile q]\nrole_arn=" ROLE "\nsource_profile=p",
         "! profile `p` has too many sources one after the other"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nrole_arn=" ROLE "\n",
         "! profile `p` has a role_arn, and neither a source_profile nor a credential_source that has keys, nor a web_identity_token_file"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\ncredential_process = /bin/keys\n",
         "! profile `p` wants a program to be run (credential_process): that is not done here; give it keys, a role or a web identity"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\nsso_session = s\n",
         "! profile `p` wants a person at a browser (sso_…): that is not done here; give it keys, a role or a web identity"},
        {AWS("profile: p"), FILES, CONFIG, "[p]\naws_access_key_id=P\naws_secret_access_key=q\n", "! there is no such profile with keys or a role"},
        {AWS("profile: p"), FILES, CONFIG, "[profile p]\ns3 =\n  aws_access_key_id = X\naws_access_key_id=P\naws_secret_access_key=q\n", "signs P q "},
    };
    /* clang-format on */
    all_are_found(cases, sizeof cases / sizeof *cases);
}

#define GCP(more) "schema: gcp-vertex, region: r, project: p, auth: { gcp: { " more " } }"
#define USER                                                                                       \
    "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":" \
    "\"t\"}"
#define FEDERATED(source)                                                                          \
    "{\"type\":\"external_account\",\"audience\":\"//iam/x\",\"subject_token_type\":\"jwt\","      \
    "\"token_url\":\"https://sts/t\",\"service_account_impersonation_url\":\"https://iam/g\","     \
    "\"credential_source\":" source "}"

static void credentials_of_google_are_found_in_order(void **state)
{
    (void)state;
    /* clang-format off */
    static const cloud_case cases[] = {
        {GCP(""), "GOOGLE_APPLICATION_CREDENTIALS=/g.json", "/g.json", USER,
         "authorized user url=https://oauth2.googleapis.com/token name=c secret=t client_secret=s"},
        {GCP(""), "HOME=/h", "/h/.config/gcloud/application_default_credentials.json", USER,
         "authorized user url=https://oauth2.googleapis.com/token name=c secret=t client_secret=s"},
        {GCP(""), "CLOUDSDK_CONFIG=/k", "/k/application_default_credentials.json", USER,
         "authorized user url=https://oauth2.googleapis.com/token name=c secret=t client_secret=s"},
        {GCP(""), NULL, 0, 0, "metadata server url=http://metadata.google.internal"},
        {GCP(""), "GCE_METADATA_HOST=127.0.0.1:9", 0, 0, "metadata server url=http://127.0.0.1:9"},
        {GCP(""), "GCE_METADATA_HOST=a/b", 0, 0, "! GCE_METADATA_HOST is no host"},
        {GCP(""), "GOOGLE_APPLICATION_CREDENTIALS=/none", 0, 0, "! GOOGLE_APPLICATION_CREDENTIALS is `/none`, which cannot be read"},
        {GCP("file: g.json"), NULL, "g.json", FEDERATED("{\"file\":\"t.jwt\"}"),
         "workload identity url=https://sts/t name=//iam/x file=/etc/sp/t.jwt as=https://iam/g"},
        {GCP("file: g.json"), NULL, "g.json",
         FEDERATED("{\"url\":\"http://1.2.3.4/t\",\"headers\":{\"A\":\"b\"},\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"v\"}}"),
         "workload identity url=https://sts/t name=//iam/x subject=http://1.2.3.4/t headers=A: b\n field=v as=https://iam/g"},
        {GCP("file: g.json"), NULL, "g.json", FEDERATED("{\"executable\":{\"command\":\"/x\"}}"),
         "! no credential file of Google's: its credential_source is neither a file nor a url: that is not supported"},
        {GCP("file: g.json"), NULL, "g.json", FEDERATED("{\"file\":\"t\",\"url\":\"http://u\"}"),
         "! no credential file of Google's: its credential_source wants a file or a url"},
        {GCP("file: g.json"), NULL, "g.json", "{\"type\":\"robot\"}",
         "! no credential file of Google's: its type is none of service_account, authorized_user, external_account"},
    };
    /* clang-format on */
    all_are_found(cases, sizeof cases / sizeof *cases);
}

#define ENTRA(more) "schema: azure, url: 'https://a', auth: { entra: { " more " } }"
#define AT_TENANT   "entra url=https://login.microsoftonline.com/t/oauth2/v2.0/token name=c "

static void an_application_of_entra_shows_itself_one_way(void **state)
{
    (void)state;
    /* clang-format off */
    static const cloud_case cases[] = {
        {ENTRA("tenant: t, client_id: c, client_secret: s"), NULL, 0, 0, AT_TENANT "client_secret=s"},
        {ENTRA("tenant: t, client_id: c, token_file: /t"), NULL, 0, 0, AT_TENANT "file=/t"},
        {ENTRA(""), "AZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\nAZURE_FEDERATED_TOKEN_FILE=/t", 0, 0, AT_TENANT "file=/t"},
        {ENTRA(""), "AZURE_TENANT_ID=t\nAZURE_CLIENT_ID=c\nAZURE_FEDERATED_TOKEN_FILE=/t\nAZURE_AUTHORITY_HOST=https://login.cn", 0, 0,
         "entra url=https://login.cn/t/oauth2/v2.0/token name=c file=/t"},
        {ENTRA("tenant: t, client_id: c"), NULL, 0, 0,
         "! `entra` wants one of `client_secret`, `certificate` and `token_file`, or AZURE_FEDERATED_TOKEN_FILE"},
        {ENTRA("tenant: t, client_id: c, client_secret: s, token_file: x"), NULL, 0, 0,
         "! `entra` wants one of `client_secret`, `certificate` and `token_file`, or AZURE_FEDERATED_TOKEN_FILE"},
        {ENTRA("tenant: t, client_secret: s"), NULL, 0, 0, "! `client_id` is missing, and AZURE_CLIENT_ID is not set"},
        {ENTRA("tenant: t, client_id: c, certificate: c.pem"), NULL, "c.pem", "no PEM",
         "! this wants a certificate in PEM and its own private key (RSA)"},
    };
    /* clang-format on */
    all_are_found(cases, sizeof cases / sizeof *cases);
}

static void an_endpoints_name_says_its_region(void **state)
{
    (void)state;
    static const struct {
        const char *host, *region;
    } cases[] = {
        {"bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1"},
        {"bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
        {"vpce-0a1-b2.bedrock-runtime.us-east-1.vpce.amazonaws.com", "us-east-1"},
        {"bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {"bedrock-runtime.eu-west-1.api.aws", "eu-west-1"},
        {"bedrock-runtime.eu-west-1.amazonaws.com.evil", ""},
        {"bedrock.internal", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(str_eq(config_aws_region(text_of(cases[i].host)), text_of(cases[i].region)));
}

static void a_url_and_a_region_must_agree(void **state)
{
    (void)state;
#define AT(url, more) "schema: aws-bedrock, url: 'https://" url "'" more ", auth: { aws: {} }"
    static const cloud_case cases[] = {
        {AT("vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com", ""), "AWS_REGION=eu-west-1", 0,
         0, AT_MACHINE},
        {AT("bedrock-runtime.us-east-1.amazonaws.com", ", region: eu-west-1"), NULL, 0, 0,
         "! the url is in us-east-1, where a signature for eu-west-1 is not taken"},
        {AT("bedrock.internal", ""), "AWS_DEFAULT_REGION=eu-west-1", 0, 0, AT_MACHINE},
    };
    all_are_found(cases, sizeof cases / sizeof *cases);
}

static void a_proxy_is_a_host_and_a_port(void **state)
{
    (void)state;
    static const cloud_case cases[] = {
        {"schema: openai, proxy: 'http://p:1'", NULL, 0, 0,
         "! `http://p:1` is no proxy: it wants host:port"},
        {"schema: openai, proxy: 'p'", NULL, 0, 0, "! `p` is no proxy: it wants host:port"},
        {"schema: openai, proxy: 'p:1', proxy_credential: me", NULL, 0, 0,
         "! a proxy is shown user:password"},
        {"schema: openai, proxy_credential: 'a:b'", NULL, 0, 0, "! there is no `proxy` to show it"},
    };
    all_are_found(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(keys_of_aws_are_found_in_order),
        ARENA_TEST(a_profile_leads_to_keys_or_says_why_not),
        ARENA_TEST(credentials_of_google_are_found_in_order),
        ARENA_TEST(an_application_of_entra_shows_itself_one_way),
        ARENA_TEST(an_endpoints_name_says_its_region),
        ARENA_TEST(a_url_and_a_region_must_agree),
        ARENA_TEST(a_proxy_is_a_host_and_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
