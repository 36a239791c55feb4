/* SPDX-License-Identifier: Apache-2.0 */
/* seals.h - the sealer that a configuration's seal_keys make. */
#ifndef SP_SEALS_H
#define SP_SEALS_H
#include "../authz/seal.h"
#include "config.h"

MUST_CHECK const err *seals_new(arena *a, const config *c, sealer **out); /* in `a` */
#endif
