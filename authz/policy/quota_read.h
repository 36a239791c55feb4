/* SPDX-License-Identifier: Apache-2.0 */
/* quota_read.h - `quotas:` of a policy file, read and compiled. */
#ifndef SP_POLICY_QUOTA_READ_H
#define SP_POLICY_QUOTA_READ_H
#include "reading.h"

void policy_quotas_read(policy_reading *r, const yaml_node *quotas);
/* When all files are read: do rules that ask what remains of a quota name one there is? Marks
 * those they name. */
void policy_quotas_link(policy_draft *d);
#endif
