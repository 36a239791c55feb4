/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - what a person wrote, checked and typed.
 *
 * One table of keys (config_rows) says what may be written: the loader, the reference in docs/ and
 * the schema for editors all come from it. config_load() touches no file and no environment by
 * itself: it asks the `config_world` it is given, so that tests and the fuzzer can be the world.
 * Every problem is reported, each with its place; *out is NULL when there was any.
 * Ownership: a config lives in its arena and is immutable. Threads: any. */
#ifndef SP_CONFIG_H
#define SP_CONFIG_H
#include "../base/yaml.h"
#include <stdint.h>

enum { CONFIG_VERSION = 1 };
typedef enum { CONFIG_ANONYMOUS_DENY, CONFIG_ANONYMOUS_ALLOW } config_anonymous;

/* A text that may stand elsewhere: `file:PATH` or `${VAR}`. */
typedef struct {
    str value;  /* p NULL: not given */
    str source; /* as written: "file:admin.token", "${TOKEN}"; the literal itself otherwise */
    bool from_file;
    const yaml_node *node;
} config_text;

typedef struct {
    void *items;
    size_t count;
} config_list;
typedef struct {
    str name;
    const yaml_node *node;
} config_item; /* first in each item below */
typedef struct {
    str name;
    config_text value;
} config_pair;

typedef struct {
    config_item at;
    str address;
    const yaml_node *tls;
    config_text certificate, key, client_ca;
} config_listen;

typedef struct {
    config_item at;
    str issuer;
    const str *audiences, *algorithms;
    config_text jwks;
} config_issuer;

typedef struct {
    config_item at;
    str path, public_url;
    const str *hosts, *servers;
    int64_t naming; /* -1: as mcp.naming */
    bool step_up;
} config_endpoint;

typedef struct {
    config_item at;
    str from, to;
} config_forward;

typedef struct {
    const yaml_node *node;
    config_text bearer;
    const yaml_node *header;
    str header_name;
    config_text header_value;
} config_auth;

typedef struct {
    config_item at;
    str url, command, cwd;
    const str *args, *include, *exclude;
    config_list env; /* config_pair */
    config_auth auth;
    config_text ca;
    config_list forward_headers; /* config_forward */
    int64_t isolation, timeout_ms, list_timeout_ms, connect_ms, ttl_ms;
} config_server;

typedef struct {
    config_item at;
    int64_t schema;
    str url, prefix;
    config_auth auth;
    config_text ca;
} config_backend;

typedef struct {
    config_item at;
    str backend, model;
    int64_t weight, priority;
} config_target;
typedef struct {
    config_item at;
    str name, owned_by;
    const str *hosts, *models;
    config_list to; /* config_target */
    int64_t timeout_ms, stream_idle_ms;
} config_route;

typedef struct {
    str name, text;
} config_file; /* a policy file: as messages call it, and its bytes */

typedef struct config {
    str file, directory; /* relative paths start in directory */
    const yaml_node *root;
    int64_t version, workers; /* workers 0: one per core */
    config_list listen;
    const yaml_node *admin;
    str admin_address;
    config_text admin_token;
    int64_t body, header, json_depth, header_timeout_ms, idle_timeout_ms, connections;
    int64_t streams_per_caller;
    const str *allowed_origins, *allowed_hosts, *trusted_proxies;
    config_list seal_keys; /* config_text */
    config_list issuers;
    int64_t anonymous;
    const str *scopes_supported;
    const yaml_node *mcp, *llm;
    config_list endpoints, servers, backends, routes;
    int64_t naming;
    const str *policies;
    config_file *policy_files;
    size_t policy_file_count;
    str access_log;
} config;

/* Where text comes from that is not in the file itself. */
typedef struct {
    str directory;
    str (*variable)(void *ctx, arena *a, str name); /* p NULL: unset */
    const err *(*read)(void *ctx, arena *a, str path, str *text);
    const str *(*glob)(void *ctx, arena *a, str pattern); /* sorted, ends with {0} */
    void *ctx;
} config_world;

void config_load(arena *a, const config_world *w, str file, str text, problems *out, config **c);

/* A problem that has no place in the file, or names its own. */
void config_problem(problems *out, str text);

/* What of `next` cannot take effect while `now` runs: names of keys, ends with {0}. */
const str *config_fixed_changes(arena *a, const config *now, const config *next);
/* The config as JSON with every secret replaced by its source. */
str config_show(arena *a, const config *c);
#endif
