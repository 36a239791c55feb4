/* SPDX-License-Identifier: Apache-2.0 */
/* config_value.h - one scalar of the file: expanded, converted, checked against its row.
 *
 * Each problem names the key and stands at the value. Functions give false when they reported one.
 */
#ifndef SP_CONFIG_VALUE_H
#define SP_CONFIG_VALUE_H
#include "../base/buf.h"
#include "config_table.h"

typedef struct {
    arena *a;
    const config_world *world;
    problems *out;
} config_reader;

/* ${VAR} and ${VAR:-default} replaced; `$${` stands for `${`. */
bool config_expand(config_reader *r, const yaml_node *n, str *out);
/* Writes what the row's type wants at `to` (which points at the member itself). */
void config_take_scalar(config_reader *r, const config_row *row, const yaml_node *n, void *to);
/* The row's fallback, when it has one. */
void config_take_fallback(const config_row *row, void *to);
/* A text or file:PATH. */
bool config_take_source(config_reader *r, const yaml_node *n, config_text *to);
/* "list", "map", "text": for messages. */
const char *config_kind_name(const yaml_node *n);

bool config_parse_duration(str text, int64_t *ms); /* 250ms 30s 5m 2h 7d */
bool config_parse_size(str text, int64_t *bytes);  /* 512 64KiB 16MiB 1GiB, also KB MB GB */
bool config_parse_int(str text, int64_t *n);
#endif
