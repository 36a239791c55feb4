/* SPDX-License-Identifier: Apache-2.0 */
/* bench_seal.c - what a session of the old era costs each request: opening its sealed id, beside
 * one SHA-256 of 1 KB.
 *
 *   bench_seal [ROUNDS]
 *
 * The id is the longest there can be. A report, not a test: ratios carry. */
#include "../../authz/digest.h"
#include "../../mcp/session.h"
#include "slices.h"
#include <stdio.h>
#include <stdlib.h>

enum { ISSUED_MS = 1800000000 };

typedef struct {
    arena *scratch;
    sealer *seals;
    session made;
    session_bond bond;
    str id;
    char kilobyte[1024];
} bench;

static void hash_kilobyte(void *ctx)
{
    const bench *b = ctx;
    uint8_t sum[DIGEST_BYTES];
    digest_sha256((str){b->kilobyte, sizeof b->kilobyte}, sum);
}

static void open_id(void *ctx)
{
    const bench *b = ctx;
    session out;
    slices_must(session_open(b->seals, b->scratch, b->id, b->bond, ISSUED_MS + 1, &out), "open");
    arena_reset(b->scratch);
}

static void seal_id(void *ctx)
{
    const bench *b = ctx;
    slices_must(session_seal(b->seals, b->scratch, &b->made, b->bond).n > 0, "seal");
    arena_reset(b->scratch);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : SLICE_ROUNDS;
    if (rounds < 1 || rounds > SLICE_ROUNDS_MOST) {
        (void)fprintf(stderr, "usage: bench_seal [ROUNDS]\n");
        return 2;
    }
    static const char name[] = "a client with a name as long as we keep one";
    arena *a = arena_new();
    bench b = {.scratch = arena_new(),
               .made = {.version = MCP_2025_11_25,
                        .issued_ms = ISSUED_MS,
                        .expires_ms = (int64_t)ISSUED_MS + SESSION_LIFE_MS,
                        .client_name = {name, sizeof name - 1},
                        .client_version = S("1.2.3-beta.45678")},
               .bond = {S("jwt:https://login.example.com/tenant|alice@example.com"), S("/mcp")}};
    slices_must(!sealer_new(a, NULL, &b.seals), "a key");
    b.id = session_seal(b.seals, a, &b.made, b.bond);
    (void)printf("a session id has %zu bytes (at most %d)\n", b.id.n, SESSION_MOST);
    const subject all[] = {
        {"SHA-256 of 1 KB", hash_kilobyte, &b, 20000, NULL, 0},
        {"opening a session id", open_id, &b, 20000, "SHA-256 of 1 KB", 2},
        {"sealing one", seal_id, &b, 20000, "SHA-256 of 1 KB", 0},
        {0},
    };
    slices_measure(all, sizeof all / sizeof *all, (size_t)rounds);
    arena_free(b.scratch);
    arena_free(a);
    return 0;
}
