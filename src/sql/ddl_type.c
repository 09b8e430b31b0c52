/*
 * What a column of an SQL type is here:
 *
 *   TINYINT(1), BOOL            BoolDirect
 *   other integers, YEAR        IntBSI
 *   DECIMAL(p,s)                FloatScaleBSI, scale s
 *   FLOAT, DOUBLE               FloatScaleBSI, scale of (m,d), else 4
 *   DATE                        SysSecBSI of type Date
 *   DATETIME(n), TIMESTAMP(n)   SysSecBSI (0), SysMillisBSI (1-3), SysMicroBSI (4-6)
 *   CHAR, VARCHAR, TEXT, JSON   StringHashBSI
 *   ENUM                        StringEnum
 *   SET                         StringEnum, multi-valued, delimiter ','
 *   any with REFERENCES         ParentRelation
 *
 * and what of the type is kept beside that: ranges, members and lengths bound what is written (dml_limit.c).
 */
#include "sql/ddl_impl.h"
#include "storage/schema.h"

bool ddl_type_of(struct statement *s, const struct sql_type *t, enum column_type *type,
                 enum mapping *mapping, uint8_t *scale)
{
    *scale = 0;
    switch (t->kind) {
    case SQL_TYPE_BOOL:
        *type = COLUMN_BOOL;
        *mapping = MAPPING_BOOL_DIRECT;
        return true;
    case SQL_TYPE_TINYINT:
        if (t->size == 1) {
            *type = COLUMN_BOOL;
            *mapping = MAPPING_BOOL_DIRECT;
            return true;
        }
        /* fallthrough */
    case SQL_TYPE_BIT:
    case SQL_TYPE_SMALLINT:
    case SQL_TYPE_MEDIUMINT:
    case SQL_TYPE_INT:
    case SQL_TYPE_BIGINT:
    case SQL_TYPE_YEAR:
        *type = COLUMN_INT;
        *mapping = MAPPING_INT_BSI;
        return true;
    case SQL_TYPE_DECIMAL:
        *type = COLUMN_DECIMAL;
        *mapping = MAPPING_FLOAT_SCALE_BSI;
        *scale = (uint8_t)(t->scale > 0 ? t->scale : 0);
        return true;
    case SQL_TYPE_FLOAT:
    case SQL_TYPE_DOUBLE:
        *type = COLUMN_DECIMAL;
        *mapping = MAPPING_FLOAT_SCALE_BSI;
        *scale = (uint8_t)(t->scale >= 0 ? t->scale : DDL_DOUBLE_SCALE);
        return true;
    case SQL_TYPE_DATE:
        *type = COLUMN_DATE;
        *mapping = MAPPING_SYS_SEC_BSI;
        return true;
    case SQL_TYPE_DATETIME:
    case SQL_TYPE_TIMESTAMP:
        *type = COLUMN_DATETIME;
        *scale = t->size <= 0 ? 0 : t->size <= 3 ? 3 : 6;
        *mapping = *scale == 0   ? MAPPING_SYS_SEC_BSI
                   : *scale == 3 ? MAPPING_SYS_MILLIS_BSI
                                 : MAPPING_SYS_MICRO_BSI;
        return true;
    case SQL_TYPE_ENUM:
    case SQL_TYPE_SET:
        *type = COLUMN_STRING;
        *mapping = MAPPING_STRING_ENUM;
        return true;
    case SQL_TYPE_CHAR:
    case SQL_TYPE_VARCHAR:
    case SQL_TYPE_TINYTEXT:
    case SQL_TYPE_TEXT:
    case SQL_TYPE_MEDIUMTEXT:
    case SQL_TYPE_LONGTEXT:
    case SQL_TYPE_BINARY:
    case SQL_TYPE_VARBINARY:
    case SQL_TYPE_TINYBLOB:
    case SQL_TYPE_BLOB:
    case SQL_TYPE_MEDIUMBLOB:
    case SQL_TYPE_LONGBLOB:
    case SQL_TYPE_JSON:
        *type = COLUMN_STRING;
        *mapping = MAPPING_STRING_HASH_BSI;
        return true;
    default:
        statement_fail(s, MYSQL_ER_NOT_SUPPORTED_YET, sql_type_name(t->kind));
        return false;
    }
}

static enum declared_kind declared_kind(enum sql_type_kind kind)
{
    static const uint8_t kinds[] = {
        [SQL_TYPE_TINYINT] = DECLARED_TINYINT,     [SQL_TYPE_SMALLINT] = DECLARED_SMALLINT,
        [SQL_TYPE_MEDIUMINT] = DECLARED_MEDIUMINT, [SQL_TYPE_INT] = DECLARED_INT,
        [SQL_TYPE_YEAR] = DECLARED_YEAR,           [SQL_TYPE_DECIMAL] = DECLARED_DECIMAL,
        [SQL_TYPE_CHAR] = DECLARED_CHAR,           [SQL_TYPE_TINYTEXT] = DECLARED_TINYTEXT,
        [SQL_TYPE_TEXT] = DECLARED_TEXT,           [SQL_TYPE_MEDIUMTEXT] = DECLARED_MEDIUMTEXT,
        [SQL_TYPE_LONGTEXT] = DECLARED_LONGTEXT,   [SQL_TYPE_TINYBLOB] = DECLARED_TINYTEXT,
        [SQL_TYPE_BLOB] = DECLARED_TEXT,           [SQL_TYPE_MEDIUMBLOB] = DECLARED_MEDIUMTEXT,
        [SQL_TYPE_LONGBLOB] = DECLARED_LONGTEXT,   [SQL_TYPE_JSON] = DECLARED_JSON,
        [SQL_TYPE_ENUM] = DECLARED_ENUM,           [SQL_TYPE_SET] = DECLARED_SET,
    };

    return kind < sizeof kinds ? kinds[kind] : DECLARED_NONE;
}

static uint8_t digits_of(const struct sql_type *t)
{
    if (t->kind != SQL_TYPE_DECIMAL || t->size > DECLARED_MAX_PRECISION)
        return DECLARED_MAX_PRECISION;
    return t->size > 0 ? (uint8_t)t->size : 10;
}

void ddl_declare(const struct sql_type *t, struct column *c)
{
    struct declared *d = &c->declared;

    if (c->type == COLUMN_BOOL)
        return;
    d->kind = declared_kind(t->kind);
    if (t->is_unsigned && t->kind == SQL_TYPE_BIGINT)
        d->kind = DECLARED_BIGINT;
    if (t->is_unsigned && c->type == COLUMN_DECIMAL)
        d->kind = DECLARED_DECIMAL;
    d->is_unsigned = t->is_unsigned && d->kind != DECLARED_YEAR;
    if (d->kind == DECLARED_DECIMAL)
        d->precision = t->scale < 0 && c->scale > 10 ? DECLARED_MAX_PRECISION : digits_of(t);
    if ((t->kind == SQL_TYPE_CHAR || t->kind == SQL_TYPE_VARCHAR) && t->size > 0)
        c->max_length = (uint32_t)t->size;
    if (t->kind == SQL_TYPE_CHAR && t->size < 0)
        c->max_length = 1;
}
