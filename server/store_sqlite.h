/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.h - base/store.h, base/ledger.h and base/bulletin.h in one SQLite file.
 *
 * Bounds: values by space (rows and bytes) and in all; what would end soonest goes first, and when
 * all of it is too much, from the largest space of the kind that holds the most: a kind that holds
 * little loses nothing to one that holds much. Values that have ended go with writes.
 * The clock of windows is this machine's. Ownership: they live as long as what they were
 * made of. */
#ifndef SP_STORE_SQLITE_H
#define SP_STORE_SQLITE_H
#include "../base/bulletin.h"
#include "../base/ledger.h"
#include "../base/store.h"
#include "sql.h"

typedef struct {
    sql *file;
    int64_t rows, space_bytes, bytes; /* most: of a space, of a space, in all */
} store_file;

store store_sqlite(store_file *f);
ledger ledger_sqlite(sql *q);
bulletin_log bulletin_sqlite(sql *q);
#endif
