/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_keys.c - a document of keys is refused with a place, or means the same when written again.
 */
#include "../../authz/key_file.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

static void demand_same(const api_key *x, const api_key *y)
{
    demand(str_eq(x->id, y->id) && x->expires_s == y->expires_s && x->revoked_s == y->revoked_s);
    demand((x->models == NULL) == (y->models == NULL) &&
           (x->servers == NULL) == (y->servers == NULL));
    for (size_t i = 0; x->models && x->models[i].p; i++) demand(str_eq(x->models[i], y->models[i]));
    demand(x->secret_count == y->secret_count && x->budget.micro_usd == y->budget.micro_usd);
    for (size_t i = 0; i < x->secret_count; i++)
        demand(x->secrets[i].until_s == y->secrets[i].until_s &&
               memcmp(x->secrets[i].hash, y->secrets[i].hash, SEAL_HASH_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    problems out;
    const api_key *keys, *again;
    size_t count, same;
    problems_init(&out, a, S("f"));
    if (!key_file_read(a, S("f"), (str){(const char *)p, n}, &out, &keys, &count))
        demand(out.first && str_starts(out.first->text, S("f:")));
    else {
        str text = key_file_write(a, keys, count);
        demand(key_file_read(a, S("g"), text, &out, &again, &same) && same == count);
        for (size_t i = 0; i < count; i++) demand_same(&keys[i], &again[i]);
    }
    arena_free(a);
    return 0;
}
