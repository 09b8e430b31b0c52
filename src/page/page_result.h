#pragma once
/*
 * The answer to a statement as members of a JSON object:
 *
 *     "columns":[{"name":"a","type":"int"}, ...],"rows":[["1",null], ...],"more":false
 *     "affected":3,"info":"Rows matched: 3 ..."
 *     "error":{"code":1146,"state":"42S02","text":"..."}
 *     and with each: "warnings":[{"level":"Warning","code":1292,"text":"..."}],"warning_count":1
 *
 * Values are strings, as numbers of scripts have 53 bits. Bounded: rows, bytes, and what is shown of a value. Owner:
 * who runs the statement, on its core.
 */
#include "reactor/buffer.h"
#include "sql/gateway_statement.h"

enum {
    PAGE_RESULT_ROWS = 10000,
    PAGE_RESULT_BYTES = 4 << 20,
    PAGE_RESULT_VALUE = 32 << 10, /* bytes of a text that are shown */
};

struct page_result {
    struct result_sink sink;
    struct buffer *out;
    void (*full)(struct page_result *r); /* no more rows: the statement is to be ended, soon */
    size_t start;                        /* in out */
    const struct value_type *types;
    uint32_t n_columns, n_rows;
    bool has_rows;   /* a result set has begun */
    bool is_full;    /* there are more rows than are told */
    bool has_cut;    /* values are longer than what is told of them */
    bool has_failed; /* the statement did, with the error in out */
    bool lacks_room; /* out did not take what it had to */
};

void page_result_init(struct page_result *r, struct buffer *out,
                      void (*full)(struct page_result *r));
/* After the end of the statement: the members that are still missing. */
void page_result_finish(struct page_result *r, const struct gateway_session *session);
/* The member "error", the first of an object. */
void page_result_error(struct buffer *out, unsigned code, const char *state, const char *text);
