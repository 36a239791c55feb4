/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <stdlib.h>
#include <sys/mman.h>

static size_t bytes_of(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) abort();
    return bytes;
}

void *pages_new(size_t count, size_t size)
{
    void *p = mmap(NULL, bytes_of(count, size), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) abort();
    return p;
}

void pages_free(void *p, size_t count, size_t size)
{
    if (p) (void)munmap(p, bytes_of(count, size));
}
