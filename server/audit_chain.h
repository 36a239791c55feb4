/* SPDX-License-Identifier: Apache-2.0 */
/* audit_chain.h - lines that name the line before them.
 *
 *   {"v":1,"seq":7,MEMBERS,"prev":"HASH OF LINE 6","hash":"HASH"}
 *
 * The hash is the SHA-256, in hex, of the line up to `,"hash"`, closed by `}`. The first line of
 * all has 64 zeros for `prev`. Who changes, drops, adds or moves a line breaks the chain; only its
 * end can be cut unnoticed, by who does not know the last hash. */
#ifndef SP_AUDIT_CHAIN_H
#define SP_AUDIT_CHAIN_H
#include "../base/buf.h"
#include "../base/err.h"

enum { AUDIT_HASH = 64, AUDIT_LINE_MOST = 64 << 10 };

typedef struct {
    uint64_t seq;          /* of the last line; 0: none yet */
    char hash[AUDIT_HASH]; /* of the last line */
} audit_chain;

audit_chain audit_chain_new(void);
/* Puts the next line, its newline included, and goes on to it. Members are without their braces,
 * at most AUDIT_LINE_MOST - 256 bytes. */
void audit_chain_add(audit_chain *c, arena *scratch, str members, buf *out);
/* The place the line (without its newline) says it has, when it is whole: *before is what it names
 * as the line before it. The error says what is wrong with it. */
MUST_CHECK const err *audit_chain_read(arena *scratch, str line, audit_chain *before,
                                       audit_chain *after);
/* Does the line that says it stands behind `before` stand behind `c`? */
MUST_CHECK const err *audit_chain_follows(arena *a, const audit_chain *c,
                                          const audit_chain *before);
#endif
