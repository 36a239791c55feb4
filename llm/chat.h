/* SPDX-License-Identifier: Apache-2.0 */
/* chat.h - the neutral conversation: the hub of every translation.
 *
 * The union of what clients ask and providers take. Normal form, which readers make and writers
 * rely on: system and developer turns stay where they stood; a tool's results are a turn of
 * their own (ROLE_TOOL, only PART_TOOL_RESULT), before what the user says in the same breath;
 * thinking comes first in an assistant's turn, tool calls keep their place. Tool arguments and
 * schemas are bytes. Absent and empty differ: an absent text has p NULL. What only one family of
 * dialects knows is PART_OTHER / TOOL_OTHER: raw bytes with their origin, said again only to the
 * same family. All of it is the request's arena's, and const after reading: every attempt
 * translates from it anew. */
#ifndef SP_LLM_CHAT_H
#define SP_LLM_CHAT_H
#include "../base/header.h"
#include "field.h"

struct llm_dialect;

typedef enum { ROLE_SYSTEM = 1, ROLE_DEVELOPER, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL } llm_role;

typedef enum {
    PART_TEXT = 1,    /* text */
    PART_REFUSAL,     /* text */
    PART_IMAGE,       /* media, detail */
    PART_AUDIO,       /* media */
    PART_VIDEO,       /* media */
    PART_DOCUMENT,    /* media, name (file name or title) */
    PART_TOOL_CALL,   /* id, name, text = arguments (JSON; "" is none) or free text (custom) */
    PART_TOOL_RESULT, /* id, inner parts, is_error */
    PART_THINKING,    /* text (may be empty), signature */
    PART_REDACTED,    /* text = the provider's opaque data */
    PART_OTHER        /* raw, origin */
} part_kind;

typedef enum { MEDIA_DATA = 1, MEDIA_URL, MEDIA_FILE, MEDIA_TEXT } media_from;
typedef struct {
    media_from from;
    str mime;  /* "image/png"; p NULL: unknown */
    str value; /* base64, URL, the provider's file id, or plain text */
} media;

/* A mark on a part, a tool or a turn: the prompt up to here is worth caching. */
typedef struct {
    bool set;
    str ttl; /* "5m", "1h"; p NULL: default */
} cache_mark;

typedef struct llm_part {
    part_kind kind;
    str text, name, id;
    str signature; /* thinking, and tool calls of Gemini */
    str origin;    /* family that made signature, redacted data or raw; p NULL: not known */
    media media;
    str detail;                   /* images: low, high, auto */
    bool custom, is_error;        /* a call of a free-form tool; a failed result */
    bool ahead;                   /* a user's: stood before the results that its turn follows */
    cache_mark cache;             /* after this part */
    js_value annotations, raw;    /* citations of a text; OTHER, as it came */
    const struct llm_part *inner; /* of a result */
    size_t inner_count;
} llm_part;

typedef struct {
    llm_role role;
    str name; /* who speaks, if said */
    const llm_part *parts;
    size_t count;
    bool apart; /* stood outside the list of turns: Anthropic's system, Responses' instructions */
} llm_turn;

typedef enum { TOOL_FUNCTION = 1, TOOL_CUSTOM, TOOL_OTHER } tool_kind;
typedef struct {
    tool_kind kind;
    str name, description, origin;
    js_value schema; /* JSON Schema; JS_ABSENT: none. CUSTOM: its format */
    js_value raw;    /* OTHER, as it came */
    opt_bool strict;
    cache_mark cache;
} llm_tool;

typedef enum { CHOICE_AUTO = 1, CHOICE_NONE, CHOICE_ANY, CHOICE_ONE } choice_mode;
typedef enum { FORMAT_TEXT = 1, FORMAT_JSON, FORMAT_SCHEMA } format_kind;
typedef enum { THINK_OFF = 1, THINK_BUDGET, THINK_ADAPTIVE } think_mode;
typedef enum { SHOW_SUMMARY = 1, SHOW_NOTHING } think_show;
typedef enum {
    EFFORT_NONE = 1,
    EFFORT_MINIMAL,
    EFFORT_LOW,
    EFFORT_MEDIUM,
    EFFORT_HIGH,
    EFFORT_XHIGH,
    EFFORT_MAX
} llm_effort;
typedef enum { VERBOSITY_LOW = 1, VERBOSITY_MEDIUM, VERBOSITY_HIGH } llm_verbosity;

/* What an answer is to look like. */
typedef struct {
    int kind; /* format_kind */
    str name, description;
    js_value schema;
    opt_bool strict;
} llm_format;

typedef struct llm_chat {
    str model; /* as asked */
    const llm_turn *turns;
    size_t turn_count;
    const llm_tool *tools;
    size_t tool_count;
    const str *stops;
    size_t stop_count;

    int choice;      /* choice_mode, 0: not said */
    str choice_name; /* CHOICE_ONE */
    opt_bool parallel_tools;
    llm_format format;
    struct {
        int mode; /* think_mode */
        opt_int budget;
        int show;    /* think_show */
        str summary; /* OpenAI: auto, concise, detailed */
    } thinking;
    int effort, verbosity;

    opt_bool stream, include_usage, logprobs, store;
    opt_num temperature, top_p, presence_penalty, frequency_penalty;
    opt_int max_tokens, top_k, seed, n, top_logprobs;
    str user, service_tier, cache_key;
    js_value logit_bias, metadata;

    const struct llm_dialect *from; /* the client's */
    str previous;                   /* responses: the kept one that this goes on from */
    bool kept;                      /* and its answer is kept, too */
    bool mixed;                     /* models of more than one family that signs may answer */
    llm_reader *reader;
    js_value root;         /* the client's body */
    int64_t now_s;         /* wall clock, for what clients want a date on */
    const header *headers; /* the client's; read only by name (anthropic-beta) */
} llm_chat;

/* The model's name for this target: its override or the one asked for. */
struct llm_target;
str chat_model(const llm_chat *c, const struct llm_target *to);
/* The first text of a turn's parts joined; a view when there is but one. */
str parts_text(arena *a, const llm_part *parts, size_t count);
#endif
