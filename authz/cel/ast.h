/* SPDX-License-Identifier: Apache-2.0 */
/* ast.h - the tree between the passes of the CEL engine.
 *
 * parse makes it, check resolves names and types in it, plan rewrites what can be done once,
 * eval walks it. Nodes live in the arena of the program and are written by the compiler only.
 * && and || hold all their terms in one node, so a long chain does not recurse; a comprehension
 * is a node of its own, not the generic fold of the specification. */
#ifndef SP_CEL_AST_H
#define SP_CEL_AST_H
#include "problem.h"
#include "types.h"
#include "value.h"

typedef enum {
    NODE_CONST,  /* value */
    NODE_NAME,   /* name; gone after check */
    NODE_VAR,    /* slot of the host's variables */
    NODE_LOCAL,  /* slot of the run's locals; kids[0] the initialiser when cel.bind made it */
    NODE_PATH,   /* slot, then keys: made by plan from a select chain over a variable */
    NODE_SELECT, /* kids[0], name */
    NODE_HAS,    /* kids[0], name */
    NODE_INDEX,  /* kids[0], kids[1] */
    NODE_ARITH,  /* op, two kids */
    NODE_EQUAL,  /* op, two kids */
    NODE_ORDER,  /* op, two kids */
    NODE_IN,     /* two kids; set when the right one is constant */
    NODE_NOT,
    NODE_NEGATE,
    NODE_AND, /* two or more kids */
    NODE_OR,
    NODE_IF,      /* three kids */
    NODE_CALL,    /* name, kids; a receiver is kids[0] */
    NODE_MATCHES, /* kids[0] against a constant pattern */
    NODE_LIST,    /* kids */
    NODE_MAP,     /* kids: key, value, key, value … */
    NODE_FOLD,    /* op: cel_fold_kind; kids: range, predicate, result, key */
    NODE_BIND,    /* slot; kids: initialiser, body */
    NODE_FAIL     /* an unchecked program named what is not there */
} cel_node_kind;

typedef enum {
    OP_ADD,
    OP_SUB,
    OP_MUL,
    OP_DIV,
    OP_MOD,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_AND,
    OP_OR,
    OP_COUNT
} cel_op;

typedef enum {
    FOLD_ALL,
    FOLD_EXISTS,
    FOLD_ONE,
    FOLD_LIST,       /* map, filter, transformList: predicate and result are both optional */
    FOLD_MAP,        /* transformMap: the key stays */
    FOLD_ENTRY,      /* transformMapEntry: kids[2] is the value, kids[3] the key */
    FOLD_OPTION,     /* optMap: the range is an optional */
    FOLD_OPTION_FLAT /* optFlatMap: the result is one too */
} cel_fold_kind;

enum {
    NODE_RECEIVER = 1, /* CALL: written x.f(...) */
    NODE_ROOTED = 2,   /* NAME: written .x */
    NODE_MAYBE = 4,    /* SELECT, INDEX: written .? or [?; LIST, MAP: has an element written so */
    NODE_ELEMENT = 8,  /* an element of a list, or a key of a map, written ?e */
    NODE_SHARED = 16   /* PATH: some of its keys have a place */
};

/* op of CALL: its one row takes two strings, as startsWith, endsWith and contains do. */
enum { CALL_TEXTS = 1 };

typedef struct cel_function cel_function;
typedef struct cel_set cel_set;
typedef struct cel_regex cel_regex;

typedef struct {
    str name;
    uint32_t at;    /* where it stands in the source */
    uint32_t place; /* PATH: what is found here is kept at this place of the run; 0: nowhere */
} cel_key;

typedef struct cel_node cel_node;
struct cel_node {
    uint8_t kind, op, flags;
    bool two;                /* FOLD: has a second variable */
    uint16_t height;         /* of the tree below, itself included */
    uint16_t rows;           /* CALL: how many functions stand at `function` */
    uint32_t offset, length; /* the whole expression */
    uint32_t at, at_length;  /* the operator or name, where errors point to */
    uint32_t count;          /* of kids, or of keys */
    uint32_t slot;
    str name;  /* FOLD, BIND: the variable */
    str name2; /* FOLD: the second one */
    cel_node **kids;
    cel_value value;
    const cel_ctype *type;
    union {
        const cel_function *function;
        const cel_set *set;
        const cel_regex *regex;
        const cel_key *keys;
    } x;
};

struct cel_program {
    str source;
    cel_node *root;
    const cel_read *reads;
    size_t read_count;
    uint32_t places; /* of paths that begin alike; the first has number 1 */
    const struct cel_zone_book *zones;
};

cel_op cel_op_turned(cel_op op); /* x < y said of y: y > x */

enum {
    CEL_LOCALS = 128, /* variables of macros */
    CEL_HEIGHT = 250, /* nodes from root to leaf */
    CEL_PLACES = 15
};
#endif
