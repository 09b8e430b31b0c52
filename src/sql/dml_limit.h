#pragma once
/*
 * What the declared SQL type of a column lets in: ranges of numbers, members of ENUM and SET, lengths of texts. In strict mode
 * another value is an error, else (statement->takes_near) the nearest that fits is stored and a warning tells. Owner: the
 * statement. All of these: false with the error set.
 */
#include "sql/gateway_statement.h"
#include "storage/mapping.h"

/* Before conversion: two digits of a YEAR, the number of a member of ENUM. */
bool dml_limit_input(struct statement *s, const struct column *c, struct datum *d, uint64_t row);
/* A text's length; blanks at its end do not count and are cut. */
bool dml_limit_text(struct statement *s, const struct column *c, struct value *v, uint64_t row);
/* After conversion: the range of a number, the text of an ENUM. */
bool dml_limit_stored(struct statement *s, const struct column *c, struct datum *d, uint64_t row);
/* Values of a SET; the others leave the list when *n of them are known. */
bool dml_limit_list(struct statement *s, const struct column *c, struct cell *items, uint32_t *n,
                    uint64_t row);
/* `in` could not be converted, which is `err`: true with the value near it. */
bool dml_limit_near(struct statement *s, const struct column *c, const struct error_info *err,
                    const struct datum *in, struct datum *out, uint64_t row);
