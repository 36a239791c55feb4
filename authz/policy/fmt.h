/* SPDX-License-Identifier: Apache-2.0 */
/* fmt.h - policy files in the one layout every policy file has.
 *
 * Keys in their order, two spaces a level, expressions as cel_print() lays them out and quoted
 * only where YAML needs it. What a person chose stays: comments, empty lines between entries,
 * anchors, one line or many for a list, quotes that say "this is text". An expression YAML cannot
 * read without quotes gets them. What comes out says the same as what went in, or nothing comes
 * out; formatting it again changes nothing. */
#ifndef SP_POLICY_FMT_H
#define SP_POLICY_FMT_H
#include "../../base/err.h"

/* The error is "FILE:LINE:COL: what". */
MUST_CHECK const err *policy_fmt(arena *a, str file, str text, str *out);
#endif
