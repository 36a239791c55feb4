/* SPDX-License-Identifier: Apache-2.0 */
/* config_llm.h - what may be written of model providers and of the routes to them.
 *
 * Plain structs that the table of keys (config_table.c) fills, as config_parts.h has them for the
 * rest. */
#ifndef SP_CONFIG_LLM_H
#define SP_CONFIG_LLM_H
#include "config_parts.h"

/* What is changed in a request before it goes to a provider. */
typedef struct {
    config_list headers; /* to set; config_pair */
    const str *no_headers, *no_members;
    const yaml_node *members; /* of the body, to set; NULL: none */
} config_edits;

typedef struct {
    int64_t limit, window_ms; /* limit 0: none */
} config_limit;
typedef struct {
    config_item at;
    config_limit requests, tokens;
} config_model_limits;

typedef struct {
    config_item at;
    int64_t schema;
    str url, prefix, version, region, project;
    config_auth auth;
    config_edits edits;
    const yaml_node *own; /* the caller's own key */
    str own_header, own_claim;
    bool own_fallback;
    config_text ca;
    str proxy;
    config_text proxy_key;
    config_text api_key, aws_key_id, aws_secret, aws_token, gcp_token;
    const yaml_node *aws, *aws_role, *aws_web, *gcp, *entra;
    config_text gcp_file, entra_secret, entra_certificate, entra_key;
    str aws_profile, aws_sts;
    str role_arn, role_external_id, role_session;
    str web_arn, web_file, web_session;
    str entra_tenant, entra_client, entra_scope, entra_url, entra_file;
    const struct lease_spec *lent; /* made by the check: how it is had; NULL: nothing is lent */
    config_limit requests, tokens;
    config_list model_limits; /* config_model_limits */
    int64_t break_failures, break_percent, break_least, break_window_ms, break_ms, break_most_ms;
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
    config_list match; /* headers; config_pair */
    const yaml_node *when_node;
    const struct policy_when *when; /* made when the file has been read (snapshot_parts.h) */
    config_list to;                 /* config_target */
    int64_t timeout_ms, stream_idle_ms;
    config_edits edits;
    const yaml_node *retry;
    const str *retry_on;
    int64_t attempts, back_off_ms, budget, eject_most;
    const str *sticky;
    const yaml_node *hedge;
    int64_t hedge_ms;
} config_route;
#endif
