/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../authz/caller.h"
#include "../../authz/key_file.h"
#include "../../authz/keyring.h"
#include "../../authz/policy/quota_rule.h"

#include "own_arena.h"

#define NOW_S 1790000000
#define NOW   S("the key of now, at least thirty-two bytes")
#define LATER S("the key after it, at least thirty-two bytes")

static sealer *sealer_of(str first, str second)
{
    sealer *s = NULL;
    assert_null(sealer_new(a, (const str[]){first, second, {0}}, &s));
    return s;
}

static const char *problem_of(str text)
{
    problems out;
    const api_key *keys;
    size_t count;
    problems_init(&out, a, S("k"));
    bool sound = key_file_read(a, S("k"), text, &out, &keys, &count);
    assert_true(sound == (out.count == 0));
    return out.first ? out.first->text.p : NULL;
}

#define HEAD "version: 1\nkeys:\n  - id: 3fa94c0b12de\n"
#define HASH "    secrets: [{ hash: \"V4b0NE5ac8Rht_I66JyKmCmuDc9w6m8Z3COVFrzzg-o\" }]\n"

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    const str models[] = {S("gpt-*"), S("a \"b\""), {0}}, servers[] = {{0}};
    api_secret secrets[2] = {{.hash = {1}}, {.hash = {2}, .until_s = NOW_S}};
    const api_key key = {.id = S("3fa94c0b12de"),
                         .name = S("a: \"name\"\n"),
                         .created_s = NOW_S,
                         .expires_s = NOW_S + 1,
                         .revoked_s = NOW_S + 2,
                         .claims = S("{\"team\":\"a\",\"n\":1.50}"),
                         .models = models,
                         .servers = servers,
                         .budget = {.micro_usd = 20500000, .window = S("month")},
                         .secrets = secrets,
                         .secret_count = 2};
    str text = key_file_write(a, &key, 1);
    problems out;
    const api_key *k;
    size_t count;
    problems_init(&out, a, S("k"));
    assert_true(key_file_read(a, S("k"), text, &out, &k, &count));
    assert_int_equal(count, 1);
    assert_true(str_eq(k->id, key.id) && str_eq(k->name, key.name));
    assert_true(str_eq(k->claims, key.claims));
    assert_true(k->created_s == NOW_S && k->expires_s == NOW_S + 1 && k->revoked_s == NOW_S + 2);
    assert_true(str_eq(k->models[1], models[1]) && !k->models[2].p);
    assert_non_null(k->servers); /* none at all, which is not the same as no bound */
    assert_null(k->servers[0].p);
    assert_true(k->budget.micro_usd == 20500000 && str_eq(k->budget.window, S("month")));
    assert_int_equal(k->secret_count, 2);
    assert_memory_equal(k->secrets[1].hash, secrets[1].hash, SEAL_HASH_BYTES);
    assert_int_equal(k->secrets[1].until_s, NOW_S);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"version: 2\nkeys: []\n", "k:1:1: a file of keys begins"},
        {"version: 1\nkeys: {}\n", "k:2:7: `keys` wants a list"},
        {"version: 1\nkeys:\n  - { id: xyz }\n", "k:3:11: a key has an `id` of 12"},
        {HEAD, "k:3:5: a key has `secrets`"},
        {HEAD HASH "    expires: soon\n", "k:5:14: wants a time"},
        {HEAD HASH "    modles: [a]\n",
         "k:5:5: unknown key `modles` in a key, did you mean `models`"},
        {HEAD HASH "    models: a\n", "k:5:13: wants a list"},
        {HEAD HASH "    budget: { usd: 1e3, window: 1d }\n", "k:5:20: wants US dollars"},
        {HEAD HASH "    budget: { usd: 1 }\n", "k:5:13: a budget is"},
        {HEAD HASH "    claims: [a]\n", "k:5:13: claims are a map"},
        {HEAD HASH "  - id: 3fa94c0b12de\n" HASH, "k:5:9: the id `3fa94c0b12de` is used twice"},
        {HEAD "    secrets: [{ hash: short }]\n", "k:4:23: a hash has 43"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *said = problem_of((str){rows[i].text, strlen(rows[i].text)});
        assert_non_null(said);
        if (strncmp(said, rows[i].says, strlen(rows[i].says)) != 0)
            fail_msg("%s\nand not %s", said, rows[i].says);
    }
    assert_null(problem_of(S("")));
    assert_null(problem_of(S(HEAD HASH)));
}

static void money_is_exact(void **state)
{
    (void)state;
    int64_t n;
    assert_true(key_money(S("20"), &n) && n == 20000000);
    assert_true(key_money(S("0.000001"), &n) && n == 1);
    static const str no[] = {S(""),    S("."),         S("1."),         S(".5"), S("-1"),
                             S("1e3"), S("0.0000001"), S("1000000000"), S("1,5")};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(key_money(no[i], &n));
}

/* Keys in force */

typedef struct {
    keyring *ring;
    const sealer *seals;
    str id, token, old;
} rig;

/* One key with two tokens, the older of which ends first. */
static rig ring_of(api_key key, int64_t old_until_s)
{
    rig r = {.seals = sealer_of(NOW, (str){0}), .id = api_key_make_id(a)};
    api_secret secrets[2];
    r.ring = keyring_new(r.seals);
    r.token = api_key_make_token(a, r.seals, r.id, &secrets[0]);
    r.old = api_key_make_token(a, r.seals, r.id, &secrets[1]);
    secrets[1].until_s = old_until_s;
    arena *own = arena_new();
    key.id = arena_dup(own, r.id);
    key.claims = S("{}");
    api_secret *kept = NEW_N(own, api_secret, 2);
    memcpy(kept, secrets, sizeof secrets);
    key.secrets = kept;
    key.secret_count = 2;
    keyring_replace(r.ring, own, &key, 1);
    return r;
}

