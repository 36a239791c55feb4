/* SPDX-License-Identifier: Apache-2.0 */
/* lsp_docs.c - a sentence on each key of a policy file and each fact a rule may look at. */
#include "lsp_ask.h"

typedef struct {
    fmt_role in;
    const char *name, *text;
} key_row;

/* clang-format off */
static const key_row keys[] = {
    {FMT_FILE, "policy", "The version of the format: v1."},
    {FMT_FILE, "name", "What the file is called in messages."},
    {FMT_FILE, "description", "What it is for."},
    {FMT_FILE, "default", "What happens when no rule permits: deny, always."},
    {FMT_FILE, "vars", "Named expressions of this file, evaluated at most once a request; each may use those above it as vars.NAME."},
    {FMT_FILE, "rules", "What is permitted, forbidden and required. Their order says nothing."},
    {FMT_FILE, "quotas", "How much may be used, by whom."},
    {FMT_FILE, "masks", "What of a tool's result its caller does not get to see."},
    {FMT_FILE, "tests", "Who asks what, and what must come of it: `sallyport policy test`."},
    {FMT_RULE, "id", "The rule's name, unique over all files."},
    {FMT_RULE, "permit", "What this rule allows when its condition holds: server/tool globs, or a map of tools, resources, prompts, models and endpoints."},
    {FMT_RULE, "forbid", "What this rule denies when its condition holds, or cannot be evaluated. It beats every permit."},
    {FMT_RULE, "require", "What is denied unless this rule's condition holds. It grants nothing."},
    {FMT_RULE, "when", "The condition: an expression that is true or false."},
    {FMT_RULE, "scopes", "Scopes the caller must all have; who lacks only these is told so."},
    {FMT_RULE, "args", "One condition for each argument; `this` is its value."},
    {FMT_RULE, "other_args", "deny: the rule does not match a call with an argument not named in args."},
    {FMT_RULE, "message", "Told to the client when the rule denies."},
    {FMT_RULE, "note", "Told to the operator only."},
    {FMT_ARG, "in", "The values the argument may have."},
    {FMT_ARG, "is", "The value the argument must have."},
    {FMT_ARG, "when", "The condition; `this` is the argument's value."},
    {FMT_ARG, "optional", "true: the argument may be absent."},
    {FMT_TEST, "name", "What the test says, as a sentence."},
    {FMT_TEST, "as", "Who asks: { jwt: { claims } }."},
    {FMT_TEST, "call", "The tool that is called: server/tool."},
    {FMT_TEST, "list", "The server whose tools are listed."},
    {FMT_TEST, "llm", "The model that is asked."},
    {FMT_TEST, "read", "The resource that is read: server/uri."},
    {FMT_TEST, "prompt", "The prompt that is got: server/name."},
    {FMT_TEST, "endpoint", "The endpoint that is called, by its path."},
    {FMT_TEST, "args", "The call's arguments."},
    {FMT_TEST, "headers", "The request's headers."},
    {FMT_TEST, "annotations", "What the upstream says of the tool."},
    {FMT_TEST, "now", "The time it is asked at: \"2026-01-02T15:04:05Z\"."},
    {FMT_TEST, "ip", "The address it is asked from."},
    {FMT_TEST, "usage", "What the call will have used: input, output, usd …"},
    {FMT_TEST, "remaining", "What is left of quotas before it, by their ids; the rest are untouched."},
    {FMT_TEST, "expect", "permit or deny."},
    {FMT_TEST, "because", "Ids of rules and quotas, one of which must be the one that decides."},
    {FMT_TEST, "expect_cost", "What the call costs quotas, by their ids; in dollars where they count those."},
    {FMT_TEST, "expect_tools", "The names of the tools that are listed, and no others."},
    {FMT_TEST, "expect_masks", "Ids of the masks that apply to the call's result, and no others."},
    {FMT_QUOTA, "id", "The quota's name, unique over all files."},
    {FMT_QUOTA, "for", "What it counts: a map of tools, models, …"},
    {FMT_QUOTA, "key", "Who shares one count: an expression."},
    {FMT_QUOTA, "limit", "How much there is in one window; in dollars when the cost reads usage.usd."},
    {FMT_QUOTA, "window", "1s to 30d, or month."},
    {FMT_QUOTA, "kind", "sliding, fixed or concurrency."},
    {FMT_QUOTA, "cost", "What one use costs: an expression over usage. Left out: tokens of models, 1 of tools."},
    {FMT_QUOTA, "mode", "enforce, or shadow: counted, never refused."},
    {FMT_QUOTA, "hard", "true: only with a store that loses nothing."},
    {FMT_QUOTA, "message", "Told to the client that is refused."},
    {FMT_QUOTA, "note", "For those who read the file."},
    {FMT_MASK, "id", "The mask's name, unique over all files."},
    {FMT_MASK, "for", "Whose results: server/tool globs."},
    {FMT_MASK, "when", "The condition; what cannot be evaluated masks."},
    {FMT_MASK, "paths", "Members of structuredContent, and of text that is JSON: customer.iban, orders.*.card."},
    {FMT_MASK, "patterns", "Regular expressions (RE2) for what is hidden in any text."},
    {FMT_MASK, "note", "Told to the operator only."},
    {FMT_OTHER, NULL, NULL},
};

