/* SPDX-License-Identifier: Apache-2.0 */
/* pages.h - large memory of which little may ever be used: zeroed, and only what is touched costs.
 *
 * malloc cannot promise that: what it cuts from its heap it may have to clear. No memory: abort(),
 * as everywhere. Threads: any. */
#ifndef SP_PAGES_H
#define SP_PAGES_H
#include <stddef.h>

void *pages_new(size_t count, size_t size);
void pages_free(void *p, size_t count, size_t size); /* NULL is fine */
#endif
