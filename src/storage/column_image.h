#pragma once
/*
 * Column block as bytes: the sealed arena as it lies in memory (offsets in place of pointers) and the tail's codes,
 * so that loading is one copy. Version in the first byte. Decoding trusts nothing: every offset, count and code is
 * checked against the bytes and the dictionaries. Stateless; the slot's core.
 */
#include "storage/colblock.h"

struct buffer;
struct budget;
struct dict;

/* Appends the image of the first `rows` rows (rows <= colblock_rows; fewer only when all beyond are in the tail).
 * 0, -ENOMEM, -ENOBUFS. */
int column_image_encode(const struct colblock *c, uint32_t rows, struct buffer *out);

/*
 * Makes the column block again. rows: what it must have; n_codes: entries of the dictionary that its codes may name
 * (ENUM, CODED; LIST: of the dictionary of lists); lists as for colblock_new. 0; -EBADMSG with the reason; -ENOMEM.
 */
int column_image_decode(const uint8_t *bytes, size_t len, enum column_layout layout, uint32_t rows,
                        uint32_t n_codes, const struct dict *lists, struct budget *budget,
                        struct colblock **out, struct error_info *err);
