/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* llm_recorded_test.c - every stream that ../shared/conformance/llm holds, cut at every byte.
 *
 * Where the bytes pass the tap must count the same and see the same end; where they are translated
 * the client must get the same bytes. Skipped where the cases are not at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../authz/digest.h"
#include "../../llm/flat.h"
#include "../../llm/usage.h"
#include "llm_case.h"
#include <stdio.h>

enum { FILE_MOST = 4 << 20, STREAM_MOST = 1 << 20, DEPTH = 64 };

typedef struct {
    const llm_dialect *client, *provider;
    str id, bytes;
} recorded;

static str text(const char *p)
{
    return (str){p, strlen(p)};
}

static const llm_dialect *client_of(str endpoint)
{
    if (str_eq(endpoint, S("/v1/chat/completions"))) return &openai_chat;
    if (str_eq(endpoint, S("/v1/responses"))) return &openai_responses;
    return str_eq(endpoint, S("/v1/messages")) ? &anthropic_messages : &openai_flat;
}

static const llm_dialect *provider_of(str schema, const llm_dialect *asked)
{
    static const struct {
        const char *name;
        llm_schema schema;
    } rows[] = {{"OpenAI", SCHEMA_OPENAI},
                {"AzureOpenAI", SCHEMA_AZURE},
                {"Anthropic", SCHEMA_ANTHROPIC},
                {"AWSBedrock", SCHEMA_AWS_BEDROCK},
                {"AWSAnthropic", SCHEMA_AWS_ANTHROPIC},
                {"GCPVertexAI", SCHEMA_GCP_VERTEX},
                {"GCPAnthropic", SCHEMA_GCP_ANTHROPIC},
                {"Cohere", SCHEMA_COHERE}};
    if (asked == &openai_flat) return asked;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(schema, text(rows[i].name))) return schema_dialect(rows[i].schema, asked);
    return NULL;
}

static void put_piece(arena *a, buf *out, js_value said, const char *plain, const char *coded)
{
    str bytes = js_text(a, js_get(said, text(coded))), decoded = {0};
    if (bytes.n) assert_true(digest_from_base64(a, bytes, &decoded));
    buf_put(out, bytes.n ? decoded : js_text(a, js_get(said, text(plain))));
}

static str stream_of(arena *a, js_value answer)
{
    buf out = buf_new(a, STREAM_MOST);
    js_value chunks = js_get(answer, S("chunks"));
    js_iter it = js_iterate(chunks);
    if (chunks.kind != JS_ARRAY) put_piece(a, &out, answer, "body_text", "body_base64");
    while (chunks.kind == JS_ARRAY && js_next(&it)) put_piece(a, &out, it.value, "text", "base64");
    return buf_str(&out);
}

/* Random ones: version 4, as made_uuid() makes them. */
static str without_uuids(arena *a, str s)
{
    enum { LENGTH = 36, VERSION_AT = 14 };
    char *p = arena_bytes(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p + i;
        bool is_one = s.n - i >= LENGTH && at[8] == '-' && at[13] == '-' && at[VERSION_AT] == '4' &&
                      at[18] == '-' && at[23] == '-';
        p[n++] = is_one ? '#' : *at;
        if (is_one) i += LENGTH - 1;
    }
    return (str){p, n};
}

/* What a stream comes to when it is cut there. */
static str outcome(arena *a, const recorded *r, size_t cut)
{
    str pieces[2] = {str_take(r->bytes, cut), str_drop(r->bytes, cut)};
    if (!strcmp(r->client->family, r->provider->family)) {
        usage_tap *t = usage_tap_new(a, r->provider, STREAM_MOST);
        for (int i = 0; i < 2; i++) usage_tap_feed(t, pieces[i]);
        usage_tap_end(t);
        const llm_usage *u = usage_tap_total(t);
        return arena_fmt(a, "%d %ld %ld %ld", usage_tap_sense(t), (long)usage_prompt(u),
                         (long)usage_completion(u), (long)u->cache_read.v);
    }
    const llm_chat c = {.model = S("m"), .now_s = 1, .include_usage = {true, true}};
    const err *broken = NULL;
    str out = case_translate(a, r->provider, r->client, &c, pieces, &broken);
    return arena_fmt(a, "%d " STR_FMT, broken != NULL,
                     STR_ARG(without_uuids(a, case_without_ids(a, out))));
}

static void cut_everywhere(const recorded *r)
{
    arena *a = arena_new(), *turn = arena_new();
    str whole = outcome(a, r, 0);
    for (size_t cut = 1; cut < r->bytes.n; cut++) {
        str again = outcome(turn, r, cut);
        if (!str_eq(whole, again))
            fail_msg(STR_FMT " cut at %zu:\n" STR_FMT "\n" STR_FMT, STR_ARG(r->id), cut,
                     STR_ARG(whole), STR_ARG(again));
        arena_reset(turn);
    }
    arena_free(turn);
    arena_free(a);
}

static size_t cut_all_of(arena *a, js_value cases)
{
    size_t n = 0;
    js_iter it = js_iterate(cases);
    while (js_next(&it)) {
        js_value answer = js_get(it.value, S("upstream_response"));
        recorded r = {.id = js_text(a, js_get(it.value, S("id")))};
        r.client = client_of(js_text(a, js_get(it.value, S("endpoint"))));
        r.provider = provider_of(js_text(a, js_get(it.value, S("backend_schema"))), r.client);
        if (!js_bool(js_get(it.value, S("streaming")), false) || !r.provider) continue;
        r.bytes = stream_of(a, answer);
        if (!r.bytes.n || !str_eq(js_get(answer, S("status")).raw, S("200"))) continue;
        cut_everywhere(&r);
        n++;
    }
    return n;
}

static void every_split_of_every_recorded_stream_gives_the_same_events(void **s)
{
    (void)s;
    static const char *const files[] = {"dataplane", "translator", "helper", "cassette", "manual"};
    size_t n = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        arena *a = arena_new();
        str path = arena_fmt(a, "../shared/conformance/llm/%s.json", files[i]);
        FILE *f = fopen(path.p, "rb");
        char *p = arena_bytes(a, FILE_MOST);
        str bytes = {p, f ? fread(p, 1, FILE_MOST, f) : 0};
        js_value cases;
        if (f) fclose(f);
        if (f) assert_null(js_check(a, bytes, DEPTH, &cases));
        if (f) n += cut_all_of(a, cases);
        arena_free(a);
    }
    print_message("%zu streams\n", n);
    if (!n) skip();
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(every_split_of_every_recorded_stream_gives_the_same_events),
    };
    return cmocka_run_group_tests(t, NULL, NULL);
}
