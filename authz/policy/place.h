/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - where in the YAML source a byte of a scalar's value was written.
 *
 * Plain, quoted and literal block scalars map exactly; folded ones by line; an alias maps to
 * itself. Never fails: the node's own place is the answer when in doubt. */
#ifndef SP_POLICY_PLACE_H
#define SP_POLICY_PLACE_H
#include "../../base/yaml.h"

typedef struct {
    unsigned line, column; /* from 1; columns count characters */
} policy_place;

policy_place policy_place_of(str source, const yaml_node *n, size_t offset);
/* How many characters of the source, on the line where they begin, `length` bytes from there take.
 */
unsigned policy_place_width(str source, const yaml_node *n, size_t offset, size_t length);
/* Does a comment follow the plain scalar on its line? YAML may have cut an expression short. */
bool policy_place_cut_by_comment(str source, const yaml_node *n);
#endif
