#pragma once
/*
 * Rows of the `events` work, which benchmarks and comparisons with other systems use: every row is
 * a function of its number, the number of rows and a seed, so that any part can be made anywhere.
 */
#include <stdbool.h>
#include <stdint.h>

/* Rows of the table `content` that events refer to. */
#define EVENTS_CONTENT_ROWS 100000

/* More rows would let the numbers of two rows meet in the generator. */
#define EVENTS_ROWS_MAX ((uint64_t)1 << 35)

/* What all rows have in common. Any core; the caller's memory. */
struct events_spec {
    uint64_t rows;
    uint64_t seed;
};

/* One row of `events`. Any core; the caller's memory. */
struct events_row {
    int64_t id;
    int64_t ts_seconds; /* since 1970-01-01 00:00:00 UTC */
    uint32_t device;    /* number of events_device_name */
    uint32_t country;   /* 0 to 199, "C" and three digits */
    uint32_t event;     /* 0 to 11, "E" and digits */
    uint32_t content_id;
    uint32_t user; /* "u" and digits */
    uint32_t duration;
    uint32_t revenue_cents;
    bool live;
};

/* One row of `content`. Any core; the caller's memory. */
struct content_row {
    int64_t content_id; /* the title is "Title " and this number */
    uint32_t category;  /* "G" and digits */
    uint32_t year;
    uint32_t rating_tenths;
};

/* The output function of splitmix64 at z. Source: https://prng.di.unimi.it/splitmix64.c */
uint64_t events_mix(uint64_t z);

/* Name of a device, 0 to 7. */
const char *events_device_name(uint32_t device);

/* Row number i (from 0) of `events`; i < spec->rows. */
void events_make_row(const struct events_spec *spec, uint64_t i, struct events_row *row);

/* Row number j (from 0) of `content`. */
void events_make_content(const struct events_spec *spec, uint64_t j, struct content_row *row);
