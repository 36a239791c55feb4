/* SPDX-License-Identifier: Apache-2.0 */
/* policy_inventory.h - the one verb of `sallyport policy` that asks servers. */
#ifndef SP_COMMAND_POLICY_INVENTORY_H
#define SP_COMMAND_POLICY_INVENTORY_H
#include "../../base/err.h"

int policy_verb_inventory(arena *a, int argc, char **argv);
#endif
