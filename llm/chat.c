/* SPDX-License-Identifier: Apache-2.0 */
#include "chat.h"
#include "llm.h"

enum { TEXT_LIMIT = 256 << 20 }; /* what is joined was bounded when it came in */

str chat_model(const llm_chat *c, const llm_target *to)
{
    return to->model.p ? to->model : c->model;
}

static bool is_text(const llm_part *p)
{
    return p->kind == PART_TEXT || p->kind == PART_REFUSAL;
}

str parts_text(arena *a, const llm_part *parts, size_t count)
{
    size_t texts = 0;
    str only = {0};
    for (size_t i = 0; i < count; i++) {
        if (!is_text(&parts[i])) continue;
        only = parts[i].text;
        texts++;
    }
    if (texts < 2) return only;
    buf b = buf_new(a, TEXT_LIMIT);
    for (size_t i = 0; i < count; i++)
        if (is_text(&parts[i])) buf_put(&b, parts[i].text);
    return buf_str(&b);
}
