#pragma once
/*
 * Steps of the conversion of input values, by target; put together in mapping.c. Stateless; any
 * core.
 */
#include "storage/mapping.h"

enum convert_result {
    CONVERT_OK,
    CONVERT_WRONG,  /* not such a value */
    CONVERT_RANGE,  /* outside what the column can hold */
    CONVERT_DIGITS, /* would lose digits */
    CONVERT_REASON, /* refused with a text of its own in struct convert */
    CONVERT_MEMORY,
};

/* One conversion by a strategy of its own. Lives in one call of mapping_convert. */
struct convert {
    const struct column *column;
    const struct value *in;
    struct cell *out;
    char reason[200]; /* CONVERT_REASON */
};

/* Input times 10^scale as a whole number, exactly. */
enum convert_result mapping_convert_number(const struct value *in, unsigned scale, int64_t *out);

/* The same rounded down to the scale; *exact tells whether nothing was lost. */
enum convert_result mapping_floor_number(const struct value *in, unsigned scale, int64_t *out,
                                         bool *exact);

/* Decimal text "-12.50e3", blanks around it allowed. */
enum convert_result mapping_parse_number(const char *s, size_t len, unsigned scale, int64_t *out);

enum convert_result mapping_convert_date(const struct column *c, const struct value *in,
                                         int64_t *days);
enum convert_result mapping_convert_datetime(const struct column *c, const struct value *in,
                                             int64_t *ticks);

/* The moment a value stands for, as far as it is one whatever the column is: not a bare number. */
enum convert_result mapping_value_to_us(const struct value *in, int64_t *us);

/* Strategies that are more than their type: false = the type's own conversion is meant. */
bool mapping_convert_special(struct convert *c, enum convert_result *r);
/* What a type makes of a value, in mapping.c. */
enum convert_result mapping_convert_by_type(const struct column *c, const struct value *in,
                                            struct cell *out);
enum convert_result mapping_convert_bool(const struct value *in, int64_t *out);
/* Year, DayOfWeek, TimeOfDay and their like, in mapping_part.c. */
enum convert_result mapping_convert_part(struct convert *c);
/* UUIDBSI. */
enum convert_result mapping_convert_uuid(struct convert *c);
/* What such a column takes, for messages: false = the same as its type. */
bool mapping_print_allowed(const struct column *c, char *out, size_t cap);

/*
 * Text of a flat JSON object, values are whole numbers or texts of them: the values of two keys. Found ones
 * are set; any other key, nesting or escape is CONVERT_WRONG.
 */
struct object_field {
    const char *key;
    bool found;
    __int128 value; /* -2^63 .. 2^64-1 */
};
bool mapping_is_object(const char *s, size_t len); /* begins as one */
enum convert_result mapping_parse_object(const char *s, size_t len, struct object_field fields[2]);

/*
 * Room for up to MAPPING_ROOM bytes of a converted text, of the thread, not used again by the next 1,024
 * calls; NULL when out of memory.
 */
enum { MAPPING_ROOM = 1000 };
char *mapping_text_room(size_t bytes);

/* Any input as text for a message, clipped to cap. Returns length. */
size_t mapping_print_value(const struct value *v, char *out, size_t cap);

/* Trims ASCII blanks at both ends. */
void mapping_trim(const char **s, size_t *len);

/* 10^n, n <= 18 */
int64_t mapping_power(unsigned n);
