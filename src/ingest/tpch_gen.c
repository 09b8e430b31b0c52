#include "ingest/tpch_gen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ingest/events_gen.h"
#include "ingest/gen_columns.h"
#include "ingest/tpch_words.h"

enum {
    TEXT_MAX = 256,       /* bytes of a value */
    FIRST_DAY = 8035,     /* 1992-01-01 as days since 1970 */
    ORDER_DAYS = 2406,    /* to 1998-08-02 */
    CURRENT_DAY = 9298,   /* 1995-06-17 */
    REMARK_EVERY = 10000, /* suppliers of whom five complain and five recommend */
};

#define INT(title)                                    \
    {                                                 \
        .name = title, .physical = PARQUET_TYPE_INT64 \
    }
#define MONEY(title)                                                                       \
    {                                                                                      \
        .name = title, .physical = PARQUET_TYPE_INT64, .logical = PARQUET_LOGICAL_DECIMAL, \
        .precision = 15, .scale = 2                                                        \
    }
#define TEXT(title)                                                                           \
    {                                                                                         \
        .name = title, .physical = PARQUET_TYPE_BYTE_ARRAY, .logical = PARQUET_LOGICAL_STRING \
    }
#define DAY(title)                                                                     \
    {                                                                                  \
        .name = title, .physical = PARQUET_TYPE_INT32, .logical = PARQUET_LOGICAL_DATE \
    }

static const struct parquet_column_spec region_columns[] = {INT("r_regionkey"), TEXT("r_name"),
                                                            TEXT("r_comment")};
static const struct parquet_column_spec nation_columns[] = {INT("n_nationkey"), TEXT("n_name"),
                                                            INT("n_regionkey"), TEXT("n_comment")};
static const struct parquet_column_spec supplier_columns[] = {INT("s_suppkey"),  TEXT("s_name"),
                                                              TEXT("s_address"), INT("s_nationkey"),
                                                              TEXT("s_phone"),   MONEY("s_acctbal"),
                                                              TEXT("s_comment")};
static const struct parquet_column_spec customer_columns[] = {
    INT("c_custkey"), TEXT("c_name"),     TEXT("c_address"),    INT("c_nationkey"),
    TEXT("c_phone"),  MONEY("c_acctbal"), TEXT("c_mktsegment"), TEXT("c_comment")};
static const struct parquet_column_spec part_columns[] = {
    INT("p_partkey"), TEXT("p_name"),      TEXT("p_mfgr"),         TEXT("p_brand"),  TEXT("p_type"),
    INT("p_size"),    TEXT("p_container"), MONEY("p_retailprice"), TEXT("p_comment")};
static const struct parquet_column_spec partsupp_columns[] = {INT("ps_partkey"), INT("ps_suppkey"),
                                                              INT("ps_availqty"),
                                                              MONEY("ps_supplycost"),
                                                              TEXT("ps_comment")};
static const struct parquet_column_spec orders_columns[] = {
    INT("o_orderkey"),     INT("o_custkey"),      TEXT("o_orderstatus"),
    MONEY("o_totalprice"), DAY("o_orderdate"),    TEXT("o_orderpriority"),
    TEXT("o_clerk"),       INT("o_shippriority"), TEXT("o_comment")};
static const struct parquet_column_spec lineitem_columns[] = {
    INT("l_orderkey"),    INT("l_partkey"),         INT("l_suppkey"),    INT("l_linenumber"),
    MONEY("l_quantity"),  MONEY("l_extendedprice"), MONEY("l_discount"), MONEY("l_tax"),
    TEXT("l_returnflag"), TEXT("l_linestatus"),     DAY("l_shipdate"),   DAY("l_commitdate"),
    DAY("l_receiptdate"), TEXT("l_shipinstruct"),   TEXT("l_shipmode"),  TEXT("l_comment")};

static const struct {
    const struct parquet_column_spec *columns;
    uint32_t count;
    const char *name;
} tables[TPCH_TABLES] = {
    [TPCH_REGION] = {region_columns, 3, "region"},
    [TPCH_NATION] = {nation_columns, 4, "nation"},
    [TPCH_SUPPLIER] = {supplier_columns, 7, "supplier"},
    [TPCH_CUSTOMER] = {customer_columns, 8, "customer"},
    [TPCH_PART] = {part_columns, 9, "part"},
    [TPCH_PARTSUPP] = {partsupp_columns, 5, "partsupp"},
    [TPCH_ORDERS] = {orders_columns, 9, "orders"},
    [TPCH_LINEITEM] = {lineitem_columns, 16, "lineitem"},
};

bool tpch_find(const char *name, enum tpch_table *table)
{
    for (int i = 0; i < TPCH_TABLES; i++)
        if (strcmp(tables[i].name, name) == 0) {
            *table = (enum tpch_table)i;
            return true;
        }
    return false;
}

