/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* child_test.c - real programs: some well, some rude. This program is its own shim. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on
#include "../../base/buf.h"
#include "../../base/clock.h"
#include "../../transport/child.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct trial {
    arena *a;
    loop *l;
    logger *log;
    FILE *log_file;
    child_spawner *s;
    handle self;
    child *c;
    child_spec spec;
    buf said; /* "started{line}{line}exited: why" */
    size_t lines, bytes;
    bool quiet, no_stop;
    int pid;
    void (*on_started)(struct trial *t);
    void (*on_line)(struct trial *t, str line);
    loop_timer watchdog, other;
} trial;

static const char trial_type;
static char *shim[3];

static void started_event(void *owner)
{
    trial *t = owner;
    t->pid = child_pid(t->c);
    buf_put(&t->said, S("started"));
    if (t->on_started) t->on_started(t);
}

static void line_event(void *owner, str line)
{
    trial *t = owner;
    t->lines++;
    t->bytes += line.n;
    if (!t->quiet) buf_fmt(&t->said, "{" STR_FMT "}", STR_ARG(line));
    if (t->on_line) t->on_line(t, line);
}

static void exited_event(void *owner, const err *why)
{
    trial *t = owner;
    t->c = NULL;
    buf_fmt(&t->said, "exited " STR_FMT, STR_ARG(why->text));
    if (!t->no_stop) loop_stop(t->l);
}

static const child_events events = {started_event, line_event, exited_event};

static void too_long(void *ctx)
{
    trial *t = ctx;
    buf_put(&t->said, S("<hangs>"));
    loop_stop(t->l);
}

static void stop(void *ctx)
{
    loop_stop(((trial *)ctx)->l);
}

static void trial_new(trial *t)
{
    *t = (trial){0};
    t->a = arena_new();
    t->l = loop_new(0);
    t->log_file = tmpfile();
    assert_non_null(t->log_file);
    t->log = log_new(fileno(t->log_file), LOG_DEBUG_LEVEL);
    t->s = child_spawner_new(t->log, shim);
    assert_non_null(t->s);
    t->self = handle_add(loop_handles(t->l), &trial_type, t);
    t->said = buf_new(t->a, 16u << 20);
    t->spec.name = S("fs");
    t->spec.grace_ms = 200;
}

static void trial_start(trial *t, const str *argv)
{
    static const str env[] = {S("PATH=/usr/bin:/bin"), {0}};
    t->spec.argv = argv;
    if (!t->spec.env) t->spec.env = env;
    t->c = child_start(t->l, t->s, &t->spec, &trial_type, t->self, &events);
    assert_int_equal(t->said.n, 0);
    assert_int_equal(child_pid(t->c), 0);
}

static void trial_run(trial *t)
{
    loop_timer_start(t->l, &t->watchdog, 20000, too_long, t);
    loop_run(t->l);
}

static void no_children_are_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void trial_free(trial *t)
{
    handle_drop(loop_handles(t->l), t->self);
    child_spawner_free(t->s);
    no_children_are_left();
    loop_free(t->l);
    log_free(t->log);
    (void)fclose(t->log_file);
    arena_free(t->a);
}

static void assert_said(const trial *t, const char *want)
{
    str said = buf_str(&t->said);
    if (!str_eq(said, (str){want, strlen(want)}))
        fail_msg("said   " STR_FMT "\nwanted %s", STR_ARG(said), want);
}

static str log_text(trial *t)
{
    long n = ftell(t->log_file);
    (void)fseek(t->log_file, 0, SEEK_END);
    n = ftell(t->log_file);
    rewind(t->log_file);
    char *p = NEW_N(t->a, char, (size_t)n + 1);
    size_t got = fread(p, 1, (size_t)n, t->log_file);
    return (str){p, got};
}

#define SH(script) ((const str[]){S("sh"), S("-c"), S(script), {0}})

static bool alive(int pid)
{
    return kill(pid, 0) == 0;
}

static size_t descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    while (readdir(d)) n++;
    closedir(d);
    return n;
}

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

/* Ending */

static void kill_it(trial *t)
{
    assert_int_equal(kill(t->pid, SIGKILL), 0);
}

static void a_kill_from_outside_is_told(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.on_started = kill_it;
    trial_start(&t, SH("sleep 60"));
    trial_run(&t);
    assert_said(&t, "startedexited fs: killed by SIGKILL");
    trial_free(&t);
}

/* The line is the pid of a process the child left behind. */
static void note_pid(trial *t, str line)
{
    t->bytes = strtoul(line.p, NULL, 10);
}

