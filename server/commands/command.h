/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - what a person can type, one row each.
 *
 * Exit codes: 0 done, 1 something was wrong with what was asked about, 2 the command line itself.
 * Commands write results to stdout and everything else to stderr. */
#ifndef SP_COMMAND_H
#define SP_COMMAND_H
#include "../../base/err.h"

typedef struct {
    const char *name;
    int (*run)(arena *a, int argc, char **argv); /* argv[0] is the command's own name */
    const char *brief;                           /* NULL: not listed */
    const char *help;                            /* a page; NULL: the command prints its own */
} command;

extern const command commands[]; /* ends with {0} */
int command_main(int argc, char **argv);
/* `sallyport policy check …`: runs the row of `verbs` that argv[1] names. The verb is run with
 * "policy check" for its argv[0]. */
int command_verb(arena *a, const command *verbs, int argc, char **argv);

int command_serve(arena *a, int argc, char **argv);
int command_demo(arena *a, int argc, char **argv);
int command_check(arena *a, int argc, char **argv);
int command_policy(arena *a, int argc, char **argv);
int command_tools(arena *a, int argc, char **argv);
int command_key(arena *a, int argc, char **argv);
int command_audit(arena *a, int argc, char **argv);
int command_help(arena *a, int argc, char **argv);
int command_version(arena *a, int argc, char **argv);
int command_child(arena *a, int argc, char **argv);

/* Options stand anywhere, as `--name value` or `--name=value`; what is no option goes to `rest`
 * (argc entries at most). One with both `value` and `given` may stand without a value, and then has
 * it only behind a `=`. */
typedef struct {
    const char *name, *brief_name; /* "--config", "-c" */
    const char **value;            /* NULL: it takes none */
    bool *given;                   /* set when it stands there; NULL: not asked */
} command_option;                  /* lists end with {0} */
/* False: a usage error was printed. */
bool command_options(int argc, char **argv, const command_option *options, const char **rest,
                     int *count);
bool command_is_port(const char *text);                /* a number from 0 to 65535 */
int command_usage(const char *name, const char *what); /* prints, gives 2 */
int command_fail(const err *e);                        /* prints, gives 1 */
/* Somebody's text for a terminal: nothing in it that moves a cursor or hides. */
str command_plain(arena *a, str text);
int command_print(str text); /* to stdout; gives 0, or 1 when that fails */
#endif
