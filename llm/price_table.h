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
    size_t order; /* where it stood: the first of two that say as much */
    const price *is;
} price_glob;

typedef struct {
    map *exact; /* model -> price; NULL: an empty table */
    price_glob *globs;
    size_t glob_count;
} price_table;
void price_table_sort(price_table *t); /* once, when it is full */

struct prices {
    map *backends; /* backend -> price_table */
    price_table own;
    map *sellers;           /* likewise, of the built-in table */
    const price *otherwise; /* NULL: there is none */
    str date;
};
#endif
