/* dlopen of plug-ins: from one directory only, by plain names, each once. */
#include "storage/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLUGINS_MAX = 64 };

/* Loaded plug-ins. Owner: the process, under the lock; never freed. */
static struct loaded {
    char name[PLUGIN_NAME_MAX + 1];
    const struct quanta_plugin *plugin;
} loaded[PLUGINS_MAX];
static unsigned n_loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *directory;

void plugin_set_directory(const char *dir)
{
    directory = dir && *dir ? dir : NULL;
}

const char *plugin_directory(void)
{
    return directory;
}

bool plugin_is_name(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= PLUGIN_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
}

static int check(const char *path, const struct quanta_plugin *p, struct error_info *err)
{
    if (!p)
        return error_set(err, -EINVAL, 1105, "plug-in %s: found no description; allowed: one",
                         path);
    if (p->abi == 0 || p->abi > QUANTA_PLUGIN_ABI)
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: found interface version %u; allowed: 1 to %d", path, p->abi,
                         QUANTA_PLUGIN_ABI);
    size_t size = p->abi == 1 ? offsetof(struct quanta_plugin, n_functions) : sizeof *p;
    if (p->size < size || (p->n_mappers && !p->mappers))
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: found a description of %u bytes; allowed: %zu", path, p->size,
                         size);
    for (uint32_t i = 0; i < p->n_mappers; i++)
        if (!p->mappers[i].name || !p->mappers[i].open || !p->mappers[i].map)
            return error_set(
                err, -EINVAL, 1105,
                "plug-in %s: mapper %u: found no name, open or map; allowed: all three", path, i);
    return 0;
}

static int load(const char *name, const struct quanta_plugin **out, struct error_info *err)
{
    const struct quanta_plugin *(*describe)(void);
    char path[PATH_MAX];
    void *object, *symbol;
    int rc;

    if (n_loaded == PLUGINS_MAX)
        return error_set(err, -ENOSPC, 1105, "plug-in %s: found more; allowed: %d in a process",
                         name, PLUGINS_MAX);
    /* With a slash in it dlopen takes the path as it is and searches nowhere else. */
    if (snprintf(path, sizeof path, "%s%s/%s.so", *directory == '/' ? "" : "./", directory, name) >=
        (int)sizeof path)
        return error_set(err, -ENAMETOOLONG, 1105, "plug-in %s: the path is too long", name);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        return error_set(err, -ENOENT, 1105, "plug-in %s: %s", path, dlerror());
    symbol = dlsym(object, "quanta_plugin");
    if (!symbol) {
        dlclose(object);
        return error_set(err, -EINVAL, 1105,
                         "plug-in %s: found no function quanta_plugin; allowed: the one of "
                         "quanta_plugin.h",
                         path);
    }
    memcpy(&describe, &symbol, sizeof describe);
    *out = describe();
    rc = check(path, *out, err);
    if (rc != 0) {
        dlclose(object);
        return rc;
    }
    snprintf(loaded[n_loaded].name, sizeof loaded->name, "%s", name);
    loaded[n_loaded++].plugin = *out;
    return 0;
}

static int find_plugin(const char *name, const struct quanta_plugin **out, struct error_info *err)
{
    for (unsigned i = 0; i < n_loaded; i++)
        if (strcmp(loaded[i].name, name) == 0) {
            *out = loaded[i].plugin;
            return 0;
        }
    return load(name, out, err);
}

bool plugin_has_functions(const struct quanta_plugin *p)
{
    return p->abi >= 2;
}

int plugin_load(const char *plugin, const struct quanta_plugin **out, struct error_info *err)
{
    int rc;

    if (!plugin_is_name(plugin))
        return error_set(err, -EINVAL, 1105,
                         "plug-in '%.80s': allowed: up to %d letters, digits, _ and -", plugin,
                         PLUGIN_NAME_MAX);
    if (!directory)
        return error_set(err, -EPERM, 1105,
                         "plug-in %s: found no plug-in directory; allowed: start with --plugin-dir",
                         plugin);
    pthread_mutex_lock(&lock);
    rc = find_plugin(plugin, out, err);
    pthread_mutex_unlock(&lock);
    return rc;
}

int plugin_find(const char *plugin, const char *name, const struct quanta_plugin_mapper **out,
                struct error_info *err)
{
    const struct quanta_plugin *p = NULL;
    int rc = plugin_load(plugin, &p, err);

    if (rc != 0)
        return rc;
    for (uint32_t i = 0; i < p->n_mappers; i++)
        if (strcmp(p->mappers[i].name, name) == 0) {
            *out = &p->mappers[i];
            return 0;
        }
    return error_set(err, -EINVAL, 1105, "plug-in %s: found no mapper '%.64s'; allowed: %s%s",
                     plugin, name, p->n_mappers ? p->mappers[0].name : "none",
                     p->n_mappers > 1 ? " and others" : "");
}
