/* SPDX-License-Identifier: Apache-2.0 */
/* aws_anthropic.c - Anthropic's models on AWS: InvokeModel.
 *
 * The body is Anthropic's, with the model and the stream in the path. Betas travel in the body,
 * and one that AWS does not know fails the whole request: so only those it is known to take go
 * out (clients send others by default). A stream's frames hold Anthropic's events in base64. */
#include "../authz/digest.h"
#include "anthropic.h"
#include "bedrock.h"

enum { BETAS_MOST = 64 };

/* clang-format off */
static const char *const betas[] = {
    "computer-use-2024-10-22", "computer-use-2025-01-24", "context-1m-2025-08-07",
    "context-management-2025-06-27", "dev-full-thinking-2025-05-14",
    "fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14",
    "mcp-client-2025-04-04", "mcp-client-2025-11-20", "model-context-window-exceeded-2025-08-26",
    "output-128k-2025-02-19", "pdfs-2024-09-25", "search-results-2025-06-09",
    "token-counting-2024-11-01", "token-efficient-tools-2025-02-19", "tool-search-tool-2025-10-19",
    "web-search-2025-03-05",
};
/* clang-format on */

static str trim(str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t')) s = str_drop(s, 1);
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) s.n--;
    return s;
}

/* What AWS calls it; NULL: it does not take it. */
static const char *beta_of(str name)
{
    if (str_eq(name, S("advanced-tool-use-2025-11-20"))) return "tool-search-tool-2025-10-19";
    for (size_t i = 0; i < sizeof betas / sizeof *betas; i++)
        if (str_eq(name, (str){betas[i], strlen(betas[i])})) return betas[i];
    return NULL;
}

/* The client's anthropic-beta headers, each known beta once; NULL: none. */
static jnode *betas_of(arena *a, const llm_chat *c)
{
    const char *seen[BETAS_MOST];
    size_t n = 0;
    for (const header *h = c->headers; h && h->name.p; h++) {
        if (!header_name_is(h->name, S("anthropic-beta"))) continue;
        str_pair cut = {.tail = h->value, .ok = true};
        while (cut.ok && n < BETAS_MOST) {
            cut = str_cut(cut.tail, ',');
            const char *beta = beta_of(trim(cut.head));
            for (size_t i = 0; beta && i < n; i++)
                if (seen[i] == beta) beta = NULL;
            if (beta) seen[n++] = beta;
        }
    }
    if (!n) return NULL;
    jnode *list = jn_array(a);
    for (size_t i = 0; i < n; i++) jn_add(list, jn_text(a, (str){seen[i], strlen(seen[i])}));
    return list;
}

static str version_of(const llm_target *to)
{
    return to->backend->version.n ? to->backend->version : S("bedrock-2023-05-31");
}

static const err *write_request(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    jn_set_text(out, "anthropic_version", version_of(to));
    jn_set(out, "anthropic_beta", betas_of(jn_arena(out), c));
    loss_said(l, &c->stream); /* it is in the path */
    return anthropic_write_body(c, to, l, out);
}

static const body_edit *edit_request(arena *a, const llm_chat *c, const llm_target *to)
{
    body_edit *edits = NEW_N(a, body_edit, 5);
    jnode *list = betas_of(a, c);
    size_t n = 0;
    edits[n++] = (body_edit){S("anthropic_version"), jn_dump(a, jn_text(a, version_of(to)))};
    edits[n++] = (body_edit){S("model"), {0}};
    edits[n++] = (body_edit){S("stream"), {0}};
    if (list) edits[n] = (body_edit){S("anthropic_beta"), jn_dump(a, list)};
    return edits;
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    static const char *const verbs[2] = {"invoke", "invoke-with-response-stream"};
    bedrock_head(a, c, to, verbs, out);
    return NULL;
}

/* {"bytes": base64 of Anthropic's event, "p": padding} */
static const err *unwrap(arena *a, llm_frame *f)
{
    js_value outer, inner;
    str event;
    const err *e = js_check(a, f->data, 16, &outer);
    if (e) return e;
    js_value bytes = js_get(outer, S("bytes"));
    if (bytes.kind != JS_STRING || !digest_from_base64(a, js_text(a, bytes), &event))
        return err_new(a, ERR_UPSTREAM, "a chunk of the stream holds no event");
    e = js_check(a, event, 128, &inner);
    if (e) return e;
    *f = (llm_frame){.type = js_text(a, js_get(inner, S("type"))), .data = event};
    return NULL;
}

static const err *read_event(llm_stream *s, llm_frame f)
{
    if (f.exception) {
        bedrock_read_exception(s, f);
        return NULL;
    }
    const err *e = unwrap(s->scratch, &f);
    return e ? e : anthropic_read_event(s, f);
}

static frame_sense sense(llm_frame f)
{
    return f.exception ? FRAME_ERROR : anthropic_sense(f);
}

const llm_dialect aws_anthropic = {
    .name = "aws_anthropic",
    .family = "anthropic",
    .framing = FRAMES_AWS,
    .counts = COUNTS_1H_IN_WRITE | COUNTS_REASONING_IN_OUTPUT | COUNTS_ARE_ALL,
    .usage = anthropic_usage,
    .usage_at = anthropic_usage_at,
    .error_type = "AWSBedrockBackendError",
    .sense = sense,
    .unwrap = unwrap,
    .write_request = write_request,
    .edit_request = edit_request,
    .write_head = write_head,
    .read_reply = anthropic_read_reply,
    .read_event = read_event,
    .read_error = bedrock_read_error,
};
