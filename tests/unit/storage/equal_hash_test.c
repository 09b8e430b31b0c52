/*
 * Values whose hashes are equal stay different: strings with one 64-bit hash, made for the seed, and numbers that
 * share the 32 bits which tables keep.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "storage/dict.h"
#include "storage/key_table.h"
#include "unit/storage/small_table.h"

enum { SEED = 42, SAME = 3000, LEN = 32 };

/* In 17 to 32 bytes these, 16 before the end, make the last 8 count for nothing: they are multiplied by zero. */
static uint64_t nullifier(uint64_t seed)
{
    return XXH_readLE64(XXH3_kSecret + 16) + seed;
}

static void same_bytes(uint32_t n, uint8_t out[LEN])
{
    uint64_t words[4] = {5, 7, nullifier(SEED), n};

    memcpy(out, words, LEN);
}

Test(equal_hash, strings_in_a_dictionary)
{
    struct dict *d = dict_new(DICT_BYTES, SEED, NULL);
    uint8_t bytes[SAME + 1][LEN];
    const char *at[SAME];
    uint32_t lens[SAME], codes[SAME], code, done, len;

    for (uint32_t i = 0; i <= SAME; i++) {
        same_bytes(i, bytes[i]);
        cr_assert_eq(XXH3_64bits_withSeed(bytes[i], LEN, SEED),
                     XXH3_64bits_withSeed(bytes[0], LEN, SEED));
    }
    for (uint32_t i = 0; i < SAME / 2; i++)
        cr_assert_eq(dict_put_bytes(d, bytes[i], LEN, &codes[i]), 0);
    for (uint32_t i = 0; i < SAME; i++) {
        at[i] = (const char *)bytes[i];
        lens[i] = LEN;
    }
    cr_assert_eq(dict_put_bytes_many(d, at, lens, SAME, codes, &done), 0);
    cr_assert(done == SAME && dict_count(d) == SAME);
    for (uint32_t i = 0; i < SAME; i++) {
        cr_assert_eq(codes[i], i);
        cr_assert(dict_find_bytes(d, bytes[i], LEN, &code) && code == i);
        cr_assert_eq(memcmp(dict_bytes(d, i, &len), bytes[i], LEN), 0);
    }
    cr_assert_not(dict_find_bytes(d, bytes[SAME], LEN, &code));
    cr_assert_not(dict_find_bytes(d, bytes[0], LEN - 1, &code));
    dict_free(d);
}

Test(equal_hash, lists_in_a_dictionary)
{
    struct dict *d = dict_new(DICT_LIST, SEED, NULL);
    uint8_t bytes[LEN];
    uint32_t list[LEN / 4], code, n;

    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < SAME; i++) {
            same_bytes(i, bytes);
            memcpy(list, bytes, LEN);
            cr_assert_eq(dict_put_list(d, list, LEN / 4, &code), 0);
            cr_assert_eq(code, i);
            cr_assert_eq(memcmp(dict_list(d, code, &n), list, LEN), 0);
        }
    }
    dict_free(d);
}

/* Of so many numbers some ten pairs share 32 bits of any good hash. */
Test(equal_hash, numbers_in_a_dictionary)
{
    enum { NUMBERS = 300000 };
    struct dict *d = dict_new(DICT_INT, SEED, NULL);
    uint32_t code;

    for (int turn = 0; turn < 2; turn++) {
        for (int64_t i = 0; i < NUMBERS; i++) {
            cr_assert_eq(dict_put_int(d, (i - NUMBERS / 2) * 0x1234567890b, &code), 0);
            cr_assert_eq(code, i);
        }
    }
    cr_assert_eq(dict_count(d), NUMBERS);
    dict_free(d);
}

static bool holds(const struct key_table *t, uint32_t hash, uint32_t number)
{
    struct key_walk w = key_table_walk(t, hash);
    uint32_t found;

    while (key_walk_next(&w, &found)) {
        if (found == number)
            return true;
    }
    return false;
}

/* Numbers of one hash among others, while the table grows, is cut into parts, and shrinks again. */
Test(equal_hash, numbers_of_a_table)
{
    enum { OTHERS = 80000, HASH = 0x00fffffe /* the chain runs over the end of its part */ };
    struct key_table t;

    key_table_init(&t, NULL);
    for (uint32_t i = 0; i < SAME; i++)
        cr_assert_eq(key_table_insert(&t, HASH, i), 0);
    for (uint32_t i = 0; i < OTHERS; i++)
        cr_assert_eq(key_table_insert(&t, i * 2654435761u, SAME + i), 0);
    for (uint32_t i = 0; i < SAME; i++)
        cr_assert(holds(&t, HASH, i));
    for (uint32_t i = 0; i < SAME; i += 2)
        key_table_remove(&t, HASH, i * 7 % SAME / 2 * 2);
    for (uint32_t i = 0; i < SAME; i++)
        cr_assert_eq(holds(&t, HASH, i), i % 2);
    for (uint32_t i = 0; i < OTHERS; i++)
        cr_assert(holds(&t, i * 2654435761u, SAME + i));
    key_table_fini(&t);
}

