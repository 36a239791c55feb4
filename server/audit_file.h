/* SPDX-License-Identifier: Apache-2.0 */
/* audit_file.h - opening a file that lines are added to, and finding where its chain ended. */
#ifndef SP_AUDIT_FILE_H
#define SP_AUDIT_FILE_H
#include "audit_chain.h"

typedef struct {
    int fd;            /* appends; locked against a second writer */
    audit_chain chain; /* behind the last whole line */
    bool empty;
    uint64_t torn; /* bytes of half a line that were cut off */
} audit_file;

/* The error names the path. */
MUST_CHECK const err *audit_file_open(arena *a, str path, audit_file *out);
#endif
