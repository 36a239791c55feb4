/* SPDX-License-Identifier: Apache-2.0 */
/* convert.h - between scalars and their text.
 *
 * Each gives a value or CEL_ERROR (without a place in the source: the caller knows it). */
#ifndef SP_CEL_CONVERT_H
#define SP_CEL_CONVERT_H
#include "value.h"

cel_value cel_convert_int(cel_value v);
cel_value cel_convert_uint(cel_value v);
cel_value cel_convert_double(arena *a, cel_value v);
cel_value cel_convert_bool(cel_value v);
cel_value cel_convert_string(arena *a, cel_value v);
cel_value cel_convert_bytes(cel_value v);
str cel_convert_text(arena *a, cel_value v); /* of a scalar, an IP, a CIDR; {0} when it has none */
str cel_convert_decimal(arena *a, double d); /* never with an exponent: 1000000, Infinity */
#endif
