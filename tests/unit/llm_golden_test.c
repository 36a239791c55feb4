/* floor: llm */
/* SPDX-License-Identifier: Apache-2.0 */
/* llm_golden_test.c - tests/golden/CLIENT-PROVIDER/CASE/{request,reply,stream,error}.{in,out}.
 *
 * request.in is what the client says, request.out what the provider gets (and lost.out what it
 * could not be told); the others come from the provider and go to the client. A missing .out is
 * shown, so that adding a case is adding its .in and looking. Beside the pairs, the laws hold over
 * all of them: what was written reads as the same again, every cut of a stream gives the same
 * bytes, and a stream put together is the plain answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "llm_case.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const llm_dialect *const dialects[] =
    {&openai_chat, &openai_responses, &anthropic_messages, &bedrock,
     &gemini,      &aws_anthropic,    &gcp_anthropic,      &cohere};
enum { FILE_MOST = 1 << 20, CASES_MOST = 256 };

typedef struct {
    char dir[256];
    const llm_dialect *asked, *provider;
} golden;

static golden all[CASES_MOST];
static size_t all_count;

static const llm_dialect *dialect_named(str name)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
        if (str_eq(name, (str){dialects[i]->name, strlen(dialects[i]->name)})) return dialects[i];
    return NULL;
}

static str text_of(arena *a, const golden *g, const char *file)
{
    str path = arena_fmt(a, "%s/%s", g->dir, file);
    FILE *f = fopen(path.p, "rb");
    if (!f) return (str){0};
    char *p = arena_bytes(a, FILE_MOST);
    size_t n = fread(p, 1, FILE_MOST, f);
    fclose(f);
    return (str){p, n};
}

static str trimmed(str s)
{
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == ' ')) s.n--;
    return s;
}

static void same(arena *a, const golden *g, const char *file, str got)
{
    str want = trimmed(text_of(a, g, file));
    got = trimmed(case_without_ids(a, got));
    if (str_eq(got, want)) return;
    print_error("%s/%s is\n" STR_FMT "\n", g->dir, file, STR_ARG(got));
    fail();
}

static bool is_pass(const golden *g)
{
    return g->asked == g->provider;
}

static void read_chat(arena *a, const golden *g, llm_chat *c)
{
    *c = (llm_chat){0};
    const err *e = case_read(a, g->asked, text_of(a, g, "request.in"), c);
    if (e) print_error("%s: " STR_FMT "\n", g->dir, STR_ARG(e->text));
    assert_null(e);
}

static void a_request_is_what_the_provider_takes(void **s)
{
    (void)s;
    for (size_t i = 0; i < all_count; i++) {
        arena *a = arena_new();
        llm_chat c;
        str out, lost;
        read_chat(a, &all[i], &c);
        if (all[i].provider->write_request && !is_pass(&all[i])) {
            assert_null(case_write(a, all[i].provider, &c, &out, &lost));
            same(a, &all[i], "request.out", out);
            same(a, &all[i], "lost.out", lost);
        }
        arena_free(a);
    }
}

/* What a dialect writes it reads as the same, and then nothing of it is lost. */
static void what_is_written_is_read_again(void **s)
{
    (void)s;
    for (size_t i = 0; i < all_count; i++) {
        const llm_dialect *d = all[i].provider;
        arena *a = arena_new();
        llm_chat c, again = {0};
        str first, second, lost;
        read_chat(a, &all[i], &c);
        if (d->write_request && d->read_request) {
            assert_null(case_write(a, d, &c, &first, &lost));
            assert_null(case_read(a, d, first, &again));
            assert_null(case_write(a, d, &again, &second, &lost));
            if (!str_eq(first, second))
                print_error("%s:\n" STR_FMT "\n" STR_FMT "\n", all[i].dir, STR_ARG(first),
                            STR_ARG(second));
            assert_true(str_eq(first, second));
            if (lost.n) print_error("%s loses " STR_FMT "\n", all[i].dir, STR_ARG(lost));
            assert_int_equal(lost.n, 0);
        }
        arena_free(a);
    }
}

static void a_reply_is_what_the_client_reads(void **s)
{
    (void)s;
    for (size_t i = 0; i < all_count; i++) {
        arena *a = arena_new();
        str in = text_of(a, &all[i], "reply.in");
        llm_chat c;
        js_value root;
        llm_reply r = {.maker = all[i].provider->family};
        if (in.p && !is_pass(&all[i])) {
            read_chat(a, &all[i], &c);
            assert_null(js_check(a, in, 64, &root));
            assert_null(all[i].provider->read_reply(reader_new(a), root, NULL, &r));
            same(a, &all[i], "reply.out", jn_dump(a, all[i].asked->write_reply(a, &c, &r)));
        }
        arena_free(a);
    }
}

