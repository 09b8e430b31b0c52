#include "ingest/parquet_schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bounds on what a footer can make us allocate: 65,536 columns with paths of 1 KiB. */
#define COLUMNS_MAX 65536
#define PATH_MAX_BYTES 1024
#define NESTING_MAX 64
#define FIXED_LENGTH_MAX (1 << 20)

/* One schema element as it stands in the file; -1 = absent. */
struct element {
    const uint8_t *name;
    size_t name_len;
    int32_t type;
    int32_t type_length;
    int32_t repetition;
    int32_t children;
    int32_t converted;
    int32_t scale;
    int32_t precision;
    int32_t logical;
    int32_t unit;
    int32_t bit_width;
    bool utc;
    bool is_signed;
};

/* How the names below a group go into the short path. */
enum wrap {
    WRAP_NONE,
    WRAP_LIST,  /* the group is a LIST: its repeated child is only a wrapper */
    WRAP_MAP,   /* the group is a MAP: likewise */
    WRAP_INNER, /* the repeated wrapper of a list with one child, which is left out as well */
};

/* An open group on the way from the root to the element being read. */
struct frame {
    int32_t left; /* children still to come */
    size_t path_len;
    size_t short_len;
    enum wrap wrap;
    uint8_t def;
    uint8_t rep;
    uint8_t list_def;
    uint8_t element_def;
};

/* State of one parse; on the stack of parquet_schema_parse. */
struct walk {
    struct parquet_schema *schema;
    struct parquet_error *err;
    uint32_t cap;
    int depth;
    struct frame frames[NESTING_MAX + 1];
    char path[PATH_MAX_BYTES + 1];
    char short_path[PATH_MAX_BYTES + 1];
};

static void parse_unit(struct thrift_reader *r, struct element *e)
{
    struct thrift_field field = {0};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        if (field.id >= PARQUET_UNIT_MILLIS && field.id <= PARQUET_UNIT_NANOS)
            e->unit = field.id;
        thrift_skip(r, &field);
    }
    thrift_leave(r);
}

/* The members of LogicalType are structures with fields that do not overlap in meaning within one
 * member; those of unknown members are passed over. */
static void parse_logical_member(struct thrift_reader *r, struct element *e)
{
    struct thrift_field field = {0};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        bool first = field.id == 1, second = field.id == 2;
        bool is_time =
            e->logical == PARQUET_LOGICAL_TIME || e->logical == PARQUET_LOGICAL_TIMESTAMP;
        if (is_time && first)
            e->utc = thrift_field_bool(r, &field);
        else if (is_time && second && field.type == THRIFT_STRUCT)
            parse_unit(r, e);
        else if (e->logical == PARQUET_LOGICAL_DECIMAL && first)
            e->scale = thrift_field_i32(r, &field);
        else if (e->logical == PARQUET_LOGICAL_DECIMAL && second)
            e->precision = thrift_field_i32(r, &field);
        else if (e->logical == PARQUET_LOGICAL_INTEGER && first)
            e->bit_width = thrift_field_i32(r, &field);
        else if (e->logical == PARQUET_LOGICAL_INTEGER && second)
            e->is_signed = thrift_field_bool(r, &field);
        else
            thrift_skip(r, &field);
    }
    thrift_leave(r);
}

static void parse_logical(struct thrift_reader *r, const struct thrift_field *outer,
                          struct element *e)
{
    struct thrift_field field = {0};
    if (outer->type != THRIFT_STRUCT) {
        thrift_reader_fail(r, "a logical type is not a structure");
        return;
    }
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        if (field.type != THRIFT_STRUCT) {
            thrift_skip(r, &field);
            continue;
        }
        e->logical = field.id;
        parse_logical_member(r, e);
    }
    thrift_leave(r);
}

static void parse_element(struct thrift_reader *r, struct element *e)
{
    struct thrift_field field = {0};
    *e = (struct element){
        .type = -1, .repetition = -1, .converted = -1, .logical = -1, .name = r->pos};
    thrift_enter(r);
    while (thrift_read_field(r, &field)) {
        switch (field.id) {
        case 1:
            e->type = thrift_field_i32(r, &field);
            break;
        case 2:
            e->type_length = thrift_field_i32(r, &field);
            break;
        case 3:
            e->repetition = thrift_field_i32(r, &field);
            break;
        case 4:
            e->name_len = thrift_field_binary(r, &field, &e->name);
            break;
        case 5:
            e->children = thrift_field_i32(r, &field);
            break;
        case 6:
            e->converted = thrift_field_i32(r, &field);
            break;
        case 7:
            e->scale = thrift_field_i32(r, &field);
            break;
        case 8:
            e->precision = thrift_field_i32(r, &field);
            break;
        case 10:
            parse_logical(r, &field, e);
            break;
        default:
            thrift_skip(r, &field);
        }
    }
    thrift_leave(r);
}

