/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.c - members, elements, presence and membership.
 *
 * An optional is looked through: what is found in it is optional again, what is missing is
 * none, but looking into something that has no members stays an error. */
#include "compare.h"
#include "eval.h"
#include "plan.h"

static bool is_optional(cel_value v)
{
    return v.tag == CEL_OPAQUE && v.code == CEL_T_OPTIONAL;
}

cel_value cel_member(cel_scope *s, cel_value of, cel_key key, bool maybe)
{
    if (is_optional(of)) {
        if (!of.u.inner) return of;
        return cel_member(s, *of.u.inner, key, true);
    }
    if (of.tag != CEL_MAP) return cel_special(of) ? of : cel_error_at(CEL_NO_SUCH_OVERLOAD, key.at);
    cel_value found = cel_map_member(of, key.name);
    if (maybe) return cel_special(found) ? found : cel_optional(s, found);
    return found.tag == CEL_UNBOUND ? cel_error_at(CEL_NO_SUCH_KEY, key.at) : found;
}

/* The place a number says; false when it is no whole number from 0 up. */
static bool position(cel_value key, uint64_t *at)
{
    switch (key.tag) {
    case CEL_INT: *at = (uint64_t)key.u.i; return key.u.i >= 0;
    case CEL_UINT: *at = key.u.u; return true;
    case CEL_DOUBLE:
        if (!(key.u.d >= 0 && key.u.d < 9007199254740992.0)) return false;
        *at = (uint64_t)key.u.d;
        return !((double)*at < key.u.d);
    default: return false;
    }
}

/* CEL_UNBOUND when it is not there; an error when it cannot be asked for. */
static cel_value element(cel_scope *s, const cel_node *n, cel_value of, cel_value key)
{
    uint64_t at;
    if (of.tag == CEL_MAP) return cel_map_get(of, key, &s->budget);
    if (of.tag != CEL_LIST) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    bool number = key.tag == CEL_INT || key.tag == CEL_UINT || key.tag == CEL_DOUBLE;
    if (!number) return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
    return position(key, &at) && at < cel_count(of) ? cel_item(of, at) : (cel_value){0};
}

cel_value cel_index(cel_scope *s, const cel_node *n, cel_value of, cel_value key)
{
    bool maybe = n->flags & NODE_MAYBE;
    if (is_optional(of)) {
        if (!of.u.inner) return of;
        of = *of.u.inner;
        maybe = true;
    }
    cel_value found = element(s, n, of, key);
    if (cel_special(found)) return found;
    if (maybe) return cel_optional(s, found);
    if (found.tag != CEL_UNBOUND) return found;
    return cel_error_at(of.tag == CEL_LIST ? CEL_OUT_OF_RANGE : CEL_NO_SUCH_KEY, n->at);
}

/* A member the host does not know yet may turn out to be absent. */
static cel_value there(cel_value found)
{
    return cel_special(found) ? found : cel_bool(found.tag != CEL_UNBOUND);
}

cel_value cel_present(cel_scope *s, cel_value of, cel_key key)
{
    if (is_optional(of)) return of.u.inner ? cel_present(s, *of.u.inner, key) : cel_bool(false);
    if (of.tag == CEL_MAP) return there(cel_map_member(of, key.name));
    return cel_special(of) ? of : cel_error_at(CEL_NO_SUCH_OVERLOAD, key.at);
}

/* A string among the items of a JSON array: what "x in jwt.groups" is. */
static bool in_json(const json_t *array, str text)
{
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        if (!json_is_string(item) || json_string_length(item) != text.n) continue;
        if (str_same_bytes(json_string_value(item), text.p, text.n)) return true;
    }
    return false;
}

static cel_value in_list(cel_scope *s, cel_value x, cel_value list)
{
    size_t count = cel_count(list);
    if (list.json && x.tag == CEL_STRING) {
        s->budget -= (int64_t)(count / 4 + x.n / 16);
        return cel_bool(in_json(list.u.json, cel_text(x)));
    }
    cel_effort e = {&s->budget, 0};
    for (size_t i = 0; i < count && s->budget >= 0; i++) {
        if (cel_same(x, cel_item(list, i), &e)) return cel_bool(true);
    }
    if (e.unknown) return (cel_value){.tag = CEL_UNKNOWN, .u.unknown = e.unknown};
    return cel_bool(false);
}

cel_value cel_contained(cel_scope *s, const cel_node *n, cel_value x, cel_value in)
{
    if (n->x.set && x.tag == CEL_STRING) {
        s->budget -= x.n / 16;
        return cel_bool(cel_set_has(n->x.set, cel_text(x)));
    }
    if (in.tag == CEL_LIST) return in_list(s, x, in);
    if (in.tag == CEL_MAP) return there(cel_map_get(in, x, &s->budget));
    return cel_error_at(CEL_NO_SUCH_OVERLOAD, n->at);
}
