#pragma once
/* Keys for a time, of a role, from Amazon's token service. Waits as s3_client does. */
#include "ingest/s3_client.h"

/* Puts the role's keys in place of who's. AWS_ENDPOINT_URL_STS names another service. Errors as of s3_client_ask. */
int s3_role_assume(struct s3_client *c, const char *role, const char *region,
                   struct s3_identity *who, struct s3_answer *answer, struct error_info *err);
