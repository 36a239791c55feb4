/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* child_test.c - real programs and what they say: lines, limits, pausing, stderr. */
#include "child_rig.h"
#include "process.h"
#include <fcntl.h>

/* Lines */

static void send_two(trial *t)
{
    assert_true(child_send(t->c, S("{\"id\":1}")));
    assert_true(child_send(t->c, S("{\"id\":2}")));
    assert_false(child_send(t->c, S("two\nlines")));
}

static void end_after_three(trial *t, str line)
{
    (void)line;
    if (t->lines != 3) return;
    child_end(t->c);
    t->c = NULL;
    loop_timer_start(t->l, &t->other, 100, stop, t);
}

static void lines_go_in_and_come_out(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.on_started = send_two;
    t.on_line = end_after_three;
    trial_start(&t, (const str[]){S("cat"), {0}});
    assert_true(child_send(t.c, S("before it runs")));
    trial_run(&t);
    assert_said(&t, "started{before it runs}{{\"id\":1}}{{\"id\":2}}");
    trial_free(&t);
}

static void a_crash_is_told_with_its_last_lines(void **st)
{
    static const struct {
        const char *script, *want;
    } cases[] = {
        {"echo one; printf 'two\\r\\n\\n\\nthree\\n'; exit 3",
         "started{one}{two}{three}exited fs: exit status 3"},
        {"echo a; printf unfinished; exit 0", "started{a}exited fs: exit status 0"},
        {"echo a; kill -9 $$", "started{a}exited fs: killed by SIGKILL"},
        {"kill -SEGV $$", "startedexited fs: killed by SIGSEGV"},
    };
    (void)st;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        trial t;
        trial_new(&t);
        trial_start(&t, (const str[]){S("sh"),
                                      S("-c"),
                                      {cases[i].script, strlen(cases[i].script)},
                                      {0}});
        trial_run(&t);
        assert_said(&t, cases[i].want);
        trial_free(&t);
    }
}

static void a_program_that_is_not_there_is_told(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    trial_start(&t, (const str[]){S("no-such-program-here"), {0}});
    trial_run(&t);
    assert_said(&t,
                "exited fs: could not be started: no-such-program-here: No such file or directory");
    trial_free(&t);
    trial_new(&t);
    t.spec.cwd = S("/no/such/place");
    trial_start(&t, SH("pwd"));
    trial_run(&t);
    assert_said(&t, "exited fs: could not be started: /no/such/place: No such file or directory");
    trial_free(&t);
}

/* Whatever it is started with of root, it has none of it left. */
static void it_runs_as_another_user_with_his_groups_alone(void **st)
{
    (void)st;
    trial t;
    if (geteuid() != 0) skip(); /* only root may become somebody */
    trial_new(&t);
    t.spec.user = (child_user){S("nobody"), 65534, 65534};
    trial_start(&t, SH("id -u; id -ru; id -G; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status"));
    trial_run(&t);
    assert_said(&t, "started{65534}{65534}{65534}{CapEff:\t0000000000000000}{NoNewPrivs:\t1}"
                    "exited fs: exit status 0");
    trial_free(&t);
    trial_new(&t);
    t.spec.user = (child_user){S("nobody"), 65534, 65534};
    t.spec.cwd = S("/root");
    trial_start(&t, SH("pwd"));
    trial_run(&t);
    assert_said(&t, "exited fs: could not be started: /root: Permission denied");
    trial_free(&t);
}

/* Becoming another user takes the death signal back; it must be asked for afterwards. */
static void it_dies_with_us_as_another_user_too(void **st)
{
    (void)st;
    trial t;
    if (geteuid() != 0) skip(); /* only root may become somebody */
    trial_new(&t);
    t.spec.user = (child_user){S("nobody"), 65534, 65534};
    trial_start(&t, (const str[]){S("python3"),
                                  S("-c"),
                                  S("import ctypes; n = ctypes.c_int(); "
                                    "ctypes.CDLL(None).prctl(2, ctypes.byref(n)); print(n.value)"),
                                  {0}});
    trial_run(&t);
    assert_said(&t, "started{9}exited fs: exit status 0");
    trial_free(&t);
}

static void a_missing_shim_is_told(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    child_spawner_free(t.s);
    char none[] = "/no/such/shim";
    t.s = child_spawner_new(t.log, (char *[]){none, NULL});
    trial_start(&t, SH("pwd"));
    trial_run(&t);
    assert_said(&t, "exited fs: could not be started: No such file or directory");
    trial_free(&t);
}

