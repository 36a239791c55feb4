/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - is the audit log what the gateway wrote? */
#include "../audit_chain.h"
#include "../audit_read.h"
#include "command.h"
#include <inttypes.h>
#include <stdio.h>

typedef struct {
    const char *name; /* of the file that is read */
    bool begun;       /* a line was read: the next one must follow it */
    audit_chain chain;
    uint64_t first, lines; /* of all files */
} walk;

static const err *take_line(void *ctx, arena *scratch, str line, uint64_t number)
{
    walk *w = ctx;
    audit_chain before, after;
    (void)number;
    const err *e = audit_chain_read(scratch, line, &before, &after);
    if (!e && w->begun) e = audit_chain_follows(scratch, &w->chain, &before);
    if (e) return e;
    if (!w->begun) w->first = after.seq;
    if (!w->begun && before.seq)
        (void)printf("%s: goes on from line %" PRIu64 ", hash %.*s\n", w->name, before.seq,
                     AUDIT_HASH, before.hash);
    w->begun = true;
    w->chain = after;
    w->lines++;
    return NULL;
}

static const err *verify(arena *a, walk *w, const char *name)
{
    bool torn;
    uint64_t before = w->lines;
    w->name = name;
    const err *e = audit_read(a, name, take_line, w, &torn);
    if (e || !torn) return e;
    return err_new(a, ERR_MALFORMED,
                   "%s:%" PRIu64 ": half a line at the end: torn, or just being written", name,
                   w->lines - before + 1);
}

static int verb_verify(arena *a, int argc, char **argv)
{
    const char **names = NEW_N(a, const char *, (size_t)argc);
    const command_option options[] = {{0}};
    int count = 0;
    if (!command_options(argc, argv, options, names, &count)) return 2;
    if (!count) return command_usage("audit verify", "it wants files, the oldest first");
    walk w = {.chain = audit_chain_new()};
    for (int i = 0; i < count; i++) {
        const err *e = verify(a, &w, names[i]);
        if (e) return command_fail(e);
    }
    if (!w.lines) return command_print(S("no lines\n"));
    return command_print(arena_fmt(a,
                                   "%" PRIu64 " lines, %" PRIu64 " to %" PRIu64
                                   ", unbroken; the last hash is %.*s\n",
                                   w.lines, w.first, w.chain.seq, AUDIT_HASH, w.chain.hash));
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
