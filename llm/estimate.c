/* SPDX-License-Identifier: Apache-2.0 */
#include "estimate.h"

enum {
    BYTES_A_TOKEN = 4,
    PLAIN = 16 << 10,      /* shorter bodies are not looked into */
    CODED = 1024,          /* so many letters without a break are no words */
    CODED_TOKENS = 1500,   /* a picture's */
    CODED_BYTES = 64,      /* a token more for so many bytes: a document's */
    TOKENS_MOST = 1 << 30, /* whatever is said */
    ANSWERS_MOST = 128
};

static bool is_coded(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '-' || c == '_';
}

static int64_t tokens_of_run(size_t run)
{
    int64_t text = (int64_t)run / BYTES_A_TOKEN, coded = CODED_TOKENS + (int64_t)run / CODED_BYTES;
    return text < coded ? text : coded;
}

int64_t estimate_text(str body)
{
    size_t text = 0, run = 0;
    int64_t tokens = 0;
    if (body.n <= PLAIN) return (int64_t)(body.n + BYTES_A_TOKEN - 1) / BYTES_A_TOKEN;
    for (size_t i = 0; i <= body.n; i++) {
        if (i < body.n && is_coded(body.p[i])) {
            run++;
            continue;
        }
        if (run >= CODED)
            tokens += tokens_of_run(run);
        else
            text += run;
        text++;
        run = 0;
    }
    return tokens + (int64_t)text / BYTES_A_TOKEN + 1;
}

static int64_t number(js_value body, str name, int64_t most)
{
    int64_t n = -1;
    if (!js_int(js_get(body, name), &n) || n < 0) return -1;
    return n < most ? n : most;
}

/* One of them is the client's dialect's; whoever says two means the larger. */
static int64_t longest(js_value body)
{
    static const str names[] = {S("max_tokens"), S("max_completion_tokens"),
                                S("max_output_tokens")};
    int64_t most = -1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t n = number(body, names[i], TOKENS_MOST);
        if (n > most) most = n;
    }
    return most;
}

int64_t estimate_answer(flat_kind kind, js_value body)
{
    switch (kind) {
    case FLAT_EMBEDDINGS:
    case FLAT_RERANK:
    case FLAT_SPEECH:
    case FLAT_INPUT_TOKENS:
    case FLAT_TOKENIZE:
    case FLAT_COUNT_TOKENS: return 0;
    default: break;
    }
    int64_t one = body.kind == JS_OBJECT ? longest(body) : -1;
    int64_t many = number(body, S("n"), ANSWERS_MOST),
            best = number(body, S("best_of"), ANSWERS_MOST);
    if (best > many) many = best;
    return one < 0 || many < 1 ? one : one * many;
}
