#pragma once
/* Diagnostics: one line each to stderr, with time, level, core. Any thread. */

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

extern enum log_level log_level; /* lines above it are dropped */

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Parses "error|warn|info|debug": 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *out);

/* Sets the core number shown in lines of this thread; negative = none ("-"). */
void log_set_core(int core);
int log_get_core(void);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                        \
    do {                                      \
        if (log_level >= LOG_DEBUG)           \
            log_line(LOG_DEBUG, __VA_ARGS__); \
    } while (0)
