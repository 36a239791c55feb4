/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - reading files, and knowing when one that was read has changed.
 *
 * A `files` is the real world of a config: the environment, and files relative to one directory.
 * It remembers each path that was read and each pattern that was matched, so that files_changed()
 * can say whether reading again could give something else. Bounded: FILES_LIMIT bytes a file.
 * Ownership: lives in its arena; files_watch's descriptor is the caller's.
 * Threads: one at a time. */
#ifndef SP_FILES_H
#define SP_FILES_H
#include "config.h"

enum { FILES_LIMIT = 16 << 20 };
typedef struct files files;

files *files_new(arena *a, str directory); /* relative paths start there */
config_world files_world(files *f);
/* The world of the configuration that is this file (*f, made also when there is an error), and its
 * text: what it names is relative to its own directory. */
MUST_CHECK const err *files_open(arena *a, str path, files **f, str *text);
MUST_CHECK const err *files_read(files *f, arena *a, str path, str *text);
/* Of an absolute path, remembered by nobody. Any thread. */
MUST_CHECK const err *files_read_once(arena *a, str path, str *text);
/* Does any of them stand differently on the disk than when it was read? */
bool files_changed(files *f);
/* Tells an inotify descriptor the directories of all that was read; further calls add. */
void files_watch(files *f, int inotify);
bool files_exists(str path);
/* Creates the file, which must not exist, readable by its owner alone. */
MUST_CHECK const err *files_create(arena *a, str path, str text);
/* Puts the text where the file is, in one step: whoever reads it meanwhile reads one or the other.
 * As open to others as the file was, a new one to everybody: it must hold no secret. */
MUST_CHECK const err *files_replace(arena *a, str path, str text);
bool files_write(int fd, str text); /* all of it; false: errno says why */
/* The absolute directory of a path. */
str files_directory_of(arena *a, str path);
#endif
