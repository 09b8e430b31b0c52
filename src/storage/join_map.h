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
    int64_t first_key;                 /* ordered relation, keys close together: */
    uint64_t n_keys;
    uint32_t *row_of_key; /* key - first_key -> parent row + 1, made at the first look: */
    bool has_rows_of_keys;
    struct dict *int_keys; /* ordered relation otherwise: key -> position */
    uint32_t *int_rows;    /* position -> parent row + 1 */
    uint32_t *row_of_code; /* coded relation, per slot: parent row + 1, 0 = none */
    uint32_t n_codes;
    const struct dict *dict; /* the slot's; it may get more codes */
};

/* Reads the parents, once per scan. 0 or -ENOMEM; *out is to be freed in either case. */
int join_map_new(const struct program_join *join, struct arena *arena, struct budget *budget,
                 struct join_map **out);
void join_map_free(struct join_map *m);
/* Smallest and largest of the parents' keys: false when there is none. */
bool join_map_bounds(const struct batch_column *key, int64_t *min, int64_t *max);
/* Makes codes of an integer attribute, so that groups by it are found without hashing: 0 or -ENOMEM. */
int join_map_code(struct join_map *m, unsigned attribute, struct arena *arena,
                  struct budget *budget);
/* Maps the slot's relation codes to parent rows. */
int join_map_bind(struct join_map *m, const struct slot *slot, struct arena *arena);
/* Parent row + 1 of relation values (codes of the slot when it has a dictionary), 0 = none. */
void join_map_find(struct join_map *m, const int64_t *values, const uint8_t *present, uint32_t n,
                   uint32_t *rows);
/* Parent row + 1 of the selected rows (at most SCAN_WINDOW), 0 = none; returns their number. */
uint32_t join_map_rows(struct join_map *m, const struct block *b, const uint64_t *sel,
                       uint32_t *rows);
