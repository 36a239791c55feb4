/* SPDX-License-Identifier: Apache-2.0 */
/* reading.h - nodes of a policy file as text, flags and names, for file.c and what it reads with.
 *
 * What is not as it must be is a problem with its place, and reading goes on, so that all of them
 * are told at once. Ownership: the draft's arena. */
#ifndef SP_POLICY_READING_H
#define SP_POLICY_READING_H
#include "compile.h"

typedef struct {
    policy_draft *d;
    const policy_source *source;
    policy_scope scope; /* outlives the reading: rules point to it */
} policy_reading;

#define WRONG(r, n, ...)     problems_add((r)->d->out, (n)->line, (n)->column, __VA_ARGS__)
#define WRONG_KEY(r, n, ...) problems_add((r)->d->out, (n)->key_line, (n)->key_column, __VA_ARGS__)

enum { READING_ID_MOST = 128, READING_MESSAGE_MOST = 1024 };

/* Complains about keys that are not in the list (ends with {0}), with the nearest that is. */
void reading_keys(policy_reading *r, const yaml_node *entries, const str *known, const char *where);
bool reading_want(policy_reading *r, const yaml_node *n, yaml_kind kind, const char *what);
/* {0} and a problem when it is empty, longer than `most` bytes or no text. */
str reading_text(policy_reading *r, const yaml_node *n, size_t most, const char *what);
bool reading_flag(policy_reading *r, const yaml_node *n, const char *what);
/* One text or a list of texts, as views that end with {0}. */
const str *reading_texts(policy_reading *r, const yaml_node *n, size_t most, const char *what);
/* "fs/x", a list of them, or a map {tools: …, models: …}, into names[SUBJECTS]. */
void reading_names(policy_reading *r, const yaml_node *n, const str **names);
#endif
