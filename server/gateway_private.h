/* SPDX-License-Identifier: Apache-2.0 */
/* gateway_private.h - the gateway's own view. Files: gateway.c (start and end), gateway_run.c
 * (signals, files, drain), reload.c. */
#ifndef SP_GATEWAY_PRIVATE_H
#define SP_GATEWAY_PRIVATE_H
#include "admin.h"
#include "files.h"
#include "gateway.h"
#include "herald.h"
#include "keys.h"
#include "quota_house.h"
#include "store.h"
#include "worker.h"
#include <poll.h>

struct gateway {
    arena *a; /* lives as long as the gateway */
    gateway_options o;
    logger *log;
    worker_house house;
    child_spawner *spawner;
    quota_house *quota;
    bool counts; /* the policies it starts with have quotas */
    store_keeper *keeper;
    keyring *keys; /* NULL: none are given out */
    keys_watch *keys_watch;
    herald *replicas;
    const snapshot *now; /* the main thread's reference; admin has its own */
    files *read;         /* what the configuration was last read from, in read_arena */
    arena *read_arena;
    worker **workers;
    worker_door *doors;
    tls_server **tls; /* one a listener; NULL: plain */
    str *bound;       /* real addresses, ends with {0} */
    str admin_bound;
    int **fds; /* [worker][listener], -1 once handed over */
    size_t door_count;
    admin *admin;
    int inotify;
};

/* Reads the configuration anew. False: `out` says why. Remembers the files even then. */
bool gateway_read(gateway *g, snapshot_plan *p, problems *out);
void gateway_reload(gateway *g);
#endif
