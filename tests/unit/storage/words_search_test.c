/*
 * Searches of words in a table that changes, against a model that knows which words every text was made of: words
 * are drawn as plain letters and written with random case, accents and separators.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "storage/dict.h"
#include "storage/filter.h"
#include "storage/selection.h"
#include "storage/slot_disk.h"
#include "storage/slot_words.h"
#include "storage/word_index.h"
#include "storage/words_query.h"
#include "storage/words_search.h"

enum { COL_ID, COL_BODY, COL_TAGS, MAX_WORDS = 8, MAX_ROWS = 4000, WORD_LEN = 4 };

struct model_word {
    char plain[WORD_LEN + 1];
};

struct model_row {
    bool has; /* a text */
    unsigned n;
    struct model_word words[MAX_WORDS];
};

struct world {
    struct schema *schema;
    struct slot *slot;
    struct budget budget;
    uint64_t random;
    uint32_t rows; /* of ids 0 .. rows - 1 */
    struct model_row model[MAX_ROWS];
    bool deleted[MAX_ROWS];
    uint64_t searched, by_index;
};

static uint64_t draw(struct world *w, uint64_t n)
{
    uint64_t z = w->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (z ^ z >> 31) % n;
}

static void world_init(struct world *w, uint64_t seed, uint64_t memory)
{
    struct error_info err;

    memset(w, 0, sizeof *w);
    w->random = seed;
    budget_init(&w->budget, "test", memory, NULL);
    w->schema = schema_new("t");
    schema_add_column(w->schema, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(w->schema, "body", COLUMN_STRING, MAPPING_STRING_HASH_BSI)->searchable = true;
    struct column *tags = schema_add_column(w->schema, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
    tags->multi_valued = tags->searchable = true;
    tags->delim = ',';
    w->schema->primary_key = strdup("id");
    cr_assert_eq(schema_finish(w->schema, &err), 0, "%s", err.text);
    w->schema->table_id = 1;
    cr_assert_eq(slot_new(w->schema, 0, 42, &w->budget, &w->slot), 0);
}

static void world_fini(struct world *w)
{
    slot_free(w->slot);
    schema_put(w->schema);
    cr_assert_eq(w->budget.used, 0, "all memory is given back");
}

/* ---- rows ---- */

static void draw_word(struct world *w, struct model_word *out)
{
    /* Few short words and many long ones. */
    unsigned len = 1 + (unsigned)draw(w, WORD_LEN);

    for (unsigned i = 0; i < len; i++)
        out->plain[i] = "aeoub"[draw(w, 5)];
    out->plain[len] = 0;
}

static size_t write_letter(struct world *w, char c, char *out)
{
    static const char *const forms[5][5] = {
        {"a", "A", "\xc3\xa4", "\xc3\x81", "a\xcc\x80"},
        {"e", "E", "\xc3\xa9", "\xc3\x88", "e\xcc\x88"},
        {"o", "O", "\xc3\xb6", "\xc3\xb8", "o\xcc\x82"},
        {"u", "U", "\xc3\xbc", "\xc5\xb0", "u\xcc\x81\xcc\xa3"},
        {"b", "B", "\xef\xbd\x82", "b\xc2\xad", "B\xcc\x87"},
    };
    const char *form = forms[strchr("aeoub", c) - "aeoub"][draw(w, 5)];
    size_t n = strlen(form);

    memcpy(out, form, n);
    return n;
}

static size_t write_text(struct world *w, const struct model_row *r, char *out)
{
    static const char *const separators[] = {" ",  ", ", "-",    "'",
                                             "\n", "_",  "\xff", "\xe2\x80\x99"};
    size_t n = 0;

    for (unsigned i = 0; i < r->n; i++) {
        const char *s = separators[draw(w, 8)];

        if (i || draw(w, 4) == 0) {
            memcpy(out + n, s, strlen(s));
            n += strlen(s);
        }
        for (const char *c = r->words[i].plain; *c; c++)
            n += write_letter(w, *c, out + n);
    }
    if (draw(w, 4) == 0)
        out[n++] = '!';
    return n;
}

static void draw_row(struct world *w, struct model_row *r)
{
    r->has = draw(w, 10) != 0;
    r->n = r->has ? (unsigned)draw(w, MAX_WORDS + 1) : 0;
    for (unsigned i = 0; i < r->n; i++)
        draw_word(w, &r->words[i]);
}

/* Writes rows with the ids given, as they are in the model. */
static void put_rows(struct world *w, enum batch_op op, const uint32_t *ids, uint32_t n)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct write_result result;
    struct buffer bytes;
    struct batch batch;
    struct error_info err;
    char text[1000];

    batch_builder_add_column(b, w->schema->columns[COL_ID].id, BATCH_I64, 0);
    if (op != BATCH_DELETE)
        batch_builder_add_column(b, w->schema->columns[COL_BODY].id, BATCH_BYTES, 0);
    for (uint32_t i = 0; i < n; i++) {
        const struct model_row *r = &w->model[ids[i]];

        batch_builder_put_i64(b, 0, ids[i]);
        if (op != BATCH_DELETE && r->has)
            batch_builder_put_bytes(b, 1, text, (uint32_t)write_text(w, r, text));
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, op, 1, 0, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    cr_assert_eq(slot_apply(w->slot, &batch, &result), 0);
    cr_assert_eq(result.rejected, 0);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

static void insert_rows(struct world *w, uint32_t n)
{
    static uint32_t ids[MAX_ROWS];

    for (uint32_t i = 0; i < n && w->rows < MAX_ROWS; i++, w->rows++)
        draw_row(w, &w->model[w->rows]);
    n = n < w->rows ? n : w->rows;
    for (uint32_t i = 0; i < n; i++)
        ids[i] = w->rows - n + i;
    put_rows(w, BATCH_INSERT, ids, n);
}

/* A row gets another text, or goes, or comes back. */
static void change_row(struct world *w)
{
    uint32_t id = (uint32_t)draw(w, w->rows);

    if (w->deleted[id] || draw(w, 3) != 0) {
        draw_row(w, &w->model[id]);
        w->model[id].has = true; /* merging leaves what a row has where the batch has nothing */
        put_rows(w, BATCH_UPSERT, &id, 1);
        w->deleted[id] = false;
    } else {
        put_rows(w, BATCH_DELETE, &id, 1);
        w->deleted[id] = true;
    }
}

/* ---- queries ---- */

enum { TERM_WORD, TERM_PREFIX, TERM_PHRASE };

struct model_term {
    char sign;
    int kind;
    unsigned n;
    struct model_word words[3];
};

static bool term_holds(const struct model_term *t, const struct model_row *r)
{
    for (unsigned at = 0; at + t->n <= r->n; at++) {
        bool same = true;

        for (unsigned k = 0; k < t->n && same; k++) {
            const char *have = r->words[at + k].plain, *want = t->words[k].plain;
            same = t->kind == TERM_PREFIX ? strncmp(have, want, strlen(want)) == 0
                                          : strcmp(have, want) == 0;
        }
        if (same)
            return true;
    }
    return false;
}

static bool query_holds(const struct model_term *terms, unsigned n, const struct model_row *r)
{
    bool must = false, may = false;

    for (unsigned i = 0; i < n; i++) {
        bool holds = term_holds(&terms[i], r);

        if (terms[i].sign == '+' ? !holds : terms[i].sign == '-' && holds)
            return false;
        must |= terms[i].sign == '+';
        may |= terms[i].sign == ' ' && holds;
    }
    return must || may;
}

static unsigned draw_query(struct world *w, struct model_term *terms, char *text)
{
    unsigned n = 1 + (unsigned)draw(w, 4);
    size_t len = 0;

    for (unsigned i = 0; i < n; i++) {
        struct model_term *t = &terms[i];

        t->sign = "+- "[draw(w, 3)];
        t->kind = (int)draw(w, 3);
        t->n = t->kind == TERM_PHRASE ? 2 + (unsigned)draw(w, 2) : 1;
        len += (size_t)sprintf(text + len, "%c%s", t->sign, t->kind == TERM_PHRASE ? "\"" : "");
        for (unsigned k = 0; k < t->n; k++) {
            draw_word(w, &t->words[k]);
            if (k)
                text[len++] = ' ';
            for (const char *c = t->words[k].plain; *c; c++)
                len += write_letter(w, *c, text + len);
        }
        len += (size_t)sprintf(text + len, "%s ",
                               t->kind == TERM_PREFIX   ? "*"
                               : t->kind == TERM_PHRASE ? "\""
                                                        : "");
    }
    text[len] = 0;
    return n;
}

static void bind_filter(struct world *w, const struct predicate *p, struct arena *a,
                        struct filter **f)
{
    int rc;

    cr_assert_eq(filter_bind(p, w->slot, a, f), 0);
    while ((rc = filter_grow(*f, a, NULL)) == 1)
        continue;
    cr_assert_eq(rc, 0);
}

static void check_rows(struct world *w, const struct filter *f, const struct model_term *terms,
                       unsigned n, bool negate, const char *text)
{
    uint64_t sel[BLOCK_WORDS];
    struct block b;

    cr_assert_eq(slot_segments(w->slot), 1);
    cr_assert_eq(segment_block(slot_segment(w->slot, 0), 0, NULL, &b), BLOCK_READY);
    /* Deleted rows leave their places to none: ids are found by the id column. */
    static int64_t ids[BLOCK_ROWS];
    static uint8_t present[BLOCK_ROWS];
    uint32_t at = 0, expected = 0;

    selection_fill(sel, 0, b.rows);
    if (b.live)
        selection_and(sel, b.live);
    filter_block(f, &b, sel);
    for (uint32_t word = 0; word < BLOCK_WORDS; word += LINE_ROWS / 64) {
        uint64_t line[BLOCK_WORDS] = {0};
        memcpy(line + word, sel + word, LINE_ROWS / 8);
        at += colblock_decode(b.columns[COL_ID], line, ids + at, present + at);
    }
    for (uint32_t id = 0; id < w->rows; id++)
        expected +=
            !w->deleted[id] && w->model[id].has && query_holds(terms, n, &w->model[id]) != negate;
    for (uint32_t i = 0; i < at; i++)
        cr_assert(!w->deleted[ids[i]] && w->model[ids[i]].has &&
                      query_holds(terms, n, &w->model[ids[i]]) != negate,
                  "row %lld, query %s", (long long)ids[i], text);
    cr_assert_eq(at, expected, "%u rows, expected %u, query %s", at, expected, text);
}

static void search(struct world *w)
{
    struct model_term terms[4];
    char text[200];
    unsigned n = draw_query(w, terms, text);
    struct program_string s = {text, (uint32_t)strlen(text)};
    struct predicate p = {.kind = PREDICATE_WORDS,
                          .column = COL_BODY,
                          .strings = &s,
                          .n = 1,
                          .negate = draw(w, 4) == 0};
    struct filter *f;
    struct arena a;
    int rc;

    arena_init(&a, 16 << 20, NULL);
    bind_filter(w, &p, &a, &f);
    const struct word_index *index = slot_words_peek(w->slot, COL_BODY);
    w->searched++;
    w->by_index += index && word_index_limit(index) == dict_count(slot_dict(w->slot, COL_BODY));
    check_rows(w, f, terms, n, p.negate, text);
    if (draw(w, 4) == 0 && w->rows) { /* rows change while the filter is in use */
        for (unsigned i = 0; i < 5; i++)
            change_row(w);
        while ((rc = filter_grow(f, &a, NULL)) == 1)
            continue;
        cr_assert_eq(rc, 0);
        check_rows(w, f, terms, n, p.negate, text);
    }
    arena_fini(&a);
}

static struct world world;

static void run(uint64_t seed, uint64_t memory)
{
    struct world *w = &world;
    uint64_t tick = 1;

    world_init(w, seed, memory);
    insert_rows(w, 50);
    for (unsigned i = 0; i < 200; i++) {
        slot_set_tick(w->slot, ++tick);
        switch (draw(w, 8)) {
        case 0:
            insert_rows(w, 1 + (uint32_t)draw(w, 150));
            break;
        case 1:
            for (unsigned k = 0; k < 20; k++)
                change_row(w);
            break;
        case 2:
            if (draw(w, 4) == 0) {
                struct word_index *index = slot_words_peek(w->slot, COL_BODY);
                size_t bytes = index ? word_index_memory(index) : 0;
                cr_assert_geq(slot_evict(w->slot, SIZE_MAX, tick + 100), bytes);
                cr_assert_null(slot_words_peek(w->slot, COL_BODY));
            }
            break;
        default:
            search(w);
        }
    }
    world_fini(w);
}

TestSuite(words_search, .timeout = 3600);

Test(words_search, equals_a_model)
{
    uint64_t by_index = 0;

    for (uint64_t seed = 1; seed <= 12; seed++) {
        printf("seed %llu\n", (unsigned long long)seed);
        run(seed, 0);
        by_index += world.by_index;
        cr_assert_gt(world.searched, 50);
    }
    cr_assert_gt(by_index, 100, "small dictionaries are searched without an index, others with it");
}

/* So little memory that an index is never made: the texts are looked at one by one. */
Test(words_search, without_memory_for_an_index)
{
    for (uint64_t seed = 100; seed < 103; seed++) {
        struct world *w = &world;

        world_init(w, seed, 0);
        insert_rows(w, 2000);
        w->budget.limit = w->budget.used + 100000; /* less than a step keeps free */
        for (unsigned i = 0; i < 30; i++)
            search(w);
        cr_assert_eq(w->by_index, 0);
        w->budget.limit = 0;
        search(w);
        cr_assert_eq(w->by_index, 1);
        world_fini(w);
    }
}

/* Any allocation of the index may fail: what is in stays right, and the next step goes on. */
Test(words_search, memory_ends_while_the_index_is_made)
{
    struct world *w = &world;
    struct word_index *x;
    uint64_t serial, work = UINT64_MAX;
    unsigned refused = 0;
    uint32_t number, other, len;

    world_init(w, 7, 0);
    insert_rows(w, 3000);
    const struct dict *texts = slot_dict(w->slot, COL_BODY);
    struct word_index *whole = word_index_new(texts, 1, NULL);
    cr_assert_eq(word_index_step(whole, &work), 0);
    x = slot_words(w->slot, COL_BODY, &serial);
    for (w->budget.limit = w->budget.used;; w->budget.limit += 4096) {
        work = UINT64_MAX;
        if (word_index_step(x, &work) == 0)
            break;
        refused++;
    }
    cr_assert_gt(refused, 10);
    cr_assert_eq(word_index_limit(x), dict_count(texts));
    cr_assert_eq(word_index_words(x), word_index_words(whole));
    for (number = 0; number < word_index_words(x); number++) {
        uint64_t bits[MAX_ROWS / 64 + 1] = {0}, expected[MAX_ROWS / 64 + 1] = {0};
        struct word_codes a = {0}, b = {0};
        const char *word = word_index_word(x, number, &len);

        cr_assert(word_index_find(whole, word, len, &other));
        work = UINT64_MAX;
        cr_assert(word_index_mark(x, number, &a, UINT32_MAX, bits, &work));
        cr_assert(word_index_mark(whole, other, &b, UINT32_MAX, expected, &work));
        cr_assert_arr_eq(bits, expected, sizeof bits);
    }
    word_index_free(whole);
    w->budget.limit = 0;
    world_fini(w);
}

/* Steps as small as can be give the same as one. */
Test(words_search, work_in_small_pieces)
{
    struct world *w = &world;

    uint32_t steps = 0, all_evicted = 0;

    world_init(w, 9, 0);
    insert_rows(w, 3000);
    for (unsigned i = 0; i < 20; i++) {
        struct model_term terms[4];
        char text[200];
        struct arena a;
        struct words_match m;
        const struct words_query *q;
        (void)draw_query(w, terms, text);
        arena_init(&a, 16 << 20, NULL);
        cr_assert_eq(words_query_parse(text, strlen(text), true, &a, &q), 0);
        cr_assert_eq(words_match_init(&m, q, &a), 0);
        struct words_search *x;
        uint64_t *bits = arena_alloc(&a, (MAX_ROWS / 64 + 1) * sizeof *bits);
        uint32_t limit = 0, len;
        unsigned evicted = 0;
        int rc;
        cr_assert_eq(words_search_new(w->slot, COL_BODY, text, (uint32_t)strlen(text), &a, &x), 0);
        do {
            uint64_t work = 1 + draw(w, 50);
            rc = words_search_step(x, bits, &limit, &work);
            steps++;
            const struct word_index *index = slot_words_peek(w->slot, COL_BODY);
            if (i % 4 == 0 && evicted < 3 && index && draw(w, 5) == 0 &&
                word_index_limit(index) == dict_count(slot_dict(w->slot, COL_BODY))) {
                /* in the middle of the search, which begins anew with the next one */
                evicted++;
                slot_set_tick(w->slot, slot_tick(w->slot) + 10);
                (void)slot_words_evict(w->slot, SIZE_MAX, slot_tick(w->slot), 2);
            }
        } while (rc == 1);
        cr_assert_eq(rc, 0);
        all_evicted += evicted;
        const struct dict *d = slot_dict(w->slot, COL_BODY);
        cr_assert_eq(limit, dict_count(d));
        for (uint32_t code = 0; code < limit; code++) {
            const char *s = dict_bytes(d, code, &len);
            words_match_begin(&m);
            words_match_text(&m, s, len);
            cr_assert_eq(bits[code / 64] >> (code % 64) & 1, words_match_end(&m), "%s: %.*s", text,
                         (int)len, s);
        }
        arena_fini(&a);
    }
    cr_assert_gt(steps, 1000);
    cr_assert_gt(all_evicted, 5);
    world_fini(w);
}
