/* SPDX-License-Identifier: Apache-2.0 */
/* tools_verb.h - what the verbs of `sallyport tools` have in common. */
#ifndef SP_COMMAND_TOOLS_VERB_H
#define SP_COMMAND_TOOLS_VERB_H
#include "../../mcp/pins.h"
#include "../inspect.h"
#include "command.h"

/* Asks the servers; 0, or the exit code after it was said why not. */
int tools_verb_ask(arena *a, const char *file, inspection **out);
/* Says which servers did not answer; how many. */
size_t tools_verb_say_missing(const inspection *i);
/* Says what is odd about the texts of these servers' tools. */
void tools_verb_warn(arena *a, const inspection *i);

int tools_verb_pin(arena *a, int argc, char **argv);
int tools_verb_diff(arena *a, int argc, char **argv);
#endif
