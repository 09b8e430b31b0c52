#pragma once
/* What SELECT ... INTO may write to, for the gateways of a program. Main thread; the port is for any core. */
#include "sql/export.h"

/* Members set by options. */
struct exports {
    const char *folder;      /* for OUTFILE and DUMPFILE; NULL: none */
    const char *objects;     /* "s3://bucket/prefix,…" for INTO 's3://…'; NULL: none */
    const char *s3_endpoint; /* http[s]://host[:port]; NULL: Amazon's */
    struct export_port port;
};

/* Rows for the option table of a program with a MySQL port. */
#define EXPORT_OPTIONS(x)                                                                 \
    {"export-dir",                                                                        \
     OPTION_STRING,                                                                       \
     &(x)->folder,                                                                        \
     "DIR",                                                                               \
     "SELECT ... INTO OUTFILE and DUMPFILE write new files there (default: none)",        \
     NULL},                                                                               \
        {"export-s3",                                                                     \
         OPTION_STRING,                                                                   \
         &(x)->objects,                                                                   \
         "URI,...",                                                                       \
         "SELECT ... INTO 's3://...' writes below these: s3://bucket/prefix, "            \
         "s3:// for all (default: none)",                                                 \
         NULL},                                                                           \
    {                                                                                     \
        "s3-endpoint", OPTION_STRING, &(x)->s3_endpoint, "URL",                           \
            "http[s]://host[:port] of another store than Amazon's", "AWS_ENDPOINT_URL_S3" \
    }

/* 0, or -errno with the error: the folder is not there, has to do with the data directory (NULL: there is none), or the
 * endpoint is none. */
int exports_init(struct exports *x, const char *data_dir, struct error_info *err);
