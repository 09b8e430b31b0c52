#include "ingest/s3_role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/s3_answer.h"
#include "ingest/s3_target.h"

static int read_keys(const struct s3_answer *a, struct s3_identity *out)
{
    return s3_answer_text(a->body, a->len, "AccessKeyId", out->access_key,
                          sizeof out->access_key) &&
                   s3_answer_text(a->body, a->len, "SecretAccessKey", out->secret_key,
                                  sizeof out->secret_key) &&
                   s3_answer_text(a->body, a->len, "SessionToken", out->token, sizeof out->token)
               ? 0
               : -EIO;
}

int s3_role_assume(struct s3_client *c, const char *role, const char *region,
                   struct s3_identity *who, struct s3_answer *answer, struct error_info *err)
{
    const char *own = getenv("AWS_ENDPOINT_URL_STS");
    char origin[S3_HOST_MAX], arn[3 * 2048], query[3 * 2048 + 200];
    int rc;

    if (own && *own && !s3_endpoint_is_sound(own))
        return error_set(err, -EINVAL, 1105,
                         "AWS_ENDPOINT_URL_STS: allowed: http[s]://host[:port]");
    if (own && *own)
        snprintf(origin, sizeof origin, "%s", own);
    else
        snprintf(origin, sizeof origin, "https://sts.%s.amazonaws.com", region);
    if (s3_encode(role, false, arn, sizeof arn) != 0)
        return error_set(err, -EINVAL, 1210, "assumeRoleArn: too long");
    snprintf(query, sizeof query,
             "Action=AssumeRole&RoleArn=%s&RoleSessionName=quanta&Version=2011-06-15", arn);
    struct s3_request q = {
        .method = "GET", .service = "sts", .origin = origin, .path = "/", .query = query};
    rc = s3_client_ask(c, who, &q, answer, err);
    if (rc == 0 && read_keys(answer, who) != 0)
        rc = error_set(err, -EIO, 1105, "%s: the answer to AssumeRole has no keys", origin);
    explicit_bzero(answer->body, sizeof answer->body);
    return rc;
}
