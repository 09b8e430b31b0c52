/*
 * Column images from a disk. The first bytes choose layout, dictionary and rows; with an odd third byte the image's
 * head is made to fit them, so that what stands behind the head is reached. What is decoded is read by every function
 * of a column block, changed, and goes through an image again.
 */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "reactor/buffer.h"
#include "storage/colblock_change.h"
#include "storage/column_image.h"
#include "storage/column_image_format.h"
#include "storage/dict.h"
#include "storage/selection.h"

enum { PREFIX = 4, LISTS = 300, CODES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dict *lists;

static void make_lists(void)
{
    uint32_t code;

    lists = dict_new(DICT_LIST, 1, NULL);
    ASSERT(lists);
    for (uint32_t i = 0; i < LISTS; i++) {
        uint32_t items[4] = {i, i * 7 % 100, i * 13 % 40, i % 3};

        ASSERT(dict_put_list(lists, items, i % 5, &code) == 0);
    }
    ASSERT(dict_count(lists) > 200);
}

static void read_ordered(const struct colblock *c, const uint64_t *all)
{
    int64_t min = 0, max = 0;
    uint64_t sel[BLOCK_WORDS];
    __int128 sum;

    colblock_sum(c, all, &sum);
    colblock_min_max(c, all, &min, &max);
    for (int negate = 0; negate < 2; negate++) {
        memcpy(sel, all, sizeof(sel));
        colblock_filter_range(c, min / 2, max / 2 > min / 2 ? max / 2 : min / 2, negate, sel);
        colblock_min_max(c, sel, &min, &max);
        memcpy(sel, all, sizeof(sel));
        colblock_filter_range(c, 5, 5, negate, sel);
    }
}

static void read_codes(struct colblock *c, enum column_layout layout, const uint64_t *all)
{
    static uint64_t counts[CODES];
    uint64_t sel[BLOCK_WORDS], bits[CODES / 64];

    colblock_count_codes(c, all, counts, CODES);
    for (int i = 0; i < 6; i++) {
        struct code_set set = {bits, CODES, 0, 3};

        memset(bits, i < 2 ? 0x55 : 0, sizeof(bits));
        bits[0] |= i < 4 ? 8 : 0;
        memcpy(sel, all, sizeof(sel));
        colblock_filter_codes(c, &set, i % 2, sel);
        colblock_count_codes(c, sel, counts, CODES);
        memcpy(sel, all, sizeof(sel));
        if (layout != LAYOUT_LIST)
            colblock_filter_code(c, (uint32_t)i * 3, i % 2, sel);
    }
}

static void read_all(struct colblock *c, enum column_layout layout, uint32_t n_codes)
{
    static int64_t values[BLOCK_ROWS];
    static uint8_t present[BLOCK_ROWS];
    uint32_t rows = colblock_rows(c), n;
    uint64_t all[BLOCK_WORDS], sel[BLOCK_WORDS];
    int64_t min = 0, max = 0, v;
    bool any = colblock_bounds(c, &min, &max);

    selection_fill(all, 0, rows);
    n = colblock_decode(c, all, values, present);
    ASSERT(n == rows);
    for (uint32_t row = 0; row < rows; row++) {
        if (!present[row])
            continue;
        ASSERT(any && values[row] >= min && values[row] <= max);
        ASSERT(layout == LAYOUT_ORDERED || (values[row] >= 0 && values[row] < n_codes));
        if (row % 61 == 0)
            ASSERT(colblock_get(c, row, &v) && v == values[row]);
    }
    for (uint32_t k = 0; k < BLOCK_WORDS; k++)
        sel[k] = all[k] & 0x8000000000000401u;
    colblock_decode(c, sel, values, present);
    colblock_count(c, sel);
    colblock_filter_null(c, true, sel);
    colblock_filter_null(c, false, sel);
    if (layout == LAYOUT_ORDERED)
        read_ordered(c, all);
    else
        read_codes(c, layout, all);
}

static void change(struct colblock *c, enum column_layout layout, uint32_t n_codes)
{
    uint32_t rows = colblock_rows(c);
    uint8_t present[600];
    int64_t values[600];

    if (n_codes == 0 && layout != LAYOUT_ORDERED)
        return;
    for (uint32_t i = 0; i < 600; i++) {
        present[i] = i % 7 != 0;
        values[i] = layout == LAYOUT_ORDERED ? (int64_t)i * 12345 - 99 : i % n_codes;
    }
    for (uint32_t i = 0; i < 40 && rows; i++) {
        uint32_t row = i * 1021 % rows;

        if (colblock_reserve_set(c, row, values[i], present[i]) == 0)
            colblock_set(c, row, values[i], present[i]);
    }
    if (rows + 600 <= BLOCK_ROWS && colblock_reserve(c, values, present, 600) == 0)
        colblock_append(c, values, present, 600);
    rows = colblock_rows(c);
    colblock_seal(c, rows % 2 ? rows : rows / LINE_ROWS * LINE_ROWS);
}

/* must: it must come back. Slices and containers that contradict each other may, after changes, be found out. */
static void through_image(const struct colblock *c, enum column_layout layout, uint32_t n_codes,
                          bool must)
{
    struct error_info err;
    struct colblock *again;
    struct buffer out;

    buffer_init(&out, 64 << 20);
    ASSERT(column_image_encode(c, colblock_rows(c), &out) == 0);
    int rc = column_image_decode(out.data, out.len, layout, colblock_rows(c), n_codes, lists, NULL,
                                 &again, &err);
    ASSERT(rc == 0 || !must);
    if (rc == 0)
        colblock_free(again);
    buffer_fini(&out);
}

/* Fields as they are where they can be, made to fit where they cannot. */
static void repair(uint8_t *bytes, size_t size, enum column_layout layout, uint32_t rows)
{
    struct image_head h;

    if (size < sizeof(h))
        return;
    memcpy(&h, bytes, sizeof(h));
    h.version = COLUMN_IMAGE_VERSION;
    h.layout = (uint8_t)layout;
    h.flags &= IMAGE_FLAGS;
    h.rows = rows;
    h.sealed_rows = h.sealed_rows % (rows + 1) / LINE_ROWS * LINE_ROWS;
    h.tail_width = rows == h.sealed_rows ? 0 : (uint8_t)(1 << (h.tail_width & 3));
    memset(h.reserved, 0, sizeof(h.reserved));
    size_t rest = size - sizeof(h), tail = image_tail_bytes(&h);
    h.body = rest > tail ? (uint32_t)(rest - tail) : 0;
    memcpy(bytes, &h, sizeof(h));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error_info err;
    struct colblock *c;

    if (size < PREFIX)
        return 0;
    if (!lists)
        make_lists();
    enum column_layout layout = data[0] % 4;
    uint32_t n_codes = layout == LAYOUT_LIST ? dict_count(lists) : data[1] * 2;
    uint32_t rows = (data[3] % 129) * LINE_ROWS + data[2] / 2;
    rows = rows > BLOCK_ROWS ? BLOCK_ROWS : rows;
    size_t len = size - PREFIX;
    uint8_t *bytes = malloc(len ? len : 1);
    memcpy(bytes, data + PREFIX, len);
    if (data[2] & 1)
        repair(bytes, len, layout, rows);
    if (column_image_decode(bytes, len, layout, rows, n_codes, lists, NULL, &c, &err) == 0) {
        read_all(c, layout, n_codes);
        through_image(c, layout, n_codes, true);
        change(c, layout, n_codes);
        read_all(c, layout, n_codes);
        through_image(c, layout, n_codes, layout != LAYOUT_ENUM && layout != LAYOUT_LIST);
        colblock_free(c);
    } else {
        ASSERT(err.text[0]);
    }
    free(bytes);
    return 0;
}
