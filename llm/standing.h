/* SPDX-License-Identifier: Apache-2.0 */
/* standing.h - how a backend is doing: whether it works, and how much more it takes.
 *
 * One for each backend, for the whole process: all workers learn from what one of them met, and a
 * reload forgets nothing. Within it each model that has been answered for has a place of its own,
 * since providers count and fail by model; the first STANDING_MODELS of them, the rest share the
 * backend's. A backend is out while its breaker (or the model's) is open, and full while it has no
 * room (room.h) by its limits, by what it said, or after a 429.
 * Ownership: a standing is counted, by the snapshots that name it. Threads: any; a short lock. */
#ifndef SP_LLM_STANDING_H
#define SP_LLM_STANDING_H
#include "../base/breaker.h"
#include "room.h"

enum { STANDING_MODELS = 64 };
typedef struct standing standing;
typedef struct standings standings;

standings *standings_new(void);
void standings_free(standings *all); /* after every snapshot; NULL is fine */
standing *standing_of(standings *all, str name, str url);
void standing_drop(void *dropped);

typedef struct {
    str model;
    llm_limit of[UNITS];
} llm_model_limits;
/* What the configuration says of it; part of a snapshot. */
typedef struct {
    llm_limit of[UNITS];
    const llm_model_limits *models; /* ends with {0} */
    breaker_rule breaker;
} standing_terms;

typedef struct {
    str model; /* as the backend knows it */
    int64_t tokens, now_ms;
    bool alone; /* nobody else could answer: only the configured limits hold it back */
} standing_ask;
typedef enum { STANDING_GOOD, STANDING_OUT, STANDING_FULL } standing_kind;
typedef struct {
    standing_kind kind;
    int64_t until_ms; /* OUT, FULL */
} standing_view;
standing_view standing_look(standing *s, const standing_terms *t, const standing_ask *k);

/* One attempt, from before it is sent until it is over. */
typedef struct {
    standing *of; /* NULL: nothing is held */
    const standing_terms *terms;
    str model;
    int64_t tokens;
    room_share whole, one; /* of the backend, of its model */
    breaker_state passed, passed_model;
    bool has_model, judged;
} standing_hold;
/* False: it is full, until *full_ms. One that is out is asked all the same: somebody wants it so.
 */
bool standing_begin(standing *s, const standing_terms *t, const standing_ask *k, standing_hold *h,
                    int64_t *full_ms);
/* Its answer, as far as that speaks of limits. */
typedef struct {
    int status;
    const header *headers;
    int64_t wall_ms, now_ms;
} standing_answer;
void standing_heard(standing_hold *h, const standing_answer *a);
void standing_answers(standing_hold *h, int64_t now_ms); /* it works, though it goes on */

typedef enum {
    STANDING_UNASKED, /* it never went: nothing was learned, all is given back */
    STANDING_UNKNOWN, /* it was cancelled */
    STANDING_WORKED,
    STANDING_FAILED
} standing_end_kind;
typedef struct {
    standing_end_kind how;
    bool reached;   /* it had answered, so a failure is the model's */
    int64_t tokens; /* used; -1: as estimated */
    int64_t now_ms;
} standing_outcome;
/* True: it is left alone from now on. Ending twice is fine. */
bool standing_end(standing_hold *h, const standing_outcome *o);
#endif
