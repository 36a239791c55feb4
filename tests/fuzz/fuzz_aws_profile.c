/* floor: server */
/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_aws_profile.c - shared files of whatever makes: what is read is a part of the text, on one
 * line, and nothing is found in a section that is not there. */
#include "../../server/aws_profile.h"
#include <stdlib.h>

static void demand(bool right)
{
    if (!right) abort();
}

static void demand_view(str text, str part)
{
    if (!part.n) return;
    demand(part.p >= text.p && part.p + part.n <= text.p + text.n);
    demand(!memchr(part.p, '\n', part.n) && (unsigned char)part.p[0] > ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    str text = str_drop((str){(const char *)p, n}, 1);
    aws_profile got = {0};
    aws_profile_read(text, S("work"), n && p[0] & 1, &got);
    const str all[] = {got.key_id,   got.secret,           got.token,
                       got.role_arn, got.external_id,      got.session_name,
                       got.web_file, got.source_profile,   got.process,
                       got.sso,      got.credential_source};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        demand_view(text, all[i]);
        demand(got.found || !all[i].n);
    }
    return 0;
}
