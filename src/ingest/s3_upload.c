#include "ingest/s3_upload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/s3_answer.h"
#include "ingest/s3_role.h"
#include "ingest/s3_target.h"

enum {
    PART_BYTES = 8 << 20,
    PARTS_OF_A_SIZE = 2000, /* then parts are twice as large: 10,000 parts hold 486 GiB */
    PARTS_MAX = 10000,
    ABORT_S = 10, /* an abort that nobody answers */
};

/* Owner: the stream. */
struct upload {
    struct s3_target target;
    struct s3_identity who;
    char role[2048], acl[64], kms_key[512], content_type[64], region[64];
    struct s3_client *client;
    char id[1024]; /* of the multipart upload, encoded; "": none */
    char **etags;  /* by part */
    unsigned n_parts;
    bool is_put; /* as one object */
    struct s3_answer answer;
};

static size_t part_bytes(uint64_t number)
{
    return (size_t)PART_BYTES << (number / PARTS_OF_A_SIZE < 4 ? number / PARTS_OF_A_SIZE : 4);
}

static void upload_free(void *state)
{
    struct upload *u = state;

    for (unsigned i = 0; i < u->n_parts; i++)
        free(u->etags[i]);
    free(u->etags);
    s3_client_free(u->client);
    explicit_bzero(&u->who, sizeof u->who);
    free(u);
}

static struct s3_request request(struct upload *u, const char *method, const char *query)
{
    return (struct s3_request){.method = method,
                               .service = "s3",
                               .origin = u->target.origin,
                               .path = u->target.path,
                               .query = query};
}

/* What a new object has: rights and encryption. Sorted by name. */
static void describe(struct upload *u, struct s3_request *q)
{
    q->content_type = u->content_type;
    if (u->acl[0])
        q->more[q->n_more++] = (struct s3_header){"x-amz-acl", u->acl};
    if (u->kms_key[0]) {
        q->more[q->n_more++] = (struct s3_header){"x-amz-server-side-encryption", "aws:kms"};
        q->more[q->n_more++] =
            (struct s3_header){"x-amz-server-side-encryption-aws-kms-key-id", u->kms_key};
    }
}

static int ask(struct upload *u, const struct s3_request *q, struct error_info *err)
{
    return s3_client_ask(u->client, &u->who, q, &u->answer, err);
}

/* ---- steps ---- */

static int upload_open(void *state, const atomic_bool *cancelled, struct error_info *err)
{
    struct upload *u = state;

    u->client = s3_client_new(u->region, cancelled);
    if (!u->client)
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    return u->role[0] ? s3_role_assume(u->client, u->role, u->region, &u->who, &u->answer, err) : 0;
}

static int put_whole(struct upload *u, const void *bytes, size_t len, struct error_info *err)
{
    struct s3_request q = request(u, "PUT", "");

    describe(u, &q);
    q.body = bytes;
    q.body_len = len;
    u->is_put = true;
    return ask(u, &q, err);
}

static int begin_parts(struct upload *u, struct error_info *err)
{
    struct s3_request q = request(u, "POST", "uploads=");
    char id[340];

    describe(u, &q);
    int rc = ask(u, &q, err);
    if (rc != 0)
        return rc;
    if (!s3_answer_text(u->answer.body, u->answer.len, "UploadId", id, sizeof id) || !id[0] ||
        s3_encode(id, false, u->id, sizeof u->id) != 0)
        return error_set(err, -EIO, 1105, "%s: an upload was begun without a usable UploadId",
                         u->target.origin);
    u->etags = calloc(PARTS_MAX, sizeof *u->etags);
    return u->etags ? 0 : error_set(err, -ENOMEM, 1041, "Out of memory");
}

static int put_part(struct upload *u, const void *bytes, size_t len, struct error_info *err)
{
    char query[1200];

    if (u->n_parts == PARTS_MAX)
        return error_set(err, -EFBIG, 1105,
                         "%s: found more than %d parts; allowed: %d, in all 486 GiB",
                         u->target.origin, PARTS_MAX, PARTS_MAX);
    snprintf(query, sizeof query, "partNumber=%u&uploadId=%s", u->n_parts + 1, u->id);
    struct s3_request q = request(u, "PUT", query);
    q.body = bytes;
    q.body_len = len;
    int rc = ask(u, &q, err);
    if (rc != 0)
        return rc;
    if (!u->answer.etag[0] || !(u->etags[u->n_parts] = strdup(u->answer.etag)))
        return error_set(err, -EIO, 1105, "%s: part %u was taken without an ETag", u->target.origin,
                         u->n_parts + 1);
    u->n_parts++;
    return 0;
}

/* A first block that is not full is the only one. */
static int upload_block(void *state, const void *bytes, size_t len, struct error_info *err)
{
    struct upload *u = state;

    if (!u->id[0]) {
        if (len < part_bytes(0))
            return put_whole(u, bytes, len, err);
        int rc = begin_parts(u, err);
        if (rc != 0)
            return rc;
    }
    return put_part(u, bytes, len, err);
}