static void it_sees_what_it_was_given_and_nothing_else(void **st)
{
    (void)st;
    (void)setenv("SECRET_OF_OURS", "x", 1);
    trial t;
    trial_new(&t);
    static const str env[] = {S("PATH=/usr/bin:/bin"), S("A=b c"), S("EMPTY="), {0}};
    t.spec.env = env;
    t.spec.cwd = S("/tmp");
    trial_start(&t, (const str[]){S("env"), {0}});
    trial_run(&t);
    assert_said(&t, "started{PATH=/usr/bin:/bin}{A=b c}{EMPTY=}exited fs: exit status 0");
    trial_free(&t);
    trial_new(&t);
    t.spec.cwd = S("/tmp");
    trial_start(&t, (const str[]){S("printf"),
                                  S("[%s]\\n"),
                                  S("a b"),
                                  S("$(id)"),
                                  S("'\""),
                                  S("*"),
                                  S(""),
                                  S("--"),
                                  {0}});
    trial_run(&t);
    assert_said(&t, "started{[a b]}{[$(id)]}{['\"]}{[*]}{[]}{[--]}exited fs: exit status 0");
    trial_free(&t);
    trial_new(&t);
    t.spec.cwd = S("/tmp");
    trial_start(&t, (const str[]){S("pwd"), {0}});
    trial_run(&t);
    assert_said(&t, "started{/tmp}exited fs: exit status 0");
    trial_free(&t);
}

/* Its descriptors, limits, privileges and signals, as the kernel tells them. (Signals 32 and 33 are
 * glibc's own, which posix_spawn leaves ignored.) */
static void it_is_confined(void **st)
{
    (void)st;
    int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    (void)signal(SIGPIPE, SIG_IGN);         // NOLINT: the test's own
    trial t;
    trial_new(&t);
    trial_start(&t, SH("ls /proc/self/fd | wc -l; ulimit -c; ulimit -n;"
                       "grep -E 'NoNewPrivs|SigIgn|SigBlk' /proc/self/status | sed "
                       "'s/0000000180000000/0000000000000000/' | tr -d '\\t'; ps -o pgid= -p $$ | "
                       "tr -d ' '; echo $$"));
    trial_run(&t);
    char want[256];
    (void)snprintf(want, sizeof want,
                   "started{4}{0}{4096}{SigBlk:0000000000000000}{SigIgn:0000000000000000}{"
                   "NoNewPrivs:1}{%d}{%d}exited fs: exit status 0",
                   t.pid, t.pid);
    assert_said(&t, want);
    trial_free(&t);
    close(leak);
}

/* Limits */

static void a_line_over_its_limit_ends_it(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.spec.line_limit = 10;
    trial_start(&t, SH("echo 0123456789; echo 01234567890; echo after; sleep 60"));
    trial_run(&t);
    assert_said(&t, "started{0123456789}exited fs: a line over its limit");
    trial_free(&t);
    trial_new(&t);
    t.spec.line_limit = 100000;
    trial_start(&t, SH("head -c 200000 /dev/zero | tr '\\0' x; sleep 60"));
    trial_run(&t);
    assert_said(&t, "startedexited fs: a line over its limit");
    trial_free(&t);
}

static void a_line_that_is_not_utf8_ends_it(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    trial_start(&t, SH("printf 'h\\303\\251\\n'; printf '\\377\\n'; echo after; sleep 60"));
    trial_run(&t);
    assert_said(&t, "started{h\xc3\xa9}exited fs: a line that is not UTF-8");
    trial_free(&t);
}

static void a_long_line_in_many_reads_is_whole(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.quiet = true;
    trial_start(&t, SH("head -c 1000000 /dev/zero | tr '\\0' x; echo; sleep 0.1; printf a; sleep "
                       "0.1; printf b; sleep 0.1; echo c"));
    trial_run(&t);
    assert_int_equal(t.lines, 2);
    assert_int_equal(t.bytes, 1000003);
    trial_free(&t);
}

static void fill_queue(trial *t)
{
    static char block[1000];
    size_t taken = 0;
    for (size_t i = 0; i < sizeof block; i++) block[i] = 'x';
    while (taken < 1000 && child_send(t->c, (str){block, sizeof block})) taken++;
    buf_fmt(&t->said, "<%s>", taken >= 100 && taken < 200 ? "bounded" : "unbounded");
    child_end(t->c);
    loop_timer_start(t->l, &t->other, 50, stop, t);
}

