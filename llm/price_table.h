/* SPDX-License-Identifier: Apache-2.0 */
/* price_table.h - prices as they are kept: what price_read.c makes and price.c looks into.
 *
 * Private to llm/. */
#ifndef SP_LLM_PRICE_TABLE_H
#define SP_LLM_PRICE_TABLE_H
#include "../base/map.h"
#include "price.h"

typedef struct {
    str glob;
    size_t order;   /* where it stood: the first of two that say as much */
    uint64_t pairs; /* of letters in its longest piece without * and ? */
    const price *is;
} price_glob;

typedef struct {
    map *exact; /* model -> price; NULL: an empty table */
    price_glob *globs;
    size_t glob_count, room;
} price_table;
void price_table_put(price_table *t, arena *a, str name, price *is);
void price_table_sort(price_table *t); /* once, when it is full */
enum { PRICE_PLACES = 6, PRICE_DOLLARS_MOST = 1000000, PRICE_TOKENS_MOST = 1000000000 };
bool price_digits(str s, int64_t most, int64_t *out);
/* Dollars, in millionths. */
bool price_dollars(str s, int64_t *out);
/* What was not said (-1) costs what it is a kind of; all else of what was. */
void price_fill(price *p);
void price_read_built_in(arena *a, prices *p);

struct prices {
    map *backends; /* backend -> price_table */
    price_table own;
    map *sellers;           /* likewise, of the built-in table */
    const price *otherwise; /* NULL: there is none */
    str date;
    uint64_t serial;
};
#endif
