#pragma once
/* A new file below a folder, as the target of an export: never outside it, never in place of another. */
#include "ingest/export_stream.h"

/* The backend of files. Its state comes from export_file_new. */
extern const struct export_backend export_file;

/*
 * path is relative to the folder, or begins with it. Links and ".." are not followed; the folders in between must be
 * there. NULL with error 1290 when it leads elsewhere.
 */
void *export_file_new(const char *folder, const char *path, struct error_info *err);
