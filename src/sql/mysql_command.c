/* Client commands and statement parameters: see mysql_command.h. */
#include "sql/mysql_command.h"

#include <errno.h>
#include <string.h>

#include "sql/mysql_packet.h"

enum {
    UNSIGNED_FLAG = 0x80, /* in the flag byte of a parameter type */
    TIME_HOURS_MAX = 838,
};

static struct mysql_text rest_of(struct mysql_cursor *cur)
{
    size_t left = mysql_cursor_left(cur);
    const uint8_t *bytes = mysql_cursor_bytes(cur, left);

    return (struct mysql_text){bytes ? (const char *)bytes : "", bytes ? left : 0};
}

/* Some clients end texts with a NUL that does not belong to them. */
static struct mysql_text without_nul(struct mysql_text text)
{
    if (text.len > 0 && text.data[text.len - 1] == '\0')
        text.len--;
    return text;
}

static void decode_field_list(struct mysql_cursor *cur, struct mysql_command *cmd)
{
    const uint8_t *table = mysql_cursor_cstr(cur, &cmd->text.len);

    cmd->text.data = table ? (const char *)table : "";
    cmd->wild = without_nul(rest_of(cur));
}

int mysql_command_decode(const uint8_t *payload, size_t len, struct mysql_command *cmd)
{
    const struct mysql_text none = {"", 0};
    struct mysql_cursor cur;

    *cmd = (struct mysql_command){.text = none, .wild = none, .body = none};
    mysql_cursor_init(&cur, payload, len);
    cmd->com = mysql_cursor_u8(&cur);
    switch (cmd->com) {
    case MYSQL_COM_INIT_DB:
        cmd->text = without_nul(rest_of(&cur));
        break;
    case MYSQL_COM_FIELD_LIST:
        decode_field_list(&cur, cmd);
        break;
    case MYSQL_COM_PROCESS_KILL:
    case MYSQL_COM_STMT_CLOSE:
    case MYSQL_COM_STMT_RESET:
        cmd->id = mysql_cursor_u32(&cur);
        break;
    case MYSQL_COM_SET_OPTION:
        cmd->count = mysql_cursor_u16(&cur);
        break;
    case MYSQL_COM_STMT_FETCH:
        cmd->id = mysql_cursor_u32(&cur);
        cmd->count = mysql_cursor_u32(&cur);
        break;
    case MYSQL_COM_STMT_SEND_LONG_DATA:
        cmd->id = mysql_cursor_u32(&cur);
        cmd->param = mysql_cursor_u16(&cur);
        cmd->body = rest_of(&cur);
        break;
    case MYSQL_COM_STMT_EXECUTE:
        cmd->id = mysql_cursor_u32(&cur);
        cmd->flags = mysql_cursor_u8(&cur);
        mysql_cursor_u32(&cur); /* iterations: always 1 */
        cmd->body = rest_of(&cur);
        break;
    case MYSQL_COM_CHANGE_USER:
        cmd->body = rest_of(&cur);
        break;
    default: /* QUERY and STMT_PREPARE, and whatever others carry */
        cmd->text = rest_of(&cur);
        break;
    }
    return cur.failed ? -EBADMSG : 0;
}

/* ---- parameters ---- */

/* Sign-extends the low `width` bytes, or not, as the type was declared. */
static void set_int(struct mysql_param *param, uint64_t bits, unsigned width, bool is_unsigned)
{
    unsigned shift = 64 - 8 * width;

    if (is_unsigned) {
        param->kind = MYSQL_PARAM_UINT;
        param->v.u = bits;
    } else {
        param->kind = MYSQL_PARAM_INT;
        param->v.i = (int64_t)(bits << shift) >> shift;
    }
}

/* A fraction in a binary value; present only in its longest form. */
static uint32_t read_micros(struct mysql_cursor *cur, bool is_present)
{
    uint32_t micros = is_present ? mysql_cursor_u32(cur) : 0;

    if (micros > 999999)
        cur->failed = true;
    return micros;
}

static void check_clock(struct mysql_cursor *cur, const struct mysql_time *t)
{
    if (t->hour > 23 || t->minute > 59 || t->second > 59)
        cur->failed = true;
}

static void decode_datetime(struct mysql_cursor *cur, struct mysql_param *param)
{
    struct mysql_time *t = &param->v.time;
    uint8_t len = mysql_cursor_u8(cur);

    param->kind = MYSQL_PARAM_DATETIME;
    *t = (struct mysql_time){0};
    if (len != 0 && len != 4 && len != 7 && len != 11)
        cur->failed = true;
    if (len >= 4) {
        t->year = mysql_cursor_u16(cur);
        t->month = mysql_cursor_u8(cur);
        t->day = mysql_cursor_u8(cur);
    }
    if (len >= 7) {
        t->hour = mysql_cursor_u8(cur);
        t->minute = mysql_cursor_u8(cur);
        t->second = mysql_cursor_u8(cur);
    }
    t->micros = read_micros(cur, len == 11);
    if (t->year > 9999 || t->month > 12 || t->day > 31)
        cur->failed = true;
    check_clock(cur, t);
}