/* ---- keys of a slot ---- */

enum { KEYS = 300, TEXT = 27 /* and 5 bytes before it are hashed */ };

static struct schema *key_schema(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "k", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    schema_add_column(s, "v", COLUMN_INT, MAPPING_INT_BSI);
    s->primary_key = strdup("k");
    cr_assert_eq(schema_finish(s, &err), 0, "%s", err.text);
    s->table_id = 1;
    return s;
}

static void key_text(uint64_t n, char out[TEXT])
{
    uint64_t zero = nullifier(SEED);
    uint8_t hashed[5 + TEXT] = {'s', TEXT};
    static uint64_t hash;

    memset(out, 'x', TEXT);
    memcpy(out + TEXT - 16, &zero, 8);
    memcpy(out + TEXT - 8, &n, 8);
    memcpy(hashed + 5, out, TEXT);
    uint64_t h = XXH3_64bits_withSeed(hashed, sizeof hashed, SEED);
    cr_assert(!hash || h == hash);
    hash = h;
}

/* Keys first, first + step, ... below KEYS, with values of a turn. */
static struct write_result put_keys(struct slot *slot, const struct schema *s, enum batch_op op,
                                    uint32_t first, uint32_t step, int64_t turn)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct write_result result;
    struct buffer bytes;
    struct batch batch;
    char text[TEXT];

    cr_assert_eq(batch_builder_add_column(b, s->columns[0].id, BATCH_BYTES, 0), 0);
    if (op != BATCH_DELETE)
        cr_assert_eq(batch_builder_add_column(b, s->columns[1].id, BATCH_I64, 0), 1);
    for (uint32_t i = first; i < KEYS; i += step) {
        key_text(i, text);
        cr_assert_eq(batch_builder_put_bytes(b, 0, text, TEXT), 0);
        if (op != BATCH_DELETE)
            batch_builder_put_i64(b, 1, turn + i);
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    small_finish(b, op, &bytes, &batch);
    cr_assert_eq(slot_apply(slot, &batch, &result), 0);
    buffer_fini(&bytes);
    batch_builder_free(b);
    return result;
}

/* The value of a key, or -1. */
static int64_t value_of(struct slot *slot, const struct schema *s, uint32_t n)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct segment *g;
    struct buffer bytes;
    struct batch batch;
    char text[TEXT];
    uint32_t row;
    int64_t v = -1;

    key_text(n, text);
    cr_assert_eq(batch_builder_add_column(b, s->columns[0].id, BATCH_BYTES, 0), 0);
    cr_assert_eq(batch_builder_put_bytes(b, 0, text, TEXT), 0);
    cr_assert_eq(batch_builder_end_row(b), 0);
    small_finish(b, BATCH_DELETE, &bytes, &batch);
    if (slot_find(slot, &batch, 0, &g, &row))
        cr_assert(segment_value(g, row, 1, &v));
    buffer_fini(&bytes);
    batch_builder_free(b);
    return v;
}

Test(equal_hash, keys_of_a_slot)
{
    struct schema *s = key_schema();
    struct write_result r;
    struct slot *slot;

    cr_assert_eq(slot_new(s, 0, SEED, NULL, &slot), 0);
    cr_assert_eq(put_keys(slot, s, BATCH_INSERT, 0, 2, 1000).inserted, KEYS / 2);
    cr_assert_eq(put_keys(slot, s, BATCH_INSERT, 0, 2, 2000).rejected, KEYS / 2);
    r = put_keys(slot, s, BATCH_UPSERT, 0, 1, 3000);
    cr_assert(r.inserted == KEYS / 2 && r.updated == KEYS / 2);
    cr_assert_eq(put_keys(slot, s, BATCH_DELETE, 0, 3, 0).deleted, KEYS / 3);
    for (uint32_t i = 0; i < KEYS; i++)
        cr_assert_eq(value_of(slot, s, i), i % 3 ? 3000 + (int64_t)i : -1, "key %u", i);
    cr_assert_eq(put_keys(slot, s, BATCH_UPSERT, 0, 6, 4000).inserted, KEYS / 6);
    for (uint32_t i = 0; i < KEYS; i++)
        cr_assert_eq(value_of(slot, s, i),
                     i % 6 == 0 ? 4000 + (int64_t)i
                     : i % 3    ? 3000 + (int64_t)i
                                : -1,
                     "key %u", i);
    slot_free(slot);
    schema_put(s);
}
