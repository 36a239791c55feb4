/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - is the audit log what the gateway wrote? */
#include "../audit_chain.h"
#include "command.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 256 << 10, TELL_LINES = 1000000 };

typedef struct {
    arena *scratch;
    bool begun; /* a line was read: the next one must follow it */
    audit_chain chain;
    uint64_t first, lines; /* of all files */
} walk;

typedef struct {
    const char *name;
    FILE *f;
    buf held;       /* what is not a whole line yet */
    uint64_t lines; /* of this file */
} reading;

static const err *broken(const walk *w, const reading *r, const err *e)
{
    return err_wrap(w->scratch, e, "%s:%" PRIu64, r->name, r->lines);
}

static const err *take_line(walk *w, reading *r, str line)
{
    audit_chain before, after;
    r->lines++;
    const err *e = audit_chain_read(w->scratch, line, &before, &after);
    if (!e && w->begun) e = audit_chain_follows(w->scratch, &w->chain, &before);
    if (e) return broken(w, r, e);
    if (!w->begun) {
        w->first = after.seq;
        if (before.seq)
            (void)printf("%s: goes on from line %" PRIu64 ", hash %.*s\n", r->name, before.seq,
                         AUDIT_HASH, before.hash);
    }
    w->begun = true;
    w->chain = after;
    if (++w->lines % TELL_LINES == 0 && isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r%s: %" PRIu64 " lines", r->name, r->lines);
    return NULL;
}

static const err *take_lines(walk *w, reading *r)
{
    str rest = buf_str(&r->held);
    const err *e = NULL;
    for (str_pair cut = str_cut(rest, '\n'); !e && cut.ok; cut = str_cut(rest, '\n')) {
        arena_reset(w->scratch);
        e = take_line(w, r, cut.head);
        rest = cut.tail;
    }
    buf_drop(&r->held, r->held.n - rest.n);
    return e;
}

static const err *read_lines(walk *w, reading *r)
{
    const err *e = NULL;
    for (size_t n = 1; !e && n;) {
        if (!buf_need(&r->held, CHUNK))
            return err_new(w->scratch, ERR_MALFORMED, "%s: this is no audit log", r->name);
        n = fread(r->held.p + r->held.n, 1, CHUNK, r->f);
        r->held.n += n;
        e = take_lines(w, r);
    }
    if (e || (!ferror(r->f) && !r->held.n)) return e;
    r->lines++;
    if (ferror(r->f)) return err_new(w->scratch, ERR_NOT_FOUND, "%s: %m", r->name);
    return err_new(w->scratch, ERR_MALFORMED,
                   "%s:%" PRIu64 ": half a line at the end: torn, or just being written", r->name,
                   r->lines);
}

static const err *verify(walk *w, const char *name)
{
    reading r = {.name = name, .f = fopen(name, "re")};
    if (!r.f) return err_new(w->scratch, ERR_NOT_FOUND, "%s: %m", name);
    r.held = buf_new(NULL, 2 * AUDIT_LINE_MOST + CHUNK);
    const err *e = read_lines(w, &r);
    (void)fclose(r.f);
    buf_free(&r.held);
    return e;
}

static int verb_verify(arena *a, int argc, char **argv)
{
    const char **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{0}};
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (!count) return command_usage("audit verify", "it wants files, the oldest first");
    walk w = {.scratch = arena_new(), .chain = audit_chain_new()};
    const err *e = NULL;
    for (int i = 0; !e && i < count; i++) e = verify(&w, names[i]);
    int code = 0;
    if (e)
        code = command_fail(e);
    else if (!w.lines)
        (void)printf("no lines\n");
    else
        (void)printf("%" PRIu64 " lines, %" PRIu64 " to %" PRIu64
                     ", unbroken; the last hash is %.*s\n",
                     w.lines, w.first, w.chain.seq, AUDIT_HASH, w.chain.hash);
    arena_free(w.scratch);
    return fflush(stdout) == 0 ? code : 1;
}

static const command verbs[] = {
    {"verify", verb_verify, "check the chain of hashes of audit logs",
     "usage: sallyport audit verify FILE…\n"
     "\n"
     "Reads the files as one log, the oldest first, and says where it was changed: every line "
     "names\n"
     "the hash of the line before. Its end can be cut off without a trace; whoever keeps the last\n"
     "hash, which is printed, sees that too.\n"
     "\n"
     "  sallyport audit verify audit.jsonl\n"
     "  sallyport audit verify audit.jsonl.2 audit.jsonl.1 audit.jsonl\n"},
    {0},
};

int command_audit(arena *a, int argc, char **argv)
{
    return command_verb(a, verbs, argc, argv);
}
