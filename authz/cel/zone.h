/* SPDX-License-Identifier: Apache-2.0 */
/* zone.h - time zones with names, from the bytes of the files that describe them.
 *
 * A zone is what RFC 8536 calls TZif, version 2 or later: moments at which the offset changes,
 * and a rule for the time after the last of them. Nothing here opens a file: the host hands the
 * bytes over (cel_zones), once for each name a program has as a literal. Bytes that break any
 * bound are no zone. Ownership: a zone borrows the bytes. Threads: immutable once parsed. */
#ifndef SP_CEL_ZONE_H
#define SP_CEL_ZONE_H
#include "cel.h"

typedef struct cel_zone cel_zone;

const cel_zone *cel_zone_parse(arena *a, str tzif); /* NULL: it is none */
int64_t cel_zone_offset(const cel_zone *z,
                        int64_t seconds); /* east of UTC, at seconds since 1970 */
/* Letters, digits, '_', '+' and '-' between single slashes: never a path out of a folder. */
bool cel_zone_name(str name);

/* The zones of a program, filled while it is compiled. */
typedef struct cel_zone_entry cel_zone_entry;
typedef struct cel_zone_book {
    cel_zones source;
    cel_zone_entry *first;
} cel_zone_book;

/* NULL, or why there is no such zone. */
const char *cel_zone_learn(cel_zone_book *book, arena *a, str name);
const cel_zone *cel_zone_known(const cel_zone_book *book, str name); /* NULL: not learned */
const cel_zone *cel_zone_load(const cel_zone_book *book, arena *a, str name); /* NULL: none */
#endif
