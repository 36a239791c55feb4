/* SPDX-License-Identifier: Apache-2.0 */
/* config_table.h - the rows from which loader, reference and schema come.
 *
 * A row's path names one key: "limits.body"; "[]" stands for each item of a list and "*" for each
 * name of a map of names. `at` is where the value goes in the struct of its nearest item (or in
 * config itself). Rows stand parent first. A row marked LATER is known and refused: a key this
 * version does not serve must never look as if it worked. */
#ifndef SP_CONFIG_TABLE_H
#define SP_CONFIG_TABLE_H
#include "config.h"

typedef enum {
    CONFIG_MAP,      /* nested keys; at: const yaml_node *, the node itself */
    CONFIG_LIST,     /* of maps; at: config_list of `item` bytes */
    CONFIG_NAMED,    /* map of names to maps; likewise */
    CONFIG_TEXT,     /* str */
    CONFIG_TEXTS,    /* const str *, ends with {0} */
    CONFIG_PAIRS,    /* map of text to text; config_list of config_pair */
    CONFIG_SOURCE,   /* text, or file:PATH; config_text */
    CONFIG_SOURCES,  /* config_list of config_text */
    CONFIG_FILE,     /* a path whose contents are wanted; config_text */
    CONFIG_BOOL,     /* bool */
    CONFIG_INT,      /* int64_t, as all below */
    CONFIG_SIZE,     /* 16MiB */
    CONFIG_DURATION, /* 30s, in milliseconds */
    CONFIG_CHOICE,   /* index in `choices` */
    CONFIG_ANY       /* accepted as it is; at: const yaml_node *, or unused */
} config_type;

enum {
    CONFIG_NEEDED = 1, /* must be given */
    CONFIG_HIDDEN = 2, /* a secret */
    CONFIG_FIXED = 4,  /* a reload cannot change it */
    CONFIG_LATER = 8,  /* not supported by this version */
    CONFIG_EMPTY = 16  /* "" is a value */
};

typedef struct {
    const char *path;
    config_type type;
    size_t at, item;
    unsigned flags;
    int64_t least, most;  /* numbers; most 0: no range */
    const char *fallback; /* as it would be written; NULL: none */
    const char *choices;  /* "a|b" */
    const char *later;    /* choices that this version refuses: "x|y" */
    const char *brief;    /* an item of the list written as plain text gives this member */
    const char *help;
} config_row;

extern const config_row config_rows[]; /* ends with {0} */

/* The rows directly under a prefix ("" for the top, "listen[].", "mcp.servers.*."), one after the
 * other; start with NULL. */
const config_row *config_row_under(const char *prefix, const config_row *after);
/* The last name of the path: "body". */
str config_row_key(const config_row *r);
/* The prefix of a MAP's, LIST's or NAMED's members. */
str config_row_prefix(arena *a, const config_row *r);
/* The i-th of "a|b|c"; p NULL past the end. */
str config_choice(const char *choices, size_t i);
str config_reference(arena *a); /* docs/config.md */
str config_schema(arena *a);    /* docs/sallyport.schema.json */
#endif
