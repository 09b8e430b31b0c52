#pragma once
/*
 * Where SELECT ... INTO OUTFILE, DUMPFILE and 's3://...' write: a table of functions that the program gives,
 * since sql opens no file and owns no socket. Calls come from the statement's core and never wait.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/type.h"

struct datum;
struct export_job;
struct mysql_column;
struct reactor;
struct value_type;

enum export_state {
    EXPORT_OPENING, /* the target is being made */
    EXPORT_READY,
    EXPORT_FULL, /* READY, but what was given is not written yet */
    EXPORT_DONE, /* after finish: all is written */
    EXPORT_FAILED,
};

/* What a statement asks for. Owner: the statement; read by open only. */
struct export_want {
    bool is_uri;                               /* target is a URI, else the path of a file */
    const char *target;                        /* as written */
    const char *region, *role, *acl, *kms_key; /* of a URI; NULL: not given */
    bool is_parquet;
    const char *compression; /* of Parquet; NULL: not given */
    const struct mysql_column *columns;
    const struct value_type *types;
    uint32_t n_columns;
};

/* Owner: the program; any core. */
struct export_port {
    const char *folder; /* shown as @@secure_file_priv; NULL: files are not written */
    /* Begins; wake comes later, whenever the state changes, until drop. NULL with the error. */
    struct export_job *(*open)(const struct export_port *port, struct reactor *r,
                               const struct export_want *want, void (*wake)(void *ctx), void *ctx,
                               struct error_info *err);
    enum export_state (*state)(struct export_job *x, struct error_info *err);
    /* Takes all; the caller asks for EXPORT_READY before each row. 0 or -errno with the error. */
    int (*bytes)(struct export_job *x, const void *bytes, size_t len, struct error_info *err);
    /* A row of Parquet, the same. */
    int (*row)(struct export_job *x, const struct datum *cells, struct error_info *err);
    int (*finish)(struct export_job *x, struct error_info *err);
    /* The statement is through with it; what is not DONE goes away, in the background. */
    void (*drop)(struct export_job *x);
};
