/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.h - when a server is left alone, and how many calls it gets at once.
 *
 * After some failures in a row, or when too large a share of recent calls failed, nothing is sent
 * for a while; then one call goes out as a trial, and its end decides: closed again, or open for
 * twice as long. What a failure is, its user says: no answer that a caller could provoke by asking
 * wrongly, for that would shut a server for all others.
 * Pure but for its atomics; zeroed is closed. Threads: any. */
#ifndef SP_BREAKER_H
#define SP_BREAKER_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned failures;       /* in a row that open it */
    unsigned percent, least; /* or this share of at least so many calls; 0: there is no such rule */
    int64_t window_ms;       /* within which these are counted */
    int64_t pause_ms, pause_most_ms;
    int64_t forgets_ms; /* how long it has to work until the pause is the first one again */
} breaker_rule;
extern const breaker_rule breaker_usual; /* five in a row; 1 s up to 30 s, forgotten at once */

typedef struct {
    atomic_int_fast64_t open_until_ms; /* 0: closed */
    atomic_int_fast64_t closed_ms;     /* when it last closed */
    atomic_uint_fast64_t recent;       /* private: the window, failures and calls in it */
    atomic_uint failures, trips;       /* in a row; how often opened since it last worked */
    atomic_uint calls;                 /* now */
    atomic_bool trying;
} breaker;

typedef enum { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_TRIAL } breaker_state;
breaker_state breaker_look(const breaker *b, int64_t now_ms);
bool breaker_lets_in(const breaker *b, int64_t now_ms); /* would breaker_begin? */

/* May a call go? CLOSED: yes; TRIAL: yes, it is the one; OPEN: no. What may is to be ended. */
breaker_state breaker_begin(breaker *b, int64_t now_ms);
void breaker_end(breaker *b, breaker_state began);
void breaker_worked(breaker *b, const breaker_rule *rule, int64_t now_ms);
bool breaker_failed(breaker *b, const breaker_rule *rule,
                    int64_t now_ms); /* true: it opened with this */

/* One more call at a time. False: there are `most` (0: no bound). */
bool breaker_enter(breaker *b, unsigned most);
void breaker_leave(breaker *b);
#endif
