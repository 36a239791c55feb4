/* SPDX-License-Identifier: Apache-2.0 */
/* export.h - a request's record, written where operators look: the access log and the metrics.
 *
 * A worker puts its lines into a buffer of its own and hands them over once a turn; one thread
 * writes. So a slow disk or a full pipe never stops a worker: when EXPORT_HELD bytes wait to be
 * written, further lines are dropped and counted, and the log says so.
 * Ownership: export_worker belongs to its worker and goes first. Threads: export_worker_* the
 * worker's; export_new/free the main thread's. */
#ifndef SP_EXPORT_H
#define SP_EXPORT_H
#include "../base/buf.h"
#include "../base/log.h"
#include "../base/metric.h"
#include "../transport/exchange.h"

enum { EXPORT_HELD = 8 << 20 };
typedef struct export export;
typedef struct export_worker export_worker;

/* to: stdout, stderr, none, or a file that is appended to. */
MUST_CHECK const err *export_new(arena *a, str to, logger *log, metrics *meters, export **out);
void export_free(export *e); /* writes what is left */

export_worker *export_worker_new(export *e, loop *l);
void export_worker_free(export_worker *w);

/* Once for each request, when its record is complete. */
void export_request(export_worker *w, exchange *x);

/* One line without its newline, for tests. */
void export_line(buf *out, const record *r, int64_t wall_ms);
#endif
