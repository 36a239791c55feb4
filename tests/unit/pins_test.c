/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/pins.h"
#include "../../mcp/worker.h"
#include <fcntl.h>
#include <unistd.h>

#include "own_arena.h"

static problems found;

static int open_all(void **state)
{
    open_arena(state);
    problems_init(&found, a, S("s.yaml"));
    return 0;
}

static pins *lock(str text)
{
    return pins_read(a, S("tools.lock"), text, &found);
}

static catalog_item tool(str name, uint8_t digest)
{
    catalog_item t = {.name = name};
    memset(t.definition, digest, sizeof t.definition);
    return t;
}

static str hex(uint8_t digest)
{
    catalog_item t = tool(S("x"), digest);
    return digest_hex(a, t.definition, DIGEST_BYTES);
}

static void a_tool_is_new_changed_or_approved(void **state)
{
    (void)state;
    pin all[] = {{S("fs"), S("write"), hex(1)}, {S("fs"), S("read"), hex(2)}};
    pins *p = lock(pins_write(a, all, 2));
    assert_int_equal(found.count, 0);
    catalog_item same = tool(S("write"), 1), other = tool(S("read"), 3), no = tool(S("list"), 1);
    assert_int_equal(pins_state(p, S("fs"), &same), PIN_APPROVED);
    assert_int_equal(pins_state(p, S("fs"), &other), PIN_CHANGED);
    assert_int_equal(pins_state(p, S("fs"), &no), PIN_NEW);
    assert_int_equal(pins_state(p, S("sf"), &same), PIN_NEW);
}

static void a_lock_file_is_sorted_and_reads_back(void **state)
{
    (void)state;
    pin all[] = {{S("fs"), S("write"), hex(1)},
                 {S("fs"), S("odd: \"name\" # \xE2\x80\xAE/x"), hex(2)},
                 {S("fs"), S("wri"), hex(3)},
                 {S("a"), S("z"), hex(4)}};
    str text = pins_write(a, all, 4);
    size_t count;
    const pin *back = pins_list(lock(text), &count);
    assert_int_equal(found.count, 0);
    assert_int_equal(count, 4);
    static const char *const order[] = {"z", "odd: \"name\" # \xE2\x80\xAE/x", "wri", "write"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(back[i].tool.n, strlen(order[i]));
        assert_memory_equal(back[i].tool.p, order[i], back[i].tool.n);
    }
    assert_true(str_eq(text, pins_write(a, all, 4)));
}

static void no_file_yet_approves_nothing(void **state)
{
    (void)state;
    size_t count;
    pins *p = lock(S(""));
    catalog_item t = tool(S("x"), 1);
    (void)pins_list(p, &count);
    assert_int_equal(count + found.count, 0);
    assert_int_equal(pins_state(p, S("fs"), &t), PIN_NEW);
}

static void what_is_wrong_with_a_lock_file_is_said_with_its_place(void **state)
{
    (void)state;
    (void)lock(S("version: 1\ntools:\n  fs: 12\n  fs/x: zz\n"));
    assert_int_equal(found.count, 2);
    assert_memory_equal(found.first->text.p, "tools.lock:3:3:", 15);
    assert_memory_equal(found.first->next->text.p, "tools.lock:4:9:", 15);
    (void)lock(S("tools: [a]\n"));
    assert_int_equal(found.count, 4);
    (void)lock(S("version: 1\ntools: {a/b: [1]\n"));
    assert_int_equal(found.count, 5);
}

static void each_withheld_definition_is_told_once(void **state)
{
    (void)state;
    int ends[2];
    char seen[4096];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    mcp_shared s = {.log = log_new(ends[1], LOG_WARN_LEVEL)};
    pins *p = lock(S(""));
    catalog_item one = tool(S("one"), 1), two = tool(S("two"), 2);
    assert_true(pins_allow(NULL, &s, S("fs"), &one));
    for (int i = 0; i < 3; i++) {
        assert_false(pins_allow(p, &s, S("fs"), &one));
        assert_false(pins_allow(p, &s, S("fs"), &two));
    }
    ssize_t n = read(ends[0], seen, sizeof seen - 1);
    assert_true(n > 0);
    seen[n] = 0;
    int lines = 0;
    for (char *c = seen; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 2);
    log_free(s.log);
    close(ends[0]);
    close(ends[1]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_all, close_arena)
int main(void)
{
    const struct CMUnitTest tests[] = {T(a_tool_is_new_changed_or_approved),
                                       T(a_lock_file_is_sorted_and_reads_back),
                                       T(no_file_yet_approves_nothing),
                                       T(what_is_wrong_with_a_lock_file_is_said_with_its_place),
                                       T(each_withheld_definition_is_told_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
