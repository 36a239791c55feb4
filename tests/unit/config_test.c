/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../server/config_table.h"

/* A world in which a few files and variables exist */

static str world_variable(void *ctx, arena *a, str name)
{
    (void)ctx;
    (void)a;
    if (str_eq(name, S("KEY"))) return S("sk-123");
    if (str_eq(name, S("EMPTY"))) return S("");
    if (str_eq(name, S("HOME"))) return S("/home/a");
    if (str_eq(name, S("TRICK"))) return S("x\nadmin: {}\n\"}] ${KEY}");
    return (str){0};
}

static const err *world_read(void *ctx, arena *a, str path, str *text)
{
    (void)ctx;
    if (str_eq(path, S("secret.txt")))
        *text = S("from-a-file\n");
    else if (str_eq(path, S("empty.txt")))
        *text = S("\n");
    else if (str_eq(path, S("seal.key")))
        *text = S("0123456789abcdef0123456789abcdef\r\n");
    else if (str_eq(path, S("/home/a/.aws/credentials")))
        *text = S("# of two people\n[none]\nregion = x\n[ work ]\naws_access_key_id = AKIDWORK\n"
                  "aws_secret_access_key=a=b\r\n;aws_session_token = no\n[lent]\n"
                  "aws_access_key_id = ASIA\naws_secret_access_key = s\naws_session_token = t");
    else if (str_eq(path, S("policies/one.yaml")))
        *text = S("policy: v1\n");
    else
        return err_new(a, ERR_NOT_FOUND, "cannot read " STR_FMT ": No such file or directory",
                       STR_ARG(path));
    return NULL;
}

static const str *world_glob(void *ctx, arena *a, str pattern)
{
    (void)ctx;
    str *found = NEW_N(a, str, 2);
    if (str_starts(pattern, S("policies/"))) found[0] = S("policies/one.yaml");
    return found;
}

static bool world_user(void *ctx, arena *a, str name, config_user *user)
{
    (void)ctx;
    (void)a;
    bool us = str_eq(name, S("me"));
    *user = (config_user){name, S("/home/me"), 1000, 1000, .is_us = us, .may_become = us};
    return us || str_eq(name, S("other"));
}

static const config_world world = {.directory = {"/etc/sp", 7},
                                   .variable = world_variable,
                                   .read = world_read,
                                   .glob = world_glob,
                                   .user = world_user};

static int set_up(void **state)
{
    return *state = arena_new(), 0;
}
static int tear_down(void **state)
{
    return arena_free(*state), 0;
}

static config *load(arena *a, const char *text, problems *out)
{
    config *c = NULL;
    problems_init(out, a, S("f"));
    config_load(a, &world, S("f"), (str){text, strlen(text)}, out, &c);
    assert_true((c == NULL) == (out->count > 0));
    return c;
}

static const config *load_fine(arena *a, const char *text)
{
    problems p;
    const config *c = load(a, text, &p);
    if (!c) fail_msg("%.*s", (int)p.first->text.n, p.first->text.p);
    return c;
}

static void assert_str(str got, const char *want)
{
    if (!str_eq(got, (str){want, strlen(want)}))
        fail_msg("got `%.*s`, wanted `%s`", (int)got.n, got.p, want);
}

/* What is wrong, where */

typedef struct {
    const char *text, *problem; /* all problems, one a line */
} wrong_case;

#define V            "version: 1\n"
#define SERVER       V "mcp:\n  servers:\n    a: "
#define BACKEND      V "llm:\n  backends:\n    b: "
#define GOOD_BACKEND V "llm:\n  backends: { b: { schema: openai } }\n"

