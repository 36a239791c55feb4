/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - what a provider answers, in neutral words: whole, as events, or as an error.
 *
 * Events of a stream come in this order, and readers must make it so: START once; then parts,
 * numbered from 0 without gaps over the whole stream, one open at a time: PART (opened), DELTA*,
 * PART_END; STOP; USAGE any number of times, later ones override; END last, only when the
 * provider's own terminator was seen. ERROR ends a stream at any place. PING anywhere.
 * Views in an event live until the call that gets it returns. */
#ifndef SP_LLM_REPLY_H
#define SP_LLM_REPLY_H
#include "chat.h"

typedef enum {
    STOP_END = 1,
    STOP_SEQUENCE,
    STOP_LENGTH,
    STOP_CONTEXT, /* the model's window is full: a length to those who know no other */
    STOP_TOOLS,
    STOP_FILTER,
    STOP_PAUSE, /* Anthropic's pause_turn */
    STOP_ERROR  /* finished badly: malformed call, recitation …; stop_detail says it */
} llm_stop;

/* Disjoint counters, each known or not: the prompt is input + cache_read + cache_write(+_1h), the
 * completion is output + reasoning. */
typedef struct {
    opt_int input, cache_read, cache_write, cache_write_1h, output, reasoning;
} llm_usage;

/* How a provider counts: which of its numbers contain others. */
enum {
    COUNTS_CACHE_IN_INPUT = 1,      /* input holds cache_read and cache_write */
    COUNTS_REASONING_IN_OUTPUT = 2, /* output holds reasoning */
    COUNTS_1H_IN_WRITE = 4,         /* cache_write holds cache_write_1h */
    COUNTS_ARE_ALL = 8              /* in a finished answer, what is not said was none */
};
void usage_complete(llm_usage *u, unsigned counts);         /* of a finished answer */
void usage_disjoin(llm_usage *u, unsigned counts);          /* as read -> disjoint; never below 0 */
void usage_join(llm_usage *u, unsigned counts);             /* disjoint -> as this dialect counts */
void usage_merge(llm_usage *total, const llm_usage *later); /* what `later` knows overrides */
void usage_add(llm_usage *sum, const llm_usage *more);
bool usage_known(const llm_usage *u);
int64_t usage_prompt(const llm_usage *u);
int64_t usage_completion(const llm_usage *u);

typedef struct {
    const llm_part *parts;
    size_t count;
    int stop;          /* llm_stop; 0: not said */
    str stop_detail;   /* the provider's own word, lower case: "recitation" */
    str stop_sequence; /* which one, if said */
    js_value logprobs; /* OpenAI's form */
} llm_choice;

typedef struct {
    str id, model, service_tier; /* p NULL: the writer makes one up */
    int64_t created;             /* seconds; 0: unknown */
    const llm_choice *choices;   /* at least one */
    size_t count;
    llm_usage usage;
    const char *maker; /* the provider's family: whose signatures these are */
} llm_reply;

/* A call names its tool: nobody can make one of nothing. */
bool reply_calls_are_named(const llm_reply *r);

typedef enum {
    EVENT_START = 1,
    EVENT_PART,
    EVENT_DELTA,
    EVENT_PART_END,
    EVENT_STOP,
    EVENT_USAGE,
    EVENT_END,
    EVENT_ERROR,
    EVENT_PING
} event_kind;

/* DELTA adds to: TEXT and REFUSAL text, TOOL_CALL arguments, THINKING text; or its signature. */
typedef struct llm_error {
    int status; /* HTTP, as the client will see it */
    str type;   /* the provider's own word; p NULL: from the status */
    str code, message, param;
    str retry_after; /* seconds, where the provider says it in the body; p NULL: it does not */
    bool theirs;     /* the provider's own, rather than ours */
} llm_error;

typedef struct {
    event_kind kind;
    unsigned choice; /* 0 but for those who asked for several */
    unsigned index;  /* PART, DELTA, PART_END: the part's number */
    llm_part part;   /* PART: kind, id, name, custom, and a REDACTED's text. DELTA: kind */
    str delta;       /* DELTA */
    bool signature;  /* DELTA: `delta` is the signature (whole) of a THINKING or TOOL_CALL */
    str id, model, service_tier; /* START */
    int64_t created;
    int stop; /* STOP */
    str stop_detail, stop_sequence;
    llm_usage usage; /* USAGE, START */
    js_value logprobs;
    const llm_error *error;
} llm_event;
#endif
