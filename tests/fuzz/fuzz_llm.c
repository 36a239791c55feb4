/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_llm.c - what clients and providers send, through every dialect.
 *
 * The first byte chooses the pair and what the rest is: a request, a reply, an error or a stream;
 * the second where a stream is cut. What is made must be JSON, and a cut must change nothing. */
#include <assert.h>
#include <stdlib.h>

#include "../unit/llm_case.h"

static const llm_dialect *const asked[] = {&openai_chat, &openai_responses, &anthropic_messages};
static const llm_dialect *const providers[] = {&openai_chat, &anthropic_messages, &bedrock,
                                               &gemini,      &aws_anthropic,      &gcp_anthropic,
                                               &cohere};
enum { ASKED = 3, PROVIDERS = 7 };

static void is_json(arena *a, str text)
{
    js_value v;
    assert(!js_check(a, text, JS_DEPTH_MAX, &v));
}

static void request(arena *a, unsigned which, str body)
{
    llm_chat c = {0};
    str out, lost;
    if (case_read(a, asked[which % ASKED], body, &c)) return;
    for (size_t i = 0; i < PROVIDERS; i++)
        if (!case_write(a, providers[i], &c, &out, &lost)) is_json(a, out);
}

static void reply(arena *a, const llm_dialect *provider, str body)
{
    llm_chat c = {.model = S("m"), .now_s = 1};
    llm_reply r = {.maker = provider->family};
    js_value root;
    if (js_check(a, body, 64, &root)) return;
    if (provider->read_reply(reader_new(a), root, NULL, &r)) return;
    for (size_t i = 0; i < ASKED; i++) is_json(a, jn_dump(a, asked[i]->write_reply(a, &c, &r)));
}

static void error(arena *a, const llm_dialect *provider, str body)
{
    llm_error e = {.status = 400};
    provider->read_error(a, NULL, body, &e);
    for (size_t i = 0; i < ASKED; i++) is_json(a, jn_dump(a, asked[i]->write_error(a, &e)));
}

/* Ids are made up at random, so it is the length that is compared. */
static void stream(arena *a, unsigned which, size_t cut, str body)
{
    llm_chat c = {.model = S("m"), .now_s = 1, .include_usage = {true, true}};
    const llm_dialect *from = providers[which % PROVIDERS], *to = asked[which / PROVIDERS % ASKED];
    const err *whole_broken = NULL, *cut_broken = NULL;
    str whole = case_translate(a, from, to, &c, (str[2]){body, {0}}, &whole_broken);
    str pieces[2] = {str_take(body, cut), str_drop(body, cut)};
    str again = case_translate(a, from, to, &c, pieces, &cut_broken);
    assert(whole.n == again.n);
    assert(!whole_broken == !cut_broken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 65536) return 0;
    unsigned which = data[0] >> 2;
    char *copy = malloc(size - 2 ? size - 2 : 1); /* so that reading too far is seen */
    assert(copy);
    memcpy(copy, data + 2, size - 2);
    str body = {copy, size - 2};
    arena *a = arena_new();
    switch (data[0] & 3) {
    case 0: request(a, which, body); break;
    case 1: reply(a, providers[which % PROVIDERS], body); break;
    case 2: error(a, providers[which % PROVIDERS], body); break;
    default: stream(a, which, body.n ? data[1] % body.n : 0, body); break;
    }
    arena_free(a);
    free(copy);
    return 0;
}