static void its_group_dies_with_it(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.quiet = true;
    t.on_line = note_pid;
    trial_start(&t, SH("sleep 1000 & echo $!; exit 0"));
    trial_run(&t);
    assert_said(&t, "startedexited fs: exit status 0");
    assert_true(t.bytes > 1);
    for (int i = 0; i < 200 && alive((int)t.bytes); i++) {
        char path[64], state[256] = "";
        (void)snprintf(path, sizeof path, "/proc/%zu/stat", t.bytes);
        FILE *f = fopen(path, "r"); /* nobody may reap it here: a zombie is dead enough */
        if (!f) break;
        size_t n = fread(state, 1, sizeof state - 1, f);
        (void)fclose(f);
        state[n] = 0;
        if (strstr(state, ") Z ")) break;
        assert_true(i < 199);
        (void)usleep(10000);
    }
    trial_free(&t);
}

static void end_it(trial *t, str line)
{
    (void)line;
    child_end(t->c);
    t->c = NULL;
    loop_timer_start(t->l, &t->other, 1500, stop, t);
}

static bool gone_or_zombie(int pid)
{
    (void)usleep(1000);
    return !alive(pid);
}

static void a_child_that_ignores_sigterm_is_killed(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.on_line = end_it;
    trial_start(&t, SH("trap '' TERM; echo ready; while :; do sleep 0.05; done"));
    int64_t before = clock_mono_ms();
    trial_run(&t);
    assert_true(clock_mono_ms() - before >= 1000);
    assert_said(&t, "started{ready}"); /* no event after child_end */
    assert_true(gone_or_zombie(t.pid));
    no_children_are_left();
    trial_free(&t);
}

static void a_child_may_say_goodbye(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.on_line = end_it;
    trial_start(&t, SH("echo ready; cat >/dev/null; echo bye; echo farewell >&2; exit 0"));
    trial_run(&t);
    assert_said(&t, "started{ready}");
    str text = log_text(&t);
    assert_non_null(memmem(text.p, text.n, "farewell", 8));
    trial_free(&t);
}

static void an_end_before_the_start_is_fine(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    trial_start(&t, SH("sleep 60"));
    child_end(t.c);
    loop_timer_start(t.l, &t.other, 800, stop, &t);
    trial_run(&t);
    assert_said(&t, "");
    no_children_are_left();
    trial_free(&t);
}

static void lose_owner(trial *t, str line)
{
    (void)line;
    handle_drop(loop_handles(t->l), t->self);
    loop_timer_start(t->l, &t->other, 1000, stop, t);
}

static void a_stale_owner_ends_it(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.on_line = lose_owner;
    trial_start(&t, SH("echo 1; sleep 0.1; echo 2; sleep 60"));
    trial_run(&t);
    assert_said(&t, "started{1}");
    assert_true(gone_or_zombie(t.pid));
    trial_free(&t);
}

static void the_spawner_ends_what_is_left(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.no_stop = true;
    loop_timer_start(t.l, &t.other, 300, stop, &t);
    trial_start(&t, SH("trap '' TERM; echo 1; while :; do sleep 0.05; done"));
    trial_run(&t);
    assert_said(&t, "started{1}");
    assert_true(alive(t.pid));
    trial_free(&t); /* looks for children itself */
    assert_false(alive(t.pid));
}

static void closing_its_stdout_or_stdin_ends_it(void **st)
{
    (void)st;
    static const char *const scripts[] = {"exec >&-; sleep 60", "exec <&-; sleep 60"};
    for (size_t i = 0; i < 2; i++) {
        trial t;
        trial_new(&t);
        trial_start(&t, (const str[]){S("sh"), S("-c"), {scripts[i], strlen(scripts[i])}, {0}});
        trial_run(&t);
        assert_said(&t, "startedexited fs: killed by SIGTERM");
        trial_free(&t);
    }
}

/* The gateway itself is killed: the child must not outlive it. */
static void it_dies_with_us(void **st)
{
    (void)st;
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t gateway = fork();
    assert_true(gateway >= 0);
    if (gateway == 0) {
        (void)dup2(out[1], 1);
        (void)execl("/proc/self/exe", "child_test", "gateway", (char *)NULL);
        _exit(1);
    }
    close(out[1]);
    char text[32] = "";
    assert_true(read(out[0], text, sizeof text - 1) > 0);
    int pid = (int)strtol(text, NULL, 10);
    assert_true(pid > 1 && alive(pid));
    assert_int_equal(kill(gateway, SIGKILL), 0);
    assert_int_equal(waitpid(gateway, NULL, 0), gateway);
    char state[256] = "x";
    for (int i = 0; i < 300 && state[0]; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(state, 1, sizeof state - 1, f) : 0;
        state[n] = 0;
        if (f) (void)fclose(f);
        if (strstr(state, ") Z ")) break; /* whoever adopted it is slow to reap */
        assert_true(i < 299);
        (void)usleep(10000);
    }
    close(out[0]);
}

