/* SPDX-License-Identifier: Apache-2.0 */
/* bench_quota.c - what a quota costs each request: reserving and settling together, beside one
 * SHA-256 of 1 KB; and how often the ledger is asked meanwhile.
 *
 *   bench_quota [ROUNDS]
 *
 * The ledger is SQLite, asked by a thread of its own as in the gateway. The ratio may be 2 at most,
 * and a batch of leases may be asked for every 1,000 requests or less often. */
#include "../../authz/digest.h"
#include "../../base/clock.h"
#include "../../server/quota_house.h"
#include "../../server/store.h"
#include "slices.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TOKENS = 700, USED = 500, WAITS_MOST = 10000 };

typedef struct {
    arena *scratch;
    const policy *rules;
    quotas *q;
    question about;
    uint64_t requests;
    char kilobyte[1024];
} bench;

static void hash_kilobyte(void *ctx)
{
    const bench *b = ctx;
    uint8_t sum[DIGEST_BYTES];
    digest_sha256((str){b->kilobyte, sizeof b->kilobyte}, sum);
}

static void reserve_and_settle(void *ctx)
{
    bench *b = ctx;
    const quota_request rq = {.rules = b->rules,
                              .about = &b->about,
                              .estimate = {.output = TOKENS},
                              .waiter = (handle)255 << 56}; /* of no worker */
    const quota_usage used = {.output = USED};
    quota_hold *h = NULL;
    quota_refusal no;
    quota_answer is = QUOTA_WAIT;
    for (int i = 0; i < WAITS_MOST && is == QUOTA_WAIT; i++) {
        is = quota_reserve(b->q, &rq, b->scratch, &h, &no);
        if (is == QUOTA_WAIT) (void)usleep(1000);
    }
    slices_must(is == QUOTA_ROOM, "room");
    quota_settle(h, &used, QUOTA_DONE);
    b->requests++;
    arena_reset(b->scratch);
}

static const policy *rules_of(arena *a)
{
    static const str text = S("policy: v1\n"
                              "quotas:\n"
                              "  - id: tokens-per-user\n"
                              "    for: { models: [\"gpt-*\"] }\n"
                              "    key: jwt.sub\n"
                              "    limit: 1000000000000\n"
                              "    window: 1h\n");
    problems out;
    policy *p = NULL;
    problems_init(&out, a, S("bench"));
    policy_load(a, &(policy_source){S("bench.yaml"), text}, 1, NULL, &out, &p);
    slices_must(p != NULL, "a policy");
    return p;
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : SLICE_ROUNDS;
    if (rounds < 1 || rounds > SLICE_ROUNDS_MOST) {
        (void)fprintf(stderr, "usage: bench_quota [ROUNDS]\n");
        return 2;
    }
    arena *a = arena_new();
    store_keeper *keeper = NULL;
    js_value claims = {0};
    slices_must(!js_check(a, S("{\"iss\":\"i\",\"sub\":\"alice@example.com\"}"), 4, &claims),
                "JSON");
    slices_must(!store_keeper_new(a, S("memory:"), S("."), &keeper), "a store");
    quota_house *house =
        quota_house_new(&(quota_house_options){.store = store_keeper_ledger(keeper)});
    bench b = {.scratch = arena_new(), .rules = rules_of(a), .q = quota_house_quotas(house)};
    b.about = (question){.kind = SUBJECT_MODEL,
                         .name = S("gpt-4o"),
                         .who = caller_of_claims(a, js_tree(a, claims)),
                         .now_ms = clock_wall_ms(),
                         .llm = {.model = S("gpt-4o"), .endpoint = S("/v1/chat/completions")}};
    for (int i = 0; i < 200; i++) reserve_and_settle(&b); /* until a lease is as large as it gets */
    (void)usleep(1200000);
    reserve_and_settle(&b);
    uint64_t requests = b.requests, asked = quotas_asked(b.q);
    const subject all[] = {
        {"SHA-256 of 1 KB", hash_kilobyte, &b, 20000, NULL, 0},
        {"reserving and settling", reserve_and_settle, &b, 20000, "SHA-256 of 1 KB", 2},
        {0},
    };
    slices_measure(all, sizeof all / sizeof *all, (size_t)rounds);
    asked = quotas_asked(b.q) - asked;
    requests = b.requests - requests;
    (void)printf("the ledger was asked %llu times in %llu requests: every %llu (bar: 1000)\n",
                 (unsigned long long)asked, (unsigned long long)requests,
                 (unsigned long long)(requests / (asked ? asked : 1)));
    quota_house_stop(house);
    quota_house_free(house);
    store_keeper_free(keeper);
    arena_free(b.scratch);
    arena_free(a);
    return 0;
}
