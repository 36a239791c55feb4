/* SPDX-License-Identifier: Apache-2.0 */
/* lease_spec.h - what a cloud is asked for a credential with, and what it lends.
 *
 * Plain data. Which parts a kind wants stands beside the kind; a part that is {0} is left out.
 * Secrets: LEASE_SECRET and LEASE_PROXY_SHOWN, and all of a token; none is ever logged. */
#ifndef SP_LLM_LEASE_SPEC_H
#define SP_LLM_LEASE_SPEC_H
#include "../base/err.h"
#include "../base/log.h"
#include "../transport/errand.h"

typedef enum {
    LEASE_GOOGLE_ACCOUNT,   /* URL, NAME, SECRET (its private key), KEY_ID; RFC 7523 */
    LEASE_GOOGLE_USER,      /* URL, NAME (client), CLIENT_SECRET, SECRET (refresh token) */
    LEASE_GOOGLE_FEDERATED, /* URL, AUDIENCE, SUBJECT_TYPE, FILE or SUBJECT_URL and
                               SUBJECT_HEADERS, FIELD, IMPERSONATE; RFC 8693 */
    LEASE_GOOGLE_MACHINE,   /* URL of the metadata server */
    LEASE_ENTRA,            /* URL, NAME, SCOPE, and of these one: CLIENT_SECRET; SECRET (its
                               private key) and THUMBPRINT; FILE (a token of another issuer) */
    LEASE_AWS_KEY,          /* NAME (its id), SECRET, SESSION: lent already, for a `base` */
    LEASE_AWS_WEB,          /* URL of STS, NAME (role), SESSION_NAME, FILE (a token) */
    LEASE_AWS_ROLE,         /* URL of STS, REGION, NAME (role), SESSION_NAME, EXTERNAL_ID; base */
    LEASE_AWS_CONTAINER,    /* URL, SECRET or FILE (an authorization) */
    LEASE_AWS_MACHINE,      /* URL of the metadata service */
    LEASE_KINDS
} lease_kind;

typedef enum {
    LEASE_URL,
    LEASE_NAME,
    LEASE_SECRET,
    LEASE_CLIENT_SECRET,
    LEASE_KEY_ID,
    LEASE_THUMBPRINT,
    LEASE_SCOPE,
    LEASE_FILE, /* a path; read anew each time */
    LEASE_AUDIENCE,
    LEASE_SUBJECT_TYPE,
    LEASE_SUBJECT_URL,
    LEASE_SUBJECT_HEADERS, /* lines of "name: value" */
    LEASE_FIELD,           /* of a JSON object, where the subject's token is; {0}: it is the text */
    LEASE_IMPERSONATE,     /* the URL that lends the account's token */
    LEASE_SESSION,
    LEASE_SESSION_NAME,
    LEASE_EXTERNAL_ID,
    LEASE_REGION,
    LEASE_PROXY_HOST,
    LEASE_PROXY_PORT,
    LEASE_PROXY_SHOWN, /* the value of Proxy-Authorization */
    LEASE_PARTS
} lease_part;

typedef struct lease_spec {
    lease_kind kind;
    str of[LEASE_PARTS];
    const struct lease_spec *base; /* whose key signs for this one's */
} lease_spec;

typedef struct {
    str token;          /* a bearer; with AWS the key's session token, {0}: none */
    str key_id, secret; /* AWS; {0}: a bearer */
    int64_t lives_ms;
} lease_token;

/* What the house lends the leases. */
typedef struct {
    errands *web; /* NULL: nothing is asked */
    logger *log;
    const err *(*read)(arena *a, str path, str *text); /* NULL: there are no files */
} lease_world;

/* Blocking; on a service thread. The error's text holds nothing that was sent, and of what came
 * at most the name of the error. */
MUST_CHECK const err *lease_fetch(arena *a, const lease_world *w, const lease_spec *spec,
                                  lease_token *out);
const char *lease_kind_name(lease_kind kind); /* "service account", for logs */
#endif
