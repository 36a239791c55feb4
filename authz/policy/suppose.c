/* SPDX-License-Identifier: Apache-2.0 */
/* suppose.c - counting through the values of several arguments, like a clock. */
#include "suppose.h"
#include "fit.h"

bool policy_suppose(const policy_ask *k, policy_supposed *s)
{
    const policy_schema *schema = k->q->schema;
    size_t tries = 1;
    *s = (policy_supposed){.known = schema->known};
    for (size_t i = 0; i < schema->known.count; i++) {
        size_t values = schema->values[i].count;
        if (values < 2 || values > SUPPOSITIONS / tries) continue;
        if (!policy_fit_is_read(k, schema->known.members[i].name)) continue;
        tries *= values;
        s->which[s->count++] = i;
    }
    if (!s->count) return false;
    s->hints = NEW_N(k->scratch, cel_hint, schema->known.count);
    for (size_t i = 0; i < schema->known.count; i++) s->hints[i] = schema->known.members[i];
    for (size_t i = 0; i < s->count; i++)
        s->hints[s->which[i]].value = schema->values[s->which[i]].values[0];
    s->known.members = s->hints;
    return true;
}

bool policy_suppose_next(const policy_schema *schema, policy_supposed *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const policy_values *v = &schema->values[s->which[i]];
        s->turns[i] = (s->turns[i] + 1) % v->count;
        s->hints[s->which[i]].value = v->values[s->turns[i]];
        if (s->turns[i]) return true;
    }
    return false;
}
