#pragma once
/*
 * Texts for what is wrong with a Parquet file: part of the file, column, row group, page, what was
 * found and what is allowed.
 */

/* First line of a diagnosis. Any core; the caller's memory, usually on its stack. */
struct parquet_error {
    char text[512];
};

/* Sets the text and returns code, a negative errno, for `return parquet_fail(…)`. err may be
 * NULL. */
__attribute__((format(printf, 3, 4))) int parquet_fail(struct parquet_error *err, int code,
                                                       const char *fmt, ...);

/* Puts a place before the text, cutting the end when it gets too long. */
__attribute__((format(printf, 2, 3))) void parquet_error_prefix(struct parquet_error *err,
                                                                const char *fmt, ...);

/* -ENOMEM with a text saying what the memory was for. */
int parquet_fail_memory(struct parquet_error *err, const char *what);
