/* floor: base */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml.c - whatever the file, the tree is bounded and consistent, or the error has a place. */
#include "../../base/yaml.h"
#include <stdint.h>
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

static size_t walk(const yaml_node *n, unsigned depth)
{
    demand(depth <= 64); /* aliases expanded */
    demand(n->line > 0 && n->column > 0);
    size_t count = 0, total = 1;
    for (const yaml_node *c = n->first; c; c = c->next, count++) {
        demand(n->kind != YAML_MAP || count > 20 || yaml_get(n, c->key) == c); /* keys are unique */
        total += walk(c, depth + 1);
    }
    demand(count == n->count);
    demand(n->kind != YAML_SCALAR || !n->first);
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    arena *a = arena_new();
    yaml_node *root;
    const err *e = yaml_parse(a, S("f"), (str){(const char *)p, n}, &root);
    if (e) {
        demand(!root && str_starts(e->text, S("f:")) && e->text.p[2] >= '1' && e->text.p[2] <= '9');
    } else {
        demand(walk(root, 0) <= YAML_NODES);
    }
    arena_free(a);
    return 0;
}
