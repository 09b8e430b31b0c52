#pragma once
/*
 * What the statements of the `events` work must answer: computed from the definition of the rows, one after the other,
 * with nothing of the database in it. Main thread.
 */
#include "bench_events.h"
#include "bench_sql.h"

struct bench_answers;

/*
 * Goes once over all rows, for the first n_variants variants of all queries. NULL without memory: about 40 MB, and 6 MB
 * a variant.
 */
struct bench_answers *bench_answers_new(const struct events_spec *spec, uint32_t n_variants);
void bench_answers_free(struct bench_answers *answers);

/* Rows, hashes and first row of an answer; its seconds are 0. -ENOMEM. */
int bench_answers_get(const struct bench_answers *answers, enum bench_query query, uint32_t variant,
                      struct bench_sql_answer *answer);
