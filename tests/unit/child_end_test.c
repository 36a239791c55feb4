/* floor: transport */
/* SPDX-License-Identifier: Apache-2.0 */
/* child_end_test.c - how children end, whoever wants it, and that nothing is left of them. */
#include "child_rig.h"
#include "process.h"
#include <fcntl.h>

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
    static const str argv[] = {S("sh"), S("-c"), S("echo x"), {0}};
    trial *t = ctx;
    t->spec.env = env;
    t->spec.argv = argv;
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
