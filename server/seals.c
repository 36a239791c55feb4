/* SPDX-License-Identifier: Apache-2.0 */
#include "seals.h"

const err *seals_new(arena *a, const config *c, sealer **out)
{
    const config_text *from = c->seal_keys.items;
    str *keys = NEW_N(a, str, c->seal_keys.count + 1);
    for (size_t i = 0; i < c->seal_keys.count; i++) keys[i] = from[i].value;
    return sealer_new(a, keys, out);
}
