/* SPDX-License-Identifier: Apache-2.0 */
/* made_models.c - tables: what makes a backend, what is added to it, and which models are whose.
 *
 * Of the rows of one backend the first counts whose variables are all set. Variables of AWS and
 * Google are set on many machines for other reasons, so there a place names nobody by itself: it
 * wants a credential beside it. But a machine of AWS that has a role shows nothing but its region;
 * when that is all there is, AWS's whole chain is asked. */
#include "made_models.h"

#include "../base/buf.h"
#include "process.h"

enum { WANTS_MOST = 4, SECTION_LIMIT = 64 << 10, TOLD_LIMIT = 4 << 10 };

typedef struct {
    const char *backend, *wants[WANTS_MOST]; /* variables; "A|B": one of them */
    const char *is;
    unsigned how;
} backend_row;
enum { BESIDE = 1, ALONE = 2 }; /* another dialect of a provider; only when nobody else is named */

#define REGION "AWS_REGION|AWS_DEFAULT_REGION"
#define LENT                                                                                       \
    "AWS_ACCESS_KEY_ID|AWS_PROFILE|AWS_WEB_IDENTITY_TOKEN_FILE|"                                   \
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI|AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define GOOGLE                                                                                     \
    "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION",                                               \
        "GOOGLE_APPLICATION_CREDENTIALS|GOOGLE_GENAI_USE_VERTEXAI"
#define AWS_TOKEN "auth: { bearer: \"${AWS_BEARER_TOKEN_BEDROCK}\" }"
#define IN_GOOGLE                                                                                  \
    "project: \"${GOOGLE_CLOUD_PROJECT}\", region: \"${GOOGLE_CLOUD_LOCATION}\", auth: { gcp: {} " \
    "}"
#define IN_AZURE "schema: azure, url: \"${AZURE_OPENAI_ENDPOINT}\", auth: "
#define ENDPOINT "AZURE_OPENAI_ENDPOINT"

