/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration: it loads or every problem has a place; what loads can be shown. */
#include "../../server/config.h"
#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static str variable(void *ctx, arena *a, str name)
{
    (void)ctx;
    (void)a;
    return name.n % 2 ? S("va\nlue: {") : (str){0};
}

static const err *read_file(void *ctx, arena *a, str path, str *text)
{
    (void)ctx;
    if (path.n % 2) return err_new(a, ERR_NOT_FOUND, "no");
    *text = path;
    return NULL;
}

static const str *match(void *ctx, arena *a, str pattern)
{
    (void)ctx;
    str *all = NEW_N(a, str, 2);
    if (pattern.n % 2) all[0] = pattern;
    return all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena *a = arena_new();
    config_world w = {.directory = S("/d"), .variable = variable, .read = read_file, .glob = match};
    str text = arena_dup(a, (str){(const char *)data, size});
    problems p;
    config *c = NULL;
    problems_init(&p, a, S("f"));
    config_load(a, &w, S("f"), text, &p, &c);
    assert((c == NULL) == (p.count > 0));
    for (const problem *one = p.first; one; one = one->next) assert(str_starts(one->text, S("f:")));
    if (c) {
        assert(config_show(a, c).n > 0);
        assert(!config_fixed_changes(a, c, c)->p);
    }
    arena_free(a);
    return 0;
}