/* What a converted type, the older annotation, means as logical type. */
static void apply_converted(struct element *e)
{
    switch (e->converted) {
    case PARQUET_CONVERTED_UTF8:
        e->logical = PARQUET_LOGICAL_STRING;
        break;
    case PARQUET_CONVERTED_MAP:
    case PARQUET_CONVERTED_MAP_KEY_VALUE:
        e->logical = PARQUET_LOGICAL_MAP;
        break;
    case PARQUET_CONVERTED_LIST:
        e->logical = PARQUET_LOGICAL_LIST;
        break;
    case PARQUET_CONVERTED_ENUM:
        e->logical = PARQUET_LOGICAL_ENUM;
        break;
    case PARQUET_CONVERTED_DECIMAL:
        e->logical = PARQUET_LOGICAL_DECIMAL;
        break;
    case PARQUET_CONVERTED_DATE:
        e->logical = PARQUET_LOGICAL_DATE;
        break;
    case PARQUET_CONVERTED_TIME_MILLIS:
    case PARQUET_CONVERTED_TIME_MICROS:
        e->logical = PARQUET_LOGICAL_TIME;
        e->unit = e->converted - PARQUET_CONVERTED_TIME_MILLIS + PARQUET_UNIT_MILLIS;
        e->utc = true;
        break;
    case PARQUET_CONVERTED_TIMESTAMP_MILLIS:
    case PARQUET_CONVERTED_TIMESTAMP_MICROS:
        e->logical = PARQUET_LOGICAL_TIMESTAMP;
        e->unit = e->converted - PARQUET_CONVERTED_TIMESTAMP_MILLIS + PARQUET_UNIT_MILLIS;
        e->utc = true;
        break;
    case PARQUET_CONVERTED_JSON:
        e->logical = PARQUET_LOGICAL_JSON;
        break;
    case PARQUET_CONVERTED_BSON:
        e->logical = PARQUET_LOGICAL_BSON;
        break;
    case PARQUET_CONVERTED_INTERVAL:
        e->logical = PARQUET_LOGICAL_INTERVAL;
        break;
    default:
        if (e->converted >= PARQUET_CONVERTED_UINT_8 && e->converted <= PARQUET_CONVERTED_INT_64) {
            int nth = e->converted - PARQUET_CONVERTED_UINT_8;
            e->logical = PARQUET_LOGICAL_INTEGER;
            e->is_signed = nth >= 4;
            e->bit_width = 8 << (nth & 3);
        }
    }
}

bool parquet_column_is_sound(const struct parquet_column *c)
{
    bool is_int = c->physical == PARQUET_TYPE_INT32 || c->physical == PARQUET_TYPE_INT64;
    bool is_fixed = c->physical == PARQUET_TYPE_FIXED;
    bool is_bytes = c->physical == PARQUET_TYPE_BYTE_ARRAY || is_fixed;
    bool is_small = c->bit_width == 8 || c->bit_width == 16 || c->bit_width == 32;
    switch (c->logical) {
    case PARQUET_LOGICAL_NONE:
    case PARQUET_LOGICAL_NULL:
        return true;
    case PARQUET_LOGICAL_STRING:
    case PARQUET_LOGICAL_ENUM:
    case PARQUET_LOGICAL_JSON:
    case PARQUET_LOGICAL_BSON:
        return is_bytes;
    case PARQUET_LOGICAL_DECIMAL:
        return (is_int || is_bytes) && c->precision > 0 && c->precision <= 38 && c->scale >= 0 &&
               c->scale <= c->precision;
    case PARQUET_LOGICAL_DATE:
        return c->physical == PARQUET_TYPE_INT32;
    case PARQUET_LOGICAL_TIME:
        return c->unit == PARQUET_UNIT_MILLIS ? c->physical == PARQUET_TYPE_INT32
                                              : c->unit && c->physical == PARQUET_TYPE_INT64;
    case PARQUET_LOGICAL_TIMESTAMP:
        return c->unit && c->physical == PARQUET_TYPE_INT64;
    case PARQUET_LOGICAL_INTEGER:
        return c->physical == PARQUET_TYPE_INT32
                   ? is_small
                   : c->bit_width == 64 && c->physical == PARQUET_TYPE_INT64;
    case PARQUET_LOGICAL_UUID:
        return is_fixed && c->type_length == 16;
    case PARQUET_LOGICAL_FLOAT16:
        return is_fixed && c->type_length == 2;
    case PARQUET_LOGICAL_INTERVAL:
        return is_fixed && c->type_length == 12;
    default:
        return false;
    }
}

