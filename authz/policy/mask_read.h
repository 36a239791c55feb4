/* SPDX-License-Identifier: Apache-2.0 */
/* mask_read.h - `masks:` of a policy file. */
#ifndef SP_POLICY_MASK_READ_H
#define SP_POLICY_MASK_READ_H
#include "reading.h"

typedef struct mask_node {
    policy_mask mask;
    struct mask_node *next;
} mask_node;

void policy_masks_read(policy_reading *r, const yaml_node *masks);
#endif