/* clang-format off */
#define ROW(name, flags, what, ...) {.backend = name, .wants = {__VA_ARGS__}, .is = what, .how = flags}
static const backend_row backends[] = {
    ROW("openai", 0, "schema: openai, auth: { bearer: \"${OPENAI_API_KEY}\" }", "OPENAI_API_KEY"),
    ROW("openai", 0, "schema: openai", "OPENAI_BASE_URL"), /* a model server of one's own, that asks for no key */
    ROW("azure", 0, IN_AZURE "{ api_key: \"${AZURE_OPENAI_API_KEY}\" }", ENDPOINT, "AZURE_OPENAI_API_KEY"),
    ROW("azure", 0, IN_AZURE "{ entra: { client_secret: \"${AZURE_CLIENT_SECRET}\" } }",
        ENDPOINT, "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
    ROW("azure", 0, IN_AZURE "{ entra: {} }",
        ENDPOINT, "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
    ROW("anthropic", 0, "schema: anthropic, auth: { api_key: \"${ANTHROPIC_API_KEY}\" }", "ANTHROPIC_API_KEY"),
    ROW("anthropic", 0, "schema: anthropic, auth: { bearer: \"${ANTHROPIC_AUTH_TOKEN}\" }", "ANTHROPIC_AUTH_TOKEN"),
    ROW("gemini", 0, "schema: gemini, auth: { api_key: \"${GEMINI_API_KEY}\" }", "GEMINI_API_KEY"),
    ROW("gemini", 0, "schema: gemini, auth: { api_key: \"${GOOGLE_API_KEY}\" }", "GOOGLE_API_KEY"),
    ROW("vertex", 0, "schema: gcp-vertex, " IN_GOOGLE, GOOGLE),
    ROW("vertex-claude", BESIDE, "schema: gcp-anthropic, " IN_GOOGLE, GOOGLE),
    ROW("cohere", 0, "schema: cohere, auth: { bearer: \"${CO_API_KEY}\" }", "CO_API_KEY"),
    ROW("cohere", 0, "schema: cohere, auth: { bearer: \"${COHERE_API_KEY}\" }", "COHERE_API_KEY"),
    ROW("bedrock", 0, "schema: aws-bedrock, " AWS_TOKEN, REGION, "AWS_BEARER_TOKEN_BEDROCK"),
    ROW("bedrock", 0, "schema: aws-bedrock, auth: { aws: {} }", REGION, LENT),
    ROW("bedrock", ALONE, "schema: aws-bedrock, auth: { aws: {} }", REGION),
    ROW("bedrock-claude", BESIDE, "schema: aws-anthropic, " AWS_TOKEN, REGION, "AWS_BEARER_TOKEN_BEDROCK"),
    ROW("bedrock-claude", BESIDE, "schema: aws-anthropic, auth: { aws: {} }", REGION, LENT),
    ROW("bedrock-claude", BESIDE | ALONE, "schema: aws-anthropic, auth: { aws: {} }", REGION),
};

/* What one more variable adds. */
static const struct {
    const char *backend, *variable, *key;
} additions[] = {
    {"openai", "OPENAI_BASE_URL", "prefix: \"\", url"}, /* that one ends in /v1 */
    {"azure", "OPENAI_API_VERSION", "version"},
    {"anthropic", "ANTHROPIC_BASE_URL", "url"},
    {"gemini", "GOOGLE_GEMINI_BASE_URL", "url"},
    {"vertex", "GOOGLE_VERTEX_BASE_URL", "url"},
    {"vertex-claude", "GOOGLE_VERTEX_BASE_URL", "url"},
    {"cohere", "CO_API_URL", "url"},
    {"bedrock", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "url"},
    {"bedrock-claude", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "url"},
};

static const struct {
    const char *backend, *variable, *header;
} headers[] = {
    {"openai", "OPENAI_ORG_ID", "OpenAI-Organization"},
    {"openai", "OPENAI_PROJECT_ID", "OpenAI-Project"},
};

/* Whose models have such names. The first row with a backend that is there has them. */
static const struct {
    const char *backend, *wants, *models;
} owners[] = {
    {"azure", "AZURE_OPENAI_DEPLOYMENT", "\"${AZURE_OPENAI_DEPLOYMENT}\""},
    {"vertex-claude", NULL, "\"claude-*@*\""},
    {"anthropic", NULL, "\"claude-*\""},
    {"vertex-claude", NULL, "\"claude-*\""},
    {"gemini", NULL, "\"gemini-*\", \"gemma-*\""},
    {"vertex", NULL, "\"gemini-*\", \"gemma-*\""},
    {"cohere", NULL, "\"command-*\", \"c4ai-*\", \"embed-*\", \"rerank-*\""},
    {"bedrock-claude", NULL, "\"anthropic.*\", \"*.anthropic.*\""},
    {"bedrock", NULL,
     "\"amazon.*\", \"us.*\", \"eu.*\", \"apac.*\", \"jp.*\", \"au.*\", \"ca.*\", \"global.*\", \"us-gov.*\", "
     "\"meta.*\", \"mistral.*\", \"deepseek.*\", \"qwen.*\", \"openai.*\", \"cohere.*\", \"ai21.*\", \"writer.*\", "
     "\"arn:aws*\""},
};

/* Set, and of no use without others. */
static const struct {
    const char *variable, *backend, *others;
} halves[] = {
    {"AZURE_OPENAI_API_KEY", "azure", "AZURE_OPENAI_ENDPOINT"},
    {"AZURE_OPENAI_ENDPOINT", "azure",
     "AZURE_OPENAI_API_KEY (or AZURE_TENANT_ID, AZURE_CLIENT_ID and one of AZURE_CLIENT_SECRET and AZURE_FEDERATED_TOKEN_FILE)"},
    {"AWS_BEARER_TOKEN_BEDROCK", "bedrock", "AWS_REGION"},
};
/* clang-format on */

enum { BACKENDS = sizeof backends / sizeof *backends, OWNERS = sizeof owners / sizeof *owners };

typedef struct {
    const backend_row *found[BACKENDS];
    size_t count, providers;
    buf section, told;
} making;

static bool is_set(const char *variables)
{
    str rest = {variables, strlen(variables)};
    while (rest.n) {
        char name[64] = {0};
        str_pair cut = str_cut(rest, '|');
        for (size_t i = 0; i < cut.head.n && i + 1 < sizeof name; i++) name[i] = cut.head.p[i];
        const char *value = process_variable(name);
        if (value && *value) return true;
        rest = cut.tail;
    }
    return false;
}

static const backend_row *found(const making *m, const char *backend)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->found[i]->backend, backend) == 0) return m->found[i];
    return NULL;
}

static void find(making *m, unsigned how)
{
    for (const backend_row *r = backends; r < backends + BACKENDS; r++) {
        bool whole = (r->how & ALONE) == how && !found(m, r->backend);
        for (size_t i = 0; whole && i < WANTS_MOST && r->wants[i]; i++) whole = is_set(r->wants[i]);
        if (!whole) continue;
        m->found[m->count++] = r;
        m->providers += !(r->how & BESIDE);
    }
}

