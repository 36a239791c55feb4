/* SPDX-License-Identifier: Apache-2.0 */
/* key_desk.h - what the verbs of `sallyport key` have in common: the keys, and putting them back.
 */
#ifndef SP_COMMAND_KEY_DESK_H
#define SP_COMMAND_KEY_DESK_H
#include "../config_value.h"
#include "../keys.h"
#include "../store.h"
#include "command.h"

typedef struct {
    arena *a;
    const sealer *seals;
    keys_place at;
    store_keeper *keeper;
    api_key *keys; /* room for one more */
    size_t count;
    int64_t now_s;
} key_desk;

/* Reads the configuration and the keys. 0, or the exit code after it was said why not. */
int key_desk_open(key_desk *d, arena *a, const char *file);
const err *key_desk_save(key_desk *d);
void key_desk_close(key_desk *d);
/* By id or, when no other has it, by name. NULL: it was said why not. */
api_key *key_desk_find(key_desk *d, const char *which);
/* "30d" from now, "2027-01-31" or a whole RFC 3339 time; false: none of these, or past. */
bool key_desk_time(const key_desk *d, const char *text, int64_t *at_s);
/* "2027-01-31 12:00", or "-" for none. */
str key_desk_day(arena *a, int64_t at_s);
#endif
