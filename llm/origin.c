/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"
#include "thinking.h"

bool origin_is_claude(str family)
{
    return !family.p || str_eq(family, S("anthropic")) || str_eq(family, S("bedrock")) ||
           str_eq(family, S("openai_chat")); /* servers like OpenAI's show Claude's as they are */
}

str origin_sealed(arena *a, const llm_part *p, const char *maker)
{
    bool hidden = p->kind == PART_REDACTED;
    str what = hidden ? p->text : p->signature;
    if (!what.n) return (str){0};
    return arena_fmt(a, "sp1.%s.%c." STR_FMT, maker, hidden ? 'r' : 's', STR_ARG(what));
}

bool origin_unseal(str text, llm_part *p)
{
    str_pair first = str_cut(text, '.');
    if (!first.ok || !str_eq(first.head, S("sp1"))) return false;
    str_pair maker = str_cut(first.tail, '.'), kind = str_cut(maker.tail, '.');
    if (!maker.ok || !kind.ok) return false;
    p->origin = maker.head;
    p->signature = kind.tail;
    if (!str_eq(kind.head, S("r"))) return true;
    p->kind = PART_REDACTED;
    p->text = kind.tail;
    return true;
}

bool origin_stands_in(str json)
{
    return json.n && memmem(json.p, json.n, "\"sp1.", 5);
}

typedef enum { SIGNS_NOTHING, SIGNS_AS_CLAUDE, SIGNS_AS_GEMINI } signer;

static signer signer_of(const llm_target *to, str model)
{
    switch (to->backend->schema) {
    case SCHEMA_GCP_VERTEX:
    case SCHEMA_GEMINI: return SIGNS_AS_GEMINI;
    case SCHEMA_OPENAI:
    case SCHEMA_AZURE:
        return is_claude(to->model.p ? to->model : model) ? SIGNS_AS_CLAUDE : SIGNS_NOTHING;
    case SCHEMA_COHERE: return SIGNS_NOTHING;
    case SCHEMA_ANTHROPIC:
    case SCHEMA_AWS_BEDROCK:
    case SCHEMA_AWS_ANTHROPIC:
    case SCHEMA_GCP_ANTHROPIC: return SIGNS_AS_CLAUDE;
    }
    return SIGNS_NOTHING;
}

bool origins_mix(const llm_route *r, str model)
{
    bool signs[SIGNS_AS_GEMINI + 1] = {false};
    for (size_t i = 0; i < r->target_count; i++) signs[signer_of(&r->to[i], model)] = true;
    return signs[SIGNS_AS_CLAUDE] && signs[SIGNS_AS_GEMINI];
}

void origin_fill(llm_part *parts, size_t n, str maker)
{
    for (llm_part *p = parts; p < parts + n; p++) {
        bool sealed = p->kind == PART_REDACTED || (p->kind == PART_THINKING && p->signature.n);
        if (sealed && !p->origin.p) p->origin = maker;
    }
}

/* Claude's are toolu_…, and tooluse_… at AWS. */
void origin_by_calls(llm_part *parts, size_t n)
{
    str maker = S("unknown");
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind == PART_TOOL_CALL)
            maker = str_starts(parts[i].id, S("toolu")) ? S("anthropic") : S("gemini");
    origin_fill(parts, n, maker);
}
