/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.h - when a server is left alone, and how many calls it gets at once.
 *
 * After some failures in a row nothing is sent for a while; then one call goes out as a trial, and
 * its end decides: closed again, or open for twice as long. A failure is a server that cannot be
 * reached, hangs, or says that something behind it is gone; an answer of any other kind is an
 * answer, for a caller must not be able to shut a server for all others by asking wrongly.
 * Pure but for its atomics; zeroed is closed. Threads: any. */
#ifndef SP_MCP_BREAKER_H
#define SP_MCP_BREAKER_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    atomic_int_fast64_t open_until_ms; /* 0: closed */
    atomic_uint failures, trips;       /* in a row; how often opened since it last worked */
    atomic_uint calls;                 /* now */
    atomic_bool trying;
} breaker;

typedef enum { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_TRIAL } breaker_state;
breaker_state breaker_look(const breaker *b, int64_t now_ms);

/* May a call go? CLOSED: yes; TRIAL: yes, it is the one; OPEN: no. What may is to be ended. */
breaker_state breaker_begin(breaker *b, int64_t now_ms);
void breaker_end(breaker *b, breaker_state began);
void breaker_worked(breaker *b);
bool breaker_failed(breaker *b, int64_t now_ms); /* true: it opened with this */

/* One more call at a time. False: there are `most` (0: no bound). */
bool breaker_enter(breaker *b, unsigned most);
void breaker_leave(breaker *b);
#endif
