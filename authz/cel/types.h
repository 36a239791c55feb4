/* SPDX-License-Identifier: Apache-2.0 */
/* types.h - static types: kinds with parameters, and what fits what.
 *
 * A type variable stands for what is not known yet: the element of [], the A of a signature. It
 * is bound when it meets a type; every binding is on a trail so that a failed attempt at an
 * overload can be undone. dyn fits anything, both ways, at any depth.
 *
 * A signature is text, read once per attempt: one letter a type, arguments then '>' and result.
 *   b bool  i int  u uint  d double  s string  y bytes  n null  t timestamp  D duration  T type
 *   p net.IP  c net.CIDR  * dyn   A B C variables   lX list of X   mXY map of X to Y
 *   oX optional of X   (name:XYZ) a type only a host knows, with parameters
 * A '+' after the last argument lets it stand once or more. */
#ifndef SP_CEL_TYPES_H
#define SP_CEL_TYPES_H
#include "value.h"

typedef struct cel_ctype cel_ctype;
typedef struct {
    str name;
    const cel_ctype *type;
} cel_field;
struct cel_ctype {
    int kind;                /* cel_type, or CEL_T_KINDS for a variable, or TYPE_HOST */
    const cel_ctype *a, *b;  /* list and optional: a; map: a to b; host: first, and the rest */
    const cel_ctype **cell;  /* variable: what it is bound to, NULL inside when not yet */
    str name;                /* host: what it is called; the rest of its parameters have none */
    const cel_field *fields; /* map: members that are known, ends with {0}; NULL: none is */
    const void *about;       /* the host's own notes on values of this type, carried along */
};
enum { TYPE_HOST = CEL_T_KINDS + 1 };

typedef struct cel_binding cel_binding;
typedef struct {
    arena *a;
    cel_binding *trail;
} cel_types;

const cel_ctype *cel_type_plain(cel_type kind); /* lists and maps so made have dyn inside */
const cel_ctype *cel_type_of1(cel_types *t, cel_type kind, const cel_ctype *a);
const cel_ctype *cel_type_of2(cel_types *t, cel_type kind, const cel_ctype *a, const cel_ctype *b);
/* Of that member of a map, as far as it is known; NULL: it is not. */
const cel_ctype *cel_field_type(const cel_ctype *of, str name);
const cel_ctype *cel_type_var(cel_types *t);
const cel_ctype *
cel_type_seen(const cel_ctype *type); /* a bound variable becomes what it is bound to */
bool cel_type_fits(cel_types *t, const cel_ctype *to,
                   const cel_ctype *from); /* binds variables on the way */
const cel_ctype *cel_type_join(cel_types *t, const cel_ctype *a,
                               const cel_ctype *b); /* NULL: they do not join */
void cel_types_undo(cel_types *t, const cel_binding *mark);

/* Does the signature take these arguments? Then *result is its result. */
bool cel_signature_fits(cel_types *t, const char *signature, const cel_ctype *const *args,
                        size_t count, const cel_ctype **result);
/* The same question at run time, by tags; parameters of lists and maps are not looked at. */
bool cel_signature_takes(const char *signature, const cel_value *args, size_t count);

const char *cel_type_name(cel_type kind); /* "int", "google.protobuf.Timestamp" */
cel_type cel_type_of_value(cel_value v);
str cel_type_text(arena *a, const cel_ctype *type);
str cel_signature_text(arena *a, const char *signature); /* "(string, string)" */
#endif
