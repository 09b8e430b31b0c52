#pragma once
/* The schema.yaml files below a directory, parents before children. Main thread, at start. */
#include "storage/schema.h"

struct schema_list {
    struct schema **schemas; /* parents before children */
    char **files;            /* in the order they were read */
    unsigned n;
};

/* Reads <dir>/<name>/schema.yaml of every sub-directory; files without it are passed over. Warnings go to the log.
 * 0, or -errno with path (file, line, key for mistakes) in err. */
int schema_dir_read(const char *dir, struct schema_list *out, struct error_info *err);
void schema_list_fini(struct schema_list *l);
