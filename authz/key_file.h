/* SPDX-License-Identifier: Apache-2.0 */
/* key_file.h - virtual keys as a document: YAML that people read and `sallyport key` writes.
 *
 *   version: 1
 *   keys:
 *     - id: 3fa94c0b12de
 *       name: ci of team a
 *       created: 2026-11-26T01:40:00Z
 *       expires: 2027-01-01T00:00:00Z          # left out: never
 *       revoked: 2026-12-01T09:00:00Z          # left out: it is in force
 *       claims: {"team": "a"}                  # jwt of rules; left out: none
 *       models: ["gpt-4o*"]                    # globs of all it may use; left out: what rules say
 *       servers: ["github"]
 *       budget: { usd: 20, window: month }
 *       secrets:
 *         - { hash: "…" }                      # 43 characters
 *         - { hash: "…", until: 2026-12-02T00:00:00Z }
 *
 * Pure. Ownership: keys are views of `text` and of the arena. */
#ifndef SP_KEY_FILE_H
#define SP_KEY_FILE_H
#include "../base/yaml.h"
#include "api_key.h"

enum { KEY_NAME_MOST = 100, KEY_LIST_MOST = 1000 };

/* Empty text: no keys. Every problem is "file:line:col: what"; false when there was one. */
bool key_file_read(arena *a, str file, str text, problems *out, const api_key **keys,
                   size_t *count);
str key_file_write(arena *a, const api_key *keys, size_t count);
/* "20" or "0.5" US dollars as millionths; false: it is no such amount, or more than a billion. */
bool key_money(str text, int64_t *micro_usd);
#endif
