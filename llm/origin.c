/* SPDX-License-Identifier: Apache-2.0 */
#include "origin.h"

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
