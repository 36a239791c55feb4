/* SPDX-License-Identifier: Apache-2.0 */
/* demo_world.h - what the demo's gateway calls: two MCP servers and a model, on one thread.
 *
 * /weather/mcp speaks MCP 2026-07-28, /notes/mcp the era of handshakes; /v1/chat/completions
 * answers like OpenAI. Notes are kept in memory, at most DEMO_NOTES. Threads: demo_world_new/free
 * the main thread's; the rest its own. */
#ifndef SP_DEMO_WORLD_H
#define SP_DEMO_WORLD_H
#include "../../base/log.h"
#include "../../transport/exchange.h"

enum { DEMO_NOTES = 100, DEMO_NOTE_BYTES = 16384 };
typedef struct demo_world demo_world;

MUST_CHECK const err *demo_world_new(arena *a, logger *log, demo_world **out);
str demo_world_address(const demo_world *w); /* "127.0.0.1:40123" */
void demo_world_free(demo_world *w);

/* For the world's own parts */

typedef struct demo_notes demo_notes;
demo_notes *demo_notes_new(void);
void demo_notes_free(demo_notes *n);
/* A whole POST to an MCP server; status 202: no body. */
int demo_tools_answer(demo_notes *notes, bool modern, arena *a, str body, str *reply);
/* A chat completion. True: *events is what to stream, one after the other, ends with {0}. */
bool demo_model_answer(arena *a, str body, int *status, str *reply, const str **events);
#endif