/* clang-format off */
static const wrong_case wrong[] = {
    {"", "f:1:1: `version` is missing\n"},
    {"- 1\n", "f:1:1: this file wants a map, not a list\n"},
    {"version: 2\n", "f:1:10: `version` must be from 1 to 1, not 2\n"},
    {"version: one\n", "f:1:10: `version` wants a whole number, not `one`\n"},
    {V "lisen: []\n", "f:2:1: unknown key `lisen`, did you mean `listen`?\n"},
    {V "limits: { heder: 1 }\n", "f:2:11: unknown key `heder`, did you mean `header`?\n"},
    {V "zzzzzzzz: 1\n", "f:2:1: unknown key `zzzzzzzz`\n"},
    {V "workers: 1\nworkers: 2\n", "f:3:1: duplicate key \"workers\", first on line 2\n"},
    {V "workers: many\n", "f:2:10: `workers` wants a whole number, not `many`\n"},
    {V "workers: 65\n", "f:2:10: `workers` must be from 1 to 64, not 65\n"},
    {V "workers: [1]\n", "f:2:10: `workers` wants a value, not a list\n"},
    {V "workers:\n", "f:2:9: `workers` wants a value, not nothing\n"},
    {V "limits: 5\n", "f:2:9: `limits` wants a map, not text\n"},
    {V "limits: { body: 5 }\n", "f:2:17: `body` must be from 1KiB to 1GiB, not 5\n"},
    {V "limits: { body: 5Mb }\n", "f:2:17: `body` wants a size like 16MiB, not `5Mb`\n"},
    {V "limits: { body: 99999999999999999999 }\n", "f:2:17: `body` wants a size like 16MiB, not `99999999999999999999`\n"},
    {V "limits: { body: 9999999999GiB }\n", "f:2:17: `body` wants a size like 16MiB, not `9999999999GiB`\n"},
    {V "limits: { idle_timeout: 5 }\n", "f:2:25: `idle_timeout` wants a duration like 30s, not `5`\n"},
    {V "limits: { idle_timeout: -5s }\n", "f:2:25: `idle_timeout` wants a duration like 30s, not `-5s`\n"},
    {V "limits: { header_timeout: 1h }\n", "f:2:27: `header_timeout` must be from 100ms to 10m, not 1h\n"},
    {V "telemetry: { otlp: {} }\n", "f:2:14: `otlp` is not supported by this version\n"},
    {V "mcp: { servers: { a: { command: x, user: u } } }\n", "f:2:42: there is no user `u` on this machine\n"},
    {V "mcp: { servers: { a: { command: x, user: other } } }\n",
     "f:2:42: only root can run a program as `other`, and this process is not root\n"},
    {V "mcp: { servers: { a: { url: \"https://u\", user: me } } }\n", "f:2:42: `user` goes with `command` only\n"},
    {V "store: x\n", "f:2:8: `x` is no store of this version: sqlite:FILE, redis://HOST, "
                     "rediss://HOST or memory:\n"},
    {V "store: redis://a:b@h:x\n", "f:2:8: `h:x` is no host:port\n"},
    {V "listen: 127.0.0.1:1\n", "f:2:9: `listen` wants a list, not text\n"},
    {V "listen: [{ tls: {} }]\n", "f:2:17: `certificate` is missing\nf:2:17: `key` is missing\nf:2:10: `address` is missing\n"},
    {V "listen: [localhost]\n", "f:2:10: `localhost` wants host:port\n"},
    {V "listen: [\"127.0.0.1:70000\"]\n", "f:2:10: `127.0.0.1:70000` wants host:port\n"},
    {V "listen: [\"127.0.0.1:1\", \"127.0.0.1:1\"]\n", "f:2:25: `127.0.0.1:1` is listed twice\n"},
    {V "listen: [{ address: \"127.0.0.1:1\", tls: { certificate: no.pem, key: secret.txt } }]\n",
     "f:2:56: cannot read no.pem: No such file or directory\n"},
    {V "admin: { address: \"0.0.0.0:9901\" }\n", "f:2:19: an admin listener that is not on loopback wants a `token`\n"},
    {V "admin: { token: \"file:empty.txt\" }\n", "f:2:17: `file:empty.txt` is empty\n"},
    {V "admin: { token: \"file:no\" }\n", "f:2:17: cannot read no: No such file or directory\n"},
    {V "admin: { token: \"${NOPE}\" }\n", "f:2:17: variable NOPE is not set (`${NOPE:-default}` gives a default)\n"},
    {V "admin: { token: \"${NOPE\" }\n", "f:2:17: `${` is never closed\n"},
    {V "admin: { token: \"${no-pe}\" }\n", "f:2:17: `${no-pe}` names no variable\n"},
    {V "admin: { token: \"${EMPTY}\" }\n", "f:2:17: `${EMPTY}` is empty\n"},
    {V "allowed_origins: [app.example.com]\n", "f:2:18: origin `app.example.com` wants scheme://host[:port], without a path\n"},
    {V "allowed_origins: [[x]]\n", "f:2:19: an entry of `allowed_origins` wants text, not a list\n"},
    {V "trusted_proxies: [10.0.0.0/33]\n", "f:2:18: `10.0.0.0/33` is neither an address nor a network like 10.0.0.0/8\n"},
    {V "seal_keys: [short]\n", "f:2:13: a seal key has at least 32 bytes, this one 5\n"},
    {V "identity: { anonymous: alow }\n", "f:2:24: `anonymous` wants one of deny, allow, not `alow`, did you mean `allow`?\n"},
    {V "identity: { keys: { file: k } }\n",
     "f:2:19: keys are known again by hashes that `seal_keys` make: give some, as in "
     "seal_keys: [\"file:seal.key\"]\n"},
    {V "identity: { jwt: [{ issuer: \"https://i\", algorithms: [HS256] }] }\n",
     "f:2:54: `HS256` is no signature algorithm that is accepted here\n"},
    {V "identity: { jwt: [{ issuer: \"https://i\", jwks: \"http://i/keys\" }] }\n",
     "f:2:48: keys are fetched over https, or http on loopback\n"},
    {V "identity: { jwt: [{ issuer: \"https://i\" }, { issuer: \"https://i\" }] }\n", "f:2:54: issuer `https://i` is listed twice\n"},
    {V "identity: { jwt: [{ issuer: somebody }] }\n", "f:2:29: `somebody`: url must begin with http:// or https://\n"},
    {SERVER "{}\n", "f:4:8: a server has one of `url` and `command`\n"},
    {SERVER "text\n", "f:4:8: an entry of `servers` wants a map, not text\n"},
    {SERVER "{ url: \"http://u\", command: c }\n", "f:4:8: a server has one, not both, of `url` and `command`\n"},
    {SERVER "{ url: \"ftp://u\" }\n", "f:4:15: `ftp://u`: url must begin with http:// or https://\n"},
    {SERVER "{ url: \"http://u\", args: [x] }\n", "f:4:27: `args` goes with `command` only\n"},
    {SERVER "{ command: c, auth: { bearer: x } }\n", "f:4:22: `auth` goes with `url` only\n"},
    {V "identity: { jwt: [{ issuer: \"https://i\", jwks: \"https://i/k\", introspection: { url: \"http://i/x\", "
       "client_id: a, client_secret: s } }] }\n",
     "f:2:85: answers about tokens are fetched over https, or http on loopback\n"
     "f:2:85: an issuer is asked about its tokens, or its `jwks` are, not both\n"},
    {"version: 1\nlisten: [\"0.0.0.0:1\"]\nidentity: { anonymous: allow, jwt: [{ issuer: \"https://i\" }] }\n"
     "mcp: { servers: { a: { url: \"https://u\", auth: { user_oauth: {} } } } }\n",
     "f:4:62: callers of issuer `https://i` cannot say at a browser who they are: it wants a `login`, and keys\n"
     "f:4:62: anonymous callers share one account: only while every listener is loopback\n"},
    {SERVER "{ url: \"http://u\", auth: { token_exchange: {} } }\n", "f:4:51: `http://u`: tokens are looked for over https, or http on loopback\n"},
    {SERVER "{ url: \"http://u\", auth: { oauth_client: { client_id: a, client_secret: s, issuer: \"http://i\" } } }\n",
     "f:4:91: tokens are fetched over https, or http on loopback\n"},
    {SERVER "{ url: \"http://u\", auth: { oauth_client: { client_id: a, client_secret: s, issuer: \"https://i\", "
            "token_url: \"https://i/t\" } } }\n",
     "f:4:91: an `issuer` is asked only without a `token_url`\n"},
    {SERVER "{ url: \"http://u\", auth: { token_exchange: { token_url: \"http://as/t\", client_secret: s } } }\n",
     "f:4:64: tokens are fetched over https, or http on loopback\n"
     "f:4:94: a client_secret goes with a client_id\n"},
    {SERVER "{ url: \"http://u\", auth: { passthrough: true, bearer: x } }\n", "f:4:33: `auth` wants one way, not several\n"},
    {SERVER "{ url: \"http://u\", auth: { passthrough: false } }\n", ""},
    {SERVER "{ url: \"http://u\", auth: {} }\n", "f:4:33: `auth` wants one way\n"},
    {SERVER "{ url: \"http://u\", forward_headers: [x-b], forward_claims: { cookie: jwt.a, x-b: jwt.b, x-c: sub } }\n",
     "f:4:77: header `cookie` is never forwarded\n"
     "f:4:89: header `x-b` would come from the client too, by forward_headers\n"
     "f:4:101: `sub` is not jwt.CLAIM, caller.id or caller.name\n"},
    {SERVER "{ url: \"http://u\", auth: { bearer: x, header: { name: n, value: v } } }\n", "f:4:33: `auth` wants one way, not several\n"},
    {SERVER "{ url: \"http://u\", auth: { bearer: \"${TRICK}\" } }\n", "f:4:43: this secret holds a line break or control character\n"},
    {SERVER "{ url: \"http://u\", auth: { header: { name: \"a b\", value: v } } }\n", "f:4:51: `a b` is no header name\n"},
    {SERVER "{ url: \"http://u\", transport: sse }\n", ""},
    {SERVER "{ url: \"http://u\", transport: sse, isolation: shared, auth: { passthrough: true } }\n", "f:4:68: a stream that callers share cannot carry the token of one of them\n"},
    {SERVER "{ url: \"http://u\", isolation: shared, lists: caller }\n", "f:4:53: lists apart need sessions apart: not with `isolation: shared`\n"},
    {SERVER "{ url: \"http://u\", tools: { include: [\"/r(e/\"] } }\n", "f:4:45: `/r(e/`: missing ): r(e\n"},
    {SERVER "{ url: \"http://u\", forward_headers: [Authorization] }\n", "f:4:45: header `Authorization` is never forwarded\n"},
    {SERVER "{ url: \"http://u\", forward_headers: [{ to: x }] }\n", "f:4:45: `from` is missing\n"},
    {V "mcp:\n  servers: { My-Server: { url: \"http://u\" } }\n",
     "f:3:14: server name `My-Server` must be a lower-case letter, then at most 30 of a-z, 0-9 and -\n"},
    {SERVER "{ url: \"http://u\" }\n  endpoints: [{ path: mcp }]\n", "f:5:23: path `mcp` must start with / and be plain\n"},
    {SERVER "{ url: \"http://u\" }\n  endpoints: [{ path: / }]\n", "f:5:23: path `/` is the gateway's own\n"},
    {SERVER "{ url: \"http://u\" }\n  endpoints: [{ path: /m }, { path: /m }]\n", "f:5:37: path `/m` is served twice for one host\n"},
    {SERVER "{ url: \"http://u\" }\n  endpoints: [{ path: /m, servers: [b] }]\n", "f:5:36: there is no server `b`\n"},
    {SERVER "{ url: \"http://u\" }\n  endpoints: [{ path: /m, hosts: [\"a:1\"] }]\n", "f:5:34: `a:1` wants a host or *.domain, without port\n"},
    {GOOD_BACKEND "mcp:\n  servers: { a: { url: \"http://u\" } }\n  endpoints: [{ path: /v1/models }]\n",
     "f:6:23: path `/v1/models` is a path of the LLM door\n"},
    {BACKEND "{ url: \"http://u\" }\n", "f:4:8: `schema` is missing\n"},
    {BACKEND "{ schema: opnai }\n", "f:4:18: `schema` wants one of openai, anthropic, azure, aws-bedrock, aws-anthropic, gcp-vertex, gemini, gcp-anthropic, cohere, not `opnai`, did you mean `openai`?\n"},
    {BACKEND "{ schema: azure }\n", "f:4:8: this kind of backend wants `url`\n"},
    {BACKEND "{ schema: aws-bedrock, auth: { aws: { access_key_id: a, secret_access_key: b } } }\n", "f:4:8: this kind of backend wants `region`\n"},
    {BACKEND "{ schema: aws-bedrock, region: eu-west-1, auth: { aws: { access_key_id: a } } }\n",
     "f:4:63: `aws` wants access_key_id and secret_access_key, or neither\n"},
    {BACKEND "{ schema: gcp-vertex, region: us-central1 }\n", "f:4:8: this kind of backend wants `project`\n"},
    {BACKEND "{ schema: gcp-vertex, project: p, region: \"a/b\" }\n", "f:4:50: `a/b` is no region\n"},
    {BACKEND "{ schema: anthropic, auth: { api_key: a, bearer: b } }\n", "f:4:35: `auth` wants one way, not several\n"},
    {BACKEND "{ schema: anthropic, auth: { aws: { access_key_id: a, secret_access_key: b } } }\n",
     "f:4:35: this kind of backend is not asked that way: it takes `bearer` `api_key` or `header`\n"},
    {BACKEND "{ schema: openai, prefix: /v1 }\n", "f:4:34: `prefix` stands without slashes around it, not `/v1`\n"},
    {BACKEND "{ schema: openai }\n    c: { schema: openai }\n", "f:3:3: several backends want `routes` that say which models go where\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [{ backend: c }] }]\n", "f:5:39: there is no backend `c`\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [] }]\n", "f:5:27: `to` names no backend\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r }]\n", "f:5:12: `to` is missing\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [{ backend: b, weight: 0 }] }]\n", "f:5:28: all weights of priority 0 are 0\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [b] }, { name: r, to: [b] }]\n", "f:5:42: route `r` is listed twice\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [b], match_headers: { \"x y\": a } }]\n", "f:5:49: `x y` is no header's name\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [b], retry: { on: [often] } }]\n",
     "f:5:39: `often` is none of connect, reset, 429, 5xx and idle\n"},
    {BACKEND "{ schema: openai }\n  routes: [{ name: r, to: [b], headers: { set: { Host: x } } }]\n", "f:5:56: `Host` is no header that can be changed\n"},
    {BACKEND "{ schema: openai, headers: { set: { x: \"a\\nb\" } } }\n", "f:4:47: a header's value has no control characters\n"},
    {BACKEND "{ schema: openai, headers: { remove: [content-length] } }\n", "f:4:35: `content-length` is no header that can be changed\n"},
    {BACKEND "{ schema: openai, body: { set: { stream: true } } }\n", "f:4:49: `stream` is no member that can be changed\n"},
    {BACKEND "{ schema: openai, body: { set: [] } }\n", "f:4:39: `set` wants a map\n"},
    {BACKEND "{ schema: gcp-vertex, project: p, region: r, auth: { gcp: { token: a, file: seal.key } } }\n", "f:4:66: `gcp` wants one of `token` and `file`, or neither\n"},
    {BACKEND "{ schema: azure, url: \"http://u\", auth: { entra: { tenant: \"a/b\", client_id: c, client_secret: s } } }\n", "f:4:67: `a/b` is no directory\n"},
    {BACKEND "{ schema: openai, auth: { entra: { tenant: a, client_id: c, client_secret: s } } }\n", "f:4:32: this kind of backend is not asked that way: it takes `bearer` `api_key` or `header`\n"},
    {BACKEND "{ schema: openai, auth: { header: { name: Content-Length, value: v } } }\n", "f:4:50: `Content-Length` is no header name for a secret\n"},
    {BACKEND "{ schema: openai, limits: { models: { \"o3*\": { requests: { limit: 1 } } } } }\n", "f:4:46: `o3*` is no model: a limit is of one, by the name it has there\n"},
    {BACKEND "{ schema: openai, credential: {} }\n", "f:4:38: `credential` wants one of from_header and from_claim\n"},
    {BACKEND "{ schema: openai, credential: { from_header: \"a b\" } }\n", "f:4:38: `a b` is no header's name\n"},
    {BACKEND "{ schema: openai, credential: { from_claim: k, fallback: true } }\n", "f:4:38: `fallback` wants `auth` to fall back to\n"},
    {V "policies: [\"rules/*.yaml\"]\n", "f:2:11: no file matches `rules/*.yaml`\n"},
    {V "telemetry: { otlp: {}, access_log: { contents: true } }\n",
     "f:2:14: `otlp` is not supported by this version\nf:2:38: `contents` is not supported by this version\n"},
};
/* clang-format on */

