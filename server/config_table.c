/* SPDX-License-Identifier: Apache-2.0 */
/* config_table.c - every key there is, once.
 *
 * Offsets into plain structs rather than a tree of values: what a reader gets is typed C, and a key
 * that is in the table but nowhere in the structs does not compile. Rows of later versions stand
 * here already so that the answer to them is a sentence and not "unknown key". */
#include "config_table.h"

#include <stddef.h>

#define IN(type, member) offsetof(type, member)
#define NOWHERE          ((size_t)-1)
#define NEEDED           CONFIG_NEEDED
#define HIDDEN           CONFIG_HIDDEN
#define FIXED            CONFIG_FIXED
#define LATER            .flags = CONFIG_LATER, .at = NOWHERE

/* clang-format off */
const config_row config_rows[] = {
{"version", CONFIG_INT, IN(config, version), .flags = NEEDED, .least = 1, .most = CONFIG_VERSION,
 .help = "The format of this file: 1."},

{"listen", CONFIG_LIST, IN(config, listen), sizeof(config_listen), .flags = FIXED, .brief = "address",
 .help = "Where MCP and LLM are served. Left out: 127.0.0.1:8080."},
{"listen[].address", CONFIG_TEXT, IN(config_listen, address), .flags = NEEDED,
 .help = "host:port, loopback or not; port 0 takes a free one."},
{"listen[].tls", CONFIG_MAP, IN(config_listen, tls),
 .help = "Serve HTTPS. Certificate and key are read again when the files change."},
{"listen[].tls.certificate", CONFIG_FILE, IN(config_listen, certificate), .flags = NEEDED,
 .help = "PEM file: the certificate, then its chain."},
{"listen[].tls.key", CONFIG_FILE, IN(config_listen, key), .flags = NEEDED | HIDDEN, .help = "PEM file: the private key."},
{"listen[].tls.client_ca", CONFIG_FILE, IN(config_listen, client_ca),
 .help = "PEM file: clients must show a certificate that these authorities signed."},

{"admin", CONFIG_MAP, IN(config, admin), .flags = FIXED,
 .help = "The operator's listener: /livez, /readyz, /metrics, /config. Left out: none."},
{"admin.address", CONFIG_TEXT, IN(config, admin_address), .flags = FIXED, .fallback = "127.0.0.1:9901", .help = "host:port."},
{"admin.token", CONFIG_SOURCE, IN(config, admin_token), .flags = HIDDEN | FIXED,
 .help = "Bearer token for all but health and metrics. Left out on loopback: a one-time token is printed; "
         "left out elsewhere: refuses to start."},

{"workers", CONFIG_INT, IN(config, workers), .flags = FIXED, .least = 1, .most = 64, .fallback = "auto",
 .help = "Threads that serve; auto: one per core."},

{"limits", CONFIG_MAP, NOWHERE, .help = "Bounds on what a peer may send."},
{"limits.body", CONFIG_SIZE, IN(config, body), .least = 1024, .most = 1 << 30, .fallback = "16MiB", .help = "Bytes of a request body."},
{"limits.upload", CONFIG_SIZE, IN(config, upload), .least = 1024, .most = 1 << 30, .fallback = "64MiB",
 .help = "Bytes of a form with a file in it (audio). What of it memory should not hold waits in a nameless file in TMPDIR or /tmp."},
{"limits.header", CONFIG_SIZE, IN(config, header), .flags = FIXED, .least = 1024, .most = 1 << 20, .fallback = "12KiB",
 .help = "Bytes of all request headers."},
{"limits.json_depth", CONFIG_INT, IN(config, json_depth), .least = 8, .most = 512, .fallback = "64", .help = "Nesting of a JSON body."},
{"limits.header_timeout", CONFIG_DURATION, IN(config, header_timeout_ms), .flags = FIXED, .least = 100, .most = 600000, .fallback = "10s",
 .help = "How long a client may take to send its headers."},
{"limits.idle_timeout", CONFIG_DURATION, IN(config, idle_timeout_ms), .flags = FIXED, .least = 1000, .most = 86400000, .fallback = "300s",
 .help = "How long a connection may stand idle."},
{"limits.connections", CONFIG_INT, IN(config, connections), .flags = FIXED, .least = 8, .most = 1000000, .fallback = "10000",
 .help = "Open client connections, all listeners together."},
{"limits.streams_per_caller", CONFIG_INT, IN(config, streams_per_caller), .least = 1, .most = 100000, .fallback = "100",
 .help = "Answers one caller may have streamed at the same time. One more streamed completion is 429; one more tool call is "
         "answered whole, without its progress. Callers without a credential are told apart by address."},

{"allowed_origins", CONFIG_TEXTS, IN(config, allowed_origins),
 .help = "Web pages that may call: an Origin that is absent, of the same host or in this list passes, any other is 403."},
{"allowed_hosts", CONFIG_TEXTS, IN(config, allowed_hosts),
 .help = "On a loopback listener Host must be loopback, an endpoint's host, or in this list."},
{"trusted_proxies", CONFIG_TEXTS, IN(config, trusted_proxies),
 .help = "Addresses or networks (10.0.0.0/8) whose X-Forwarded-For is believed."},
{"seal_keys", CONFIG_SOURCES, IN(config, seal_keys), .flags = HIDDEN | FIXED,
 .help = "Secrets of 32 bytes or more that seal session ids and cursors: the first seals, all open. "
         "Left out: random at start, and sessions end with the process."},

{"identity", CONFIG_MAP, NOWHERE, .help = "Who may call at all."},
{"identity.jwt", CONFIG_LIST, IN(config, issuers), sizeof(config_issuer), .help = "Issuers whose tokens are accepted."},
{"identity.jwt[].issuer", CONFIG_TEXT, IN(config_issuer, issuer), .flags = NEEDED, .help = "The exact `iss` of its tokens."},
{"identity.jwt[].audiences", CONFIG_TEXTS, IN(config_issuer, audiences),
 .help = "One of these must be in `aud`. Left out: any audience."},
{"identity.jwt[].jwks", CONFIG_SOURCE, IN(config_issuer, jwks),
 .help = "The issuer's keys: an https URL (http only on loopback) or file:PATH. Left out: found through the issuer's metadata (RFC 8414, OpenID)."},
{"identity.jwt[].algorithms", CONFIG_TEXTS, IN(config_issuer, algorithms),
 .help = "Signatures accepted, of RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA; the key's own must be among them. "
         "Left out: RS256 PS256 ES256 EdDSA."},
{"identity.jwt[].claims", CONFIG_ANY, NOWHERE, .help = "Types of claims, for the policy checker."},
{"identity.jwt[].login", CONFIG_MAP, IN(config_issuer, login),
 .help = "How a person shows at a browser that he is a caller of this issuer (OpenID Connect, code with PKCE): needed for servers with user_oauth."},
{"identity.jwt[].login.client_id", CONFIG_TEXT, IN(config_issuer, login_client), .flags = NEEDED, .help = "The gateway's name there; its redirect address is https://GATEWAY/oauth/callback."},
{"identity.jwt[].login.client_secret", CONFIG_SOURCE, IN(config_issuer, login_secret), .flags = HIDDEN, .help = "Its secret."},
{"identity.jwt[].introspection", CONFIG_MAP, IN(config_issuer, introspection),
 .help = "Ask the issuer about each of its tokens, and about tokens that are no JWT (RFC 7662), instead of verifying signatures. One issuer only."},
{"identity.jwt[].introspection.url", CONFIG_TEXT, IN(config_issuer, introspection_url), .flags = NEEDED,
 .help = "The introspection endpoint, over https (http on loopback)."},
{"identity.jwt[].introspection.client_id", CONFIG_TEXT, IN(config_issuer, introspection_client), .flags = NEEDED, .help = "The gateway's name there."},
{"identity.jwt[].introspection.client_secret", CONFIG_SOURCE, IN(config_issuer, introspection_secret), .flags = NEEDED | HIDDEN, .help = "Its secret."},
{"identity.jwt[].introspection.cache", CONFIG_DURATION, IN(config_issuer, introspection_ms), .least = 1000, .most = 3600000, .fallback = "60s",
 .help = "How long an answer is taken for true; a token that is revoked gets in that long."},
{"identity.keys", CONFIG_MAP, IN(config, keys), .flags = FIXED,
 .help = "Keys that `sallyport key` gives out, taken as a bearer token, x-api-key or api-key; docs/keys.md. They need seal_keys. {} keeps them in the store."},
{"identity.keys.file", CONFIG_TEXT, IN(config, keys_file), .flags = FIXED,
 .help = "A file for them, read again when it changes. Left out: they are in the store, and all gateways that share it take them."},
{"identity.anonymous", CONFIG_CHOICE, IN(config, anonymous), .fallback = "deny", .choices = "deny|allow",
 .help = "allow: no credential means an anonymous caller with empty claims. A bad credential is always 401."},
{"identity.scopes_supported", CONFIG_TEXTS, IN(config, scopes_supported), .help = "For the protected-resource metadata (RFC 9728)."},

{"mcp", CONFIG_MAP, IN(config, mcp), .help = "The MCP door."},
{"mcp.endpoints", CONFIG_LIST, IN(config, endpoints), sizeof(config_endpoint),
 .help = "Where MCP is served. Left out: /mcp with all servers."},
{"mcp.endpoints[].path", CONFIG_TEXT, IN(config_endpoint, path), .flags = NEEDED, .help = "Starts with /."},
{"mcp.endpoints[].public_url", CONFIG_TEXT, IN(config_endpoint, public_url),
 .help = "The URL clients know it by: the OAuth resource. Left out: scheme, Host and path of the request."},
{"mcp.endpoints[].hosts", CONFIG_TEXTS, IN(config_endpoint, hosts), .help = "Only these; *.example.com takes every name below. Left out: every host."},
{"mcp.endpoints[].servers", CONFIG_TEXTS, IN(config_endpoint, servers), .help = "Only these servers. Left out: all."},
{"mcp.endpoints[].naming", CONFIG_CHOICE, IN(config_endpoint, naming), .fallback = "", .choices = "prefix|none",
 .help = "Left out: as mcp.naming."},
{"mcp.endpoints[].discovery", CONFIG_CHOICE, IN(config_endpoint, discovery), .fallback = "list", .choices = "list|search",
 .help = "search: tools/list shows search_tools and call_tool only; every permitted tool can be found and called through them."},
{"mcp.endpoints[].step_up", CONFIG_BOOL, IN(config_endpoint, step_up), .fallback = "true",
 .help = "A call that lacks nothing but scopes is answered 403 with the scopes; false: as an unknown tool."},
{"mcp.endpoints[].sse", CONFIG_BOOL, IN(config_endpoint, sse), .fallback = "false", .help = "Serve HTTP+SSE (2024-11-05) here, too."},
{"mcp.endpoints[].annotate_schema", CONFIG_BOOL, IN(config_endpoint, annotate_schema), .help = "Write what the rules allow into the listed schemas."},
{"mcp.servers", CONFIG_NAMED, IN(config, servers), sizeof(config_server), .help = "Upstream MCP servers, by name ([a-z][a-z0-9-]{0,30})."},
{"mcp.servers.*.url", CONFIG_TEXT, IN(config_server, url), .help = "A server over streamable HTTP. Either this or command."},
{"mcp.servers.*.transport", CONFIG_CHOICE, IN(config_server, transport), .fallback = "http", .choices = "http|sse", .help = "How to speak to the url: streamable HTTP, or HTTP+SSE as of 2024-11-05."},
{"mcp.servers.*.command", CONFIG_TEXT, IN(config_server, command), .help = "A server that is a program speaking on stdin and stdout; no shell."},
{"mcp.servers.*.args", CONFIG_TEXTS, IN(config_server, args), .help = "The command's arguments."},
{"mcp.servers.*.env", CONFIG_PAIRS, IN(config_server, env), .flags = HIDDEN, .help = "All of its environment but PATH, HOME, LANG and TMPDIR."},
{"mcp.servers.*.cwd", CONFIG_TEXT, IN(config_server, cwd), .help = "Where it runs. Left out: the directory of this file."},
{"mcp.servers.*.isolation", CONFIG_CHOICE, IN(config_server, isolation), .fallback = "caller", .choices = "caller|shared|session",
 .help = "Who shares one process or session of the server."},
{"mcp.servers.*.lists", CONFIG_CHOICE, IN(config_server, lists), .fallback = "shared", .choices = "shared|capabilities|caller",
 .help = "For whom its lists are fetched: once for everybody, for each set of things a client can be asked, or for each caller."},
{"mcp.servers.*.tools", CONFIG_MAP, NOWHERE, .help = "Which of its tools exist here."},
{"mcp.servers.*.tools.include", CONFIG_TEXTS, IN(config_server, include), .help = "Globs, or `/re/` for a regular expression (RE2). Left out: all."},
{"mcp.servers.*.tools.exclude", CONFIG_TEXTS, IN(config_server, exclude), .help = "Likewise; wins over include."},
{"mcp.servers.*.forward_headers", CONFIG_LIST, IN(config_server, forward_headers), sizeof(config_forward), .brief = "from",
 .help = "Request headers handed on to the server."},
{"mcp.servers.*.forward_headers[].from", CONFIG_TEXT, IN(config_forward, from), .flags = NEEDED, .help = "The client's header."},
{"mcp.servers.*.forward_headers[].to", CONFIG_TEXT, IN(config_forward, to), .help = "Its name at the server. Left out: the same."},
{"mcp.servers.*.forward_claims", CONFIG_PAIRS, IN(config_server, forward_claims),
 .help = "Headers made from what is known of the caller: name: jwt.CLAIM, caller.id or caller.name. A client cannot send them itself."},
{"mcp.servers.*.timeout", CONFIG_DURATION, IN(config_server, timeout_ms), .least = 10, .most = 86400000, .fallback = "30s", .help = "Per call."},
{"mcp.servers.*.list_timeout", CONFIG_DURATION, IN(config_server, list_timeout_ms), .least = 10, .most = 600000, .fallback = "5s",
 .help = "How long a list waits for this server."},
{"mcp.servers.*.connect_timeout", CONFIG_DURATION, IN(config_server, connect_ms), .least = 10, .most = 600000, .fallback = "5s", .help = "To connect."},
{"mcp.servers.*.list_ttl", CONFIG_DURATION, IN(config_server, ttl_ms), .least = 100, .most = 86400000, .fallback = "60s",
 .help = "How long a list is fresh when the server does not say."},
{"mcp.servers.*.limits", CONFIG_MAP, NOWHERE, .help = "Bounds on what is sent to it and believed of it."},
{"mcp.servers.*.limits.concurrent", CONFIG_INT, IN(config_server, concurrent), .least = 1, .most = 1000000,
 .help = "Calls at a time, all callers together; one more is answered 429. Left out: no bound."},
{"mcp.servers.*.limits.description", CONFIG_SIZE, IN(config_server, description_most), .least = 64, .most = 16 << 20, .fallback = "64KiB",
 .help = "Bytes of a tool's description; a tool with a longer one is left out."},
{"mcp.servers.*.limits.result", CONFIG_SIZE, IN(config_server, result_most), .least = 64, .most = 16 << 20, .fallback = "16MiB",
 .help = "Bytes of a result; a call with a longer one fails."},
{"mcp.servers.*.trusted", CONFIG_BOOL, IN(config_server, trusted), .fallback = "false",
 .help = "Its tools' annotations may be believed: the policy checker warns of permits that read those of other servers, and a call of a tool marked readOnlyHint or idempotentHint may be sent again when its connection breaks."},
{"mcp.servers.*.user", CONFIG_TEXT, LATER, .help = "Run the command as this user."},
{"mcp.servers.*.ca", CONFIG_FILE, IN(config_server, ca), .help = "PEM file: authorities trusted beside the system's."},
{"mcp.servers.*.auth", CONFIG_MAP, IN(config_server, auth.node), .help = "How the gateway shows itself to the server."},
{"mcp.servers.*.auth.bearer", CONFIG_SOURCE, IN(config_server, auth.bearer), .flags = HIDDEN, .help = "Authorization: Bearer …"},
{"mcp.servers.*.auth.header", CONFIG_MAP, IN(config_server, auth.header), .help = "A header of your own."},
{"mcp.servers.*.auth.header.name", CONFIG_TEXT, IN(config_server, auth.header_name), .flags = NEEDED, .help = "Its name."},
{"mcp.servers.*.auth.header.value", CONFIG_SOURCE, IN(config_server, auth.header_value), .flags = NEEDED | HIDDEN, .help = "Its value."},
{"mcp.servers.*.auth.token_exchange", CONFIG_MAP, IN(config_server, auth.exchange.node), .help = "The caller's token, exchanged for one the server takes (RFC 8693). What the gateway asks for itself, it asks with a client-credentials token of the same endpoint."},
{"mcp.servers.*.auth.token_exchange.token_url", CONFIG_TEXT, IN(config_server, auth.exchange.token_url),
 .help = "The token endpoint, over https (http on loopback). Left out: discovered."},
{"mcp.servers.*.auth.token_exchange.issuer", CONFIG_TEXT, IN(config_server, auth.exchange.issuer),
 .help = "Whose metadata names the token endpoint (RFC 8414, OpenID). Left out: the server is asked (RFC 9728)."},
{"mcp.servers.*.auth.token_exchange.allow_private", CONFIG_BOOL, IN(config_server, auth.exchange.allow_private), .fallback = "false",
 .help = "What is discovered may be at a private address, and over http."},
{"mcp.servers.*.auth.token_exchange.client_id", CONFIG_TEXT, IN(config_server, auth.exchange.client_id), .help = "The gateway's name there."},
{"mcp.servers.*.auth.token_exchange.client_secret", CONFIG_SOURCE, IN(config_server, auth.exchange.client_secret), .flags = HIDDEN, .help = "Its secret."},
{"mcp.servers.*.auth.token_exchange.client_auth", CONFIG_CHOICE, IN(config_server, auth.exchange.client_auth), .fallback = "basic", .choices = "basic|post",
 .help = "The secret goes in the Authorization header, or in the body."},
{"mcp.servers.*.auth.token_exchange.audience", CONFIG_TEXT, IN(config_server, auth.exchange.audience), .help = "For whom the token is to be."},
{"mcp.servers.*.auth.token_exchange.resource", CONFIG_TEXT, IN(config_server, auth.exchange.resource), .help = "The same as a URL (RFC 8707). Left out, audience too: the server's url."},
{"mcp.servers.*.auth.token_exchange.scopes", CONFIG_TEXTS, IN(config_server, auth.exchange.scopes), .help = "Scopes to ask for."},
{"mcp.servers.*.auth.oauth_client", CONFIG_MAP, IN(config_server, auth.client.node), .help = "A token of the gateway's own (client credentials), whoever calls."},
{"mcp.servers.*.auth.oauth_client.token_url", CONFIG_TEXT, IN(config_server, auth.client.token_url),
 .help = "The token endpoint, over https (http on loopback). Left out: discovered."},
{"mcp.servers.*.auth.oauth_client.issuer", CONFIG_TEXT, IN(config_server, auth.client.issuer),
 .help = "Whose metadata names the token endpoint (RFC 8414, OpenID). Left out: the server is asked (RFC 9728)."},
{"mcp.servers.*.auth.oauth_client.allow_private", CONFIG_BOOL, IN(config_server, auth.client.allow_private), .fallback = "false",
 .help = "What is discovered may be at a private address, and over http."},
{"mcp.servers.*.auth.oauth_client.client_id", CONFIG_TEXT, IN(config_server, auth.client.client_id), .flags = NEEDED, .help = "The gateway's name there."},
{"mcp.servers.*.auth.oauth_client.client_secret", CONFIG_SOURCE, IN(config_server, auth.client.client_secret), .flags = NEEDED | HIDDEN, .help = "Its secret."},
{"mcp.servers.*.auth.oauth_client.client_auth", CONFIG_CHOICE, IN(config_server, auth.client.client_auth), .fallback = "basic", .choices = "basic|post",
 .help = "The secret goes in the Authorization header, or in the body."},
{"mcp.servers.*.auth.oauth_client.audience", CONFIG_TEXT, IN(config_server, auth.client.audience), .help = "For whom the token is to be."},
{"mcp.servers.*.auth.oauth_client.resource", CONFIG_TEXT, IN(config_server, auth.client.resource), .help = "The same as a URL (RFC 8707). Left out, audience too: the server's url."},
{"mcp.servers.*.auth.oauth_client.scopes", CONFIG_TEXTS, IN(config_server, auth.client.scopes), .help = "Scopes to ask for."},
{"mcp.servers.*.auth.user_oauth", CONFIG_MAP, IN(config_server, auth.user.node), .help = "Each caller's own account there, connected in a browser when it is first needed; tokens are kept sealed in the store."},
{"mcp.servers.*.auth.user_oauth.issuer", CONFIG_TEXT, IN(config_server, auth.user.issuer), .help = "Who gives the tokens. Left out: the server is asked (RFC 9728)."},
{"mcp.servers.*.auth.user_oauth.client_id", CONFIG_TEXT, IN(config_server, auth.user.client_id), .help = "The gateway's name there. Left out: its document /client-metadata.json where that is taken, else it registers itself (RFC 7591)."},
{"mcp.servers.*.auth.user_oauth.client_secret", CONFIG_SOURCE, IN(config_server, auth.user.client_secret), .flags = HIDDEN, .help = "Its secret."},
{"mcp.servers.*.auth.user_oauth.client_auth", CONFIG_CHOICE, IN(config_server, auth.user.client_auth), .fallback = "basic", .choices = "basic|post",
 .help = "The secret goes in the Authorization header, or in the body."},
{"mcp.servers.*.auth.user_oauth.scopes", CONFIG_TEXTS, IN(config_server, auth.user.scopes), .help = "Scopes to ask for. Left out: what the server says it wants."},
{"mcp.servers.*.auth.user_oauth.allow_private", CONFIG_BOOL, IN(config_server, auth.user.allow_private), .fallback = "false",
 .help = "What is discovered may be at a private address, and over http."},
{"mcp.servers.*.auth.passthrough", CONFIG_BOOL, IN(config_server, auth.passthrough), .fallback = "false",
 .help = "true: hand the caller's own token on. The server can then act as the caller anywhere that token is taken; prefer token_exchange."},
{"mcp.naming", CONFIG_CHOICE, IN(config, naming), .fallback = "prefix", .choices = "prefix|none",
 .help = "prefix: tools and prompts are server__name. none: everything as it is, a clash is an error."},
{"mcp.pins", CONFIG_TEXT, IN(config, pins.name),
 .help = "A lock file of approved tool definitions, written by `sallyport tools pin`. A tool that is not in it, or differs from "
         "what is, is neither listed nor called. Left out: every tool is there as its server has it."},

{"llm", CONFIG_MAP, IN(config, llm), .help = "The LLM door."},
{"llm.backends", CONFIG_NAMED, IN(config, backends), sizeof(config_backend), .help = "Model providers, by name ([a-z][a-z0-9-]{0,30})."},
{"llm.backends.*.schema", CONFIG_CHOICE, IN(config_backend, schema), .flags = NEEDED,
 .choices = "openai|anthropic|azure|aws-bedrock|aws-anthropic|gcp-vertex|gemini|gcp-anthropic|cohere", .help = "What the provider speaks."},
{"llm.backends.*.url", CONFIG_TEXT, IN(config_backend, url),
 .help = "Where it is; a path in it comes before prefix. Left out: the provider's own host, in the region."},
{"llm.backends.*.prefix", CONFIG_TEXT, IN(config_backend, prefix), .flags = CONFIG_EMPTY, .fallback = "v1", .help = "First part of its paths; may be empty."},
{"llm.backends.*.ca", CONFIG_FILE, IN(config_backend, ca), .help = "PEM file: authorities trusted beside the system's."},
{"llm.backends.*.auth", CONFIG_MAP, IN(config_backend, auth.node), .help = "How the gateway shows itself to the provider."},
{"llm.backends.*.auth.bearer", CONFIG_SOURCE, IN(config_backend, auth.bearer), .flags = HIDDEN, .help = "Authorization: Bearer …"},
{"llm.backends.*.auth.header", CONFIG_MAP, IN(config_backend, auth.header), .help = "A header of your own."},
{"llm.backends.*.auth.header.name", CONFIG_TEXT, IN(config_backend, auth.header_name), .flags = NEEDED, .help = "Its name."},
{"llm.backends.*.auth.header.value", CONFIG_SOURCE, IN(config_backend, auth.header_value), .flags = NEEDED | HIDDEN, .help = "Its value."},
{"llm.backends.*.auth.api_key", CONFIG_SOURCE, IN(config_backend, api_key), .flags = HIDDEN,
 .help = "The key in the provider's own header: x-api-key, api-key, x-goog-api-key, else Authorization: Bearer."},
{"llm.backends.*.auth.aws", CONFIG_MAP, IN(config_backend, aws),
 .help = "Requests are signed (SigV4). {}: with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the environment, else with the profile AWS_PROFILE or `default` of the shared file."},
{"llm.backends.*.auth.aws.access_key_id", CONFIG_SOURCE, IN(config_backend, aws_key_id), .help = "The key's id."},
{"llm.backends.*.auth.aws.secret_access_key", CONFIG_SOURCE, IN(config_backend, aws_secret), .flags = HIDDEN, .help = "The key."},
{"llm.backends.*.auth.aws.profile", CONFIG_TEXT, IN(config_backend, aws_profile),
 .help = "A section of the shared file, ~/.aws/credentials or AWS_SHARED_CREDENTIALS_FILE."},
{"llm.backends.*.auth.aws.session_token", CONFIG_SOURCE, IN(config_backend, aws_token), .flags = HIDDEN, .help = "Of a key that was lent."},
{"llm.backends.*.auth.gcp", CONFIG_MAP, IN(config_backend, gcp), .help = "Google credentials."},
{"llm.backends.*.auth.gcp.token", CONFIG_SOURCE, IN(config_backend, gcp_token), .flags = HIDDEN, .help = "An access token, renewed by whoever writes it."},
{"llm.backends.*.auth.gcp.file", CONFIG_FILE, IN(config_backend, gcp_file), .flags = HIDDEN,
 .help = "A service account's key file (JSON): tokens are asked for with it, and renewed ahead of time."},
{"llm.backends.*.auth.entra", CONFIG_MAP, IN(config_backend, entra),
 .help = "An application of Microsoft Entra ID: tokens are asked for with its secret, and renewed ahead of time."},
{"llm.backends.*.auth.entra.tenant", CONFIG_TEXT, IN(config_backend, entra_tenant), .flags = NEEDED, .help = "The directory, by id or by domain."},
{"llm.backends.*.auth.entra.client_id", CONFIG_TEXT, IN(config_backend, entra_client), .flags = NEEDED, .help = "The application's id."},
{"llm.backends.*.auth.entra.client_secret", CONFIG_SOURCE, IN(config_backend, entra_secret), .flags = NEEDED | HIDDEN, .help = "Its secret."},
{"llm.backends.*.auth.entra.scope", CONFIG_TEXT, IN(config_backend, entra_scope), .fallback = "https://cognitiveservices.azure.com/.default", .help = "What the token is for."},
{"llm.backends.*.auth.entra.token_url", CONFIG_TEXT, IN(config_backend, entra_url),
 .help = "The token endpoint, over https (http on loopback). Left out: the tenant's at login.microsoftonline.com."},
{"llm.backends.*.version", CONFIG_TEXT, IN(config_backend, version),
 .help = "Of the provider's API. Left out: bedrock-2023-05-31, vertex-2023-10-16, 2023-06-01 (anthropic), 2024-10-21 (azure), v1beta (gemini)."},
{"llm.backends.*.region", CONFIG_TEXT, IN(config_backend, region), .help = "Cloud region. Left out with AWS: AWS_REGION."},
{"llm.backends.*.project", CONFIG_TEXT, IN(config_backend, project), .help = "Cloud project."},
{"llm.backends.*.proxy", CONFIG_TEXT, LATER, .help = "CONNECT proxy."},
{"llm.backends.*.headers", CONFIG_MAP, NOWHERE, .help = "Changes to the headers of a request, after its translation; what lets it in comes last."},
{"llm.backends.*.headers.set", CONFIG_PAIRS, IN(config_backend, edits.headers), .flags = HIDDEN, .help = "Headers to set, each name: value."},
{"llm.backends.*.headers.remove", CONFIG_TEXTS, IN(config_backend, edits.no_headers), .help = "Headers to leave out; done before `set`."},
{"llm.backends.*.body", CONFIG_MAP, NOWHERE, .help = "Changes to the body of a request, after its translation."},
{"llm.backends.*.body.set", CONFIG_ANY, IN(config_backend, edits.members), .help = "Members of the outermost object to set, each name: any value."},
{"llm.backends.*.body.remove", CONFIG_TEXTS, IN(config_backend, edits.no_members), .help = "Members to leave out; done before `set`."},
{"llm.backends.*.limits", CONFIG_MAP, NOWHERE, .help = "The provider's rate limits: what is full is left out before it refuses."},
{"llm.backends.*.limits.requests", CONFIG_MAP, NOWHERE, .help = "Requests, of all models together."},
{"llm.backends.*.limits.requests.limit", CONFIG_INT, IN(config_backend, requests.limit), .flags = NEEDED, .least = 1, .most = 1000000000000, .help = "How many in a window."},
{"llm.backends.*.limits.requests.window", CONFIG_DURATION, IN(config_backend, requests.window_ms), .least = 100, .most = 2592000000, .fallback = "1m", .help = "How long a window is; it begins with the first request after the one before."},
{"llm.backends.*.limits.tokens", CONFIG_MAP, NOWHERE, .help = "Tokens, likewise; a guess until the answer says how many."},
{"llm.backends.*.limits.tokens.limit", CONFIG_INT, IN(config_backend, tokens.limit), .flags = NEEDED, .least = 1, .most = 1000000000000, .help = "How many in a window."},
{"llm.backends.*.limits.tokens.window", CONFIG_DURATION, IN(config_backend, tokens.window_ms), .least = 100, .most = 2592000000, .fallback = "1m", .help = "How long a window is; it begins with the first request after the one before."},
{"llm.backends.*.limits.models", CONFIG_NAMED, IN(config_backend, model_limits), sizeof(config_model_limits), .help = "Limits of single models, by the name the backend knows."},
{"llm.backends.*.limits.models.*.requests", CONFIG_MAP, NOWHERE, .help = "Requests of this model."},
{"llm.backends.*.limits.models.*.requests.limit", CONFIG_INT, IN(config_model_limits, requests.limit), .flags = NEEDED, .least = 1, .most = 1000000000000, .help = "How many in a window."},
{"llm.backends.*.limits.models.*.requests.window", CONFIG_DURATION, IN(config_model_limits, requests.window_ms), .least = 100, .most = 2592000000, .fallback = "1m", .help = "How long a window is; it begins with the first request after the one before."},
{"llm.backends.*.limits.models.*.tokens", CONFIG_MAP, NOWHERE, .help = "Tokens of this model."},
{"llm.backends.*.limits.models.*.tokens.limit", CONFIG_INT, IN(config_model_limits, tokens.limit), .flags = NEEDED, .least = 1, .most = 1000000000000, .help = "How many in a window."},
{"llm.backends.*.limits.models.*.tokens.window", CONFIG_DURATION, IN(config_model_limits, tokens.window_ms), .least = 100, .most = 2592000000, .fallback = "1m", .help = "How long a window is; it begins with the first request after the one before."},
{"llm.backends.*.breaker", CONFIG_MAP, NOWHERE, .help = "When the backend is left alone for failing: no connection, a torn one, 5xx, no answer in time."},
{"llm.backends.*.breaker.failures", CONFIG_INT, IN(config_backend, break_failures), .least = 1, .most = 1000000, .fallback = "5", .help = "So many in a row, or:"},
{"llm.backends.*.breaker.error_rate", CONFIG_INT, IN(config_backend, break_percent), .least = 0, .most = 100, .fallback = "50", .help = "This percentage of the requests of a window; 0: no such rule."},
{"llm.backends.*.breaker.least", CONFIG_INT, IN(config_backend, break_least), .least = 1, .most = 60000, .fallback = "20", .help = "Requests that a window must have for that."},
{"llm.backends.*.breaker.window", CONFIG_DURATION, IN(config_backend, break_window_ms), .least = 100, .most = 3600000, .fallback = "10s", .help = "How long it is."},
{"llm.backends.*.breaker.pause", CONFIG_DURATION, IN(config_backend, break_ms), .least = 10, .most = 3600000, .fallback = "1s", .help = "How long it is left alone, doubled each time; then one request is the trial."},
{"llm.backends.*.breaker.pause_most", CONFIG_DURATION, IN(config_backend, break_most_ms), .least = 10, .most = 86400000, .fallback = "60s",
 .help = "At most. Who works for so long begins with the first pause again."},
{"llm.backends.*.credential", CONFIG_MAP, IN(config_backend, own), .help = "A key of the caller's own, instead of the one of `auth`. It goes to the provider where the configured one would, and nowhere else."},
{"llm.backends.*.credential.from_header", CONFIG_TEXT, IN(config_backend, own_header),
 .help = "The request's header that has it. With AWS the beginning of three: NAME-access-key-id, NAME-secret-access-key, NAME-session-token."},
{"llm.backends.*.credential.from_claim", CONFIG_TEXT, IN(config_backend, own_claim), .help = "The claim of the caller's token that has it; dots go deeper."},
{"llm.backends.*.credential.fallback", CONFIG_BOOL, IN(config_backend, own_fallback), .fallback = "false",
 .help = "A caller without one is let in by `auth`. false: it is answered 401."},
{"llm.routes", CONFIG_LIST, IN(config, routes), sizeof(config_route),
 .help = "Which models go where; the first route that takes host and model wins. Left out with one backend: everything goes there."},
{"llm.routes[].name", CONFIG_TEXT, IN(config_route, name), .flags = NEEDED, .help = "For logs."},
{"llm.routes[].hosts", CONFIG_TEXTS, IN(config_route, hosts), .help = "Only these; *.example.com takes one label. Left out: every host."},
{"llm.routes[].models", CONFIG_TEXTS, IN(config_route, models), .help = "Exact names (listed by /v1/models) or globs. Left out: every model."},
{"llm.routes[].match_headers", CONFIG_PAIRS, IN(config_route, match), .help = "Only requests with all of these headers, each name: value; values may be globs."},
{"llm.routes[].when", CONFIG_ANY, IN(config_route, when_node), .help = "Only requests for which this CEL condition holds, with the names of policies; an error is a no."},
{"llm.routes[].to", CONFIG_LIST, IN(config_route, to), sizeof(config_target), .flags = NEEDED, .brief = "backend", .help = "Candidates."},
{"llm.routes[].to[].backend", CONFIG_TEXT, IN(config_target, backend), .flags = NEEDED, .help = "A name under llm.backends."},
{"llm.routes[].to[].weight", CONFIG_INT, IN(config_target, weight), .least = 0, .most = 1000000, .fallback = "1", .help = "Share among equals in priority."},
{"llm.routes[].to[].priority", CONFIG_INT, IN(config_target, priority), .least = 0, .most = 100, .fallback = "0",
 .help = "Used when all lower ones are exhausted."},
{"llm.routes[].to[].model", CONFIG_TEXT, IN(config_target, model), .help = "The model's name there. Left out: as asked."},
{"llm.routes[].headers", CONFIG_MAP, NOWHERE, .help = "Changes to headers, after those of the backend."},
{"llm.routes[].headers.set", CONFIG_PAIRS, IN(config_route, edits.headers), .flags = HIDDEN, .help = "Headers to set, each name: value."},
{"llm.routes[].headers.remove", CONFIG_TEXTS, IN(config_route, edits.no_headers), .help = "Headers to leave out; done before `set`."},
{"llm.routes[].body", CONFIG_MAP, NOWHERE, .help = "Changes to the body, after those of the backend."},
{"llm.routes[].body.set", CONFIG_ANY, IN(config_route, edits.members), .help = "Members of the outermost object to set, each name: any value."},
{"llm.routes[].body.remove", CONFIG_TEXTS, IN(config_route, edits.no_members), .help = "Members to leave out; done before `set`."},
{"llm.routes[].retry", CONFIG_MAP, IN(config_route, retry), .help = "How often a request is tried, all candidates together, while nothing of an answer went to the client. Left out: each candidate once."},
{"llm.routes[].retry.attempts", CONFIG_INT, IN(config_route, attempts), .least = 1, .most = 20, .fallback = "3", .help = "At most, the first one too."},
{"llm.routes[].retry.on", CONFIG_TEXTS, IN(config_route, retry_on),
 .help = "After which failures, of connect, reset, 429, 5xx and idle (no answer in time). Left out: all of them."},
{"llm.routes[].retry.back_off", CONFIG_DURATION, IN(config_route, back_off_ms), .least = 0, .most = 60000, .fallback = "100ms",
 .help = "Before all candidates are tried again; doubled each time, at most 10s, and half of it left to chance."},
{"llm.routes[].retry.budget", CONFIG_INT, IN(config_route, budget), .least = 0, .most = 100, .fallback = "20",
 .help = "Attempts after the first, in percent of a worker's requests; a few are always there."},
{"llm.routes[].eject_most", CONFIG_INT, IN(config_route, eject_most), .least = 0, .most = 100, .fallback = "100", .help = "Percentage of the candidates that may be left out for failing; when all fail, the least bad is asked."},
{"llm.routes[].sticky", CONFIG_TEXTS, IN(config_route, sticky),
 .help = "What keeps requests at one candidate, so that its prompt cache serves them: header:NAME, prompt_cache_key, caller; the first that a request has."},
{"llm.routes[].timeout", CONFIG_DURATION, IN(config_route, timeout_ms), .least = 10, .most = 86400000, .fallback = "120s", .help = "Until the answer begins."},
{"llm.routes[].stream_idle_timeout", CONFIG_DURATION, IN(config_route, stream_idle_ms), .least = 10, .most = 86400000, .fallback = "30s",
 .help = "Between two pieces of a streamed answer."},
{"llm.routes[].owned_by", CONFIG_TEXT, IN(config_route, owned_by), .help = "For /v1/models. Left out: the route's name."},
{"llm.responses", CONFIG_MAP, NOWHERE, .help = "Answers of the Responses API, for previous_response_id where the provider keeps none."},
{"llm.responses.keep", CONFIG_DURATION, IN(config, responses_keep_ms), .least = 1000, .most = (int64_t)30 * 86400000,
 .help = "How long they stay in the store, each for its caller. Left out: none is kept."},
{"llm.responses.size", CONFIG_SIZE, IN(config, responses_size), .least = 1024, .most = 16 << 20, .fallback = "1MiB",
 .help = "Bytes of one with all that led to it; what is longer is not kept."},
{"llm.prices", CONFIG_FILE, IN(config, prices),
 .help = "File of prices by model and backend, in USD per million tokens; they come before those that are built in. Left out: those alone."},
{"llm.endpoint_prefixes", CONFIG_MAP, IN(config, prefixes), .help = "Where the paths of each API begin. /v1/messages and /v2/rerank are served as they are, too."},
{"llm.endpoint_prefixes.openai", CONFIG_TEXT, IN(config, openai_prefix), .fallback = "/", .help = "Before /v1/chat/completions and its like."},
{"llm.endpoint_prefixes.anthropic", CONFIG_TEXT, IN(config, anthropic_prefix), .fallback = "/anthropic", .help = "Before /v1/messages."},
{"llm.endpoint_prefixes.cohere", CONFIG_TEXT, IN(config, cohere_prefix), .fallback = "/cohere", .help = "Before /v2/rerank."},

{"policies", CONFIG_TEXTS, IN(config, live.patterns), .help = "Policy files, as globs relative to this file. Without rules nothing is allowed."},
{"shadow_policies", CONFIG_TEXTS, IN(config, shadow.patterns),
 .help = "Policy files that are asked beside the others and decide nothing: where they differ is counted and logged."},
{"store", CONFIG_TEXT, IN(config, store), .flags = FIXED, .fallback = "sqlite:sallyport.db",
 .help = "What outlives the process: sqlite:FILE, made when first needed, or memory: to keep nothing."},
{"telemetry", CONFIG_MAP, NOWHERE, .help = "What is written about requests."},
{"telemetry.access_log", CONFIG_MAP, NOWHERE, .help = "One JSON line a request."},
{"telemetry.access_log.to", CONFIG_TEXT, IN(config, access_log), .flags = FIXED, .fallback = "stdout", .help = "stdout, stderr, none or a file."},
{"telemetry.access_log.redact", CONFIG_ANY, LATER, .help = "Members left out of contents."},
{"telemetry.access_log.contents", CONFIG_BOOL, LATER, .help = "Write message contents too."},
{"telemetry.audit_log", CONFIG_MAP, NOWHERE, .help = "One line a decision about a call, chained by hashes (docs/audit.md)."},
{"telemetry.audit_log.to", CONFIG_TEXT, IN(config, audit_log), .flags = FIXED | NEEDED,
 .help = "A file; what cannot be written there is not permitted. Left out with its section: no audit log."},
{"telemetry.audit_log.redact", CONFIG_TEXTS, IN(config, redact),
 .help = "Attributes whose values are withheld: args.password, jwt.email, http.headers[\"x-secret\"]."},
{"telemetry.otlp", CONFIG_ANY, LATER, .help = "OpenTelemetry export."},
{0},
};
/* clang-format on */

/* What stands before the last name: "listen[]." of "listen[].tls". */
static size_t head_of(str path)
{
    for (size_t i = path.n; i > 0; i--)
        if (path.p[i - 1] == '.') return i;
    return 0;
}

const config_row *config_row_under(const char *prefix, const config_row *after)
{
    str wanted = {prefix, strlen(prefix)};
    for (const config_row *r = after ? after + 1 : config_rows; r->path; r++) {
        str path = {r->path, strlen(r->path)};
        if (str_eq(str_take(path, head_of(path)), wanted)) return r;
    }
    return NULL;
}

str config_row_key(const config_row *r)
{
    str path = {r->path, strlen(r->path)};
    return str_drop(path, head_of(path));
}

str config_row_prefix(arena *a, const config_row *r)
{
    const char *item = r->type == CONFIG_LIST ? "[]." : r->type == CONFIG_NAMED ? ".*." : ".";
    return arena_fmt(a, "%s%s", r->path, item);
}

str config_choice(const char *choices, size_t i)
{
    str rest = {choices, choices ? strlen(choices) : 0};
    while (rest.n) {
        str_pair cut = str_cut(rest, '|');
        if (i-- == 0) return cut.head;
        rest = cut.tail;
    }
    return (str){0};
}
