/* SPDX-License-Identifier: Apache-2.0 */
/* config_cloud.h - what the checks of each cloud's `auth` share.
 *
 * Each check finds out how a backend's credential is had and leaves that in `lent`, or reports why
 * it cannot be. What is found outside the file (environment, shared files) is asked of the world.
 */
#ifndef SP_CONFIG_CLOUD_H
#define SP_CONFIG_CLOUD_H
#include "../llm/lease_spec.h"
#include "config_check.h"

void config_check_aws(config_reader *r, config_backend *b);
void config_check_gcp(config_reader *r, config_backend *b);
void config_check_entra(config_reader *r, config_backend *b);
/* host:port and who may use it. */
void config_check_proxy(config_reader *r, const config_backend *b);

str config_variable(const config_reader *r, const char *name); /* {0}: unset or empty */
/* A path as it stands in this file, made absolute: relative ones begin at the file's directory. */
str config_path(const config_reader *r, str path);
/* The file's text when it is there and can be read. */
bool config_may_read(const config_reader *r, str path, str *text);
lease_spec *config_lent(const config_reader *r, lease_kind kind); /* an empty one */

/* Where the chain of AWS's own tools ends for this backend; NULL: nowhere, or it was reported. */
const lease_spec *config_aws_chain(config_reader *r, const config_backend *b);
/* What the profile says, by roles and sources; NULL: reported, or it is not there. */
const lease_spec *config_aws_profile(config_reader *r, const config_backend *b, str name);
const lease_spec *config_aws_environment(const config_reader *r);
const lease_spec *config_aws_container(config_reader *r, const config_backend *b);
const lease_spec *config_aws_machine(config_reader *r, const config_backend *b);
str config_aws_sts(config_reader *r, const config_backend *b); /* the URL of the token service */
/* The region in the name of an endpoint of Bedrock, a private one too; {0}: it is none. */
str config_aws_region(str host);
#endif