enum parquet_kind parquet_column_kind(const struct parquet_column *c)
{
    switch (c->physical) {
    case PARQUET_TYPE_BOOLEAN:
        return PARQUET_KIND_BOOL;
    case PARQUET_TYPE_INT64:
        return c->is_unsigned ? PARQUET_KIND_INT128 : PARQUET_KIND_INT64;
    case PARQUET_TYPE_INT32:
    case PARQUET_TYPE_INT96:
        return PARQUET_KIND_INT64;
    case PARQUET_TYPE_FLOAT:
    case PARQUET_TYPE_DOUBLE:
        return PARQUET_KIND_DOUBLE;
    case PARQUET_TYPE_BYTE_ARRAY:
    case PARQUET_TYPE_FIXED:
        break;
    }
    if (c->logical == PARQUET_LOGICAL_DECIMAL)
        return c->precision <= 18 ? PARQUET_KIND_INT64 : PARQUET_KIND_INT128;
    if (c->logical == PARQUET_LOGICAL_FLOAT16)
        return PARQUET_KIND_DOUBLE;
    return PARQUET_KIND_BYTES;
}

/* An annotation that may not stand on the physical type is ignored, as the format asks of those a
 * reader does not understand. */
static void set_types(struct parquet_column *c, struct element *e)
{
    c->physical = (enum parquet_physical)e->type;
    c->type_length = e->type == PARQUET_TYPE_FIXED ? e->type_length : 0;
    if (e->logical < 0)
        apply_converted(e);
    c->logical = (enum parquet_logical)(e->logical > 0 ? e->logical : PARQUET_LOGICAL_NONE);
    c->unit = (enum parquet_unit)e->unit;
    c->precision = e->precision;
    c->scale = e->scale;
    c->bit_width = (uint8_t)(e->bit_width > 0 && e->bit_width <= 64 ? e->bit_width : 0);
    if (c->physical == PARQUET_TYPE_INT96) {
        c->logical = PARQUET_LOGICAL_TIMESTAMP;
        c->unit = PARQUET_UNIT_MICROS;
        e->utc = true;
    } else if (!parquet_column_is_sound(c)) {
        c->logical = PARQUET_LOGICAL_NONE;
    }
    bool is_time = c->logical == PARQUET_LOGICAL_TIME || c->logical == PARQUET_LOGICAL_TIMESTAMP;
    c->unit = c->logical == PARQUET_LOGICAL_DATE ? PARQUET_UNIT_DAYS
              : is_time                          ? c->unit
                                                 : PARQUET_UNIT_NONE;
    c->utc = is_time && e->utc;
    c->precision = c->logical == PARQUET_LOGICAL_DECIMAL ? c->precision : 0;
    c->scale = c->logical == PARQUET_LOGICAL_DECIMAL ? c->scale : 0;
    c->bit_width = c->logical == PARQUET_LOGICAL_INTEGER ? c->bit_width : 0;
    c->is_unsigned = c->logical == PARQUET_LOGICAL_INTEGER && !e->is_signed;
    c->kind = parquet_column_kind(c);
}

/* Appends ".name" to the path of len bytes. False when that exceeds PATH_MAX_BYTES. */
static bool append_name(char *path, size_t *len, const struct element *e)
{
    size_t dot = *len > 0;
    if (e->name_len > PATH_MAX_BYTES - dot || *len > PATH_MAX_BYTES - dot - e->name_len)
        return false;
    if (dot)
        path[(*len)++] = '.';
    memcpy(path + *len, e->name, e->name_len);
    *len += e->name_len;
    path[*len] = '\0';
    return true;
}

