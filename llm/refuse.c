/* SPDX-License-Identifier: Apache-2.0 */
#include "refuse.h"
#include "schema.h"

typedef struct {
    int status;
    const char *kind, *code, *message;
} refusal_row;

/* clang-format off */
static const refusal_row rows[] = {
    [ERR_MALFORMED]       = {400, "invalid_request_error", NULL,                NULL},
    [ERR_UNAUTHENTICATED] = {401, "authentication_error",  "invalid_api_key",   "the credential is missing or not valid"},
    [ERR_FORBIDDEN]       = {403, "permission_error",      NULL,                "denied by policy"},
    [ERR_NOT_FOUND]       = {404, "invalid_request_error", "not_found",         "there is nothing here"},
    [ERR_TOO_LARGE]       = {413, "invalid_request_error", "request_too_large", NULL},
    [ERR_QUOTA]           = {429, "rate_limit_error",      "rate_limit_exceeded", "the quota is used up"},
    [ERR_UPSTREAM]        = {502, "server_error",          "upstream_error",    "the model provider could not be reached or answered badly"},
    [ERR_TIMEOUT]         = {504, "server_error",          "upstream_timeout",  "the model provider did not answer in time"},
    [ERR_CANCELLED]       = {499, "server_error",          "cancelled",         "the request was cancelled"},
    [ERR_UNSUPPORTED]     = {415, "invalid_request_error", "unsupported",       "content codings are not supported here"},
    [ERR_BUG]             = {500, "server_error",          "internal_error",    "internal error"},
};
/* clang-format on */
_Static_assert(sizeof rows / sizeof *rows == ERR_KINDS, "a row for every kind of error");

enum { MESSAGE_MOST = 2000 };

static str text(const char *p)
{
    return p ? (str){p, strlen(p)} : (str){0};
}

llm_refusal refusal_of(const err *e)
{
    const refusal_row *row = &rows[e->kind];
    return (llm_refusal){.kind = row->kind,
                         .said = {.status = row->status,
                                  .code = text(row->code),
                                  .message = row->message ? text(row->message) : e->text}};
}

llm_refusal refusal_no_model(arena *a, str model)
{
    str message =
        arena_fmt(a, "The model `" STR_FMT "` does not exist or you do not have access to it.",
                  STR_ARG(str_take(model, 200)));
    return (llm_refusal){
        .kind = "invalid_request_error",
        .said = {.status = 404, .code = S("model_not_found"), .message = message},
    };
}

/* Some statuses are one provider's own, or mean something else to a client. */
static int status_for(int status, const llm_dialect *asked)
{
    if (status == 424) return 502;
    if (status == 529) return asked == &anthropic_messages ? 529 : 503;
    if (status == 402 || status == 499) return 502;
    return status >= 400 && status <= 599 ? status : 502;
}

llm_refusal refusal_theirs(arena *a, const llm_error *e, const llm_dialect *asked,
                           const llm_dialect *provider)
{
    llm_refusal r = {.kind = "upstream_refused", .said = *e, .theirs = true};
    r.said.status = status_for(e->status, asked);
    r.said.message = str_take(e->message, MESSAGE_MOST);
    if (asked != &anthropic_messages) { /* there, a status has but one type, and no code */
        if (!e->type.n) r.said.type = text(provider->error_type);
        if (!e->code.n) r.said.code = arena_fmt(a, "%d", e->status);
        r.said.theirs = true;
    }
    return r;
}

str refusal_body(arena *a, const llm_dialect *asked, const llm_refusal *r)
{
    return jn_dump(a, asked->write_error(a, &r->said));
}
