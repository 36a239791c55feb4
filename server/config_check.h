/* SPDX-License-Identifier: Apache-2.0 */
/* config_check.h - what keys mean together: names that must exist, paths that must not clash. */
#ifndef SP_CONFIG_CHECK_H
#define SP_CONFIG_CHECK_H
#include "config_value.h"

void config_check(config_reader *r,
                  config *c); /* also makes what was left out: a listener, an endpoint, a route */
void config_check_mcp(config_reader *r, config *c);
void config_check_llm(config_reader *r, config *c);

/* Where the value of `key` stands, or the map itself when it was left out. */
const yaml_node *config_place(const yaml_node *map, const char *key)
    __attribute__((nonnull, returns_nonnull));
bool config_is_token(str s);         /* a header's name */
bool config_is_own_header(str name); /* one that we alone write into a request */
bool config_name_ok(str name);       /* [a-z][a-z0-9-]{0,30} */
void config_check_name(config_reader *r, const config_item *at, const char *what);
/* A URL that credentials or keys come from: https, or http on loopback. */
void config_check_secure_url(config_reader *r, const yaml_node *n, const char *what, str url)
    __attribute__((nonnull));
void config_check_url(config_reader *r, const yaml_node *n, str url);
void config_check_auth(config_reader *r, const config_auth *auth, str server_url);
/* Also fills in where a provider is, when that was left out. */
void config_check_provider(config_reader *r, config_backend *b);
/* Headers and members of bodies that are set and removed. */
void config_check_edits(config_reader *r, const yaml_node *owner, const config_edits *e);
void config_check_own_key(config_reader *r, const config_backend *b);
void config_check_retry(config_reader *r, const config_route *route);
void config_check_hosts(config_reader *r, const yaml_node *n, const str *hosts);
/* "ghost" is none of the names: a problem with what was probably meant. */
bool config_check_known(config_reader *r, const yaml_node *n, const char *what, str name,
                        const str *names);
/* The names of NAMED items, ends with {0}. */
const str *config_names(arena *a, const config_list *items, size_t item);
#endif