static bool adds(const backend_row *r, const char *backend, const char *variable)
{
    return strcmp(backend, r->backend) == 0 && is_set(variable);
}

static void put_backend(buf *b, const backend_row *r)
{
    bool any = false;
    buf_fmt(b, "    %s: { %s", r->backend, r->is);
    for (size_t i = 0; i < sizeof additions / sizeof *additions; i++)
        if (adds(r, additions[i].backend, additions[i].variable))
            buf_fmt(b, ", %s: \"${%s}\"", additions[i].key, additions[i].variable);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        if (!adds(r, headers[i].backend, headers[i].variable)) continue;
        buf_fmt(b, "%s%s: \"${%s}\"", any ? ", " : ", headers: { set: { ", headers[i].header,
                headers[i].variable);
        any = true;
    }
    buf_put(b, any ? S(" } } }\n") : S(" }\n"));
}

/* Has an earlier row of a backend that is there the same models? */
static bool is_taken(const making *m, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(owners[i].models, owners[at].models) == 0 && found(m, owners[i].backend))
            return true;
    return false;
}

/* "gemini-*", "gemma-*" is told as gemini-*, gemma-*; a variable as what is in it. */
static void tell(buf *b, const char *variable, const char *models, const char *backend)
{
    str rest = {models, strlen(models)};
    if (b->n) buf_put(b, S("; "));
    if (variable) {
        const char *value = process_variable(variable);
        buf_put(b, (str){value, value ? strlen(value) : 0});
        rest = (str){0};
    }
    while (rest.n) {
        str_pair cut = str_cut(rest, '"');
        buf_put(b, cut.head);
        rest = cut.tail;
    }
    buf_fmt(b, " by %s", backend);
}

/* `rest` need not be told what is its own. */
static bool owns(const making *m, size_t i, const char *rest)
{
    if (!found(m, owners[i].backend)) return false;
    if (owners[i].wants) return is_set(owners[i].wants);
    return (!rest || strcmp(owners[i].backend, rest) != 0) && !is_taken(m, i);
}

static void put_owners(making *m, const char *rest)
{
    for (size_t i = 0; i < OWNERS; i++) {
        if (!owns(m, i, rest)) continue;
        buf_fmt(&m->section, "    - { name: \"%s %zu\", models: [%s], to: [%s] }\n",
                owners[i].backend, i, owners[i].models, owners[i].backend);
        tell(&m->told, owners[i].wants, owners[i].models, owners[i].backend);
    }
}

/* Who has every name that nobody else claims. */
static const char *rest_of(const making *m)
{
    if (found(m, "openai")) return "openai";
    if (found(m, "azure")) return "azure";
    for (size_t i = 0; m->providers == 1 && i < m->count; i++)
        if (!(m->found[i]->how & BESIDE)) return m->found[i]->backend;
    return NULL;
}

/* Azure has deployments, of any name: without one that is named it is there for OpenAI's bad days.
 */
static void put_rest(making *m, const char *rest)
{
    bool other = found(m, "openai") && found(m, "azure") && !is_set("AZURE_OPENAI_DEPLOYMENT");
    buf_fmt(&m->section, "    - { name: rest, to: [ { backend: %s }%s ] }\n", rest,
            other ? ", { backend: azure, priority: 1 }" : "");
    tell(&m->told, NULL, m->told.n ? "every other model" : "every model", rest);
    if (other) buf_put(&m->told, S(", and by azure when that fails"));
}

static const err *check_halves(arena *a, const making *m)
{
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        if (is_set(halves[i].variable) && !found(m, halves[i].backend))
            return err_new(a, ERR_NOT_FOUND, "%s is set, and %s is not", halves[i].variable,
                           halves[i].others);
    return NULL;
}

const err *made_models_read(arena *a, made_models *out)
{
    making m = {.section = buf_new(a, SECTION_LIMIT), .told = buf_new(a, TOLD_LIMIT)};
    *out = (made_models){0};
    find(&m, 0);
    const err *e = check_halves(a, &m);
    if (e) return e;
    if (!m.count) find(&m, ALONE);
    if (!m.count) return NULL;
    buf_put(&m.section, S("llm:\n  backends:\n"));
    for (size_t i = 0; i < m.count; i++) put_backend(&m.section, m.found[i]);
    buf_put(&m.section, S("  routes:\n"));
    const char *rest = rest_of(&m);
    put_owners(&m, rest);
    if (rest) put_rest(&m, rest);
    *out = (made_models){buf_str(&m.section), buf_str(&m.told)};
    return NULL;
}