static const char *refusal_of_token(const rig *r, str token, int64_t *until_s)
{
    api_key found;
    *until_s = 0;
    return keyring_find(r->ring, a, token, NOW_S, &found, until_s);
}

static void a_token_is_known_again(void **state)
{
    (void)state;
    rig r = ring_of((api_key){.expires_s = NOW_S + 100}, NOW_S + 10);
    int64_t until;
    assert_true(api_key_is(r.token) && str_eq(api_key_id(r.token), r.id));
    assert_null(refusal_of_token(&r, r.token, &until));
    assert_int_equal(until, NOW_S + 100);
    assert_null(refusal_of_token(&r, r.old, &until));
    assert_int_equal(until, NOW_S + 10);
    char *other = NEW_N(a, char, r.token.n);
    memcpy(other, r.token.p, r.token.n);
    other[r.token.n - 2] ^= 1;
    assert_string_equal(refusal_of_token(&r, (str){other, r.token.n}, &until), "unknown key");
    api_secret unused;
    str stranger = api_key_make_token(a, r.seals, S("000000000000"), &unused);
    assert_string_equal(refusal_of_token(&r, stranger, &until), "unknown key");
    keyring_free(r.ring);
}

static void a_token_ends(void **state)
{
    (void)state;
    int64_t until;
    rig r = ring_of((api_key){0}, NOW_S);
    assert_null(refusal_of_token(&r, r.token, &until));
    assert_int_equal(until, 0);
    assert_string_equal(refusal_of_token(&r, r.old, &until), "this key has expired");
    keyring_free(r.ring);
    r = ring_of((api_key){.expires_s = NOW_S}, NOW_S + 10);
    assert_string_equal(refusal_of_token(&r, r.token, &until), "this key has expired");
    keyring_free(r.ring);
    r = ring_of((api_key){.revoked_s = NOW_S}, NOW_S + 10);
    assert_string_equal(refusal_of_token(&r, r.token, &until), "this key was revoked");
    uint64_t before = keyring_epoch(r.ring);
    keyring_replace(r.ring, arena_new(), NULL, 0);
    assert_true(keyring_epoch(r.ring) > before);
    assert_string_equal(refusal_of_token(&r, r.token, &until), "unknown key");
    keyring_free(r.ring);
}

static void a_budget_is_a_quota_of_the_key(void **state)
{
    (void)state;
    problems out;
    policy *none;
    problems_init(&out, a, S("p"));
    policy_load(a, NULL, 0, NULL, &out, &none);
    const api_key key = {.id = S("3fa94c0b12de"),
                         .claims = S("{}"),
                         .budget = {.micro_usd = 500000, .window = S("month")}};
    const caller *who = caller_of_key(&key, 0);
    question q = {.kind = SUBJECT_MODEL, .name = S("m"), .who = who};
    const policy_due *due;
    assert_int_equal(policy_quotas_due(none, &q, a, &due), 1);
    assert_true(str_eq(due->key, S("key:3fa94c0b12de")) && due->limit == 500000);
    int64_t cost;
    const quota_usage used = {.input = 100, .usd_micro = 42};
    assert_true(policy_quota_cost(due->quota, SUBJECT_MODEL, &used, a, &cost) && cost == 42);
    q.kind = SUBJECT_TOOL;
    assert_int_equal(policy_quotas_due(none, &q, a, &due), 0);
    caller_drop(who);
}

static void hashes_outlive_a_change_of_seal_keys(void **state)
{
    (void)state;
    uint8_t hash[SEAL_HASH_BYTES];
    seal_hash(sealer_of(NOW, (str){0}), S("secret"), hash);
    assert_true(seal_hash_is(sealer_of(LATER, NOW), S("secret"), hash));
    assert_false(seal_hash_is(sealer_of(LATER, (str){0}), S("secret"), hash));
    assert_false(seal_hash_is(sealer_of(NOW, (str){0}), S("secres"), hash));
}

static void only_whole_tokens_have_the_form(void **state)
{
    (void)state;
    static const str no[] = {S(""),
                             S("sp_"),
                             S("sp_3fa94c0b12de_"),
                             S("sp_3FA94C0B12DE_zWkhHDsizeWt1e9VugIh5yU3zfHNg6yDAeDgnNbo79Y"),
                             S("sp_3fa94c0b12de-zWkhHDsizeWt1e9VugIh5yU3zfHNg6yDAeDgnNbo79Y"),
                             S("sk_3fa94c0b12de_zWkhHDsizeWt1e9VugIh5yU3zfHNg6yDAeDgnNbo79Y")};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(api_key_is(no[i]));
    assert_true(api_key_is(S("sp_3fa94c0b12de_zWkhHDsizeWt1e9VugIh5yU3zfHNg6yDAeDgnNbo79Y")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_is_written_is_read_again),
        ARENA_TEST(what_is_wrong_is_said_with_its_place),
        ARENA_TEST(money_is_exact),
        ARENA_TEST(a_token_is_known_again),
        ARENA_TEST(a_token_ends),
        ARENA_TEST(a_budget_is_a_quota_of_the_key),
        ARENA_TEST(hashes_outlive_a_change_of_seal_keys),
        ARENA_TEST(only_whole_tokens_have_the_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