static void print_pid(trial *t)
{
    (void)printf("%d\n", t->pid);
    (void)fflush(stdout);
}

static int be_a_gateway(void)
{
    trial t;
    trial_new(&t);
    t.on_started = print_pid;
    trial_start(&t, (const str[]){S("sleep"), S("60"), {0}});
    trial_run(&t);
    return 0;
}

static void start_next(void *ctx);

static void a_hundred_children_leave_nothing(void **st)
{
    (void)st;
    trial t;
    trial_new(&t);
    t.quiet = true;
    t.no_stop = true;
    size_t before = descriptors();
    t.lines = 0;
    loop_timer_start(t.l, &t.other, 0, start_next, &t);
    trial_run(&t);
    assert_said(&t, "");
    assert_int_equal(t.lines, 100);
    assert_int_equal(descriptors(), before);
    no_children_are_left();
    trial_free(&t);
}

static void count_exit(void *owner, const err *why)
{
    trial *t = owner;
    assert_true(str_eq(why->text, S("fs: exit status 0")));
    t->bytes++;
    if (t->bytes == 100)
        loop_stop(t->l);
    else if (t->bytes % 10 == 0)
        loop_timer_start(t->l, &t->other, 0, start_next, t);
}

static void ignore_start(void *owner)
{
    (void)owner;
}

static void count_line(void *owner, str line)
{
    (void)line;
    ((trial *)owner)->lines++;
}

static void start_next(void *ctx)
{
    static const child_events quiet = {ignore_start, count_line, count_exit};
    static const str env[] = {S("PATH=/usr/bin:/bin"), {0}};
    trial *t = ctx;
    t->spec.env = env;
    t->spec.argv = SH("echo x");
    for (int i = 0; i < 10; i++)
        assert_non_null(child_start(t->l, t->s, &t->spec, &trial_type, t->self, &quiet));
}

static void the_shim_refuses_nonsense(void **st)
{
    static const char *const scripts[] = {"\"$0\" child -- true 3>&-",
                                          "\"$0\" child --nofile=x -- true 3>&1",
                                          "\"$0\" child --what -- true 3>&1",
                                          "\"$0\" child 3>&1",
                                          "\"$0\" child -- 3>&1",
                                          "\"$0\" child --parent=1 -- true 3>&1"};
    (void)st;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            int null = open("/dev/null", O_RDWR | O_CLOEXEC);
            (void)dup2(null, 1);
            (void)execl("/bin/sh", "sh", "-c", scripts[i], shim[0], (char *)NULL);
            _exit(9);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_true(WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126);
    }
}

static void back_off_doubles_to_half_a_minute(void **st)
{
    (void)st;
    for (unsigned i = 0; i < 100; i++) {
        int64_t most = i < 10 ? 100 << (i ? i - 1 : 0) : 30000, ms = child_backoff_ms(i);
        if (most > 30000) most = 30000;
        assert_true(ms <= most && ms >= most * 3 / 4);
    }
    assert_true(child_backoff_ms(UINT32_MAX) <= 30000);
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
    if (argc > 1 && strcmp(argv[1], "gateway") == 0) return be_a_gateway();
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_go_in_and_come_out),
        cmocka_unit_test(a_crash_is_told_with_its_last_lines),
        cmocka_unit_test(a_program_that_is_not_there_is_told),
        cmocka_unit_test(a_missing_shim_is_told),
        cmocka_unit_test(it_sees_what_it_was_given_and_nothing_else),
        cmocka_unit_test(it_is_confined),
        cmocka_unit_test(a_line_over_its_limit_ends_it),
        cmocka_unit_test(a_line_that_is_not_utf8_ends_it),
        cmocka_unit_test(a_long_line_in_many_reads_is_whole),
        cmocka_unit_test(a_queue_nobody_reads_is_bounded),
        cmocka_unit_test(ten_megabytes_go_through_and_back),
        cmocka_unit_test(pausing_loses_and_reorders_nothing),
        cmocka_unit_test(stderr_is_logged_cut_and_rationed),
        cmocka_unit_test(a_kill_from_outside_is_told),
        cmocka_unit_test(its_group_dies_with_it),
        cmocka_unit_test(a_child_that_ignores_sigterm_is_killed),
        cmocka_unit_test(a_child_may_say_goodbye),
        cmocka_unit_test(an_end_before_the_start_is_fine),
        cmocka_unit_test(a_stale_owner_ends_it),
        cmocka_unit_test(the_spawner_ends_what_is_left),
        cmocka_unit_test(closing_its_stdout_or_stdin_ends_it),
        cmocka_unit_test(it_dies_with_us),
        cmocka_unit_test(a_hundred_children_leave_nothing),
        cmocka_unit_test(the_shim_refuses_nonsense),
        cmocka_unit_test(back_off_doubles_to_half_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
