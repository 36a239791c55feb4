/* SPDX-License-Identifier: Apache-2.0 */
/* value.h - a CEL value: small, by value, borrowing what it points to.
 *
 * JSON trees are not copied: an object or array from jansson is wrapped as it is and read
 * lazily. Strings are views. What an evaluation makes (concatenations, lists) lives in its
 * scratch arena. An error carries a code and where in the source it arose; its text is made
 * only when somebody looks. */
#ifndef SP_CEL_VALUE_H
#define SP_CEL_VALUE_H
#include "../../base/arena.h"
#include <jansson.h>
#include <stdint.h>

typedef enum {
    CEL_UNBOUND, /* zero: not a value */
    CEL_NULL,
    CEL_BOOL,
    CEL_INT,
    CEL_UINT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_BYTES,
    CEL_LIST, /* a list built by the evaluator or the host */
    CEL_MAP,  /* a map built by the evaluator or the host */
    CEL_TYPE,
    CEL_TIMESTAMP, /* ns since 1970 do not fit: seconds in i, nanos in n */
    CEL_DURATION,  /* nanoseconds */
    CEL_OPAQUE,    /* an optional, an IP or a CIDR: code says which */
    CEL_ERROR,
    CEL_UNKNOWN,
    CEL_TAGS
} cel_tag;

/* Static types for the checker. Parameterised types keep their element loosely (dyn) for now. */
typedef enum {
    CEL_T_DYN,
    CEL_T_NULL,
    CEL_T_BOOL,
    CEL_T_INT,
    CEL_T_UINT,
    CEL_T_DOUBLE,
    CEL_T_STRING,
    CEL_T_BYTES,
    CEL_T_LIST,
    CEL_T_MAP,
    CEL_T_TYPE,
    CEL_T_TIMESTAMP,
    CEL_T_DURATION,
    CEL_T_OPTIONAL,
    CEL_T_IP,   /* net.IP */
    CEL_T_CIDR, /* net.CIDR */
    CEL_T_KINDS
} cel_type;

typedef enum {
    CEL_NO_ERROR,
    CEL_NO_SUCH_KEY,
    CEL_NO_SUCH_OVERLOAD,
    CEL_OVERFLOW,
    CEL_DIVIDE_BY_ZERO,
    CEL_OUT_OF_RANGE,
    CEL_BAD_ARGUMENT, /* a bad pattern, a bad conversion */
    CEL_UNBOUND_VARIABLE,
    CEL_COST_EXCEEDED
} cel_error;

typedef struct cel_list cel_list;
typedef struct cel_map cel_map;

typedef struct cel_value {
    uint8_t tag;   /* cel_tag */
    uint8_t json;  /* LIST, MAP: u.json is set instead of u.list, u.map */
    uint16_t code; /* ERROR: cel_error; OPAQUE: cel_type */
    uint32_t n;    /* STRING, BYTES: length; TIMESTAMP: nanos; ERROR: source offset */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        const char *s;
        const json_t *json;
        const cel_list *list;
        const cel_map *map;
        uint64_t unknown; /* UNKNOWN: bit per variable slot */
        cel_type type;
        const struct cel_value *inner; /* OPAQUE optional: NULL is none */
        const struct cel_net *net;     /* OPAQUE IP, CIDR: never NULL (network.h) */
    } u;
} cel_value;

struct cel_list {
    size_t count;
    const cel_value *items;
};
typedef struct {
    cel_value key, value;
} cel_entry;
struct cel_map {
    size_t count;
    const cel_entry *entries; /* in insertion order */
    const uint32_t *order;    /* numbers of the entries by key, when all are strings; or NULL */
};

cel_value cel_bool(bool b);
cel_value cel_int(int64_t i);
cel_value cel_string(str s);
cel_value
cel_of_json(const json_t *j); /* NULL gives CEL_NULL; integers stay integers, reals doubles */
cel_value cel_unknown(size_t slot);
cel_value cel_fields(arena *a, const cel_entry *entries,
                     size_t count); /* a map of the host's own making; entries are not copied */
cel_value cel_strings(arena *a, const str *items, size_t count);
str cel_text(cel_value v); /* of a STRING or BYTES */
bool cel_is_true(cel_value v);
str cel_error_text(arena *a, cel_value v, str source); /* "no such key 'x' at 12", for people */
json_t *cel_to_json(arena *a, cel_value v); /* for `eval` and explanations; owned by the arena */
bool cel_equal(cel_value a, cel_value b);
#endif