/* The list of parts; malloc'ed. */
static char *list_parts(const struct upload *u, size_t *len)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, len);

    if (!f)
        return NULL;
    fputs("<CompleteMultipartUpload>", f);
    for (unsigned i = 0; i < u->n_parts; i++)
        fprintf(f, "<Part><PartNumber>%u</PartNumber><ETag>%s</ETag></Part>", i + 1, u->etags[i]);
    fputs("</CompleteMultipartUpload>", f);
    if (fclose(f) == 0)
        return text;
    free(text);
    return NULL;
}

static int upload_finish(void *state, struct error_info *err)
{
    struct upload *u = state;
    char query[1100];
    size_t len;

    if (!u->id[0])
        return u->is_put ? 0 : put_whole(u, "", 0, err);
    char *parts = list_parts(u, &len);
    if (!parts)
        return error_set(err, -ENOMEM, 1041, "Out of memory");
    snprintf(query, sizeof query, "uploadId=%s", u->id);
    struct s3_request q = request(u, "POST", query);
    q.body = parts;
    q.body_len = len;
    q.content_type = "application/xml";
    int rc = ask(u, &q, err);
    free(parts);
    return rc;
}

static void upload_abort(void *state)
{
    struct upload *u = state;
    char query[1100];
    struct error_info ignored;

    if (!u->id[0])
        return;
    snprintf(query, sizeof query, "uploadId=%s", u->id);
    struct s3_request q = request(u, "DELETE", query);
    s3_client_limit(u->client, ABORT_S);
    (void)ask(u, &q, &ignored);
}

const struct export_backend s3_upload = {.open = upload_open,
                                         .block = upload_block,
                                         .finish = upload_finish,
                                         .abort = upload_abort,
                                         .block_bytes = part_bytes,
                                         .free = upload_free};

/* ---- start ---- */

static int copy(char *to, size_t cap, const char *text, const char *what, struct error_info *err)
{
    size_t n = text ? strlen(text) : 0;

    if (n >= cap)
        return error_set(err, -EINVAL, 1210, "%s: found %zu bytes; allowed: %zu", what, n, cap - 1);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127)
            return error_set(err, -EINVAL, 1210, "%s: found a control character; allowed: none",
                             what);
    memcpy(to, text ? text : "", n);
    to[n] = 0;
    return 0;
}

static int set_identity(struct s3_identity *who, struct error_info *err)
{
    const char *access = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY");

    if (!access || !secret)
        return error_set(err, -EPERM, 1105,
                         "s3: found no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the server's "
                         "environment; needed: both");
    int rc = copy(who->access_key, sizeof who->access_key, access, "AWS_ACCESS_KEY_ID", err);
    if (rc == 0)
        rc = copy(who->secret_key, sizeof who->secret_key, secret, "AWS_SECRET_ACCESS_KEY", err);
    if (rc == 0)
        rc = copy(who->token, sizeof who->token, getenv("AWS_SESSION_TOKEN"), "AWS_SESSION_TOKEN",
                  err);
    return rc;
}

static const char *region_of(const struct s3_place *place)
{
    const char *region = place->region && *place->region ? place->region : getenv("AWS_REGION");

    if (!region || !*region)
        region = getenv("AWS_DEFAULT_REGION");
    return region && *region ? region : "us-east-1";
}

static int set_all(struct upload *u, const struct s3_place *p, struct error_info *err)
{
    int rc = copy(u->region, sizeof u->region, region_of(p), "region", err);

    if (rc == 0 && u->region[strspn(u->region, "abcdefghijklmnopqrstuvwxyz0123456789-")])
        rc =
            error_set(err, -EINVAL, 1210, "region: found '%s'; allowed: a-z, 0-9 and -", u->region);
    if (rc == 0)
        rc = s3_target_set(&u->target, p->uri, p->endpoint, u->region, err);
    if (rc == 0)
        rc = copy(u->role, sizeof u->role, p->role, "assumeRoleArn", err);
    if (rc == 0)
        rc = copy(u->acl, sizeof u->acl, p->acl, "acl", err);
    if (rc == 0)
        rc = copy(u->kms_key, sizeof u->kms_key, p->kms_key, "sseKmsKeyId", err);
    if (rc == 0)
        rc = copy(u->content_type, sizeof u->content_type, p->content_type, "content type", err);
    return rc == 0 ? set_identity(&u->who, err) : rc;
}

void *s3_upload_new(const struct s3_place *place, struct error_info *err)
{
    struct upload *u = calloc(1, sizeof *u);

    if (!u) {
        error_set(err, -ENOMEM, 1041, "Out of memory");
        return NULL;
    }
    if (set_all(u, place, err) == 0)
        return u;
    upload_free(u);
    return NULL;
}
