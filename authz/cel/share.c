/* SPDX-License-Identifier: Apache-2.0 */
/* share.c - paths that begin alike.
 *
 * Conditions ask again and again into the same object: of `request.auth.jwt.claims.iss` and
 * `request.auth.jwt.claims.org` most of the work is the way they have in common. So the paths of a
 * program are put into a tree of beginnings, each counting the paths that pass; where more than
 * one passes, and the next step would part them, a run keeps what it found. The whole of a path is
 * a beginning too: `jwt.sub` written twice is looked up once.
 *
 * Variables do not change in a run, so it does not matter which path comes by first, or from
 * inside which macro. Places are few: when they are used up, the rest is walked as ever. */
#include "plan.h"

typedef struct beginning beginning;
struct beginning {
    uint32_t slot, passing, place;
    str name;
    beginning *next, *below; /* its sister; what goes on from here */
};

typedef struct {
    arena *a;
    beginning *roots;
    uint32_t places;
} sharing;

typedef void path_fn(sharing *s, cel_node *path);

static void each_path(sharing *s, cel_node *n, path_fn *fn)
{
    if (n->kind == NODE_PATH) {
        fn(s, n);
        return;
    }
    for (uint32_t i = 0; i < n->count; i++) each_path(s, n->kids[i], fn);
}

static beginning *find(beginning *b, uint32_t slot, str name)
{
    while (b && (b->slot != slot || !str_eq(b->name, name))) b = b->next;
    return b;
}

static void count(sharing *s, cel_node *path)
{
    beginning **level = &s->roots;
    for (uint32_t i = 0; i < path->count; i++) {
        str name = path->x.keys[i].name;
        beginning *b = find(*level, path->slot, name);
        if (!b) {
            b = NEW(s->a, beginning);
            *b = (beginning){.slot = path->slot, .name = name, .next = *level};
            *level = b;
        }
        b->passing++;
        level = &b->below;
    }
}

/* Do all that pass here go on together? Then it is soon enough to keep what they find there. */
static bool go_on_together(const beginning *b)
{
    for (const beginning *k = b->below; k; k = k->next)
        if (k->passing == b->passing) return true;
    return false;
}

static void assign(sharing *s, cel_node *path)
{
    cel_key *keys = NEW_N(s->a, cel_key, path->count);
    beginning *level = s->roots;
    for (uint32_t i = 0; i < path->count; i++) {
        beginning *b = find(level, path->slot, path->x.keys[i].name);
        bool keep = b->passing > 1 && !b->place && s->places < CEL_PLACES && !go_on_together(b);
        if (keep) b->place = ++s->places;
        keys[i] = path->x.keys[i];
        keys[i].place = b->place;
        if (b->place) path->flags |= NODE_SHARED;
        level = b->below;
    }
    path->x.keys = keys;
}

uint32_t cel_share_paths(arena *a, cel_node *root)
{
    sharing s = {.a = a};
    each_path(&s, root, count);
    each_path(&s, root, assign);
    return s.places;
}