const struct parquet_column_spec *tpch_columns(enum tpch_table table, uint32_t *count)
{
    *count = tables[table].count;
    return tables[table].columns;
}

/* ---- chance ---- */

/* Numbers of one row of one table, each by its own number. */
struct dice {
    uint64_t base;
    uint32_t at;
};

static struct dice dice_of(const struct tpch_rows *t, enum tpch_table table, uint64_t row)
{
    uint64_t place = events_mix(t->seed * TPCH_TABLES + table);

    return (struct dice){.base = events_mix(place ^ events_mix(row))};
}

/* 0 to n - 1, the next one. */
static uint64_t roll(struct dice *d, uint64_t n)
{
    return events_mix(d->base + ++d->at) % n;
}

static int64_t between(struct dice *d, int64_t low, int64_t high)
{
    return low + (int64_t)roll(d, (uint64_t)(high - low + 1));
}

static const char *word(struct dice *d, const struct tpch_words *w)
{
    return w->list[roll(d, w->n)];
}

/* ---- sizes ---- */

static uint64_t scaled(double scale, uint64_t n)
{
    double r = scale * (double)n + 0.5;

    return r < 1 ? 1 : (uint64_t)r;
}

static uint64_t suppliers(const struct tpch_rows *t)
{
    return scaled(t->scale, 10000);
}

static uint64_t parts(const struct tpch_rows *t)
{
    return scaled(t->scale, 200000);
}

static uint64_t customers(const struct tpch_rows *t)
{
    return scaled(t->scale, 150000);
}

static uint64_t orders(const struct tpch_rows *t)
{
    return scaled(t->scale, 1500000);
}

static uint32_t lines_of(const struct tpch_rows *t, uint64_t order)
{
    struct dice d = dice_of(t, TPCH_ORDERS, order);

    return 1 + (uint32_t)roll(&d, 7);
}

uint64_t tpch_count(enum tpch_table table, double scale, uint64_t seed)
{
    struct tpch_rows t = {.table = table, .scale = scale, .seed = seed};
    uint64_t n = 0;

    switch (table) {
    case TPCH_REGION:
        return 5;
    case TPCH_NATION:
        return 25;
    case TPCH_SUPPLIER:
        return suppliers(&t);
    case TPCH_CUSTOMER:
        return customers(&t);
    case TPCH_PART:
        return parts(&t);
    case TPCH_PARTSUPP:
        return 4 * parts(&t);
    case TPCH_ORDERS:
        return orders(&t);
    default:
        for (uint64_t i = 0; i < orders(&t); i++)
            n += lines_of(&t, i);
        return n;
    }
}

/* ---- values ---- */

/* Vectors with room for the row; the next column's is v. */
struct row {
    struct parquet_vector *v;
};

static void put_int(struct row *r, int64_t value)
{
    r->v->ints[r->v->count++] = value;
    r->v++;
}

static void put_text(struct row *r, const char *text, size_t len)
{
    struct parquet_vector *v = r->v++;

    memcpy(v->data + v->data_len, text, len);
    v->data_len += len;
    v->offsets[++v->count] = (uint32_t)v->data_len;
}

