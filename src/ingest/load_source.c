#include "ingest/load_source.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LOAD_MAX_FILES = 1000000, LOAD_MAX_DEPTH = 32 };

static int add_path(struct load_files *f, const char *path, uint64_t bytes)
{
    if (!(f->n & (f->n - 1))) { /* grows at powers of two */
        char **paths = f->n < LOAD_MAX_FILES
                           ? realloc(f->paths, (f->n ? 2 * (size_t)f->n : 1) * sizeof(char *))
                           : NULL;
        if (!paths)
            return -ENOMEM;
        f->paths = paths;
    }
    f->paths[f->n] = strdup(path);
    if (!f->paths[f->n])
        return -ENOMEM;
    f->n++;
    f->bytes += bytes;
    return 0;
}

static bool has_suffix(const char *path, const char *suffix)
{
    size_t n = strlen(path), m = strlen(suffix);

    return n >= m && !strcmp(path + n - m, suffix);
}

static int add_pattern(struct load_files *f, const char *pattern, unsigned depth,
                       bool explicit_files);

static int add_entry(struct load_files *f, const char *path, unsigned depth, bool explicit_file)
{
    struct stat st;
    char pattern[PATH_MAX];

    if (stat(path, &st))
        return -errno;
    if (S_ISREG(st.st_mode))
        return explicit_file || has_suffix(path, ".parquet")
                   ? add_path(f, path, (uint64_t)st.st_size)
                   : 0;
    if (!S_ISDIR(st.st_mode) || depth == LOAD_MAX_DEPTH)
        return 0;
    if (snprintf(pattern, sizeof(pattern), "%s/*", path) >= (int)sizeof(pattern))
        return -ENAMETOOLONG;
    return add_pattern(f, pattern, depth + 1, false);
}

static int add_pattern(struct load_files *f, const char *pattern, unsigned depth,
                       bool explicit_files)
{
    glob_t g;
    int rc = glob(pattern, GLOB_NOSORT | GLOB_BRACE, NULL, &g);

    if (rc)
        return rc == GLOB_NOMATCH ? 0 : rc == GLOB_NOSPACE ? -ENOMEM : -EACCES;
    for (size_t i = 0; i < g.gl_pathc && !rc; i++)
        rc = add_entry(f, g.gl_pathv[i], depth, explicit_files);
    globfree(&g);
    return rc;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int load_files_find(const char *source, struct load_files *out, struct error_info *err)
{
    struct stat st;

    *out = (struct load_files){0};
    if (strstr(source, "://") && strncmp(source, "file://", 7))
        return error_set(err, -ENOTSUP, 0,
                         "source %s: this version reads files, directories and globs only", source);
    if (!strncmp(source, "file://", 7))
        source += 7;
    int rc =
        stat(source, &st) ? add_pattern(out, source, 0, true) : add_entry(out, source, 0, true);
    if (!rc && !out->n)
        rc = error_set(err, -ENOENT, 0,
                       "source %s: no file found (a directory is searched for *.parquet)", source);
    else if (rc)
        error_set(err, rc, 0, "source %s: %s", source, strerror(-rc));
    if (rc)
        load_files_fini(out);
    else
        qsort(out->paths, out->n, sizeof(char *), compare_paths);
    return rc;
}

void load_files_fini(struct load_files *f)
{
    for (unsigned i = 0; i < f->n; i++)
        free(f->paths[i]);
    free(f->paths);
    *f = (struct load_files){0};
}