static void every_mistake_is_named_where_it_stands(void **state)
{
    int differ = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        problems p;
        char got[4096] = "";
        size_t at = 0;
        (void)load(*state, wrong[i].text, &p);
        for (const problem *one = p.first; one; one = one->next)
            at += (size_t)snprintf(got + at, sizeof got - at, "%.*s\n", (int)one->text.n,
                                   one->text.p);
        if (strcmp(got, wrong[i].problem) == 0) continue;
        differ++;
        print_message("of:\n%sgot:\n%swanted:\n%s\n", wrong[i].text, got, wrong[i].problem);
    }
    assert_int_equal(differ, 0);
}

/* What is right */

static void what_is_left_out_has_the_defaults_of_the_table(void **state)
{
    const config *c = load_fine(*state, V);
    const config_listen *l = c->listen.items;
    assert_int_equal(c->listen.count, 1);
    assert_str(l->address, "127.0.0.1:8080");
    assert_int_equal(c->body, 16 << 20);
    assert_int_equal(c->header, 12 << 10);
    assert_int_equal(c->idle_timeout_ms, 300000);
    assert_int_equal(c->workers, 0);
    assert_int_equal(c->anonymous, CONFIG_ANONYMOUS_DENY);
    assert_str(c->access_log, "stdout");
    assert_null(c->admin);
    assert_null(c->live.patterns->p);
    assert_int_equal(c->endpoints.count, 0);
}

