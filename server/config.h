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
#include "config_llm.h"

enum { CONFIG_VERSION = 1 };
typedef enum { CONFIG_STORE_LOSS_REFUSE, CONFIG_STORE_LOSS_LOCAL } config_store_loss;
typedef enum { CONFIG_ANONYMOUS_DENY, CONFIG_ANONYMOUS_ALLOW } config_anonymous;

typedef struct {
    str name, text;
} config_file; /* a policy file: as messages call it, and its bytes */

typedef struct {
    const str *patterns;
    config_file *files;
    size_t count;
} config_policies;

typedef struct config {
    str file, directory; /* relative paths start in directory */
    const yaml_node *root;
    int64_t version, workers; /* workers 0: one per core */
    config_list listen;
    const yaml_node *admin;
    str admin_address;
    config_text admin_token;
    int64_t body, upload, header, json_depth, header_timeout_ms, idle_timeout_ms;
    int64_t connections, streams_per_caller;
    config_text prices; /* value.p NULL: none of one's own */
    const yaml_node *prefixes;
    str openai_prefix, anthropic_prefix, cohere_prefix;
    int64_t responses_keep_ms, responses_size; /* 0: none are kept */
    const str *allowed_origins, *allowed_hosts, *trusted_proxies;
    config_list seal_keys; /* config_text */
    config_list issuers;
    const yaml_node *keys; /* NULL: none are given out */
    str keys_file;         /* p NULL: in the store */
    int64_t anonymous;
    const str *scopes_supported;
    const yaml_node *mcp, *llm;
    config_list endpoints, servers, backends, routes;
    int64_t naming;
    config_file pins; /* name.p NULL: none are kept; its text is empty when there is no file yet */
    config_policies live, shadow;
    str store;
    int64_t on_store_loss;     /* config_store_loss */
    str access_log, audit_log; /* audit_log.p NULL: none */
    const str *redact;
} config;

/* Where text comes from that is not in the file itself. */
typedef struct {
    str directory;
    str (*variable)(void *ctx, arena *a, str name); /* p NULL: unset */
    const err *(*read)(void *ctx, arena *a, str path, str *text);
    const str *(*glob)(void *ctx, arena *a, str pattern);           /* sorted, ends with {0} */
    bool (*user)(void *ctx, arena *a, str name, config_user *user); /* false: there is none */
    void *ctx;
} config_world;

void config_load(arena *a, const config_world *w, str file, str text, problems *out, config **c);

/* What of `next` cannot take effect while `now` runs: names of keys, ends with {0}. */
const str *config_fixed_changes(arena *a, const config *now, const config *next);
/* The config as JSON with every secret replaced by its source. */
str config_show(arena *a, const config *c);
#endif