static const struct { const char *name, *text; } facts[] = {
    {"jwt", "The claims of the caller's token; empty without one."},
    {"caller", "Who asks."},
    {"caller.id", "jwt:ISSUER|SUBJECT, key:ID, cert:SHA256 or anonymous."},
    {"caller.kind", "jwt, key, cert or anonymous."},
    {"caller.name", "The subject of the token, or the name of the key."},
    {"caller.scopes", "The scopes of the token, of `scope` and `scp`."},
    {"tool", "The tool that is called or listed."},
    {"tool.server", "The server it is on."},
    {"tool.name", "The upstream's own name of it."},
    {"tool.title", "Its title."},
    {"tool.annotations", "What the upstream says of it, readOnlyHint for example: a hint, not a fact."},
    {"args", "The arguments of the call; unknown while a list is made."},
    {"resource", "The resource that is read or listed."},
    {"resource.server", "The server it is on."},
    {"resource.uri", "The upstream's own URI of it."},
    {"prompt", "The prompt that is got or listed."},
    {"prompt.server", "The server it is on."},
    {"prompt.name", "The upstream's own name of it."},
    {"mcp", "The MCP request."},
    {"mcp.method", "tools/call, resources/read …; of a list, what it is a list for."},
    {"mcp.protocol", "The protocol's revision."},
    {"mcp.client", "What the client says it is."},
    {"mcp.client.name", "The client's name for itself."},
    {"mcp.client.version", "The client's version."},
    {"http", "The HTTP request."},
    {"http.method", "POST, GET …"},
    {"http.path", "The path, without the query."},
    {"http.host", "The host the client asked for."},
    {"http.headers", "Headers by their lower-case names; unknown while a list is made."},
    {"llm", "The request to a model."},
    {"llm.model", "The model the client asked for."},
    {"llm.endpoint", "The path of the API, /v1/chat/completions for example."},
    {"llm.backend", "The backend that would answer."},
    {"llm.stream", "Is the answer to be streamed?"},
    {"llm.params", "The body of the request."},
    {"llm.tools", "Names of the tools the request offers the model."},
    {"usage", "What the request used; in the cost of a quota."},
    {"usage.input", "Tokens of the prompt that were neither read from a cache nor written to one."},
    {"usage.cached_input", "Tokens of the prompt read from the provider's cache."},
    {"usage.cache_write", "Tokens of the prompt written to it."},
    {"usage.output", "Tokens of the answer, thoughts included."},
    {"usage.reasoning", "Tokens of the thoughts alone."},
    {"usage.total", "All tokens of prompt and answer."},
    {"usage.usd", "What it cost, in dollars."},
    {"quota", "What is left of each quota: quota.ID.remaining, and .reset_in in seconds."},
    {"source", "Where the request comes from."},
    {"source.ip", "The address of the client."},
    {"source.cert", "The client's certificate."},
    {"now", "The time."},
    {"vars", "The named expressions of this file."},
    {"this", "The value of the argument, in args."},
};
/* clang-format on */

const char *lsp_key_doc(fmt_role in, str key)
{
    for (const key_row *k = keys; k->name; k++)
        if (k->in == in && str_eq((str){k->name, strlen(k->name)}, key)) return k->text;
    return NULL;
}

const char *lsp_fact_doc(str name)
{
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (str_eq((str){facts[i].name, strlen(facts[i].name)}, name)) return facts[i].text;
    return NULL;
}