static void values_are_taken_from_variables_and_files(void **state)
{
    const config *c =
        load_fine(*state,
                  V "admin: { token: \"file:secret.txt\", address: \"127.0.0.1:${PORT:-77}\" }\n"
                    "workers: ${N:-3}\n"
                    "allowed_hosts: [\"a-${KEY}.b\", \"$${KEY}\", \"${EMPTY:-e}\"]\n"
                    "seal_keys: [\"file:seal.key\"]\n");
    assert_str(c->admin_token.value, "from-a-file");
    assert_str(c->admin_token.source, "file:secret.txt");
    assert_str(c->admin_address, "127.0.0.1:77");
    assert_int_equal(c->workers, 3);
    assert_str(c->allowed_hosts[0], "a-sk-123.b");
    assert_str(c->allowed_hosts[1], "${KEY}");
    assert_str(c->allowed_hosts[2], "e");
    assert_int_equal(((const config_text *)c->seal_keys.items)->value.n, 32);
}

static void keys_of_aws_are_found_in_a_profile(void **state)
{
    const config *c =
        load_fine(*state,
                  V "llm:\n  backends:\n"
                    "    a: { schema: aws-bedrock, region: r, auth: { aws: { profile: work } } }\n"
                    "    b: { schema: aws-bedrock, region: r, auth: { aws: { profile: lent } } }\n"
                    "  routes: [{ name: r, to: [a, b] }]\n");
    const config_backend *b = c->backends.items;
    assert_str(b[0].aws_key_id.value, "AKIDWORK");
    assert_str(b[0].aws_secret.value, "a=b");
    assert_null(b[0].aws_token.value.p);
    assert_str(b[1].aws_key_id.value, "ASIA");
    assert_str(b[1].aws_token.value, "t");
}

