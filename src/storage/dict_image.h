#pragma once
/*
 * Entries of a dictionary as bytes, in pieces: a checkpoint writes those that came since the last one. Decoding puts
 * them into the dictionary in order and refuses what is not exactly its next entries; the table over them is made at
 * the end, in one go. The slot's core.
 */
#include <stddef.h>
#include <stdint.h>

#include "storage/dict.h"
#include "storage/type.h"

struct buffer;

/* Appends entries from code `from` on, at most up to `to` (from < to <= dict_count) and about max_bytes (at least
 * one); *end = code after the last. kind: what the dictionary was made as. 0, -ENOMEM, -ENOBUFS. */
int dict_image_encode(const struct dict *d, enum dict_kind kind, uint32_t from, uint32_t to,
                      size_t max_bytes, struct buffer *out, uint32_t *end);

/* Adds the entries of a piece; its first code must be dict_count(d). n_items: entries of the dictionary of single
 * values, for a dictionary of lists. 0, -EBADMSG with the reason, -ENOMEM; after an error the entries before it may be
 * in the dictionary. */
int dict_image_decode(const uint8_t *bytes, size_t len, enum dict_kind kind, uint32_t n_items,
                      struct dict *d, struct error_info *err);
/* After the last piece, before a value is looked up: 0; -EBADMSG when *entry has the value of one before it; -ENOMEM. */
int dict_image_end(struct dict *d, uint32_t *entry, struct error_info *err);

/* Kind of dictionary (enum dict_kind) that a piece says it is of, for tools that know no schema; -1 = none. */
int dict_image_kind(const uint8_t *bytes, size_t len);
