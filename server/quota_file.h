/* SPDX-License-Identifier: Apache-2.0 */
/* quota_file.h - memory for quota cells that outlives kill -9: a file mapped and shared.
 *
 * One file belongs to one process at a time: several gateways in one directory take FILE, FILE.1
 * and so on. Ownership: the file's memory is good until quota_file_free(). Threads: one. */
#ifndef SP_SERVER_QUOTA_FILE_H
#define SP_SERVER_QUOTA_FILE_H
#include "../base/err.h"

typedef struct quota_file quota_file;

MUST_CHECK const err *quota_file_new(arena *a, str path, quota_file **out);
void *quota_file_memory(quota_file *f, size_t *bytes);           /* zeroed */
const void *quota_file_left(const quota_file *f, size_t *bytes); /* what was in it; NULL: nothing */
void quota_file_forget_left(quota_file *f);
/* `done`: nothing in it is worth keeping, it is removed. NULL is fine. */
void quota_file_free(quota_file *f, bool done);
/* The kernel's boot id; {0} where there is none. */
str quota_file_boot(arena *a);
#endif
