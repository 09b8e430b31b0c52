#pragma once
/*
 * JSON texts as trees, for the JSON functions. Numbers and strings keep the bytes they were written with, objects the
 * order of their members, so nothing is lost by reading and printing. Pure functions, any core; trees live in the
 * arena given and point into the text read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum {
    JSON_MAX_DEPTH = 100,
    JSON_MAX_STEPS = 64,
    JSON_MAX_WORK = 5000000 /* values looked at by one call: some tenths of a second of the core */
};

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json {
    enum json_kind kind;
    const char *key; /* of a member, unescaped */
    size_t key_len;
    const char *text; /* scalars as written, strings with their quotes */
    size_t len;
    struct json *first, *last, *next; /* elements, and the next one of the parent's */
    uint32_t n;                       /* elements */
};

/* The value that is the whole text; NULL when it is none, is nested too deeply, or without memory. */
struct json *json_parse(struct arena *a, const char *s, size_t len);
/* Nodes; NULL without memory. json_new_text escapes. */
struct json *json_new(struct arena *a, enum json_kind kind);
struct json *json_new_text(struct arena *a, const char *s, size_t len);
struct json *json_new_scalar(struct arena *a, enum json_kind kind, const char *s, size_t len);
/* A copy of the node to be put somewhere else, with the same elements. */
struct json *json_copy(struct arena *a, const struct json *v);
void json_append(struct json *parent, struct json *v);
/* Member by name; NULL when there is none. */
struct json *json_member(const struct json *object, const char *key, size_t len);

/* A string's value: escapes resolved. NULL without memory. */
const char *json_unescape(struct arena *a, const struct json *v, size_t *len);
/* The same text as a string with quotes. */
const char *json_quote(struct arena *a, const char *s, size_t len, size_t *out_len);

enum json_style { JSON_LOOSE, JSON_COMPACT, JSON_DETAILED };
/* NULL without memory. */
const char *json_print(struct arena *a, const struct json *v, enum json_style style, size_t *len);

/* These look at pairs of values, so each look is taken from *left; with none left the answer is worthless. */
bool json_is_equal(struct arena *a, const struct json *p, const struct json *q, uint64_t *left);
/* JSON_CONTAINS: does `in` contain v? */
bool json_contains(struct arena *a, const struct json *in, const struct json *v, uint64_t *left);
/* As json_member. */
struct json *json_find(const struct json *object, const char *key, size_t len, uint64_t *left);
unsigned json_depth(const struct json *v);

/* ---- paths: $.a[0].*, $[last], $**.b ---- */

enum json_step_kind {
    JSON_STEP_KEY,
    JSON_STEP_ANY_KEY,
    JSON_STEP_RANGE,
    JSON_STEP_ANY_INDEX,
    JSON_STEP_DEEP
};

struct json_step {
    enum json_step_kind kind;
    const char *key;
    size_t key_len;
    int64_t from, to;        /* RANGE; of one element: the same */
    bool from_last, to_last; /* counted back from the last */
};

struct json_path {
    struct json_step steps[JSON_MAX_STEPS];
    unsigned n;
    bool is_many; /* may lead to several values */
};

/* 0, or the place of the error from 1. */
size_t json_path_parse(struct json_path *p, const char *s, size_t len);
/* Calls fn for each value the path leads to, until it answers false: false then. */
bool json_path_each(const struct json_path *p, struct json *doc,
                    bool (*fn)(struct json *v, void *ctx), void *ctx);
/* The first of them, or NULL. */
struct json *json_path_first(const struct json_path *p, struct json *doc);
/* Position of a step's element in an array of n: below 0 or n and above when it has none. */
int64_t json_step_index(const struct json_step *s, uint32_t n);
