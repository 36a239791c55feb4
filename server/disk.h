/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - the files behind spools (transport/spool.h).
 *
 * They stand in TMPDIR or /tmp, have no name and are the owner's alone; what is read and written is
 * so by the errands' thread. */
#ifndef SP_DISK_H
#define SP_DISK_H
#include "../transport/spool.h"

spool_disk disk_for_spools(errands *e);
#endif
