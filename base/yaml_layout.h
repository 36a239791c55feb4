/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_layout.h - YAML as it was written: with its comments, blank lines, quotes and anchors.
 *
 * For what rewrites a file that people edit. A comment belongs to the entry it stands above, to
 * the entry whose line it ends, or, behind the last entry, to the list or map. Only what
 * yaml_parse() accepts is read, so depth and size are bounded. Ownership: the arena; texts may be
 * views of the source. */
#ifndef SP_YAML_LAYOUT_H
#define SP_YAML_LAYOUT_H
#include "buf.h"
#include "yaml.h"

typedef struct yaml_comment {
    str text;   /* from the # on */
    bool blank; /* an empty line stands above it */
    struct yaml_comment *next;
} yaml_comment;

typedef struct yaml_layout yaml_layout;
struct yaml_layout {
    yaml_kind kind;
    bool flow, alias; /* lists and maps: written [ ] or { } */
    char quote;       /* scalars: ' " | > or 0 for plain */
    str anchor;       /* of &name or *name */
    str text;         /* scalars: the value */
    size_t at, end;   /* scalars, aliases, flow: bytes of the source, an anchor included */
    unsigned line, column;
    yaml_layout *key; /* entries of maps */
    yaml_layout *first, *next;
    size_t count;

    bool blank;          /* as an entry: an empty line stands above it, below its comments */
    yaml_comment *above; /* lines of their own */
    str tail;            /* at the end of the entry's (first) line */
    yaml_comment *below; /* lists and maps: behind the last entry */
};

/* An empty document gives NULL with the comments of the file in *loose. */
MUST_CHECK const err *yaml_layout_read(arena *a, str file, str text, yaml_layout **root,
                                       yaml_comment **loose);
size_t yaml_layout_comments(str text, const yaml_layout *root); /* how many there are */

/* May the text stand without quotes, in a list or map written in one line or not? */
bool yaml_plain(str text, bool flow);
/* In double quotes, with what needs it escaped. */
void yaml_put_double(buf *b, str text);
void yaml_put_single(buf *b, str text); /* text of one line */
#endif
