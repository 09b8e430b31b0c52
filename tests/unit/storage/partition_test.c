/* Names of time partitions and ages. */
#include "storage/partition.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/slot.h"

static struct schema *table(const char *quantum, const char *type, const char *more)
{
    struct error_info err = {0};
    struct schema *s = NULL;
    char yaml[600];

    snprintf(yaml, sizeof yaml,
             "tableName: t\nprimaryKey: a\n%s%s%s%sattributes:\n"
             "  - { fieldName: a, type: Integer, mappingStrategy: IntBSI }\n"
             "  - { fieldName: ts, type: %s, mappingStrategy: SysSecBSI }\n",
             quantum ? "timeQuantumField: ts\ntimeQuantumType: " : "", quantum ? quantum : "",
             quantum ? "\n" : "", more, type);
    if (schema_parse_yaml("t.yaml", yaml, strlen(yaml), NULL, NULL, &s, &err) != 0)
        cr_log_info("%s", err.text);
    return s;
}

static void expect_name(const struct schema *s, int64_t start, const char *want)
{
    char name[PARTITION_NAME_BYTES];
    int64_t back = -1;

    partition_name(s, start, name);
    cr_assert_str_eq(name, want);
    cr_assert(partition_parse(s, name, &back), "%s", name);
    cr_assert_eq(back, start);
}

Test(partition, days_have_names)
{
    struct schema *s = table("YMD", "DateTime", "");

    cr_assert_eq(partition_seconds(s), 86400);
    expect_name(s, 0, "p19700101");
    expect_name(s, 1767225600, "p20260101");
    expect_name(s, -86400, "p19691231");
    expect_name(s, -62135596800, "p00010101");
    expect_name(s, 253402214400, "p99991231");
    expect_name(s, 253402300800, "p_253402300800");
    expect_name(s, -62135683200, "p_-62135683200");
    schema_put(s);
}

Test(partition, hours_have_names)
{
    struct schema *s = table("YMDH", "DateTime", "");

    cr_assert_eq(partition_seconds(s), 3600);
    expect_name(s, 1767225600 + 23 * 3600, "p2026010123");
    expect_name(s, -3600, "p1969123123");
    schema_put(s);
    s = table("YMDH", "Date", ""); /* a date has no hours */
    cr_assert_eq(partition_seconds(s), 86400);
    expect_name(s, 1767225600, "p20260101");
    cr_assert_eq(slot_partition_of(s, 20454), 1767225600);
    schema_put(s);
}

Test(partition, other_names_are_refused)
{
    static const char *const names[] = {"",
                                        "p",
                                        "p2026",
                                        "p20260230",
                                        "p20261301",
                                        "p20260100",
                                        "p202601011",
                                        "p2026010101",
                                        "p20260101x",
                                        "20260101",
                                        "q20260101",
                                        "p_",
                                        "p_5x",
                                        "p-2026010",
                                        "p_-",
                                        "p_1767225600",
                                        "p 20260101",
                                        "p2026-01-01",
                                        "p00000101",
                                        "pp20260101",
                                        "p_+99999999999",
                                        "p_99999999999999999999"};
    struct schema *s = table("YMD", "DateTime", "");
    int64_t start;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert(!partition_parse(s, names[i], &start), "%s", names[i]);
    cr_assert(partition_parse(s, "P20260101", &start));
    schema_put(s);
    s = table("YMDH", "DateTime", "");
    cr_assert(!partition_parse(s, "p20260101", &start));
    cr_assert(!partition_parse(s, "p2026010124", &start));
    schema_put(s);
    s = table(NULL, "DateTime", "");
    cr_assert_eq(partition_seconds(s), 0);
    cr_assert(!partition_parse(s, "p19700101", &start));
    schema_put(s);
}

Test(partition, ages)
{
    static const char *const bad[] = {"",
                                      "d",
                                      "90",
                                      "0d",
                                      "-1d",
                                      "90 d",
                                      "90D",
                                      "9w",
                                      "1dh",
                                      " 1d",
                                      "1d ",
                                      "1.5d",
                                      "+1d",
                                      "0xd",
                                      "d90",
                                      "9999999999d",
                                      "99999999999999999999d"};
    int64_t s;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(!partition_parse_retention(bad[i], &s), "%s", bad[i]);
    cr_assert(partition_parse_retention("90d", &s));
    cr_assert_eq(s, 90 * 86400);
    cr_assert(partition_parse_retention("24h", &s));
    cr_assert_eq(s, 86400);
}

Test(partition, retention_is_part_of_the_definition)
{
    struct schema *s = table("YMD", "DateTime", "retention: 24h\n"), *again = NULL;
    struct error_info err;

    cr_assert(s);
    cr_assert_eq(s->retention_s, 86400);
    char *yaml = schema_print_yaml(s);
    cr_assert(strstr(yaml, "retention: 24h") || strstr(yaml, "retention: \"24h\""), "%s", yaml);
    cr_assert_eq(schema_parse_yaml("x", yaml, strlen(yaml), NULL, NULL, &again, &err), 0);
    cr_assert_eq(again->retention_s, 86400);
    cr_assert_eq(schema_check_alter(s, again, NULL, NULL, &err), 1);
    schema_put(again);
    again = table("YMD", "DateTime", "retention: 2d\n");
    cr_assert_eq(schema_check_alter(s, again, NULL, NULL, &err), 0); /* may change */
    schema_put(again);
    schema_put(s);
    free(yaml);
    cr_assert_null(table("YMD", "DateTime", "retention: forever\n"));
    cr_assert_null(table(NULL, "DateTime", "retention: 24h\n"));
}