static int add_column(struct walk *w, struct element *e, const struct frame *at)
{
    struct parquet_schema *schema = w->schema;
    if (schema->count == COLUMNS_MAX)
        return parquet_fail(w->err, -EFBIG, "footer: more than %d columns", COLUMNS_MAX);
    if (schema->count == w->cap) {
        uint32_t cap = w->cap * 2 + 16;
        struct parquet_column *grown = realloc(schema->columns, cap * sizeof(*grown));
        if (!grown)
            return parquet_fail_memory(w->err, "the schema");
        schema->columns = grown;
        w->cap = cap;
    }
    if (e->type < PARQUET_TYPE_BOOLEAN || e->type > PARQUET_TYPE_FIXED)
        return parquet_fail(w->err, -EBADMSG,
                            "footer: column '%s' has physical type %d, allowed "
                            "are 0 to 7",
                            w->path, e->type);
    if (e->type == PARQUET_TYPE_FIXED && (e->type_length <= 0 || e->type_length > FIXED_LENGTH_MAX))
        return parquet_fail(w->err, -EBADMSG,
                            "footer: column '%s' has values of %d bytes, allowed "
                            "are 1 to %d",
                            w->path, e->type_length, FIXED_LENGTH_MAX);
    struct parquet_column *c = &schema->columns[schema->count];
    memset(c, 0, sizeof(*c));
    c->repetition = (enum parquet_repetition)e->repetition;
    c->max_def = at->def;
    c->max_rep = at->rep;
    c->list_def = at->list_def;
    c->element_def = at->element_def;
    set_types(c, e);
    c->path = parquet_text_copy(w->path, at->path_len);
    c->short_path = parquet_text_copy(w->short_path, at->short_len);
    schema->count++;
    if (!c->path || !c->short_path)
        return parquet_fail_memory(w->err, "the schema");
    return 0;
}

/* The frame of an element within `up`: its path and levels. */
static int make_frame(struct walk *w, const struct element *e, const struct frame *up,
                      struct frame *at)
{
    *at = *up;
    at->left = e->children;
    at->wrap = WRAP_NONE;
    if (e->repetition < PARQUET_REPETITION_REQUIRED || e->repetition > PARQUET_REPETITION_REPEATED)
        return parquet_fail(w->err, -EBADMSG,
                            "footer: element '%.*s' has repetition %d, allowed "
                            "are 0 to 2",
                            (int)(e->name_len < 99 ? e->name_len : 99), e->name, e->repetition);
    bool is_repeated = e->repetition == PARQUET_REPETITION_REPEATED;
    at->def = (uint8_t)(at->def + (e->repetition != PARQUET_REPETITION_REQUIRED));
    if (is_repeated) {
        at->rep++;
        at->list_def = at->rep == 1 ? at->def : at->list_def;
        at->element_def = at->def;
    }
    bool is_wrapper = is_repeated && (up->wrap == WRAP_LIST || up->wrap == WRAP_MAP);
    if (!append_name(w->path, &at->path_len, e) ||
        (!is_wrapper && up->wrap != WRAP_INNER && !append_name(w->short_path, &at->short_len, e)))
        return parquet_fail(w->err, -EFBIG, "footer: the path of a column is longer than %d bytes",
                            PATH_MAX_BYTES);
    if (is_wrapper)
        at->wrap = up->wrap == WRAP_LIST && e->children == 1 ? WRAP_INNER : WRAP_NONE;
    else if (e->logical == PARQUET_LOGICAL_LIST || e->converted == PARQUET_CONVERTED_LIST)
        at->wrap = WRAP_LIST;
    else if (e->logical == PARQUET_LOGICAL_MAP || e->converted == PARQUET_CONVERTED_MAP ||
             e->converted == PARQUET_CONVERTED_MAP_KEY_VALUE)
        at->wrap = WRAP_MAP;
    return 0;
}

static int add_element(struct walk *w, struct element *e)
{
    if (memchr(e->name, '\0', e->name_len))
        return parquet_fail(w->err, -EBADMSG, "footer: the name of a column holds a NUL byte");
    while (w->depth > 0 && w->frames[w->depth].left == 0)
        w->depth--;
    struct frame *up = &w->frames[w->depth];
    if (up->left == 0)
        return parquet_fail(w->err, -EBADMSG,
                            "footer: the schema has more elements than its root has children");
    up->left--;
    if (w->depth == NESTING_MAX)
        return parquet_fail(w->err, -EFBIG, "footer: columns are nested deeper than %d levels",
                            NESTING_MAX);
    struct frame at;
    int rc = make_frame(w, e, up, &at);
    if (rc < 0)
        return rc;
    /* A group without type and children is allowed by some writers; it holds nothing. */
    if (e->type >= 0 && e->children == 0)
        return add_column(w, e, &at);
    if (e->type >= 0 || e->children < 0)
        return parquet_fail(w->err, -EBADMSG,
                            "footer: group '%s' has physical type %d and %d "
                            "children",
                            w->path, e->type, e->children);
    w->frames[++w->depth] = at;
    return 0;
}

static int start_root(struct walk *w, const struct element *e)
{
    if (e->children < 0)
        return parquet_fail(w->err, -EBADMSG, "footer: the root of the schema has %d children",
                            e->children);
    size_t len = e->name_len < PATH_MAX_BYTES ? e->name_len : PATH_MAX_BYTES;
    w->schema->root = parquet_text_copy(e->name, len);
    if (!w->schema->root)
        return parquet_fail_memory(w->err, "the schema");
    w->frames[0] = (struct frame){.left = e->children};
    return 0;
}