static void a_queue_nobody_reads_is_bounded(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.spec.queue_limit = 100100;
    t.on_started = fill_queue;
    trial_start(&t, SH("sleep 60"));
    trial_run(&t);
    assert_said(&t, "started<bounded>");
    trial_free(&t);
}

static void send_much(trial *t)
{
    static char block[100000];
    for (size_t i = 0; i < sizeof block; i++) block[i] = (char)('a' + i % 26);
    for (int i = 0; i < 100; i++) assert_true(child_send(t->c, (str){block, sizeof block}));
}

static void end_after_hundred(trial *t, str line)
{
    for (size_t i = 0; i < line.n; i += 997) assert_int_equal(line.p[i], 'a' + (int)(i % 26));
    if (t->lines != 100) return;
    child_end(t->c);
    loop_timer_start(t->l, &t->other, 50, stop, t);
}

static void ten_megabytes_go_through_and_back(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.quiet = true;
    t.on_started = send_much;
    t.on_line = end_after_hundred;
    trial_start(&t, (const str[]){S("cat"), {0}});
    trial_run(&t);
    assert_int_equal(t.lines, 100);
    assert_int_equal(t.bytes, 10000000);
    trial_free(&t);
}

/* Pausing */

static void resume(void *ctx)
{
    trial *t = ctx;
    if (t->c) child_resume(t->c);
}

static void pause_at_each(trial *t, str line)
{
    assert_int_equal(strtoul(line.p, NULL, 10), t->lines); /* in order, none lost */
    if (t->lines % 500 != 0) return;
    child_pause(t->c);
    loop_timer_start(t->l, &t->other, 5, resume, t);
}

static void pausing_loses_and_reorders_nothing(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.quiet = true;
    t.on_line = pause_at_each;
    trial_start(&t, SH("seq 1 50000"));
    trial_run(&t);
    assert_int_equal(t.lines, 50000);
    assert_said(&t, "startedexited fs: exit status 0");
    trial_free(&t);
}

/* Stderr */

static void stderr_is_logged_cut_and_rationed(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    trial_start(&t, SH("printf 'plain \\033[31m\\n' >&2; head -c 5000 /dev/zero | tr '\\0' y >&2; "
                       "echo >&2;"
                       "seq -f 'noise %g' 2000 >&2; echo out; printf last >&2"));
    trial_run(&t);
    assert_said(&t, "started{out}exited fs: exit status 0");
    str text = log_text(&t);
    size_t lines = 0, ys = 0;
    for (size_t i = 0; i < text.n; i++) {
        lines += text.p[i] == '\n';
        ys += text.p[i] == 'y' && i > 0 && text.p[i - 1] == 'y';
        assert_true(text.p[i] != '\033');
    }
    assert_true(lines >= 50 && lines < 100);
    assert_true(ys >= 2040 && ys <= 2048);
    assert_non_null(memmem(text.p, text.n, "plain ", 6));
    assert_non_null(memmem(text.p, text.n, "\"dropped\":\"19", 13)); /* of 2000 */
    assert_non_null(memmem(text.p, text.n, "\"server\":\"fs\"", 13));
    trial_free(&t);
}

int main(int argc, char **argv)
{
    char self[4096];
    static char verb[] = "child";
    if (argc > 1 && strcmp(argv[1], "child") == 0) return child_shim_main(argc - 1, argv + 1);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return 1;
    self[n] = 0;
    shim[0] = self;
    shim[1] = verb;
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_go_in_and_come_out),
        cmocka_unit_test(a_crash_is_told_with_its_last_lines),
        cmocka_unit_test(a_program_that_is_not_there_is_told),
        cmocka_unit_test(a_missing_shim_is_told),
        cmocka_unit_test(it_sees_what_it_was_given_and_nothing_else),
        cmocka_unit_test(it_is_confined),
        cmocka_unit_test(a_line_over_its_limit_ends_it),
        cmocka_unit_test(a_line_that_is_not_utf8_ends_it),
        cmocka_unit_test(it_runs_as_another_user_with_his_groups_alone),
        cmocka_unit_test(it_dies_with_us_as_another_user_too),
        cmocka_unit_test(a_long_line_in_many_reads_is_whole),
        cmocka_unit_test(a_queue_nobody_reads_is_bounded),
        cmocka_unit_test(ten_megabytes_go_through_and_back),
        cmocka_unit_test(pausing_loses_and_reorders_nothing),
        cmocka_unit_test(stderr_is_logged_cut_and_rationed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
