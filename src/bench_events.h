#pragma once
/*
 * Statements of the `events` work. Their constants vary: every variant of a query asks for about as many rows as the
 * others, so that no answer can come from a cache of results. Pure functions.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingest/events_gen.h"

enum bench_query {
    BENCH_Q1,
    BENCH_Q2,
    BENCH_Q3,
    BENCH_Q4,
    BENCH_Q5,
    BENCH_Q6,
    BENCH_Q7,
    BENCH_Q8,
    BENCH_Q9,
    BENCH_Q10,
    BENCH_Q11,
    BENCH_Q12,
    BENCH_Q13,
    BENCH_J1,
    BENCH_G1,
    BENCH_G2,
    BENCH_G3,
    BENCH_T1,
    BENCH_P1,
    BENCH_QUERIES,
};

#define BENCH_STATEMENT_MAX 256

/* The constants of a variant, of all queries together. */
struct bench_constants {
    uint32_t device, country, event, other_event; /* numbers as in struct events_row */
    uint32_t low, high;                           /* duration, both included */
    uint32_t top_event, top_country;
    int64_t first_second, end_second; /* ts from, and before */
    uint32_t range_device;
    uint64_t id;
    uint32_t user;
    uint32_t year; /* of content, from here on */
};

/* "Q1", "J1" and so on. */
const char *bench_query_name(enum bench_query query);

/* False when no query has this name. */
bool bench_query_by_name(const char *name, size_t length, enum bench_query *query);

/* Whether rows come in an order that the statement asks for. */
bool bench_query_is_ordered(enum bench_query query);

/* Variant 0 has the constants of the work's definition. */
void bench_events_constants(const struct events_spec *spec, uint32_t variant,
                            struct bench_constants *constants);

/* The text of a query. */
void bench_events_statement(enum bench_query query, const struct bench_constants *constants,
                            char text[static BENCH_STATEMENT_MAX]);

/* "2026-01-01 00:00:00" of a time in seconds. */
#define BENCH_TIME_MAX 64
void bench_events_time(int64_t seconds, char text[static BENCH_TIME_MAX]);
