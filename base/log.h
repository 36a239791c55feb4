/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one JSON line per event, for a person with a grep.
 *
 * {"time":…,"level":"warn","event":"upstream is down","server":"github","error":"…"}
 * Text from peers is escaped for control and bidirectional characters. Secrets have no way
 * in: callers pass names and reasons, never headers or bodies.
 * Threads: any; a line is one write(2). Failure: a line that cannot be written is dropped. */
#ifndef SP_LOG_H
#define SP_LOG_H
#include "arena.h"

typedef enum { LOG_DEBUG_LEVEL, LOG_INFO_LEVEL, LOG_WARN_LEVEL, LOG_ERROR_LEVEL } log_level;

typedef struct logger logger;
typedef struct {
    const char *key;
    str value;
} log_fact; /* lists end with {0} */

logger *log_new(int fd, log_level least); /* the fd stays the caller's */
void log_free(logger *l);
void log_say(logger *l, log_level level, const char *event, const log_fact *facts);
void log_raw(logger *l, str line); /* a line made elsewhere (access log); '\n' is added */
#endif