static void decode_time(struct mysql_cursor *cur, struct mysql_param *param)
{
    struct mysql_time *t = &param->v.time;
    uint8_t len = mysql_cursor_u8(cur);
    uint32_t days = 0;

    param->kind = MYSQL_PARAM_TIME;
    *t = (struct mysql_time){0};
    if (len != 0 && len != 8 && len != 12)
        cur->failed = true;
    if (len >= 8) {
        t->negative = mysql_cursor_u8(cur) != 0;
        days = mysql_cursor_u32(cur);
        t->hour = mysql_cursor_u8(cur);
        t->minute = mysql_cursor_u8(cur);
        t->second = mysql_cursor_u8(cur);
    }
    t->micros = read_micros(cur, len == 12);
    check_clock(cur, t);
    if (days > TIME_HOURS_MAX / 24 || days * 24 + t->hour > TIME_HOURS_MAX)
        cur->failed = true;
    else
        t->hour += days * 24;
}

static void decode_bytes(struct mysql_cursor *cur, struct mysql_param *param)
{
    const uint8_t *bytes = mysql_cursor_lenenc_bytes(cur, &param->v.bytes.len);

    param->kind = MYSQL_PARAM_BYTES;
    param->v.bytes.data = bytes ? (const char *)bytes : "";
}

static void decode_float(struct mysql_cursor *cur, struct mysql_param *param)
{
    uint32_t bits = mysql_cursor_u32(cur);
    float v;

    memcpy(&v, &bits, sizeof(v));
    param->kind = MYSQL_PARAM_DOUBLE;
    param->v.d = (double)v;
}

static void decode_double(struct mysql_cursor *cur, struct mysql_param *param)
{
    uint64_t bits = mysql_cursor_u64(cur);

    param->kind = MYSQL_PARAM_DOUBLE;
    memcpy(&param->v.d, &bits, sizeof(bits));
}

static void decode_value(struct mysql_cursor *cur, struct mysql_param_type type,
                         struct mysql_param *param)
{
    switch (type.type) {
    case MYSQL_TYPE_TINY:
        set_int(param, mysql_cursor_u8(cur), 1, type.is_unsigned);
        break;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
        set_int(param, mysql_cursor_u16(cur), 2, type.is_unsigned);
        break;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
        set_int(param, mysql_cursor_u32(cur), 4, type.is_unsigned);
        break;
    case MYSQL_TYPE_LONGLONG:
        set_int(param, mysql_cursor_u64(cur), 8, type.is_unsigned);
        break;
    case MYSQL_TYPE_FLOAT:
        decode_float(cur, param);
        break;
    case MYSQL_TYPE_DOUBLE:
        decode_double(cur, param);
        break;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        decode_datetime(cur, param);
        break;
    case MYSQL_TYPE_TIME:
        decode_time(cur, param);
        break;
    case MYSQL_TYPE_NULL:
        param->kind = MYSQL_PARAM_NULL;
        break;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_BIT:
        decode_bytes(cur, param);
        break;
    default:
        if (type.type >= MYSQL_TYPE_JSON)
            decode_bytes(cur, param);
        else
            cur->failed = true;
    }
}

static void read_types(struct mysql_cursor *cur, size_t n, struct mysql_param_type *types)
{
    const uint8_t *pairs = mysql_cursor_bytes(cur, 2 * n);

    for (size_t i = 0; pairs && i < n; i++)
        types[i] = (struct mysql_param_type){pairs[2 * i], (pairs[2 * i + 1] & UNSIGNED_FLAG) != 0};
}

int mysql_params_decode(struct mysql_text body, size_t n, struct mysql_param_type *types,
                        bool *bound, const struct mysql_text *long_data, struct mysql_param *params)
{
    struct mysql_cursor cur;
    const uint8_t *nulls;

    if (n == 0)
        return 0;
    mysql_cursor_init(&cur, body.data, body.len);
    nulls = mysql_cursor_bytes(&cur, (n + 7) / 8);
    if (mysql_cursor_u8(&cur) != 0) {
        read_types(&cur, n, types);
        *bound = !cur.failed;
    }
    if (cur.failed || !*bound)
        return -EBADMSG;
    for (size_t i = 0; i < n && !cur.failed; i++) {
        params[i].type = types[i].type;
        if (long_data && long_data[i].data) {
            params[i].kind = MYSQL_PARAM_BYTES;
            params[i].v.bytes = long_data[i];
        } else if (nulls[i / 8] & 1u << i % 8) {
            params[i].kind = MYSQL_PARAM_NULL;
        } else {
            decode_value(&cur, types[i], &params[i]);
        }
    }
    return cur.failed ? -EBADMSG : 0;
}