static void a_variable_cannot_bring_structure_with_it(void **state)
{
    const config *c = load_fine(*state, V "allowed_hosts: [\"${TRICK}\"]\n");
    assert_str(c->allowed_hosts[0], "x\nadmin: {}\n\"}] ${KEY}");
    assert_null(c->allowed_hosts[1].p);
    assert_null(c->admin);
}

static void servers_carry_what_was_written(void **state)
{
    const config *c =
        load_fine(*state,
                  SERVER "{ url: \"http://u/mcp\", auth: { bearer: \"${KEY}\" }, timeout: 2m,\n"
                         "         forward_headers: [x-tenant, { from: x-user, to: x-remote }], "
                         "tools: { include: [\"get_*\"] } }\n"
                         "    b: { command: npx, args: [-y, pkg], env: { TOKEN: "
                         "\"file:secret.txt\", E: \"\" }, isolation: shared }\n"
                         "  naming: none\n");
    const config_server *s = c->servers.items;
    const config_forward *f = s[0].forward_headers.items;
    const config_pair *e = s[1].env.items;
    assert_int_equal(c->servers.count, 2);
    assert_str(s[0].at.name, "a");
    assert_str(s[0].auth.bearer.value, "sk-123");
    assert_int_equal(s[0].timeout_ms, 120000);
    assert_int_equal(s[0].list_timeout_ms, 5000);
    assert_str(f[0].from, "x-tenant");
    assert_null(f[0].to.p);
    assert_str(f[1].to, "x-remote");
    assert_str(s[0].include[0], "get_*");
    assert_null(s[0].exclude[0].p);
    assert_str(s[1].args[1], "pkg");
    assert_str(e[0].value.value, "from-a-file");
    assert_str(e[1].value.value, "");
    assert_int_equal(s[1].isolation, 1);
    assert_int_equal(c->naming, 1);
    assert_int_equal(c->endpoints.count, 1); /* made */
    assert_str(((const config_endpoint *)c->endpoints.items)->path, "/mcp");
}

