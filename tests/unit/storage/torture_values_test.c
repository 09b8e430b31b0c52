/* Dictionaries, schemas and batches when an allocation fails: an error, and what was there before is whole. */
#include "storage/batch_builder.h"
#include "storage/catalog.h"
#include "storage/dict.h"
#include "storage/dict_image.h"
#include "unit/fail_alloc.h"
#include "unit/storage/small_table.h"

enum { VALUES = 1500 };

static int put_value(struct dict *d, enum dict_kind kind, uint32_t n)
{
    uint32_t list[3] = {n, n / 7, 5}, code;
    char text[300];
    int len = snprintf(text, sizeof text, "%u%*s", n, n % 40 == 3 ? 280 : 5, "x");
    int rc = kind == DICT_INT    ? dict_put_int(d, n * 1000003ll - 500, &code)
             : kind == DICT_LIST ? dict_put_list(d, list, n % 4, &code)
                                 : dict_put_bytes(d, text, (uint32_t)len, &code);

    if (rc == 0 && kind != DICT_LIST)
        cr_assert_eq(code, n);
    return rc;
}

static void fill_dictionary(enum dict_kind kind)
{
    FAIL_ALLOC_EACH(f)
    {
        struct budget budget;
        uint32_t n = 0;
        int rc = 0;

        budget_init(&budget, "test", 1 << 30, NULL);
        struct dict *d = dict_new(kind, 1, &budget);
        fail_alloc_arm(&f);
        while (n < VALUES && (rc = put_value(d, kind, n)) == 0)
            n++;
        cr_assert(fail_alloc_disarm(&f) ? rc == -ENOMEM : rc == 0);
        if (kind != DICT_LIST)
            cr_assert_eq(dict_count(d), n);
        for (n = 0; n < VALUES; n++)
            cr_assert_eq(put_value(d, kind, n), 0);
        dict_free(d);
        cr_assert_eq(budget.used, 0);
    }
}

Test(torture_values, dictionaries)
{
    fill_dictionary(DICT_BYTES);
    fill_dictionary(DICT_INT);
    fill_dictionary(DICT_LIST);
}

static const char yaml[] =
    "tableName: orders\nprimaryKey: ts+id\ntimeQuantumType: YMD\ntimeQuantumField: ts\n"
    "retention: 90d\nattributes:\n"
    "  - { fieldName: id, type: Integer, mappingStrategy: IntBSI, required: true }\n"
    "  - { fieldName: ts, type: DateTime, mappingStrategy: SysMillisBSI }\n"
    "  - fieldName: kind\n    type: String\n    mappingStrategy: StringEnum\n    values:\n"
    "      - { value: small, desc: a }\n      - { value: large, desc: b }\n"
    "  - { fieldName: tags, type: String, mappingStrategy: StringEnum, nonExclusive: true, "
    "configuration: { delim: \",\" } }\n"
    "  - { fieldName: name, type: String, mappingStrategy: StringHashBSI, searchable: true }\n"
    "  - { fieldName: price, type: Float, mappingStrategy: FloatScaleBSI, scale: 2, "
    "defaultValue: \"1.5\" }\n";

Test(torture_values, schemas)
{
    FAIL_ALLOC_EACH(f)
    {
        struct error_info err = {0};
        struct schema *s = NULL;
        char *text = NULL;

        fail_alloc_arm(&f);
        int rc = schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err);
        if (rc == 0)
            text = schema_print_yaml(s);
        if (fail_alloc_disarm(&f))
            cr_assert(rc != 0 || text || s);
        else
            cr_assert(rc == 0 && text, "%s", err.text);
        free(text);
        if (rc == 0)
            schema_put(s);
    }
}

Test(torture_values, catalogs)
{
    struct schema *s = small_schema();

    FAIL_ALLOC_EACH(f)
    {
        struct catalog *empty = catalog_new(), *c = NULL, *again = NULL;
        struct error_info err = {0};
        uint8_t *bytes = NULL;
        size_t len;

        fail_alloc_arm(&f);
        int rc = catalog_with_table(empty, s, &c);
        if (rc == 0)
            rc = catalog_encode(c, &bytes, &len);
        if (rc == 0)
            rc = catalog_decode(bytes, len, &again, &err);
        cr_assert(fail_alloc_disarm(&f) ? rc == -ENOMEM || rc == 0 : rc == 0, "%d %s", rc,
                  err.text);
        if (rc == 0)
            cr_assert_eq(again->n_tables, 1);
        free(bytes);
        catalog_put(again);
        catalog_put(c);
        catalog_put(empty);
    }
    schema_put(s);
}

/* A row that had no room is not there, and the builder goes on. */
Test(torture_values, batches)
{
    struct schema *s = small_schema();

    FAIL_ALLOC_EACH(f)
    {
        struct batch_builder *b = small_builder(s);
        struct error_info err = {0};
        struct buffer bytes;
        struct batch batch;
        uint32_t rows = 0;
        int rc = 0;

        buffer_init(&bytes, BATCH_MAX_BYTES);
        fail_alloc_arm(&f);
        for (; rows < 300 && rc == 0; rows += rc == 0) {
            batch_builder_put_i64(b, ID, rows);
            rc = batch_builder_put_bytes(b, KIND, "some text", 9);
            for (uint32_t k = 0; k < 3 && rc == 0; k++)
                rc = batch_builder_put_list_item(b, TAGS, "item", 4);
            if (rc == 0)
                rc = batch_builder_end_row(b);
        }
        if (rc == 0)
            rc = batch_builder_finish(b, BATCH_INSERT, 1, BATCH_SLOT_ANY, &bytes);
        if (rc == 0)
            rc = batch_open(bytes.data, bytes.len, &batch, &err);
        cr_assert(fail_alloc_disarm(&f) ? rc == -ENOMEM || rc == 0 : rc == 0, "%d %s", rc,
                  err.text);
        if (rc == 0)
            cr_assert_eq(batch.rows, rows);
        buffer_fini(&bytes);
        batch_builder_free(b);
    }
    schema_put(s);
}
