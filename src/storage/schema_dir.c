#include "storage/schema_dir.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "reactor/log.h"

enum { SCHEMA_MAX_FILE = 4 << 20, SCHEMA_MAX_FILES = 4096 };

static int read_text(const char *path, char **text, size_t *len, struct error_info *err)
{
    FILE *f = fopen(path, "re");
    struct stat st;

    *text = NULL;
    *len = 0;
    if (!f)
        return -errno;
    int rc = fstat(fileno(f), &st) ? -errno : 0;
    if (!rc && (!S_ISREG(st.st_mode) || st.st_size > SCHEMA_MAX_FILE))
        rc = error_set(err, -EINVAL, 0, "%s is not a file of at most %d MiB", path,
                       SCHEMA_MAX_FILE >> 20);
    if (!rc && !(*text = malloc((size_t)st.st_size + 1)))
        rc = -ENOMEM;
    if (!rc)
        *len = fread(*text, 1, (size_t)st.st_size, f);
    fclose(f);
    return rc;
}

static void warn(void *ctx, const char *line)
{
    (void)ctx;
    log_warn("%s", line);
}

static int read_schema(const char *path, struct schema **out, struct error_info *err)
{
    char *text;
    size_t len;
    int rc = read_text(path, &text, &len, err);

    if (rc || !text)
        return rc;
    rc = schema_parse_yaml(path, text, len, warn, NULL, out, err);
    free(text);
    return rc;
}

/* Takes the schema and its file in; the reference on the schema in any case. */
static int add_schema(struct schema_list *l, struct schema *s, const char *file,
                      struct error_info *err)
{
    int rc = 0;

    for (unsigned i = 0; i < l->n && !rc; i++)
        if (!strcmp(l->schemas[i]->name, s->name))
            rc = error_set(err, -EEXIST, 0, "%s: table %s is defined in %s already", file, s->name,
                           l->files[i]);
    if (!rc && l->n == SCHEMA_MAX_FILES)
        rc = error_set(err, -E2BIG, 0, "%s: more than %d schema files", file, SCHEMA_MAX_FILES);
    if (!rc && !l->schemas) {
        l->schemas = calloc(SCHEMA_MAX_FILES, sizeof(struct schema *));
        l->files = calloc(SCHEMA_MAX_FILES, sizeof(char *));
    }
    char *copy = !rc && l->schemas && l->files ? strdup(file) : NULL;
    if (!copy) {
        schema_put(s);
        return rc ? rc : error_set(err, -ENOMEM, 0, "%s: out of memory", file);
    }
    l->schemas[l->n] = s;
    l->files[l->n++] = copy;
    return 0;
}

static int read_all(const char *dir, DIR *d, struct schema_list *l, struct error_info *err)
{
    for (struct dirent *e; (e = readdir(d));) {
        char path[PATH_MAX];
        struct schema *s;
        if (e->d_name[0] == '.')
            continue;
        if (snprintf(path, sizeof(path), "%s/%s/schema.yaml", dir, e->d_name) >= (int)sizeof(path))
            continue;
        int rc = read_schema(path, &s, err);
        if (rc == -ENOENT || rc == -ENOTDIR)
            continue;
        if (!rc)
            rc = add_schema(l, s, path, err);
        if (rc)
            return err->text[0] ? rc : error_set(err, rc, 0, "%s: %s", path, strerror(-rc));
    }
    return 0;
}

static bool is_before(const struct schema_list *l, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(l->schemas[i]->name, name))
            return true;
    return false;
}

static bool is_in_list(const struct schema_list *l, const char *name)
{
    return is_before(l, l->n, name);
}

static bool has_parents_before(const struct schema_list *l, unsigned n, const struct schema *s)
{
    for (uint16_t i = 0; i < s->n_columns; i++) {
        const char *parent = s->columns[i].parent_table;
        if (parent && strcmp(parent, s->name) && is_in_list(l, parent) && !is_before(l, n, parent))
            return false;
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(struct schema *const *)a)->name, (*(struct schema *const *)b)->name);
}

/* By name, but parents before children; what is left of a cycle stays by name. */
static void sort(struct schema_list *l)
{
    if (l->n)
        qsort(l->schemas, l->n, sizeof(struct schema *), compare_names);
    for (unsigned n = 0; n < l->n; n++) {
        unsigned i = n;
        while (i < l->n && !has_parents_before(l, n, l->schemas[i]))
            i++;
        if (i == l->n)
            return;
        struct schema *s = l->schemas[i];
        memmove(&l->schemas[n + 1], &l->schemas[n], (i - n) * sizeof(struct schema *));
        l->schemas[n] = s;
    }
}

int schema_dir_read(const char *dir, struct schema_list *out, struct error_info *err)
{
    *out = (struct schema_list){0};
    err->text[0] = 0;
    DIR *d = opendir(dir);
    if (!d)
        return error_set(err, -errno, 0, "schema directory %s: %s", dir, strerror(errno));
    int rc = read_all(dir, d, out, err);
    closedir(d);
    if (rc)
        schema_list_fini(out);
    else
        sort(out);
    return rc;
}

void schema_list_fini(struct schema_list *l)
{
    for (unsigned i = 0; i < l->n; i++) {
        schema_put(l->schemas[i]);
        free(l->files[i]);
    }
    free(l->schemas);
    free(l->files);
    *l = (struct schema_list){0};
}
