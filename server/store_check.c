/* SPDX-License-Identifier: Apache-2.0 */
#include "store_check.h"

#include "window.h"

const err *store_check_key(arena *a, store_key key)
{
    if (key.space.n <= STORE_KEY_MOST && key.name.n <= STORE_KEY_MOST) return NULL;
    return err_new(a, ERR_TOO_LARGE, "store: a key of %zu bytes", key.name.n);
}

const err *store_check_value(arena *a, store_key key, str value)
{
    const err *e = store_check_key(a, key);
    if (e || value.n <= STORE_VALUE_MOST) return e;
    return err_new(a, ERR_TOO_LARGE, "store: a value of %zu bytes", value.n);
}

static bool is_sound(const ledger_ask *k)
{
    return window_is_sound(&k->cell) && k->limit >= 0 && k->want >= 0 &&
           k->want <= LEDGER_UNITS_MOST && k->lease.n <= LEDGER_LEASE_MOST &&
           (k->lease.n || !k->want);
}

const err *ledger_check_asks(arena *a, const ledger_ask *asks, size_t n, ledger_grant *grants)
{
    for (size_t i = 0; i < n; i++) {
        grants[i] = (ledger_grant){0};
        if (n > LEDGER_BATCH_MOST || !is_sound(&asks[i]))
            return err_new(a, ERR_BUG, "store: no question for a ledger");
    }
    return NULL;
}

const err *ledger_check_slots(arena *a, str holder, ledger_slots *slots, size_t n)
{
    bool sound = holder.n && holder.n <= LEDGER_LEASE_MOST && n <= LEDGER_BATCH_MOST;
    for (size_t i = 0; i < n; i++) {
        slots[i].held = 0;
        sound = sound && slots[i].cell.n && slots[i].cell.n <= LEDGER_CELL_MOST &&
                slots[i].want >= 0 && slots[i].want <= LEDGER_UNITS_MOST && slots[i].limit >= 0;
    }
    return sound ? NULL : err_new(a, ERR_BUG, "store: no question for slots");
}

const err *bulletin_check(arena *a, const bulletin_told *words, size_t n)
{
    bool sound = n <= BULLETIN_APPEND_MOST;
    for (size_t i = 0; i < n && sound; i++) sound = bulletin_is_sound(words[i].word);
    return sound ? NULL : err_new(a, ERR_BUG, "store: no word for a bulletin");
}
