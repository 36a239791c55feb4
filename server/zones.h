/* SPDX-License-Identifier: Apache-2.0 */
/* zones.h - time zones by name, from this machine's own files (/usr/share/zoneinfo, tzdata).
 *
 * A policy reads a zone once, when it is loaded: a new tzdata is in force after the next reload. */
#ifndef SP_ZONES_H
#define SP_ZONES_H
#include "../authz/cel/cel.h"

extern const cel_zones zones_of_system;
#endif
