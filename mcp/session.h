/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - sessions of the old era: a sealed text the client carries, and a list of the ended
 * ones.
 *
 * Nothing is stored for a session that is merely open: its id *is* the session, sealed by us, at
 * most SESSION_MOST bytes, and good only for the caller and the endpoint it was made for.
 * A wrong caller, a wrong endpoint, a tampered id and one that is over are all the same to the
 * client: no such session.
 * Threads: seal and open are pure; the list of ended sessions locks inside. */
#ifndef SP_MCP_SESSION_H
#define SP_MCP_SESSION_H
#include "../authz/seal.h"
#include "version.h"
#include <stdint.h>

enum {
    SESSION_MOST = 300,
    SESSION_SID = 16,
    SESSION_NAME_MOST = 40,
    SESSION_VERSION_MOST = 16,
    SESSION_LIFE_MS = 24 * 3600 * 1000
};

typedef struct {
    uint8_t sid[SESSION_SID];
    mcp_version version;
    unsigned capabilities; /* capability.h */
    uint64_t instance;     /* the process that made it */
    int64_t issued_ms, expires_ms;
    str client_name, client_version; /* cut when sealed; never to be trusted */
} session;

/* Whom and what it is bound to. */
typedef struct {
    str caller_id, endpoint;
} session_bond;

str session_seal(const sealer *s, arena *a, const session *made, session_bond bond);
bool session_open(const sealer *s, arena *a, str id, session_bond bond, int64_t now_ms,
                  session *out);
str session_text(arena *a, const session *s); /* its sid in hex: names it toward links */

typedef struct session_revoked session_revoked;
session_revoked *session_revoked_new(void);
void session_revoked_free(session_revoked *r);
/* Until it would have expired. When the list is full, the one that expires first is forgotten. */
void session_revoke(session_revoked *r, const session *s, int64_t now_ms);
bool session_is_revoked(session_revoked *r, const session *s);
#endif
