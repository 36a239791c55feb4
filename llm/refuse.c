/* SPDX-License-Identifier: Apache-2.0 */
#include "refuse.h"

typedef struct {
    int status;
    const char *type, *code, *message;
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

llm_refusal refusal_of(const err *e)
{
    const refusal_row *row = &rows[e->kind];
    str message = row->message ? (str){row->message, strlen(row->message)} : e->text;
    return (llm_refusal){.status = row->status,
                         .type = row->type,
                         .code = row->code,
                         .message = message};
}

llm_refusal refusal_no_model(arena *a, str model)
{
    str shown = str_take(model, 200);
    return (llm_refusal){
        .status = 404,
        .type = "invalid_request_error",
        .code = "model_not_found",
        .message =
            arena_fmt(a, "The model `" STR_FMT "` does not exist or you do not have access to it.",
                      STR_ARG(shown)),
    };
}

str refusal_body(arena *a, const llm_refusal *r)
{
    buf b = buf_new(a, 16384);
    buf_put(&b, S("{\"error\":{\"message\":"));
    buf_json(&b, r->message);
    buf_put(&b, S(",\"type\":"));
    buf_json(&b, (str){r->type, strlen(r->type)});
    buf_put(&b, S(",\"param\":null,\"code\":"));
    if (r->code)
        buf_json(&b, (str){r->code, strlen(r->code)});
    else
        buf_put(&b, S("null"));
    buf_put(&b, S("}}"));
    return buf_str(&b);
}
