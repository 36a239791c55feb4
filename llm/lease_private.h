/* SPDX-License-Identifier: Apache-2.0 */
/* lease_private.h - what the files of one cloud each (lease_google.c, lease_aws.c, lease_entra.c)
 * share with the table of them (lease_fetch.c). */
#ifndef SP_LLM_LEASE_PRIVATE_H
#define SP_LLM_LEASE_PRIVATE_H
#include "../transport/client.h"
#include "lease_read.h"

typedef struct {
    arena *a;
    const lease_world *world;
    const lease_spec *spec;
} lease_trip;

typedef struct {
    str url, method, body; /* body.p NULL: none; then it is a GET, unless method says otherwise */
    const header *headers; /* NULL: those of a form */
    bool nearby;           /* on this machine or beside it: no proxy leads there */
} lease_question;

typedef struct {
    int status;
    str body;
    int64_t now_ms; /* the peer's clock, else ours */
} lease_answer;

/* One exchange; any status is an answer. `who` is for the error: "the token endpoint". */
MUST_CHECK const err *lease_exchange(const lease_trip *t, const char *who, const lease_question *q,
                                     lease_answer *out);
/* Likewise, and another status than 200 is an error that names the refusal. */
MUST_CHECK const err *lease_ask_for(const lease_trip *t, const char *who, const lease_question *q,
                                    lease_answer *out);
MUST_CHECK const err *lease_refusal(const lease_trip *t, const char *who, const lease_answer *said);
/* After a refusal of what said `now_ms`: is our clock so far from the peer's that it is why? */
bool lease_clock_is_wrong(int64_t now_ms, const lease_answer *said);
/* A form for LEASE_URL, answered as OAuth has it. */
MUST_CHECK const err *lease_ask_oauth(const lease_trip *t, str form, lease_token *out);
/* Likewise, a form that holds the time: a wrong clock of ours is set right once. */
typedef str lease_form_fn(const lease_trip *t, int64_t now_ms);
MUST_CHECK const err *lease_ask_oauth_at(const lease_trip *t, lease_form_fn *form,
                                         lease_token *out);
/* The token in LEASE_FILE, as it is now. */
MUST_CHECK const err *lease_file_token(const lease_trip *t, str *out);

typedef const err *lease_fetch_fn(const lease_trip *t, lease_token *out);
lease_fetch_fn lease_google_account, lease_google_user, lease_google_federated,
    lease_google_machine, lease_entra, lease_aws_key, lease_aws_web, lease_aws_role,
    lease_aws_container, lease_aws_machine;
#endif
