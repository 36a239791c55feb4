/* floor: authz */
/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a policy file against a world. The input is the file, then perhaps a line `---inventory`
 * with an inventory and a line `---config` with a configuration, in this order. Every finding must
 * have a code that is explained, lie within its file, and an error must refuse the policy. */
#include "../../authz/policy/check.h"
#include <stdint.h>
#include <stdlib.h>

/* What stands behind the mark is taken off `text`. */
static str take(str *text, str mark)
{
    const char *at = text->n ? memmem(text->p, text->n, mark.p, mark.n) : NULL;
    if (!at) return (str){0};
    str rest = str_drop(*text, (size_t)(at - text->p) + mark.n);
    *text = str_take(*text, (size_t)(at - text->p) + 1);
    return rest;
}

static unsigned lines_of(str text)
{
    unsigned n = 1;
    for (size_t i = 0; i < text.n; i++) n += text.p[i] == '\n' || text.p[i] == '\r';
    return n;
}

static void look(const policy_finding *list, size_t count, str file, bool refused)
{
    size_t errors = 0;
    for (size_t i = 0; i < count; i++) {
        const policy_finding *f = &list[i];
        errors += f->is_error;
        if (!policy_code_find(f->code) || !f->text.n) abort();
        if (f->line > lines_of(file) + 1 || f->width > file.n + 1) abort();
        if (i && f->line && list[i - 1].line > f->line) abort();
    }
    if (errors > 0 && !refused) abort();
    if (!errors && refused) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n > 1 << 16) return 0;
    str file = {(const char *)bytes, n};
    str config = take(&file, S("\n---config\n")), inventory = take(&file, S("\n---inventory\n"));
    arena *a = arena_new();
    policy_world w = {0}, other = {0};
    if (inventory.n && !policy_world_read_inventory(a, inventory, &other)) w = other;
    other = w;
    if (config.n && !policy_world_read_config(a, S("c"), config, &other)) w = other;
    problems out;
    policy *p = NULL;
    problems_init(&out, a, S("f.yaml"));
    const policy_source source = {S("f.yaml"), file};
    policy_check(a, &source, 1, &w, &out, &p);
    size_t count;
    const policy_finding *list = policy_findings(a, &out, &count);
    look(list, count, file, !p);
    arena_free(a);
    return 0;
}
