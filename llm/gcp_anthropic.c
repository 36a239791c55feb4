/* SPDX-License-Identifier: Apache-2.0 */
/* gcp_anthropic.c - Anthropic's models on Vertex: rawPredict.
 *
 * The body is Anthropic's, with its version in it and the model in the path. Betas stay a header.
 */
#include "anthropic.h"
#include "google.h"

static str version_of(const llm_target *to)
{
    return to->backend->version.n ? to->backend->version : S("vertex-2023-10-16");
}

static const err *write_request(const llm_chat *c, const llm_target *to, llm_loss *l, jnode *out)
{
    jn_set_text(out, "anthropic_version", version_of(to));
    if (c->stream.v) jn_set(out, "stream", jn_bool(jn_arena(out), true));
    loss_said(l, &c->stream);
    return anthropic_write_body(c, to, l, out);
}

static const body_edit *edit_request(arena *a, const llm_chat *c, const llm_target *to)
{
    (void)c;
    body_edit *edits = NEW_N(a, body_edit, 3);
    edits[0] = (body_edit){S("anthropic_version"), jn_dump(a, jn_text(a, version_of(to)))};
    edits[1] = (body_edit){S("model"), {0}};
    return edits;
}

static const err *write_head(arena *a, const llm_chat *c, const llm_target *to, llm_head *out)
{
    str beta = header_get(c->headers, S("anthropic-beta"));
    out->target = google_place(a, to->backend, "anthropic", chat_model(c, to),
                               c->stream.v ? "streamRawPredict" : "rawPredict");
    if (!beta.n) return NULL;
    header *headers = NEW_N(a, header, 2);
    headers[0] = (header){S("anthropic-beta"), beta};
    out->headers = headers;
    return NULL;
}

/* What stands before the model may answer with any page: that has no type of Claude's. */
static void read_error(arena *a, const header *head, str body, llm_error *e)
{
    js_value root;
    anthropic_read_error(a, head, body, e);
    if (js_check(a, body, 64, &root)) e->type = (str){0};
}

const llm_dialect gcp_anthropic = {
    .name = "gcp_anthropic",
    .family = "anthropic",
    .counts = COUNTS_1H_IN_WRITE | COUNTS_REASONING_IN_OUTPUT | COUNTS_ARE_ALL,
    .usage = anthropic_usage,
    .usage_at = anthropic_usage_at,
    .error_type = "GCPBackendError",
    .sense = anthropic_sense,
    .write_request = write_request,
    .edit_request = edit_request,
    .write_head = write_head,
    .read_reply = anthropic_read_reply,
    .read_event = anthropic_read_event,
    .read_error = read_error,
};
