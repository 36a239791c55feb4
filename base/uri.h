/* SPDX-License-Identifier: Apache-2.0 */
/* uri.h - URIs of resources as texts and as patterns.
 *
 * A template (RFC 6570) stands for many URIs. What its expressions expand to depends on values
 * nobody knows yet, so here an expression is any run of bytes, and so is a literal byte that an
 * expansion would encode. Templates are thus taken for more URIs than they make, never for
 * fewer. Pure. Threads: any. */
#ifndef SP_URI_H
#define SP_URI_H
#include "str.h"

bool uri_is_template(str text); /* it has an expression */
/* Could the template make this URI? A text without expressions makes itself. */
bool uri_fits(str template, str uri);
/* Globs: * any run, ? one character. May some, must every URI of the template be in the glob?
 * `meets` errs toward yes, `within` toward no. */
bool uri_meets_glob(str template, str glob);
bool uri_within_glob(str template, str glob);
/* Do readers of URIs disagree about which one this is, or take it for one that is spelled
 * otherwise? So it is with `.` and `..`, encoded letters, bytes that parsers drop, a scheme or a
 * host in capitals, and what WHATWG's parser and file systems leave out. */
bool uri_is_doubtful(str uri);
#endif
