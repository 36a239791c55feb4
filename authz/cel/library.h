/* SPDX-License-Identifier: Apache-2.0 */
/* library.h - the functions of CEL as one table of overloads.
 *
 * A row is one overload: name (with its namespace, if any), how it may be called, its signature
 * (types.h) and what runs. Rows of one name stand together. What runs gets arguments of the
 * types its signature says, never an error or an unknown, and a CEL_UNBOUND after the last; an
 * error it gives back needs no place in the source, the caller adds it. */
#ifndef SP_CEL_LIBRARY_H
#define SP_CEL_LIBRARY_H
#include "ast.h"

/* What a running function may use: memory for its result, and a budget it pays from before it
 * does anything that grows with its arguments. */
typedef struct {
    arena *scratch;
    int64_t budget;
    const struct cel_zone_book *zones;
} cel_scope;

static inline bool cel_spend(cel_scope *s, size_t bytes)
{
    s->budget -= (int64_t)(bytes / 16);
    return s->budget >= 0;
}

enum {
    CEL_GLOBAL = 1,
    CEL_METHOD = 2,
    CEL_BOTH = 3,
    CEL_ARGS = 32 /* most arguments of a function */
};

typedef cel_value cel_impl(cel_scope *s, const cel_function *f, const cel_value *args);
struct cel_function {
    const char *name;
    uint8_t styles;
    const char *signature;
    cel_impl *run;
    uint8_t op; /* for rows that share an implementation: which part, or how many arguments */
};

extern const cel_function cel_functions[];
extern const size_t cel_function_count;

/* The rows of that name; *count 0 when there is none. */
const cel_function *cel_function_find(str name, uint16_t *count);
/* The row of a call that takes these arguments, in the order of the table; NULL: none. */
const cel_function *cel_function_for(const cel_node *call, const cel_value *args);

static inline cel_value cel_failed(cel_error code)
{
    return (cel_value){.tag = CEL_ERROR, .code = (uint16_t)code};
}

cel_value cel_optional(cel_scope *s, cel_value inner); /* of CEL_UNBOUND: none */

/* What `op` says in rows of math. */
typedef enum {
    MATH_CEIL,
    MATH_FLOOR,
    MATH_ROUND,
    MATH_TRUNC,
    MATH_SQRT,
    MATH_IS_NAN,
    MATH_IS_INF,
    MATH_IS_FINITE
} cel_rounding;
typedef enum { MATH_AND, MATH_OR, MATH_XOR, MATH_NOT, MATH_LEFT, MATH_RIGHT } cel_bits;

cel_impl cel_fn_declared; /* of a function that is only declared: always an error */

/* What the table points to, by file. */
cel_impl cel_fn_size, cel_fn_starts_with, cel_fn_ends_with, cel_fn_contains,
    cel_fn_matches; /* text.c */
cel_impl cel_fn_to_int, cel_fn_to_uint, cel_fn_to_double, cel_fn_to_string, cel_fn_to_bool;
cel_impl cel_fn_to_bytes, cel_fn_to_timestamp, cel_fn_to_duration, cel_fn_type, cel_fn_dyn;
cel_impl cel_fn_time_part, cel_fn_time_part_zone, cel_fn_duration_part;
cel_impl cel_fn_char_at, cel_fn_index_of, cel_fn_last_index_of, cel_fn_substring; /* strings.c */
cel_impl cel_fn_lower_ascii, cel_fn_upper_ascii, cel_fn_trim, cel_fn_reverse, cel_fn_quote;
cel_impl cel_fn_replace, cel_fn_split, cel_fn_join;
cel_impl cel_fn_greatest, cel_fn_least, cel_fn_rounding, cel_fn_abs, cel_fn_sign,
    cel_fn_bits; /* math.c */
cel_impl cel_fn_optional_of, cel_fn_optional_none, cel_fn_optional_non_zero, cel_fn_has_value;
cel_impl cel_fn_optional_value, cel_fn_optional_or, cel_fn_optional_or_value;
cel_impl cel_fn_format, cel_fn_base64_encode, cel_fn_base64_decode; /* format.c, encode.c */
cel_impl cel_fn_ip, cel_fn_is_ip, cel_fn_ip_canonical, cel_fn_ip_family,
    cel_fn_ip_is; /* network.c */
cel_impl cel_fn_cidr, cel_fn_is_cidr, cel_fn_contains_ip, cel_fn_contains_cidr, cel_fn_cidr_ip;
cel_impl cel_fn_masked, cel_fn_prefix_length;
cel_impl cel_fn_distinct, cel_fn_slice, cel_fn_flatten, cel_fn_sort, cel_fn_range; /* lists.c */
cel_impl cel_fn_list_end, cel_fn_list_reverse;
cel_impl cel_fn_sets_contains, cel_fn_sets_equivalent, cel_fn_sets_intersects;
#endif