static void an_error_is_what_the_client_reads(void **s)
{
    (void)s;
    for (size_t i = 0; i < all_count; i++) {
        arena *a = arena_new();
        str in = text_of(a, &all[i], "error.in");
        llm_error e = {.status = 400};
        if (in.p) {
            all[i].provider->read_error(a, NULL, in, &e);
            same(a, &all[i], "error.out", jn_dump(a, all[i].asked->write_error(a, &e)));
        }
        arena_free(a);
    }
}

static void a_stream_is_the_same_however_it_is_cut(void **s)
{
    (void)s;
    for (size_t i = 0; i < all_count; i++) {
        arena *a = arena_new();
        str in = text_of(a, &all[i], "stream.in");
        llm_chat c;
        if (in.p && !is_pass(&all[i])) read_chat(a, &all[i], &c);
        for (size_t cut = 0; in.p && !is_pass(&all[i]) && cut <= in.n; cut++) {
            arena *turn = arena_new();
            const err *broken = NULL;
            str pieces[2] = {str_take(in, cut), str_drop(in, cut)};
            str out = case_translate(turn, all[i].provider, all[i].asked, &c, pieces, &broken);
            assert_null(broken);
            same(turn, &all[i], "stream.out", out);
            arena_free(turn);
        }
        arena_free(a);
    }
}

static void a_stream_put_together_is_the_plain_answer(void **s)
{
    (void)s;
    for (size_t i = 0; i < all_count; i++) {
        arena *a = arena_new();
        str stream = text_of(a, &all[i], "stream.in"), plain = text_of(a, &all[i], "reply.in");
        llm_chat c;
        js_value root;
        llm_reply whole = {0};
        if (stream.p && plain.p && !is_pass(&all[i])) {
            read_chat(a, &all[i], &c);
            llm_reply *folded = case_folded_reply(a, all[i].provider, &c, stream);
            assert_non_null(folded);
            assert_null(js_check(a, plain, 64, &root));
            assert_null(all[i].provider->read_reply(reader_new(a), root, NULL, &whole));
            str one =
                case_without_ids(a, jn_dump(a, anthropic_messages.write_reply(a, &c, folded)));
            str two =
                case_without_ids(a, jn_dump(a, anthropic_messages.write_reply(a, &c, &whole)));
            if (!str_eq(one, two))
                print_error("%s:\n" STR_FMT "\n" STR_FMT "\n", all[i].dir, STR_ARG(one),
                            STR_ARG(two));
            assert_true(str_eq(one, two));
        }
        arena_free(a);
    }
}

static void collect(const char *pair, const golden *of)
{
    char path[200];
    snprintf(path, sizeof path, "tests/golden/%s", pair);
    DIR *d = opendir(path);
    for (struct dirent *e = d ? readdir(d) : NULL; e;
         e = readdir(d)) { /* NOLINT(concurrency-mt-unsafe) */
        if (e->d_name[0] == '.' || all_count == CASES_MOST) continue;
        golden *g = &all[all_count++];
        *g = *of;
        snprintf(g->dir, sizeof g->dir, "%.120s/%.100s", path, e->d_name);
    }
    if (d) closedir(d);
}

static int find_cases(void **s)
{
    (void)s;
    DIR *d = opendir("tests/golden");
    for (struct dirent *e = d ? readdir(d) : NULL; e;
         e = readdir(d)) { /* NOLINT(concurrency-mt-unsafe) */
        str_pair names = str_cut((str){e->d_name, strlen(e->d_name)}, '-');
        golden of = {.asked = dialect_named(names.head), .provider = dialect_named(names.tail)};
        if (names.ok && of.asked && of.provider) collect(e->d_name, &of);
    }
    if (d) closedir(d);
    return all_count ? 0 : -1;
}

int main(void)
{
    static const struct CMUnitTest t[] = {
        cmocka_unit_test(a_request_is_what_the_provider_takes),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(a_reply_is_what_the_client_reads),
        cmocka_unit_test(an_error_is_what_the_client_reads),
        cmocka_unit_test(a_stream_is_the_same_however_it_is_cut),
        cmocka_unit_test(a_stream_put_together_is_the_plain_answer),
    };
    return cmocka_run_group_tests(t, find_cases, NULL);
}
