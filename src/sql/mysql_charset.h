#pragma once
/*
 * Character sets and collations clients name, by id and by name.
 *
 * Data are UTF-8 throughout. The table is what SHOW COLLATION, SET NAMES and the handshake need:
 * which names exist, and whether a client's character set agrees with UTF-8. Constant, any core.
 * Source: MySQL 8.0 INFORMATION_SCHEMA.COLLATIONS; ids from 1024 on are MariaDB's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a character set's bytes relate to UTF-8. */
enum mysql_charset_kind {
    MYSQL_CHARSET_KIND_UTF8,   /* utf8mb4, utf8mb3 */
    MYSQL_CHARSET_KIND_ASCII,  /* a subset of UTF-8 */
    MYSQL_CHARSET_KIND_RAW,    /* binary: passed through */
    MYSQL_CHARSET_KIND_LATIN1, /* MySQL's latin1 = cp1252: see mysql_latin1_to_utf8 */
};

/* One collation. Constant. */
struct mysql_collation {
    uint16_t id;
    const char *name;
    const char *charset;
    enum mysql_charset_kind kind;
    uint8_t max_len;   /* bytes of the longest character */
    bool is_default;   /* of its character set */
    bool is_pad_space; /* trailing blanks do not count */
};

/* NULL when unknown. Names are matched without regard to case; utf8 means utf8mb3. */
const struct mysql_collation *mysql_collation_by_id(unsigned id);
const struct mysql_collation *mysql_collation_by_name(const char *name, size_t len);
/* Default collation of a character set, NULL when we do not have the set. */
const struct mysql_collation *mysql_charset_default(const char *charset, size_t len);
/* All of them, in order of id, for SHOW COLLATION; stores the number. */
const struct mysql_collation *mysql_collation_list(size_t *count);

/* Converts `len` bytes of MySQL's latin1 (cp1252) to UTF-8; dst needs 3 × len bytes. Returns the
 * length written. */
size_t mysql_latin1_to_utf8(char *dst, const char *src, size_t len);
