#pragma once
/*
 * Shared objects of the plug-in directory (quanta_plugin.h). Loaded once and never unloaded. Any thread.
 */
#include <stdbool.h>

#include "storage/quanta_plugin.h"
#include "storage/type.h"

enum { PLUGIN_NAME_MAX = 64 };

/* Where plug-ins may come from; NULL = there are none. Main thread, before the first table is read. The text must
 * stay. */
void plugin_set_directory(const char *dir);
const char *plugin_directory(void);

/* Letters, digits, _ and -, at most PLUGIN_NAME_MAX: a file name that stays in the directory. */
bool plugin_is_name(const char *name);

/* The plug-in itself, loaded if it was not: as below. */
int plugin_load(const char *plugin, const struct quanta_plugin **out, struct error_info *err);

/* Its description says so; members since version 2 may be read. */
bool plugin_has_functions(const struct quanta_plugin *p);

/* The mapper `name` of `<directory>/<plugin>.so`: 0, -ENOENT, -EINVAL (another version, no such mapper), -EPERM (no
 * directory is set) with a text in err. */
int plugin_find(const char *plugin, const char *name, const struct quanta_plugin_mapper **out,
                struct error_info *err);
