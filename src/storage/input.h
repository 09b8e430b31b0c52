#pragma once
/*
 * Input: a column as a scan reads it, the table's own or an attribute of its parent (join along a ParentRelation).
 * Values are int64: canonical, or codes of a dictionary. Owner: the scan, on the slot's core.
 */
#include "reactor/arena.h"
#include "storage/dict.h"
#include "storage/mapping.h"
#include "storage/program.h"
#include "storage/slot.h"

enum { SCAN_WINDOW = 8192 }; /* rows decoded at a time: values of a few columns stay in L2 */

/* Parent rows of a join by the slot's relation values. */
struct join_map {
    const struct program_join *join;
    struct dict **attributes; /* per batch column: dictionary of a BYTES attribute, else NULL */
    int64_t **values;         /* per batch column, per parent row: int64 or code */
    struct dict *int_keys;    /* INT relation: key -> position */
    uint32_t *int_rows;       /* position -> parent row */
    uint32_t *row_of_code;    /* coded relation, per slot: parent row + 1, 0 = none */
    uint32_t n_codes;
    const struct dict *dict; /* the slot's; it may get more codes */
};

/* Reads the parents once per scan. */
int join_map_new(const struct program_join *join, struct arena *arena, struct budget *budget,
                 struct join_map **out);
void join_map_free(struct join_map *m);
/* Maps the slot's relation codes to parent rows. */
int join_map_bind(struct join_map *m, const struct slot *slot, struct arena *arena);
/* Parent row + 1 of the selected rows, 0 = none; returns their number. */
uint32_t join_map_rows(const struct join_map *m, const struct block *b, const uint64_t *sel,
                       uint32_t *rows);

struct input {
    uint16_t ref;                /* as in the program */
    const struct column *column; /* own columns */
    bool coded, list;            /* values are codes of dict; list: codes of lists */
    const struct dict *dict, *lists;
    enum batch_kind kind; /* BATCH_I64, BATCH_BYTES or BATCH_LIST */
    int64_t *values;      /* SCAN_WINDOW: the window's selected rows */
    uint8_t *present;
};

/* Prepares an input for the program's column `ref`; buffers for windows of at most `rows` rows, from the arena. */
int input_init(struct input *in, const struct schema *s, const struct join_map *m, uint16_t ref,
               uint32_t rows, struct arena *arena);
/* Takes the slot's dictionaries. */
void input_bind(struct input *in, const struct slot *slot);
/* Fills values and present for the selected rows (at most SCAN_WINDOW). parent_rows: from join_map_rows, for parent inputs. */
uint32_t input_read(struct input *in, const struct block *b, const uint64_t *sel,
                    const struct join_map *m, const uint32_t *parent_rows, uint32_t n);
/* Value i of the window as a cell (not for lists). */
struct cell input_cell(const struct input *in, uint32_t i);
/* Cell of a value or code. */
struct cell input_cell_of(const struct input *in, int64_t value, bool present);
