#pragma once
/*
 * Input: a column as a scan reads it, the table's own or an attribute of its parent (join along a ParentRelation), or
 * a value computed from some. Values are int64: canonical, or codes of a dictionary. Owner: the scan, on the slot's core.
 */
#include "reactor/arena.h"
#include "storage/dict.h"
#include "storage/join_map.h"
#include "storage/mapping.h"
#include "storage/program.h"
#include "storage/slot.h"

struct input {
    uint16_t ref;                /* as in the program */
    const struct column *column; /* own columns */
    unsigned join;               /* parent columns: number of the join, and */
    const struct join_attribute *attribute;
    bool coded, list; /* values are codes of dict; list: codes of lists */
    const struct dict *dict, *lists;
    const struct program_computed *computed; /* computed values, and */
    struct input *operands;                  /* two; those of constants are not read */
    bool out_of_range;                       /* computed values: one of the window was */
    enum batch_kind kind;                    /* BATCH_I64, BATCH_BYTES or BATCH_LIST */
    int64_t *values;                         /* SCAN_WINDOW: the window's selected rows */
    uint8_t *present;
};

/* Prepares an input for the program's column `ref`; buffers for windows of at most `rows` rows, from the arena.
 * joins: the maps of the program's joins. */
int input_init(struct input *in, const struct program *p, const struct schema *s,
               struct join_map *const *joins, uint16_t ref, uint32_t rows, struct arena *arena);
/* A parent's integer attribute is read as codes from now on, for groups: 0 or -ENOMEM. */
int input_code_parent(struct input *in, struct join_map *const *joins, struct arena *arena,
                      struct budget *budget);
/* Takes the slot's dictionaries. */
void input_bind(struct input *in, const struct slot *slot);
/* Fills values and present for the selected rows (at most SCAN_WINDOW). parent_rows: per join from join_map_rows,
 * for parent inputs. */
uint32_t input_read(struct input *in, const struct block *b, const uint64_t *sel,
                    uint32_t *const *parent_rows, uint32_t n);
/* The same of few rows, which sel has and `rows` names; no column is a parent's. */
void input_read_rows(struct input *in, const struct block *b, const uint64_t *sel,
                     const uint16_t *rows, uint32_t n);
/* Value i of the window as a cell (not for lists). */
struct cell input_cell(const struct input *in, uint32_t i);
/* Cell of a value or code. */
struct cell input_cell_of(const struct input *in, int64_t value, bool present);
