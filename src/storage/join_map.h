#pragma once
/*
 * Join map: the parents of one join of a program, found by the relation values of a slot's rows, and their
 * attributes ready to be gathered. Owner: the scan, on the slot's core.
 */
#include "reactor/arena.h"
#include "storage/dict.h"
#include "storage/program.h"
#include "storage/slot.h"

enum { SCAN_WINDOW = 8192 }; /* rows decoded at a time: values of a few columns stay in L2 */

/* One attribute of all parents, by parent row + 1; entry 0 is that of children without a parent. */
struct join_attribute {
    int64_t *values; /* canonical, or codes of dict */
    int64_t *codes;  /* codes of dict */
    uint8_t *present;
    struct dict *dict; /* of a BYTES attribute; of integers once join_map_code was called */
    enum batch_kind kind;
};

struct join_map {
    const struct program_join *join;
    uint32_t n_parents;
    struct join_attribute *attributes; /* by column of the parents' batch; [0] is unused */
    bool has_int_keys;                 /* ordered relation, from */
    int64_t first_key, last_key;       /* to; */
    uint64_t n_keys;                   /* of a direct map, when they lie close together: */
    uint32_t *row_of_key;              /* key - first_key -> parent row + 1; otherwise */
    struct dict *int_keys;             /* key -> position */
    uint32_t *int_rows;                /* position -> parent row + 1 */
    bool prepared;
    uint32_t *row_of_code; /* coded relation, per slot: parent row + 1, 0 = none */
    uint32_t n_codes;
    const struct dict *dict; /* the slot's; it may get more codes */
};

/* Reads the parents, once per scan. 0 or -ENOMEM; *out is to be freed in either case. */
int join_map_new(const struct program_join *join, struct arena *arena, struct budget *budget,
                 struct join_map **out);
void join_map_free(struct join_map *m);
/* Makes codes of an integer attribute, so that groups by it are found without hashing: 0 or -ENOMEM. */
int join_map_code(struct join_map *m, unsigned attribute, struct arena *arena,
                  struct budget *budget);
/* Maps the slot's relation codes to parent rows. */
int join_map_bind(struct join_map *m, const struct slot *slot, struct arena *arena);
/*
 * Makes what integer keys are found by, once per scan: not needed where bits and places are enough. 0 or -ENOMEM, also
 * with the next call then.
 */
int join_map_prepare(struct join_map *m, struct arena *arena, struct budget *budget);
/* After join_map_prepare: parent row + 1 of relation values (codes of the slot when it has a dictionary), 0 = none. */
void join_map_find(const struct join_map *m, const int64_t *values, const uint8_t *present,
                   uint32_t n, uint32_t *rows);
/* The same of the selected rows (at most SCAN_WINDOW), 0 = none; returns their number. */
uint32_t join_map_rows(const struct join_map *m, const struct block *b, const uint64_t *sel,
                       uint32_t *rows);
