/* SPDX-License-Identifier: Apache-2.0 */
/* session_state.h - what must be remembered of a session: nothing, as long as it is like any other.
 *
 * A row is made with the first thing that differs (a log level, an open GET stream) and goes with
 * the last. Rows count against their caller; who has too many is refused a further one.
 * Threads: any; a short lock per shard. With no row at all a look costs one load. */
#ifndef SP_MCP_SESSION_STATE_H
#define SP_MCP_SESSION_STATE_H
#include "../base/tally.h"
#include "session.h"
#include "tape.h"

enum { SESSION_ROWS_PER_CALLER = 100, SESSION_WISHES = 100, SESSION_LEVEL_NONE = -1 };

typedef struct session_states session_states;
session_states *session_states_new(void);
void session_states_free(session_states *st);

/* `share`: whose rows they are (caller_share). False: he has too many. */
MUST_CHECK bool session_set_level(session_states *st, const session *s, str share, int level);
int session_level(session_states *st, const session *s); /* SESSION_LEVEL_NONE: never set */

/* Resources it wishes to hear of, as its client calls them. False: too many, or too many rows. */
MUST_CHECK bool session_wish(session_states *st, const session *s, str share, str uri);
void session_unwish(session_states *st, const session *s, str uri);
str *session_wishes(session_states *st, const session *s, arena *a, size_t *n); /* copies */

/* A session has one GET stream, known by its tape (kept here). One whose client is away makes room
 * for the next. */
typedef enum { GET_TAKEN, GET_OCCUPIED, GET_TOO_MANY } get_taking;
MUST_CHECK get_taking session_take_get(session_states *st, const session *s, str share, tape *t);
void session_leave_get(session_states *st, const session *s, const tape *t);

void session_forget(session_states *st, const session *s); /* it was ended */
size_t session_rows(session_states *st);                   /* for tests */
#endif
