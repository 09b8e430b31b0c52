#pragma once
/* Files of a load: one file, a directory (its *.parquet files, deep), or a glob. Main thread. */
#include <stddef.h>
#include <stdint.h>

#include "storage/type.h"

struct load_files {
    char **paths; /* sorted */
    unsigned n;
    uint64_t bytes; /* of all */
};

/* 0; -ENOENT when nothing fits, with the pattern in err; -ENOTSUP for sources that are no files. */
int load_files_find(const char *source, struct load_files *out, struct error_info *err);
void load_files_fini(struct load_files *f);
