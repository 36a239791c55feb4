/* floor: mcp */
/* SPDX-License-Identifier: Apache-2.0 */
#include "../../mcp/rank.h"
#include "own_arena.h"

static const struct {
    str name, text;
} items[] = {
    {S("create_issue"), S("Opens an issue in a repository")},
    {S("listIssues"), S("All issues of a repository, the newest first")},
    {S("read_file"), S("Reads a file from the disk")},
    {S("send_mail"), S("Sends a mail, for example about an issue")},
    {S("wetter"), S("Das Wetter in K\xC3\xB6ln")},
};

static size_t find(const char *query, size_t *ids, size_t most)
{
    rank *r = rank_new(a, (str){query, strlen(query)});
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        rank_add(r, i, items[i].name, S(""), items[i].text);
    return rank_best(r, ids, most);
}

static void the_best_fit_comes_first(void **state)
{
    (void)state;
    size_t ids[8];
    assert_int_equal(find("create an issue", ids, 8), 3);
    assert_int_equal(ids[0], 0);
    assert_int_equal(ids[1], 3); /* `an` and `issue` beat `issues` alone */
    assert_int_equal(find("READ FILES", ids, 8), 1);
    assert_int_equal(ids[0], 2);
}

static void names_are_cut_into_words_and_weigh_more(void **state)
{
    (void)state;
    size_t ids[8];
    assert_true(find("list issue", ids, 8) >= 2);
    assert_int_equal(ids[0], 1);
    assert_int_equal(find("mail", ids, 8), 1);
    assert_int_equal(ids[0], 3);
}

static void words_of_other_alphabets_are_words(void **state)
{
    (void)state;
    size_t ids[8];
    assert_int_equal(find("K\xC3\xB6ln", ids, 8), 1);
    assert_int_equal(ids[0], 4);
}

static void nothing_fits_nothing(void **state)
{
    (void)state;
    size_t ids[8];
    assert_int_equal(find("", ids, 8), 0);
    assert_int_equal(find(" -- !?", ids, 8), 0);
    assert_int_equal(find("zebra", ids, 8), 0);
}

static void there_are_at_most_as_many_as_asked_for(void **state)
{
    (void)state;
    size_t ids[8];
    assert_int_equal(find("issue repository", ids, 1), 1);
    assert_int_equal(ids[0], 0);
}

static void a_long_query_is_cut(void **state)
{
    (void)state;
    size_t ids[8];
    char query[4096];
    size_t n = 0;
    for (int i = 0; i < 400; i++) {
        query[n++] = (char)('a' + i % 26);
        query[n++] = (char)('a' + i / 26 % 26);
        query[n++] = ' ';
    }
    query[n] = 0;
    assert_true(find(query, ids, 8) <= 8);
}

static void equals_keep_their_order(void **state)
{
    (void)state;
    size_t ids[4];
    rank *r = rank_new(a, S("same"));
    for (size_t i = 0; i < 4; i++) rank_add(r, 10 + i, S("same"), S(""), S(""));
    assert_int_equal(rank_best(r, ids, 4), 4);
    for (size_t i = 0; i < 4; i++) assert_int_equal(ids[i], 10 + i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {ARENA_TEST(the_best_fit_comes_first),
                                       ARENA_TEST(names_are_cut_into_words_and_weigh_more),
                                       ARENA_TEST(words_of_other_alphabets_are_words),
                                       ARENA_TEST(nothing_fits_nothing),
                                       ARENA_TEST(there_are_at_most_as_many_as_asked_for),
                                       ARENA_TEST(a_long_query_is_cut),
                                       ARENA_TEST(equals_keep_their_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
