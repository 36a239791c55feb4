/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* spool_test.c - whatever is put and taken when, the bytes keep their order. */
#include "own_arena.h"

#include "../../transport/spool.h"
#include <stdio.h>
#include <unistd.h>

typedef struct {
    loop *l;
    spool *s;
    FILE *file;
    spool_job *held; /* what the disk has not done yet */
    bool broken;
    unsigned jobs, moved;
} bench;

static void submit(void *ctx, spool_job *job)
{
    bench *b = ctx;
    assert_null(b->held); /* one at a time */
    b->held = job;
    b->jobs++;
}

static void moved(void *ctx)
{
    ((bench *)ctx)->moved++;
}

/* The disk does what it was asked, and its letter is delivered. */
static void work(bench *b)
{
    spool_job *j = b->held;
    if (!j) return;
    b->held = NULL;
    if (j->fd < 0) j->fd = dup(fileno(b->file));
    ssize_t done = j->writes ? pwrite(j->fd, j->p, j->n, j->at) : pread(j->fd, j->p, j->n, j->at);
    j->failed = b->broken || done != (ssize_t)j->n;
    j->mail.deliver(&j->mail, b->l);
}

static bench bench_new(void)
{
    bench b = {.l = loop_new(0), .file = tmpfile()};
    assert_non_null(b.l);
    assert_non_null(b.file);
    return b;
}

static void bench_open(bench *b)
{
    b->s = spool_new(a, b->l, &(spool_disk){submit, b}, moved, b);
}

static void bench_free(bench *b)
{
    loop_free(b->l);
    (void)fclose(b->file);
}

/* The n-th byte of what is put. */
static char byte_at(uint64_t n)
{
    return (char)(n * 31 + n / 251);
}

static void put(bench *b, uint64_t *at, size_t n)
{
    char *p = malloc(n);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = byte_at(*at + i);
    (void)spool_put(b->s, (str){p, n});
    free(p);
    *at += n;
}

static size_t take(bench *b, uint64_t *at, size_t most)
{
    str got = str_take(spool_first(b->s), most);
    for (size_t i = 0; i < got.n; i++) assert_int_equal(got.p[i], byte_at(*at + i));
    spool_taken(b->s, got.n);
    *at += got.n;
    return got.n;
}

static void bytes_keep_their_order_through_memory_and_file(void **st)
{
    (void)st;
    static const struct {
        size_t put, take;
        unsigned takes_of_ten, works_of_ten;
    } ways[] = {
        {1000, 1000, 10, 10},  {16384, 999, 0, 10},   {100000, 100000, 3, 5},
        {300000, 70000, 5, 2}, {16384, 700000, 9, 1}, {600000, 1, 10, 10},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        bench b = bench_new();
        bench_open(&b);
        uint64_t in = 0, out = 0;
        for (unsigned turn = 0; in < (4u << 20); turn++) {
            if (spool_has_room(b.s)) put(&b, &in, ways[i].put);
            if (turn % 10 < ways[i].takes_of_ten) (void)take(&b, &out, ways[i].take);
            if (turn % 10 < ways[i].works_of_ten || !spool_has_room(b.s)) work(&b);
            assert_int_equal(spool_waiting(b.s), in - out);
        }
        while (out < in)
            if (!take(&b, &out, SIZE_MAX)) work(&b);
        assert_int_equal(spool_first(b.s).n, 0);
        assert_null(spool_error(b.s));
        arena_reset(a);
        if (b.held) work(&b);
        bench_free(&b);
    }
}

static void what_is_taken_in_step_never_meets_the_disk(void **st)
{
    (void)st;
    bench b = bench_new();
    bench_open(&b);
    uint64_t in = 0, out = 0;
    for (int i = 0; i < 200; i++) {
        put(&b, &in, 100000);
        while (out + 300000 < in) assert_true(take(&b, &out, 65536) > 0);
    }
    assert_int_equal(b.jobs, 0);
    arena_reset(a);
    bench_free(&b);
}

/* The window is full, and the first block on its way to the file. */
static void fill(bench *b)
{
    uint64_t in = 0;
    *b = bench_new();
    bench_open(b);
    put(b, &in, SPOOL_WINDOW);
    put(b, &in, SPOOL_BLOCK);
}

static void a_full_tail_says_so_until_the_disk_has_it(void **st)
{
    (void)st;
    bench b;
    uint64_t in = 0;
    fill(&b);
    assert_true(spool_has_room(b.s));
    put(&b, &in, SPOOL_BLOCK);
    assert_false(spool_has_room(b.s));
    work(&b);
    assert_true(spool_has_room(b.s));
    assert_int_equal(b.moved, 1);
    arena_reset(a); /* with a job out, which ends after its spool */
    work(&b);
    assert_int_equal(b.moved, 1);
    bench_free(&b);
}

static void a_job_that_comes_home_to_no_loop_frees_itself(void **st)
{
    (void)st;
    bench b;
    fill(&b);
    loop_post(b.l, &b.held->mail);
    bench_free(&b);
    arena_reset(a);
}

static void a_disk_that_fails_is_told(void **st)
{
    (void)st;
    bench b;
    fill(&b);
    b.broken = true;
    assert_null(spool_error(b.s));
    work(&b);
    assert_non_null(spool_error(b.s));
    assert_int_equal(b.moved, 1);
    arena_reset(a);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(bytes_keep_their_order_through_memory_and_file),
        ARENA_TEST(what_is_taken_in_step_never_meets_the_disk),
        ARENA_TEST(a_full_tail_says_so_until_the_disk_has_it),
        ARENA_TEST(a_job_that_comes_home_to_no_loop_frees_itself),
        ARENA_TEST(a_disk_that_fails_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
