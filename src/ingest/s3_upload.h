#pragma once
/*
 * An object of a store that speaks S3 as the target of an export: at most one part is in memory besides the blocks of the stream.
 * An object of up to one part is put at once, a larger one is a multipart upload, which is aborted when the stream is.
 */
#include "ingest/export_stream.h"

/* Where and as whom. Texts may be NULL; read by s3_upload_new only. */
struct s3_place {
    const char *uri;      /* s3://bucket/key */
    const char *endpoint; /* http[s]://host[:port]; NULL: Amazon's */
    const char *region, *role, *acl, *kms_key;
    const char *content_type;
};

/* The backend of objects. Its state comes from s3_upload_new. */
extern const struct export_backend s3_upload;

/* Reads the keys of AWS_… from the environment. NULL with the error. */
void *s3_upload_new(const struct s3_place *place, struct error_info *err);
