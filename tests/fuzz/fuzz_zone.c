/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_zone.c - any bytes as a file of a time zone, asked about any moment.
 *
 * The first eight bytes are a moment, the rest the file. What is a zone has an offset that can be
 * at every moment there is, and the same one when asked again. */
#include "../../authz/cel/zone.h"
#include <stdint.h>
#include <stdlib.h>

static void demand(bool holds)
{
    if (!holds) abort();
}

static void ask(const cel_zone *z, int64_t seconds)
{
    int64_t offset = cel_zone_offset(z, seconds);
    demand(offset <= 93599 && offset >= -93599);
    demand(offset == cel_zone_offset(z, seconds));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 8) return 0;
    int64_t moment = 0;
    for (size_t i = 0; i < 8; i++) moment = (int64_t)((uint64_t)moment << 8 | bytes[i]);
    str file = {(const char *)bytes + 8, n - 8};
    (void)cel_zone_name(file);
    arena *a = arena_new();
    const cel_zone *z = cel_zone_parse(a, file);
    if (z) {
        ask(z, moment % 253402300800); /* what a timestamp can hold */
        ask(z, -62135596800);
        ask(z, 253402300799);
        for (int64_t t = -5000000000; t < 5000000000; t += 400000000) ask(z, t);
    }
    arena_free(a);
    return 0;
}