int parquet_schema_parse(struct parquet_schema *schema, struct thrift_reader *r,
                         const struct thrift_field *field, struct parquet_error *err)
{
    struct walk w = {.schema = schema, .err = err};
    uint32_t count = thrift_field_list(r, field, THRIFT_STRUCT);
    for (uint32_t i = 0; i < count; i++) {
        struct element e;
        parse_element(r, &e);
        if (r->fault)
            return parquet_fail(err, -EBADMSG, "footer: schema element %u: %s", i, r->fault);
        int rc = i == 0 ? start_root(&w, &e) : add_element(&w, &e);
        if (rc < 0)
            return rc;
    }
    if (count == 0)
        return parquet_fail(err, -EBADMSG, "footer: the schema is empty");
    for (int d = 0; d <= w.depth; d++)
        if (w.frames[d].left > 0)
            return parquet_fail(err, -EBADMSG,
                                "footer: the schema ends where %d more elements "
                                "belong to a group",
                                w.frames[d].left);
    return 0;
}

void parquet_schema_fini(struct parquet_schema *schema)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        free(schema->columns[i].path);
        free(schema->columns[i].short_path);
    }
    free(schema->columns);
    free(schema->root);
    memset(schema, 0, sizeof(*schema));
}

static char fold(char c, bool caseless)
{
    if (c == '/')
        return '.';
    return caseless && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_same_path(const char *a, const char *b, bool caseless)
{
    for (; *a && fold(*a, caseless) == fold(*b, caseless); a++)
        b++;
    return *a == '\0' && *b == '\0';
}

static int find_path(const struct parquet_schema *schema, const char *path, bool caseless,
                     bool short_path, uint32_t *column)
{
    int rc = -ENOENT;
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct parquet_column *c = &schema->columns[i];
        if (!is_same_path(short_path ? c->short_path : c->path, path, caseless))
            continue;
        if (rc == 0)
            return -ENOTUNIQ;
        *column = i;
        rc = 0;
    }
    return rc;
}

int parquet_schema_find(const struct parquet_schema *schema, const char *path, bool caseless,
                        uint32_t *column)
{
    if (*path == '/')
        path++;
    for (int pass = 0; pass < (caseless ? 4 : 2); pass++) {
        int rc = find_path(schema, path, pass >= 2, pass & 1, column);
        if (rc != -ENOENT)
            return rc;
    }
    return -ENOENT;
}

char *parquet_text_copy(const void *bytes, size_t len)
{
    char *text = malloc(len + 1);
    if (!text)
        return NULL;
    memcpy(text, bytes, len);
    text[len] = '\0';
    return text;
}

uint32_t parquet_column_width(const struct parquet_column *column)
{
    switch (column->physical) {
    case PARQUET_TYPE_INT32:
    case PARQUET_TYPE_FLOAT:
        return 4;
    case PARQUET_TYPE_INT64:
    case PARQUET_TYPE_DOUBLE:
        return 8;
    case PARQUET_TYPE_INT96:
        return 12;
    case PARQUET_TYPE_FIXED:
        return (uint32_t)column->type_length;
    case PARQUET_TYPE_BOOLEAN:
    case PARQUET_TYPE_BYTE_ARRAY:
        break;
    }
    return 0;
}

#define NAME_OF(names, i) \
    ((i) >= 0 && (size_t)(i) < sizeof(names) / sizeof(names[0]) && names[i] ? names[i] : "unknown")

const char *parquet_physical_name(int physical)
{
    static const char *const names[] = {"BOOLEAN", "INT32",  "INT64",      "INT96",
                                        "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"};
    return NAME_OF(names, physical);
}

const char *parquet_encoding_name(int encoding)
{
    static const char *const names[] = {"PLAIN",
                                        NULL,
                                        "PLAIN_DICTIONARY",
                                        "RLE",
                                        "BIT_PACKED",
                                        "DELTA_BINARY_PACKED",
                                        "DELTA_LENGTH_BYTE_ARRAY",
                                        "DELTA_BYTE_ARRAY",
                                        "RLE_DICTIONARY",
                                        "BYTE_STREAM_SPLIT"};
    return NAME_OF(names, encoding);
}

const char *parquet_codec_name(int codec)
{
    static const char *const names[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
                                        "BROTLI",       "LZ4",    "ZSTD", "LZ4_RAW"};
    return NAME_OF(names, codec);
}