static void put_word(struct row *r, const char *text)
{
    put_text(r, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put_format(struct row *r, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    put_text(r, text, (size_t)n);
}

/* Words of at least `least` and at most `most` bytes in all. */
static size_t make_remark(struct dice *d, char *text, int64_t least, int64_t most)
{
    size_t wanted = (size_t)between(d, least, most), len = 0;

    while (len < wanted) {
        const char *w = word(d, &tpch_texts);
        size_t n = strlen(w);
        if (len)
            text[len++] = ' ';
        for (size_t i = 0; i < n && len < wanted; i++)
            text[len++] = w[i];
    }
    return wanted;
}

static void put_remark(struct row *r, struct dice *d, int64_t least, int64_t most)
{
    char text[TEXT_MAX];
    size_t len = make_remark(d, text, least, most);

    put_text(r, text, len);
}

static void put_address(struct row *r, struct dice *d)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ";
    char text[TEXT_MAX];
    size_t len = (size_t)between(d, 10, 40);

    for (size_t i = 0; i < len; i++)
        text[i] = letters[roll(d, i == 0 || i + 1 == len ? 62 : 63)];
    put_text(r, text, len);
}

static void put_phone(struct row *r, struct dice *d, int64_t nation)
{
    unsigned a = (unsigned)between(d, 100, 999), b = (unsigned)between(d, 100, 999),
             c = (unsigned)between(d, 1000, 9999);

    put_format(r, "%u-%03u-%03u-%04u", (unsigned)nation + 10, a, b, c);
}

/* ---- tables ---- */

static void make_supplier(const struct tpch_rows *t, uint64_t i, struct row *r)
{
    struct dice d = dice_of(t, TPCH_SUPPLIER, i);
    int64_t nation = between(&d, 0, 24);
    char text[TEXT_MAX];

    put_int(r, (int64_t)i + 1);
    put_format(r, "Supplier#%09llu", (unsigned long long)i + 1);
    put_address(r, &d);
    put_int(r, nation);
    put_phone(r, &d, nation);
    put_int(r, between(&d, -99999, 999999));
    size_t len = make_remark(&d, text, 25, 100);
    uint64_t kind = i % REMARK_EVERY * 7919 % REMARK_EVERY % (REMARK_EVERY / 5);
    if (kind == 0 || kind == 1) {
        memcpy(text, "Customer ", 9);
        memcpy(text + len - 10, kind ? "Recommends" : "Complaints", 10);
    }
    put_text(r, text, len);
}

static void make_customer(const struct tpch_rows *t, uint64_t i, struct row *r)
{
    struct dice d = dice_of(t, TPCH_CUSTOMER, i);
    int64_t nation = between(&d, 0, 24);

    put_int(r, (int64_t)i + 1);
    put_format(r, "Customer#%09llu", (unsigned long long)i + 1);
    put_address(r, &d);
    put_int(r, nation);
    put_phone(r, &d, nation);
    put_int(r, between(&d, -99999, 999999));
    put_word(r, word(&d, &tpch_segments));
    put_remark(r, &d, 29, 116);
}

static int64_t retail_price(int64_t part)
{
    return 90000 + part / 10 % 20001 + 100 * (part % 1000);
}

/* Five different colors. */
static void put_part_name(struct row *r, struct dice *d)
{
    uint32_t at[5];
    char text[TEXT_MAX];
    size_t len = 0;

    for (int i = 0; i < 5; i++) {
        bool again = true;
        while (again) {
            at[i] = (uint32_t)roll(d, tpch_colors.n);
            again = false;
            for (int k = 0; k < i; k++)
                again |= at[k] == at[i];
        }
        const char *name = tpch_colors.list[at[i]];
        if (i)
            text[len++] = ' ';
        memcpy(text + len, name, strlen(name));
        len += strlen(name);
    }
    put_text(r, text, len);
}

static void make_part(const struct tpch_rows *t, uint64_t i, struct row *r)
{
    struct dice d = dice_of(t, TPCH_PART, i);
    int maker = (int)between(&d, 1, 5);

    put_int(r, (int64_t)i + 1);
    put_part_name(r, &d);
    put_format(r, "Manufacturer#%d", maker);
    put_format(r, "Brand#%d%d", maker, (int)between(&d, 1, 5));
    const char *size = word(&d, &tpch_sizes), *finish = word(&d, &tpch_finishes);
    put_format(r, "%s %s %s", size, finish, word(&d, &tpch_metals));
    put_int(r, between(&d, 1, 50));
    const char *box = word(&d, &tpch_boxes);
    put_format(r, "%s %s", box, word(&d, &tpch_containers));
    put_int(r, retail_price((int64_t)i + 1));
    put_remark(r, &d, 5, 22);
}

/* One of the four suppliers of a part. */
static int64_t supplier_of(const struct tpch_rows *t, int64_t part, uint64_t which)
{
    int64_t n = (int64_t)suppliers(t);

    return (part + (int64_t)which * (n / 4 + (part - 1) / n)) % n + 1;
}

static void make_partsupp(const struct tpch_rows *t, uint64_t i, struct row *r)
{
    struct dice d = dice_of(t, TPCH_PARTSUPP, i);
    int64_t part = (int64_t)(i / 4) + 1;

    put_int(r, part);
    put_int(r, supplier_of(t, part, i % 4));
    put_int(r, between(&d, 1, 9999));
    put_int(r, between(&d, 100, 100000));
    put_remark(r, &d, 49, 198);
}

/* What an order and its lines have in common. */
struct order {
    int64_t key, day;
    uint32_t lines;
    struct dice dice; /* for what the lines do not need */
};

struct line {
    int64_t part, supplier, quantity, price, discount, tax, shipped, committed, received;
    struct dice dice;
};

static struct order make_order(const struct tpch_rows *t, uint64_t i)
{
    struct order o = {.key = (int64_t)(i / 8 * 32 + i % 8) + 1, .dice = dice_of(t, TPCH_ORDERS, i)};

    o.lines = 1 + (uint32_t)roll(&o.dice, 7);
    o.day = FIRST_DAY + (int64_t)roll(&o.dice, ORDER_DAYS);
    return o;
}

static struct line make_line(const struct tpch_rows *t, const struct order *o, uint64_t i,
                             uint32_t number)
{
    struct line l = {.dice = dice_of(t, TPCH_LINEITEM, i * 8 + number)};

    l.part = between(&l.dice, 1, (int64_t)parts(t));
    l.supplier = supplier_of(t, l.part, roll(&l.dice, 4));
    l.quantity = between(&l.dice, 1, 50);
    l.price = l.quantity * retail_price(l.part);
    l.discount = between(&l.dice, 0, 10);
    l.tax = between(&l.dice, 0, 8);
    l.shipped = o->day + between(&l.dice, 1, 121);
    l.committed = o->day + between(&l.dice, 30, 90);
    l.received = l.shipped + between(&l.dice, 1, 30);
    return l;
}

static void put_order(const struct tpch_rows *t, uint64_t i, struct row *r)
{
    struct order o = make_order(t, i);
    int64_t total = 0, key = 0, shops = (int64_t)customers(t);
    uint32_t open = 0;

    for (uint32_t n = 0; n < o.lines; n++) {
        struct line l = make_line(t, &o, i, n);
        total += l.price * (100 - l.discount) / 100 * (100 + l.tax) / 100;
        open += l.shipped > CURRENT_DAY;
    }
    /* Every third customer orders nothing. */
    while (key % 3 == 0)
        key = shops < 3 ? 1 : between(&o.dice, 1, shops);
    put_int(r, o.key);
    put_int(r, key);
    put_word(r, open == 0 ? "F" : open == o.lines ? "O" : "P");
    put_int(r, total);
    put_int(r, o.day);
    put_word(r, word(&o.dice, &tpch_priorities));
    put_format(r, "Clerk#%09lld", (long long)between(&o.dice, 1, (int64_t)scaled(t->scale, 1000)));
    put_int(r, 0);
    put_remark(r, &o.dice, 19, 78);
}

static void put_line(const struct tpch_rows *t, uint64_t i, uint32_t number, struct row *r)
{
    struct order o = make_order(t, i);
    struct line l = make_line(t, &o, i, number);

    put_int(r, o.key);
    put_int(r, l.part);
    put_int(r, l.supplier);
    put_int(r, number + 1);
    put_int(r, l.quantity * 100);
    put_int(r, l.price);
    put_int(r, l.discount);
    put_int(r, l.tax);
    put_word(r, l.received > CURRENT_DAY ? "N" : roll(&l.dice, 2) ? "R" : "A");
    put_word(r, l.shipped > CURRENT_DAY ? "O" : "F");
    put_int(r, l.shipped);
    put_int(r, l.committed);
    put_int(r, l.received);
    put_word(r, word(&l.dice, &tpch_instructions));
    put_word(r, word(&l.dice, &tpch_modes));
    put_remark(r, &l.dice, 10, 43);
}

static void put_place(const struct tpch_rows *t, uint64_t i, struct row *r)
{
    struct dice d = dice_of(t, t->table, i);

    put_int(r, (int64_t)i);
    put_word(r, (t->table == TPCH_REGION ? &tpch_regions : &tpch_nations)->list[i]);
    if (t->table == TPCH_NATION)
        put_int(r, tpch_region_of_nation[i]);
    put_remark(r, &d, 31, 114);
}

static void put_row(const struct tpch_rows *t, struct row *r)
{
    switch (t->table) {
    case TPCH_SUPPLIER:
        make_supplier(t, t->next, r);
        return;
    case TPCH_CUSTOMER:
        make_customer(t, t->next, r);
        return;
    case TPCH_PART:
        make_part(t, t->next, r);
        return;
    case TPCH_PARTSUPP:
        make_partsupp(t, t->next, r);
        return;
    case TPCH_ORDERS:
        put_order(t, t->next, r);
        return;
    case TPCH_LINEITEM:
        put_line(t, t->next, t->next_line, r);
        return;
    default:
        put_place(t, t->next, r);
    }
}

/* To the next row. */
static void advance(struct tpch_rows *t)
{
    if (t->table == TPCH_LINEITEM && ++t->next_line < lines_of(t, t->next))
        return;
    t->next_line = 0;
    t->next++;
}

int tpch_fill(struct tpch_rows *t, size_t n, struct parquet_vector *vectors, size_t *made,
              struct parquet_error *err)
{
    uint64_t end = t->table == TPCH_LINEITEM ? orders(t) : tpch_count(t->table, t->scale, t->seed);
    int rc = gen_columns_begin(vectors, tables[t->table].count, n, TEXT_MAX, err);

    *made = 0;
    if (rc < 0)
        return rc;
    for (; *made < n && t->next < end; ++*made) {
        struct row r = {.v = vectors};
        put_row(t, &r);
        advance(t);
    }
    return 0;
}
