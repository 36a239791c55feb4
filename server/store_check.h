/* SPDX-License-Identifier: Apache-2.0 */
/* store_check.h - what every store asks of what it is given, whoever keeps it.
 *
 * Pure. An answer that is to be filled in is emptied. */
#ifndef SP_STORE_CHECK_H
#define SP_STORE_CHECK_H
#include "../base/bulletin.h"
#include "../base/ledger.h"
#include "../base/store.h"

MUST_CHECK const err *store_check_key(arena *a, store_key key);
MUST_CHECK const err *store_check_value(arena *a, store_key key, str value);
MUST_CHECK const err *ledger_check_asks(arena *a, const ledger_ask *asks, size_t n,
                                        ledger_grant *grants);
MUST_CHECK const err *ledger_check_slots(arena *a, str holder, ledger_slots *slots, size_t n);
MUST_CHECK const err *bulletin_check(arena *a, const bulletin_told *words, size_t n);
#endif
