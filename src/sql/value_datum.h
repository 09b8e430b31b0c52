#pragma once
/*
 * Datum: one SQL value inside the gateway, and the type an expression announces for its values.
 *
 * Bytes of strings are borrowed: from the batch they came in, from the statement's arena, or from
 * the scratch arena of the rows being worked on; who keeps a datum longer copies it (datum_copy).
 * Owner: the core of the connection.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

enum datum_kind {
    DATUM_NULL,
    DATUM_INT,      /* i */
    DATUM_UINT,     /* u: BIGINT UNSIGNED */
    DATUM_DECIMAL,  /* dec * 10^-scale */
    DATUM_DOUBLE,   /* f */
    DATUM_STRING,   /* s, len bytes of UTF-8, compared bytewise */
    DATUM_DATE,     /* i: days since 1970-01-01 */
    DATUM_DATETIME, /* i: microseconds since 1970 UTC */
    DATUM_TIME,     /* i: signed microseconds */
};

struct datum {
    uint8_t kind;
    uint8_t scale; /* DECIMAL */
    uint32_t len;  /* STRING */
    union {
        int64_t i;
        uint64_t u;
        double f;
        __int128 dec;
        const char *s;
    };
};

enum { VALUE_SCALE_FREE = 31 }; /* of a DOUBLE without a fixed number of fraction digits */

/* What is known of an expression's values before any is computed: decides metadata and rounding. */
struct value_type {
    uint8_t kind;  /* enum datum_kind; DATUM_NULL for the literal NULL */
    uint8_t scale; /* fraction digits: DECIMAL, DATETIME, TIME, DOUBLE */
    bool not_null;
    bool is_binary;   /* bytes that are no text */
    bool is_json;     /* STRING: made by a JSON function; within others it is a value, not a text */
    bool is_any_case; /* STRING: comparisons do not tell upper and lower case apart */
    uint16_t precision; /* digits: INT, UINT, DECIMAL */
    uint32_t length;    /* STRING: most characters */
};

static inline bool datum_is_null(const struct datum *d)
{
    return d->kind == DATUM_NULL;
}

static inline void datum_set_null(struct datum *d)
{
    d->kind = DATUM_NULL;
}

static inline void datum_set_int(struct datum *d, int64_t v)
{
    d->kind = DATUM_INT;
    d->i = v;
}

static inline void datum_set_uint(struct datum *d, uint64_t v)
{
    d->kind = DATUM_UINT;
    d->u = v;
}

static inline void datum_set_double(struct datum *d, double v)
{
    d->kind = DATUM_DOUBLE;
    d->f = v;
}

static inline void datum_set_decimal(struct datum *d, __int128 v, unsigned scale)
{
    d->kind = DATUM_DECIMAL;
    d->scale = (uint8_t)scale;
    d->dec = v;
}

static inline void datum_set_string(struct datum *d, const char *s, size_t len)
{
    d->kind = DATUM_STRING;
    d->s = s;
    d->len = (uint32_t)len;
}

static inline void datum_set_temporal(struct datum *d, enum datum_kind kind, int64_t v)
{
    d->kind = (uint8_t)kind;
    d->i = v;
}

static inline bool datum_kind_is_temporal(unsigned kind)
{
    return kind == DATUM_DATE || kind == DATUM_DATETIME || kind == DATUM_TIME;
}

static inline bool datum_kind_is_number(unsigned kind)
{
    return kind >= DATUM_INT && kind <= DATUM_DOUBLE;
}

/* Types by kind with usual sizes. */
struct value_type value_type_int(unsigned digits);
struct value_type value_type_uint(unsigned digits);
struct value_type value_type_decimal(unsigned precision, unsigned scale);
struct value_type value_type_double(void);
struct value_type value_type_string(uint32_t length);
struct value_type value_type_temporal(enum datum_kind kind, unsigned fraction);

/* A copy whose bytes live in the arena. False when the arena is at its limit. */
bool datum_copy(struct datum *to, const struct datum *from, struct arena *a);

/* Rounds a decimal or a time to the fraction digits of its type, in place: what MySQL does when a
 * value is sent, compared, grouped, ordered or stored. */
void datum_round_to_type(struct datum *d, const struct value_type *t);

/* Name of a kind for messages and SHOW: "BIGINT", "DECIMAL". */
const char *datum_kind_name(unsigned kind);
