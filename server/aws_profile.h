/* SPDX-License-Identifier: Apache-2.0 */
/* aws_profile.h - one profile of the files that AWS's tools share.
 *
 * Sections in brackets, then key = value lines; # and ; begin comments. In the credentials file a
 * section is called by the profile's name, in the config file `profile NAME`, but for `default`.
 * Several sections of one name are one; the first value of a key is kept, so that the credentials
 * file, read first, wins. Views of the text. Pure. Threads: any. Failure: none; what is not
 * understood is not there. */
#ifndef SP_AWS_PROFILE_H
#define SP_AWS_PROFILE_H
#include "../base/arena.h"

typedef struct {
    bool found;
    str key_id, secret, token;
    str role_arn, source_profile, credential_source, external_id, session_name, web_file;
    str process, sso; /* ways to keys that are not gone here: a program to run, a browser */
} aws_profile;

void aws_profile_read(str text, str name, bool is_config, aws_profile *into);
#endif
