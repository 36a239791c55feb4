/* SPDX-License-Identifier: Apache-2.0 */
#include "price_memo.h"

static price_memo_slot *slot_of(price_memo *m, str backend, str model)
{
    uint64_t h = (uint64_t)(uintptr_t)backend.p;
    for (size_t i = 0; i < model.n; i++) h = h * 31 + (unsigned char)model.p[i];
    return &m->of[(h ^ h >> 17) % PRICE_MEMO_SLOTS];
}

const price *price_memo_find(price_memo *m, const prices *p, str backend, str seller, str model)
{
    if (model.n > PRICE_MEMO_NAME) return price_find(p, backend, seller, model);
    price_memo_slot *s = slot_of(m, backend, model);
    bool same = s->serial == prices_serial(p) && s->backend == backend.p &&
                str_eq((str){s->model, s->n}, model);
    if (same) return s->is;
    *s = (price_memo_slot){.serial = prices_serial(p),
                           .backend = backend.p,
                           .is = price_find(p, backend, seller, model),
                           .n = model.n};
    for (size_t i = 0; i < model.n; i++) s->model[i] = model.p[i];
    return s->is;
}
