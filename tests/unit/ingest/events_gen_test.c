/* Rows of the `events` work, against the numbers other systems computed from the same rows. */
#include "ingest/events_gen.h"

#include <string.h>

#include "ingest/events_csv.h"
#include "ingest/gen_columns.h"
#include "parquet_test_util.h"

static const struct events_spec million = {.rows = 1000000, .seed = 1};

Test(events_gen, first_rows)
{
    static const char expected[] =
        "id,ts,device,country,event,content_id,user_id,duration,revenue,live\n"
        "0,2026-01-01 00:00:00,tablet,C168,E2,94955,u3763759,220922,388.88,false\n"
        "1,2026-01-01 00:00:07,watch,C071,E0,94021,u4463399,153205,861.34,false\n"
        "2,2026-01-01 00:00:15,desktop,C189,E5,19347,u1383029,826631,504.70,false\n";
    struct parquet_buffer out = {0};
    uint32_t count;
    const struct parquet_column_spec *columns = events_table_columns(EVENTS_TABLE_EVENTS, &count);
    cr_assert_eq(gen_csv_header(columns, count, &out, NULL), 0);
    cr_assert_eq(events_csv_rows(EVENTS_TABLE_EVENTS, &million, 0, 3, &out, NULL), 0);
    cr_assert_eq(out.len, sizeof(expected) - 1);
    cr_assert_arr_eq(out.bytes, expected, out.len);
    parquet_buffer_fini(&out);
}

Test(events_gen, a_row_in_the_middle)
{
    static const char expected[] =
        "345678,2026-02-01 02:39:52,other,C192,E9,54605,u4564940,98868,20.36,false\n";
    struct parquet_buffer out = {0};
    cr_assert_eq(events_csv_rows(EVENTS_TABLE_EVENTS, &million, 345678, 1, &out, NULL), 0);
    cr_assert_eq(out.len, sizeof(expected) - 1);
    cr_assert_arr_eq(out.bytes, expected, out.len);
    parquet_buffer_fini(&out);
}

Test(events_gen, answers_over_a_million_rows)
{
    uint64_t tv_e3 = 0, tv_c150_e3 = 0, tv_e34_duration = 0, duration = 0, live = 0, user = 0;
    for (uint64_t i = 0; i < million.rows; i++) {
        struct events_row row;
        events_make_row(&million, i, &row);
        bool is_tv = strcmp(events_device_name(row.device), "tv") == 0;
        tv_e3 += is_tv && row.event == 3;
        tv_c150_e3 += is_tv && row.event == 3 && row.country == 150;
        tv_e34_duration += is_tv && (row.event == 3 || row.event == 4) ? row.duration : 0;
        duration += row.duration;
        live += row.live && row.duration >= 250000 && row.duration <= 500000;
        user += row.user == 117231;
    }
    cr_assert_eq(tv_c150_e3, 77);
    cr_assert_eq(tv_e3, 10466);
    cr_assert_eq(tv_e34_duration, 10537115550);
    cr_assert_eq(duration, 500161071452);
    cr_assert_eq(live, 25028);
    cr_assert_eq(user, 5);
}

Test(events_gen, tables_as_columns_equal_their_rows)
{
    struct parquet_vector v[EVENTS_COLUMNS_MAX];
    uint32_t count;
    const struct parquet_column_spec *specs = events_table_columns(EVENTS_TABLE_CONTENT, &count);
    cr_assert_eq(count, 5);
    for (uint32_t c = 0; c < count; c++)
        parquet_vector_init(&v[c],
                            specs[c].physical == PARQUET_TYPE_INT64 ? PARQUET_KIND_INT64
                                                                    : PARQUET_KIND_BYTES,
                            false);
    cr_assert_eq(events_table_fill(EVENTS_TABLE_CONTENT, &million, 1000, 50, v, NULL), 0);
    for (size_t i = 0; i < 50; i++) {
        struct content_row row;
        char title[40], category[20];
        events_make_content(&million, 1000 + i, &row);
        snprintf(title, sizeof(title), "Title %zu", 1000 + i);
        snprintf(category, sizeof(category), "G%u", row.category);
        cr_assert(v[0].ints[i] == (int64_t)(1000 + i) && is_text(&v[1], i, title));
        cr_assert(is_text(&v[2], i, category) && v[3].ints[i] == row.year);
        cr_assert_eq(v[4].ints[i], row.rating_tenths);
    }
    for (uint32_t c = 0; c < count; c++)
        parquet_vector_fini(&v[c]);
}
