/* SPDX-License-Identifier: Apache-2.0 */
/* audit_log.h - the file that decisions are written to, and its one thread.
 *
 * Lines wait in a queue of AUDIT_HELD bytes; the disk thread numbers and chains them
 * (audit_chain.h), writes and syncs. No request waits for the disk; but while the disk does not
 * take what it is given, or the queue is full, nothing more is taken, so that nothing is permitted
 * which nobody could look up. It tries again every second.
 * At the start the last line is read and the chain goes on from it. Half a line at the end (a
 * crash, a full disk) is cut off, which the next line says; a last line that was changed is an
 * error. Ownership: audit_log_free() writes what is left. Threads: the sink any, the rest the main
 * one's. */
#ifndef SP_AUDIT_LOG_H
#define SP_AUDIT_LOG_H
#include "../authz/audit.h"
#include "../base/log.h"
#include "../base/metric.h"

enum { AUDIT_HELD = 8 << 20 };
typedef struct audit_log audit_log;

MUST_CHECK const err *audit_log_new(arena *a, str path, logger *log, metrics *meters,
                                    audit_log **out);
void audit_log_free(audit_log *l); /* NULL is fine */
audit_sink audit_log_sink(audit_log *l);
/* The file may have been moved away: goes on in a new one of the same name. */
void audit_log_reopen(audit_log *l);
/* Why nothing is taken now; {0}: all is well. */
str audit_log_trouble(arena *a, audit_log *l);
#endif
