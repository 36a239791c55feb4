/* SPDX-License-Identifier: Apache-2.0 */
/* config_parts.h - the entries of a configuration's lists and maps, typed.
 *
 * Filled by the table of keys (config_table.c), which names members by their offsets; an entry that
 * was not written is zero, and what it defaults to stands in the table. They belong to the config.
 */
#ifndef SP_CONFIG_PARTS_H
#define SP_CONFIG_PARTS_H
#include "../base/yaml.h"
#include <stdint.h>

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
    const yaml_node *login; /* NULL: none */
    str login_client;
    config_text login_secret;
    const yaml_node *introspection; /* NULL: none */
    str introspection_url, introspection_client;
    config_text introspection_secret;
    int64_t introspection_ms;
} config_issuer;

enum { CONFIG_DISCOVERY_LIST, CONFIG_DISCOVERY_SEARCH };
typedef struct {
    config_item at;
    str path, public_url;
    const str *hosts, *servers;
    int64_t naming; /* -1: as mcp.naming */
    int64_t discovery;
    bool step_up, annotate_schema, sse;
} config_endpoint;

typedef struct {
    config_item at;
    str from, to;
} config_forward;

enum { CONFIG_SECRET_IN_HEADER, CONFIG_SECRET_IN_BODY };
typedef struct {
    const yaml_node *node; /* NULL: not given */
    str token_url, issuer, client_id, audience, resource;
    config_text client_secret;
    const str *scopes;
    int64_t client_auth;
    bool allow_private;
} config_grant;

typedef struct {
    const yaml_node *node;
    config_text bearer;
    const yaml_node *header;
    str header_name;
    config_text header_value;
    config_grant exchange, client, user;
    bool passthrough;
} config_auth;

/* A user of this machine. */
typedef struct {
    str name, home; /* name {0}: none is given */
    unsigned uid, gid;
    bool is_us, may_become; /* may: programs can be run as he */
} config_user;

typedef struct {
    config_item at;
    str url, command, cwd, user;
    config_user runs_as; /* what `user` names */
    const str *args, *include, *exclude;
    config_list env; /* config_pair */
    config_auth auth;
    config_text ca;
    config_list forward_headers; /* config_forward */
    config_list forward_claims;  /* config_pair */
    int64_t concurrent, description_most, result_most;
    int64_t transport, isolation, lists, timeout_ms, list_timeout_ms, connect_ms, ttl_ms;
    bool trusted; /* read again by the policy checker's world.h, which also serves without us */
    bool instructions;
} config_server;
#endif
