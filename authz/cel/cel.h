/* SPDX-License-Identifier: Apache-2.0 */
/* cel.h - the Common Expression Language: compile once, evaluate often.
 *
 * Four passes, a file each: lex (bytes to tokens), parse (tokens to a tree, macros expanded),
 * check (names, overloads, types; all problems at once), eval (tree to a value). The engine
 * knows nothing of gateways: the host declares variables and gives their values by slot.
 *
 * Values have a fourth outcome besides value and error: *unknown*, for what is not known yet
 * (a call's arguments while a list is made). && and || absorb it when the other side decides.
 *
 * Ownership: a program belongs to the arena it was compiled in and is immutable: any thread may
 * run it. What an evaluation builds belongs to the scratch arena it is given; values borrow
 * from their inputs. Failure: compiling reports cel_problems; an evaluation error is a value. */
#ifndef SP_CEL_H
#define SP_CEL_H
#include "../../base/err.h"
#include "value.h"

typedef struct cel_program cel_program;

/* What an expression may name. Types are declared for the checker; CEL_T_DYN takes anything.
 * A variable's index in this list is its slot. */
typedef struct {
    str name;
    cel_type type;
} cel_variable;

typedef struct {
    const cel_variable *variables;
    size_t count;
} cel_env;

/* Byte offsets are into the expression text; the caller maps them to file:line:column. */
typedef struct cel_problem {
    size_t offset, length;
    const char *code; /* stable: E001 literal, E002 syntax, E003 types, E004 unknown variable,
                         E005 unknown function, E006 macro, E007 pattern, E008 limit, E009 a text
                         that is no zone, address or range, E010 `!x in y` */
    str text;         /* what is wrong */
    str hint;         /* what to write instead, {0} when there is nothing to say */
    struct cel_problem *next;
} cel_problem;

typedef struct {
    unsigned depth; /* nesting of the source, at most 120; 0: 64 */
    size_t source;  /* bytes; 0: 16 KiB */
} cel_limits;

/* NULL problems: *out is a program. Otherwise *out is NULL and every problem is listed in order. */
const cel_problem *cel_compile(arena *a, str source, const cel_env *env, const cel_limits *limits,
                               cel_program **out);

/* Where time zones with names ("Europe/Paris") come from: *tzif is the bytes of the zone's file,
 * in `a` or of a life as long. Asked while compiling for names that are literals, while evaluating,
 * from any thread, for the others. A name is letters, digits, _ + - and single slashes. */
typedef struct {
    const err *(*load)(void *ctx, arena *a, str name, str *tzif);
    void *ctx;
    bool literals; /* only names that are literals are asked for: evaluating reads nothing */
} cel_zones;

/* For hosts and tests that need more than cel_compile: names are looked up in `container` first;
 * an unchecked program is not refused for its types or names, it errors when it gets there. */
typedef struct {
    cel_limits limits;
    str container;
    bool unchecked;
    cel_zones zones;                      /* none: names of zones are refused, offsets are fine */
    const struct cel_function *functions; /* the host's own, rows as library.h has them; they are
                                             borrowed as long as the program lives */
    size_t function_count;
    const struct cel_ctype *const *shapes; /* by variable: what is known of its type beyond its
                                              kind (types.h); NULL: nothing, of any or of this */
} cel_options;
const cel_problem *cel_compile_with(arena *a, str source, const cel_env *env,
                                    const cel_options *options, cel_program **out);

/* Which variables, and which of their first members, the program reads: for indexing, for caching
 * and for "does this rule read args at all". Member {0} means the whole variable. */
typedef struct {
    size_t slot;
    str member;
} cel_read;
const cel_read *cel_reads(const cel_program *p, size_t *count);
bool cel_reads_slot(const cel_program *p, size_t slot);
cel_type cel_result_type(const cel_program *p);
str cel_result_type_text(arena *a, const cel_program *p); /* "list(int)" */

/* Values by slot. A slot is bound (any value), CEL_UNKNOWN, or left CEL_UNBOUND (an error when
 * read). `lazy`, when set, is asked once for each slot that is still CEL_UNBOUND and read. */
typedef struct cel_bindings {
    cel_value *values;
    size_t count;
    cel_value (*lazy)(void *ctx, size_t slot);
    void *ctx;
    bool exact; /* `unknown ? x : x` is unknown, since the condition may turn out to be an error;
                   else it is x */
    const struct cel_known *known; /* what is said of one unknown (known.h); NULL: nothing */
} cel_bindings;

enum {
    CEL_COST = 100000
}; /* default bound of one evaluation, in nodes visited and bytes touched / 16 */

/* Never fails: the result may be CEL_ERROR or CEL_UNKNOWN. Cost 0 means CEL_COST. */
cel_value cel_eval(const cel_program *p, cel_bindings *b, arena *scratch, uint64_t cost);
#endif
