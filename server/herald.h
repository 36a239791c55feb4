/* SPDX-License-Identifier: Apache-2.0 */
/* herald.h - carries words between this process and the others of its store (base/bulletin.h).
 *
 * One thread: it keeps what was told here, and asks every BULLETIN_BEAT_MS what others told. Who
 * hears asks for it before herald_start(), which brings all that stands in the store, or says in
 * the log that it could not; then the thread goes on trying.
 * Ownership: it outlives whoever was given its bulletin; what hears outlives herald_stop(). */
#ifndef SP_HERALD_H
#define SP_HERALD_H
#include "../base/bulletin.h"
#include "../base/log.h"

typedef struct herald herald;

herald *herald_new(bulletin_log words, logger *log);
bulletin herald_bulletin(herald *h);
void herald_start(herald *h); /* blocks on the store once */
void herald_stop(herald *h);  /* keeps what waits, if the store takes it at once; ends the thread */
void herald_free(herald *h);  /* NULL is fine */
#endif