static void a_provider_is_where_its_kind_and_region_say(void **state)
{
    static const struct {
        const char *backend, *url;
    } cases[] = {
        {"schema: openai", "https://api.openai.com"},
        {"schema: anthropic", "https://api.anthropic.com"},
        {"schema: gemini", "https://generativelanguage.googleapis.com"},
        {"schema: aws-bedrock, region: eu-west-1",
         "https://bedrock-runtime.eu-west-1.amazonaws.com"},
        {"schema: gcp-vertex, project: p, region: us-east5",
         "https://us-east5-aiplatform.googleapis.com"},
        {"schema: gcp-anthropic, project: p, region: global", "https://aiplatform.googleapis.com"},
        {"schema: gcp-anthropic, project: p, region: eu",
         "https://aiplatform.eu.rep.googleapis.com"},
        {"schema: azure, url: \"https://x.openai.azure.com\"", "https://x.openai.azure.com"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str text = arena_fmt(*state, BACKEND "{ %s }\n", cases[i].backend);
        const config *c = load_fine(*state, text.p);
        const config_backend *b = c->backends.items;
        assert_true(str_eq(b->url, (str){cases[i].url, strlen(cases[i].url)}));
    }
}

static void one_backend_without_routes_serves_every_model(void **state)
{
    const config *c = load_fine(*state, GOOD_BACKEND);
    const config_route *r = c->routes.items;
    const config_target *t = r->to.items;
    const config_backend *b = c->backends.items;
    assert_int_equal(c->routes.count, 1);
    assert_null(r->models[0].p);
    assert_str(t->backend, "b");
    assert_int_equal(t->weight, 1);
    assert_str(b->url, "https://api.openai.com");
    assert_str(b->prefix, "v1");
}

static void policy_files_are_read_once_each(void **state)
{
    const config *c =
        load_fine(*state, V "policies: [\"policies/*.yaml\", \"policies/one.yaml\"]\n");
    assert_int_equal(c->live.count, 1);
    assert_str(c->live.files[0].name, "policies/one.yaml");
}

/* Showing and reloading */

static void secrets_are_shown_as_their_source(void **state)
{
    const config *c =
        load_fine(*state, V "admin: { token: \"file:secret.txt\" }\n"
                            "mcp:\n  servers:\n"
                            "    a: { url: \"http://u\", auth: { bearer: literally-this } }\n"
                            "    b: { url: \"http://u\", auth: { bearer: \"${KEY}\" } }\n"
                            "    c: { url: \"http://u\", auth: { bearer: \"${NOPE:-inside}\" } }\n"
                            "    d: { command: c, env: { T: tok } }\n"
                            "    e: { url: \"http://u\", auth: { bearer: \"pre${KEY}\" } }\n"
                            "seal_keys: [0123456789abcdef0123456789abcdef]\n");
    assert_str(config_show(*state, c),
               "{\"version\":\"1\",\"admin\":{\"token\":\"file:secret.txt\"},\"mcp\":{\"servers\":{"
               "\"a\":{\"url\":\"http://u\",\"auth\":{\"bearer\":\"(in the file)\"}},"
               "\"b\":{\"url\":\"http://u\",\"auth\":{\"bearer\":\"${KEY}\"}},"
               "\"c\":{\"url\":\"http://u\",\"auth\":{\"bearer\":\"(in the file)\"}},"
               "\"d\":{\"command\":\"c\",\"env\":{\"T\":\"(in the file)\"}},"
               "\"e\":{\"url\":\"http://u\",\"auth\":{\"bearer\":\"(in the file)\"}}}},"
               "\"seal_keys\":[\"(in the file)\"]}\n");
}

static void a_reload_is_told_what_it_cannot_change(void **state)
{
    const config *now = load_fine(*state, V "workers: 2\nlimits: { body: 1MiB, header: 8KiB }\n");
    const config *next = load_fine(*state, V "workers: 3\nlimits: { body: 2MiB, header: 9KiB }\n"
                                             "admin: { address: \"127.0.0.1:1\" }\n");
    const str *names = config_fixed_changes(*state, now, next);
    assert_str(names[0], "admin");
    assert_str(names[1], "workers");
    assert_str(names[2], "limits.header");
    assert_null(names[3].p);
    assert_null(config_fixed_changes(*state, next, next)[0].p);
}

/* The table's other two faces */

static str read_whole(arena *a, const char *path)
{
    enum { MOST = 1 << 20 };
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s is missing", path);
    char *text = arena_bytes(a, MOST);
    size_t n = fread(text, 1, MOST, f);
    fclose(f);
    return (str){text, n};
}

static void the_committed_reference_is_what_the_table_says(void **state)
{
    assert_true(str_eq(read_whole(*state, "docs/config.md"), config_reference(*state)));
    assert_true(str_eq(read_whole(*state, "docs/sallyport.schema.json"), config_schema(*state)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_mistake_is_named_where_it_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_out_has_the_defaults_of_the_table, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_of_aws_are_found_in_a_profile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_are_taken_from_variables_and_files, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_variable_cannot_bring_structure_with_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(servers_carry_what_was_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_provider_is_where_its_kind_and_region_say, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_backend_without_routes_serves_every_model, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(policy_files_are_read_once_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(secrets_are_shown_as_their_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_is_told_what_it_cannot_change, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_committed_reference_is_what_the_table_says, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
