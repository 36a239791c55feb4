/* SPDX-License-Identifier: Apache-2.0 */
/* price.h - what a call to a model costs, in money.
 *
 * Money is a whole number of micro-dollars: what a call costs is rounded up to the next one, once.
 * Prices are USD per million tokens, by model and, where one differs, by backend, from a file of
 * the user's (docs/prices.md) and behind it from a table that is built in: never fetched.
 * An exact name comes before a glob, of globs the one that says more; what is written for the
 * backend before what is written for every one, and both before the built-in table, which is asked
 * for the seller's price first.
 * Not known is not free: then there is no price, unless the file has a default.
 * Ownership: prices live in the arena they were read into. Threads: immutable, any. */
#ifndef SP_LLM_PRICE_H
#define SP_LLM_PRICE_H
#include "../base/yaml.h"
#include "reply.h"

/* In millionths of a micro-dollar (1e-12 USD), a token or a request; each at least 0. */
typedef struct price {
    int64_t input, cached_input, cache_write, cache_write_1h, output, reasoning, request;
    int64_t above;            /* prompts of more tokens cost `then` instead */
    const struct price *then; /* NULL: no such thing */
} price;

typedef struct prices prices;

/* The text of a prices file, with the built-in table behind it; `backends` are the names it may
 * use, ends with {0}. text.p NULL: the built-in table alone. Problems are "file:line:col: what". */
prices *prices_read(arena *a, str file, str text, const str *backends, problems *out);
str prices_date(const prices *p); /* the day of the built-in table: "2026-09-23" */

uint64_t prices_serial(const prices *p); /* no two of a process have the same; never 0 */

/* `seller`: whose backend it is, as the built-in table calls it; {0}: anybody's. NULL: not known.
 */
const price *price_find(const prices *p, str backend, str seller, str model);
int64_t price_cost(const price *p, const llm_usage *u); /* micro-dollars */
#endif
