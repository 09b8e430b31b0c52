/*
 * More groups than fit: handed out in ranges, found in several passes over the rows, merged from several cores; always
 * each once and with all its rows.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/budget.h"
#include "reactor/reactor.h"
#include "storage/merge.h"
#include "storage/scan.h"
#include "storage/slot.h"
#include "storage/slot_disk.h"
#include "storage/slot_numbers.h"

enum { ID, USER, FAR, NAME, SLOTS = 3, ROWS = 30000, USERS = 20000 };

static struct schema *schema;
static struct slot *slots[SLOTS];
static struct budget budget;
static int64_t rows_of[USERS + 1]; /* the last: no user */
static int64_t ids_of[USERS + 1];

/* Row i of all: most users have one or two rows, in any of the slots. */
static uint32_t user_of(uint32_t i)
{
    return (uint32_t)(i * 2654435761u % 1000003u % (USERS + 1));
}

/* Narrow on each of two cores, one of which has the last slot. */
static int64_t far_of(uint32_t i)
{
    return (i % SLOTS == SLOTS - 1 ? 1000000000000000 : -5000) + (int64_t)(i % 1000);
}

/* Another name for each user, a number for most of them. */
static void name_user(char *out, size_t room, uint32_t user)
{
    static const char *const formats[] = {"%u", "u%u", "u%u", "u%07u", "user %u"};

    snprintf(out, room, formats[user % 5], user);
}

/* Rows from `from` on of `end`, their users that many later. */
static void add_rows(uint32_t slot, uint32_t from, uint32_t end, uint32_t later)
{
    struct batch_builder *b = batch_builder_new(NULL);
    struct write_result result;
    struct error_info err;
    struct buffer bytes;
    struct batch batch;
    char text[32];

    batch_builder_add_column(b, schema->columns[ID].id, BATCH_I64, 0);
    batch_builder_add_column(b, schema->columns[USER].id, BATCH_BYTES, 0);
    batch_builder_add_column(b, schema->columns[FAR].id, BATCH_I64, 0);
    batch_builder_add_column(b, schema->columns[NAME].id, BATCH_BYTES, 0);
    for (uint32_t i = from + slot; i < end; i += SLOTS) {
        uint32_t user = user_of(i);
        batch_builder_put_i64(b, 0, i);
        batch_builder_put_i64(b, 2, far_of(i));
        rows_of[user]++;
        ids_of[user] += i;
        snprintf(text, sizeof(text), "user number %u", user);
        if (user < USERS)
            batch_builder_put_bytes(b, 1, text, (uint32_t)strlen(text));
        name_user(text, sizeof(text), user + later);
        if (user < USERS)
            batch_builder_put_bytes(b, 3, text, (uint32_t)strlen(text));
        cr_assert_eq(batch_builder_end_row(b), 0);
    }
    buffer_init(&bytes, BATCH_MAX_BYTES);
    cr_assert_eq(batch_builder_finish(b, BATCH_INSERT, 1, BATCH_SLOT_ANY, &bytes), 0);
    cr_assert_eq(batch_open(bytes.data, bytes.len, &batch, &err), 0);
    cr_assert_eq(slot_apply(slots[slot], &batch, &result), 0);
    cr_assert_eq(result.inserted, (end - from) / SLOTS);
    buffer_fini(&bytes);
    batch_builder_free(b);
}

static void setup(void)
{
    struct error_info err;

    schema = schema_new("t");
    schema_add_column(schema, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(schema, "user", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    schema_add_column(schema, "far", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(schema, "name", COLUMN_STRING, MAPPING_STRING_HASH_BSI);
    schema->primary_key = strdup("id");
    cr_assert_eq(schema_finish(schema, &err), 0, "%s", err.text);
    schema->table_id = 1;
    for (uint32_t i = 0; i < SLOTS; i++) {
        cr_assert_eq(slot_new(schema, i, 42, NULL, &slots[i]), 0);
        add_rows(i, 0, ROWS, 0);
    }
    budget_init(&budget, "test", 0, NULL);
}

static void teardown(void)
{
    for (uint32_t i = 0; i < SLOTS; i++)
        slot_free(slots[i]);
    schema_put(schema);
    cr_assert_eq(budget.used, 0, "all memory was given back");
}

TestSuite(scan_groups, .init = setup, .fini = teardown);

static const uint16_t by_user[] = {USER}, by_id[] = {ID}, by_far[] = {FAR}, by_name[] = {NAME};
static const struct aggregate figures[] = {{AGGREGATE_COUNT_ROWS, 0}, {AGGREGATE_SUM, ID}};

static struct program grouped(const uint16_t *column, unsigned aggregates, uint64_t memory)
{
    return (struct program){.table_id = 1,
                            .output = OUTPUT_GROUPS,
                            .n_columns = 1,
                            .columns = column,
                            .n_aggregates = (uint16_t)aggregates,
                            .aggregates = figures,
                            .memory = memory};
}

static uint32_t user_at(const struct batch_column *c, uint32_t row)
{
    uint32_t len;

    return batch_is_present(c, row)
               ? (uint32_t)strtoul(batch_bytes(c, row, &len) + strlen("user number "), NULL, 10)
               : USERS;
}

/* Every user once, and with all rows. */
static void check_users(const struct batch *b, bool *seen)
{
    struct batch_column user, count, sum;

    batch_column_at(b, 0, &user);
    batch_column_at(b, 1, &count);
    batch_column_at(b, 2, &sum);
    for (uint32_t i = 0; i < b->rows; i++) {
        uint32_t u = user_at(&user, i);
        cr_assert_leq(u, USERS);
        cr_assert(!seen[u], "user %u came twice", u);
        seen[u] = true;
        cr_assert_eq(batch_i64(&count, i), rows_of[u], "rows of user %u", u);
        cr_assert_eq((int64_t)batch_i128(&sum, i), ids_of[u]);
    }
}

static struct scan *open_scan(const struct program *p, uint32_t first, uint32_t n)
{
    static struct task wake;
    struct error_info err;
    struct scan *x;

    cr_assert_eq(scan_new(p, schema, &slots[first], n, &budget, &wake, &x, &err), 0, "%s",
                 err.text);
    return x;
}

/* Next batch: false at the end. *steps counts. */
static bool next_batch(struct scan *x, struct batch *b, unsigned *steps)
{
    enum scan_state state;

    while (++*steps, (state = scan_step(x, 256, b)) == SCAN_AGAIN)
        continue;
    cr_assert_neq(state, SCAN_ERROR, "%s", scan_error(x)->text);
    return state == SCAN_BATCH;
}

/* One core, less and less memory: down to several passes over the rows. */
Test(scan_groups, each_once_however_little_memory)
{
    static bool seen[USERS + 1];
    unsigned before = 0;

    for (uint64_t memory = 64 << 20; memory >= 256 << 10; memory /= 4) {
        struct program p = grouped(by_user, 2, memory);
        struct scan *x = open_scan(&p, 0, SLOTS);
        struct batch b;
        uint64_t below = 0;
        unsigned steps = 0;

        memset(seen, 0, sizeof(seen));
        budget.peak = 0;
        while (next_batch(x, &b, &steps)) {
            cr_assert_geq(scan_below(x), below);
            below = scan_below(x);
            check_users(&b, seen);
        }
        for (uint32_t u = 0; u <= USERS; u++)
            cr_assert_eq(seen[u], rows_of[u] > 0, "user %u", u);
        scan_free(x);
        cr_assert_leq(budget.peak, memory + memory / 2 + (160 << 10), "peak with %lu",
                      (unsigned long)memory);
        cr_assert_geq(steps, before, "less memory is not less work");
        before = steps;
    }
    cr_assert_gt(before, 400, "%u steps: the rows were read more than once", before);
}

/* Two cores with very different numbers of rows, and who merges asks the slower one. */
static void merge_scans(const struct program *p, unsigned n, uint64_t most, uint64_t *groups)
{
    static bool seen[USERS + 1];
    struct scan *scans[2] = {open_scan(p, 0, 2), open_scan(p, 2, 1)};
    uint64_t below[2] = {0, 0}, peak = 0;
    struct error_info err;
    struct merge *m;
    struct batch b;
    unsigned steps = 0;
    int rc;

    memset(seen, 0, sizeof(seen));
    *groups = 0;
    for (unsigned i = 0; i < n; i++)
        scan_share(scans[i], n);
    cr_assert_eq(merge_new(p, schema, &budget, &m), 0);
    for (;;) {
        uint64_t least = below[0] < below[1] ? below[0] : below[1];
        while ((rc = merge_next(m, 100, least, &b)) == 1) {
            *groups += b.rows;
            if (p->n_aggregates)
                check_users(&b, seen);
        }
        cr_assert_eq(rc, 0);
        if (least == MERGE_ALL)
            break;
        unsigned moved = 0;
        for (unsigned i = 0; i < n; i++) {
            if (below[i] == MERGE_ALL || !merge_wants(m, below[i], least))
                continue;
            moved++;
            if (!next_batch(scans[i], &b, &steps)) {
                below[i] = MERGE_ALL;
                continue;
            }
            cr_assert_eq(merge_add(m, &b, &err), 0, "%s", err.text);
            below[i] = scan_below(scans[i]);
        }
        cr_assert(moved, "somebody is wanted");
        peak = budget.used > peak ? budget.used : peak;
    }
    cr_assert_leq(peak, most);
    merge_free(m);
    for (unsigned i = 0; i < n; i++)
        scan_free(scans[i]);
}

Test(scan_groups, cores_are_merged_range_by_range)
{
    uint64_t groups, users = 0;
    struct program p = grouped(by_user, 2, 64 << 20);

    for (uint32_t u = 0; u <= USERS; u++)
        users += rows_of[u] > 0;
    merge_scans(&p, 2, UINT64_MAX, &groups);
    cr_assert_eq(groups, users);
    p.memory = 512 << 10;
    merge_scans(&p, 2, 3 * p.memory, &groups);
    cr_assert_eq(groups, users);
}

Test(scan_groups, distinct_numbers)
{
    struct program p = grouped(by_id, 0, 256 << 10);
    uint64_t groups;

    merge_scans(&p, 2, 3 * p.memory, &groups);
    cr_assert_eq(groups, ROWS);
}

/* What one pass saw before a change and the next one after it would be no answer. */
Test(scan_groups, a_change_between_passes_is_an_error)
{
    struct program p = grouped(by_user, 2, 256 << 10);
    struct scan *x = open_scan(&p, 0, SLOTS);
    unsigned steps = 0;
    enum scan_state state;
    struct batch b;

    cr_assert(next_batch(x, &b, &steps));
    cr_assert_eq(segment_delete(slot_segment(slots[1], 0), 17), 0);
    while ((state = scan_step(x, 256, &b)) == SCAN_AGAIN || state == SCAN_BATCH)
        continue;
    cr_assert_eq(state, SCAN_ERROR);
    cr_assert_eq(scan_error(x)->code, 1020, "%s", scan_error(x)->text);
    scan_free(x);
}

Test(scan_groups, a_range_that_does_not_fit_is_an_error)
{
    struct program p = grouped(by_user, 2, 9000);
    struct scan *x;
    struct error_info err;
    static struct task wake;
    enum scan_state state = SCAN_ERROR;
    struct batch b;

    if (!scan_new(&p, schema, slots, SLOTS, &budget, &wake, &x, &err)) {
        while ((state = scan_step(x, 256, &b)) == SCAN_AGAIN || state == SCAN_BATCH)
            continue;
        cr_assert_eq(scan_error(x)->code, 1038);
        scan_free(x);
    }
    cr_assert_eq(state, SCAN_ERROR);
}

/* ---- groups that are read where they lie ---- */

enum { SHARES = 2 };

struct
    wholes { /* two scans at the point where all their groups lie there, and merges of a share of them each */
    struct scan *scans[2];
    struct merge *shares[SHARES];
};

static int next_merged(struct merge *m, struct batch *b)
{
    int rc;

    while ((rc = merge_next(m, 100, MERGE_ALL, b)) == -EAGAIN)
        continue;
    return rc;
}

static void open_whole(struct wholes *w, const struct program *p)
{
    struct batch b;

    for (unsigned i = 0; i < SHARES; i++)
        cr_assert_eq(merge_new(p, schema, &budget, &w->shares[i]), 0);
    for (unsigned i = 0; i < 2; i++) {
        enum scan_state state;
        w->scans[i] = open_scan(p, i * 2, 2 - i);
        scan_allow_whole(w->scans[i]);
        while ((state = scan_step(w->scans[i], 256, &b)) == SCAN_AGAIN)
            continue;
        cr_assert_eq(state, SCAN_WHOLE, "%d", state);
        for (unsigned k = 0; k < SHARES; k++)
            cr_assert_eq(merge_add_whole(w->shares[k], scan_whole(w->scans[i])), 0);
    }
    for (unsigned i = 0; i < SHARES; i++) {
        merge_share(w->shares[i], i, SHARES);
        cr_assert_eq(merge_next(w->shares[i], 100, 0, &b), 0, "not before the end");
    }
}

static void close_whole(struct wholes *w)
{
    for (unsigned i = 0; i < SHARES; i++)
        merge_free(w->shares[i]);
    for (unsigned i = 0; i < 2; i++)
        scan_free(w->scans[i]);
}

/* The merge of what the shares give. */
static struct merge *merge_shares(const struct wholes *w, const struct program *p)
{
    struct error_info err;
    struct merge *m;
    struct batch b;
    int rc;

    cr_assert_eq(merge_new(p, schema, &budget, &m), 0);
    for (unsigned i = 0; i < SHARES; i++) {
        while ((rc = next_merged(w->shares[i], &b)) == 1)
            cr_assert_eq(merge_add_share(m, &b, &err), 0, "%s", err.text);
        cr_assert_eq(rc, 0);
    }
    return m;
}

static uint64_t count_users(void)
{
    uint64_t users = 0;

    for (uint32_t u = 0; u <= USERS; u++)
        users += rows_of[u] > 0;
    return users;
}

Test(scan_groups, strings_of_two_cores_are_joined_where_they_lie)
{
    static bool seen[USERS + 1];
    struct program p = grouped(by_user, 1, 64 << 20);
    struct batch_column user, count;
    struct wholes w;
    struct batch b;
    uint64_t n[SHARES] = {0};
    int rc;

    open_whole(&w, &p);
    for (unsigned k = 0; k < SHARES; k++) {
        while ((rc = next_merged(w.shares[k], &b)) == 1) {
            batch_column_at(&b, 0, &user);
            batch_column_at(&b, 1, &count);
            for (uint32_t i = 0; i < b.rows; i++, n[k]++) {
                uint32_t u = user_at(&user, i);
                cr_assert(!seen[u], "user %u came twice", u);
                seen[u] = true;
                cr_assert_eq(batch_i64(&count, i), rows_of[u], "rows of user %u", u);
            }
        }
        cr_assert_eq(rc, 0);
        cr_assert_gt(n[k], USERS / 4);
    }
    cr_assert_eq(n[0] + n[1], count_users());
    close_whole(&w);
}

Test(scan_groups, numbers_of_two_cores_are_added_up_where_they_lie)
{
    static bool seen[ROWS];
    struct program p = grouped(by_id, 2, 64 << 20);
    struct batch_column id, count, sum;
    struct wholes w;
    struct batch b;
    int64_t n = 0;
    int rc;

    open_whole(&w, &p);
    for (unsigned k = 0; k < SHARES; k++) {
        while ((rc = next_merged(w.shares[k], &b)) == 1) {
            batch_column_at(&b, 0, &id);
            batch_column_at(&b, 1, &count);
            batch_column_at(&b, 2, &sum);
            for (uint32_t i = 0; i < b.rows; i++, n++) {
                cr_assert(!seen[batch_i64(&id, i)]);
                seen[batch_i64(&id, i)] = true;
                cr_assert_eq(batch_i64(&count, i), 1);
                cr_assert_eq((int64_t)batch_i128(&sum, i), batch_i64(&id, i));
            }
        }
        cr_assert_eq(rc, 0);
    }
    cr_assert_eq(n, ROWS);
    close_whole(&w);
}

/* What is between them is not looked at. */
Test(scan_groups, ranges_that_are_far_apart_are_joined_where_they_lie)
{
    struct program p = grouped(by_far, 1, 64 << 20);
    struct batch_column far, count;
    int64_t n = 0, rows = 0, sum = 0;
    struct wholes w;
    struct batch b;
    int rc;

    open_whole(&w, &p);
    for (unsigned k = 0; k < SHARES; k++) {
        while ((rc = next_merged(w.shares[k], &b)) == 1) {
            batch_column_at(&b, 0, &far);
            batch_column_at(&b, 1, &count);
            for (uint32_t i = 0; i < b.rows; i++, n++) {
                rows += batch_i64(&count, i);
                sum += batch_i64(&far, i);
            }
        }
        cr_assert_eq(rc, 0);
    }
    cr_assert_eq(n, 2000);
    cr_assert_eq(rows, ROWS);
    cr_assert_eq(sum, (1000000000000000 - 5000) * 1000 + 999 * 1000);
    close_whole(&w);
}

Test(scan_groups, distinct_values_are_counted_where_they_lie)
{
    struct program by[] = {grouped(by_user, 1, 64 << 20), grouped(by_id, 1, 64 << 20)};
    struct batch_column count;
    struct wholes w;
    struct batch b;

    for (unsigned i = 0; i < 2; i++) {
        by[i].count_groups = true;
        open_whole(&w, &by[i]);
        struct merge *m = merge_shares(&w, &by[i]);
        cr_assert_eq(next_merged(m, &b), 1);
        batch_column_at(&b, 1, &count);
        cr_assert_eq(batch_i64(&count, 0), i ? ROWS : count_users() - (rows_of[USERS] > 0));
        cr_assert_eq(next_merged(m, &b), 0);
        merge_free(m);
        close_whole(&w);
    }
}

static int64_t count_names(void)
{
    struct program p = grouped(by_name, 1, 64 << 20);
    struct batch_column count;
    struct wholes w;
    struct batch b;
    int64_t n;

    p.count_groups = true;
    open_whole(&w, &p);
    struct merge *m = merge_shares(&w, &p);
    cr_assert_eq(next_merged(m, &b), 1);
    batch_column_at(&b, 1, &count);
    n = batch_i64(&count, 0);
    merge_free(m);
    close_whole(&w);
    return n;
}

/* Which are numbers is found out once; what came since by the next statement, what was let go again. */
Test(scan_groups, strings_that_are_numbers_are_counted)
{
    int64_t users = (int64_t)(count_users() - (rows_of[USERS] > 0));
    size_t none = slot_numbers_memory(slots[0]), made;

    cr_assert_eq(none, 0);
    cr_assert_eq(count_names(), users);
    made = slot_numbers_memory(slots[0]);
    cr_assert_gt(made, USERS / SLOTS * sizeof(uint32_t));
    cr_assert_eq(count_names(), users);
    cr_assert_eq(slot_numbers_memory(slots[0]), made);
    for (uint32_t i = 0; i < SLOTS; i++)
        add_rows(i, ROWS, ROWS * 2, USERS * 10);
    bool *late = calloc(USERS, sizeof(*late));
    for (uint32_t i = ROWS; i < ROWS * 2; i++)
        if (user_of(i) < USERS && !late[user_of(i)]) {
            late[user_of(i)] = true;
            users++;
        }
    free(late);
    cr_assert_eq(count_names(), users);
    cr_assert_gt(slot_numbers_memory(slots[0]), made);
    cr_assert_gt(slot_numbers_evict(slots[0], 1, slot_tick(slots[0]), 0), 0);
    cr_assert_lt(slot_numbers_memory(slots[0]), made);
    cr_assert_eq(count_names(), users);
}

Test(scan_groups, the_first_of_groups_that_lie_there)
{
    static const struct program_order most_rows[] = {{1, true}, {0, true}},
                                      least_sum[] = {{2, false}};
    struct program by_users = grouped(by_user, 1, 64 << 20), by_ids = grouped(by_id, 2, 64 << 20);
    struct batch_column count, id;
    struct wholes w;
    struct batch b;
    int64_t most = 0;

    for (uint32_t u = 0; u <= USERS; u++)
        most = rows_of[u] > most ? rows_of[u] : most;
    by_users.n_order = 2;
    by_users.order = most_rows;
    by_users.limit = by_ids.limit = 5;
    open_whole(&w, &by_users);
    struct merge *m = merge_shares(&w, &by_users);
    cr_assert_eq(next_merged(m, &b), 1);
    cr_assert_eq(b.rows, 5);
    batch_column_at(&b, 1, &count);
    cr_assert_eq(batch_i64(&count, 0), most);
    merge_free(m);
    close_whole(&w);

    by_ids.n_order = 1;
    by_ids.order = least_sum;
    open_whole(&w, &by_ids);
    m = merge_shares(&w, &by_ids);
    cr_assert_eq(next_merged(m, &b), 1);
    cr_assert_eq(b.rows, 5);
    batch_column_at(&b, 0, &id);
    for (uint32_t i = 0; i < 5; i++)
        cr_assert_eq(batch_i64(&id, i), i);
    merge_free(m);
    close_whole(&w);
}

static uint64_t count_groups(const struct program *p)
{
    struct wholes w;
    struct batch b;
    uint64_t n = 0;

    open_whole(&w, p);
    for (unsigned k = 0; k < SHARES; k++)
        while (next_merged(w.shares[k], &b) == 1)
            n += b.rows;
    close_whole(&w);
    return n;
}

Test(scan_groups, having_leaves_out_groups_that_lie_there)
{
    static const struct program_having many_rows = {0, 3, 5}, sums = {1, 100, 199},
                                       ones[] = {{0, 1, INT64_MAX}, {1, 100, INT64_MAX}},
                                       none = {0, INT64_MIN, -1};
    struct program by_users = grouped(by_user, 1, 64 << 20), by_ids = grouped(by_id, 2, 64 << 20);
    uint64_t users = 0;

    for (uint32_t u = 0; u <= USERS; u++)
        users += rows_of[u] >= 3 && rows_of[u] <= 5;
    by_users.n_having = by_ids.n_having = 1;
    by_users.having = &many_rows;
    cr_expect_eq(count_groups(&by_users), users);
    by_ids.having = &sums;
    cr_expect_eq(count_groups(&by_ids), 100);
    by_ids.having = &none;
    cr_expect_eq(count_groups(&by_ids), 0);
    by_ids.having = ones;
    by_ids.n_having = 2;
    cr_expect_eq(count_groups(&by_ids), ROWS - 100);
}

/* When another core's groups come in batches, so do these. */
Test(scan_groups, what_lay_there_comes_in_batches_after_all)
{
    struct program by[] = {grouped(by_user, 1, 64 << 20), grouped(by_id, 2, 64 << 20)};

    for (unsigned i = 0; i < 2; i++) {
        struct wholes w;
        struct batch b;
        unsigned steps = 0;
        uint64_t n = 0;
        open_whole(&w, &by[i]);
        scan_unfold(w.scans[0]);
        while (next_batch(w.scans[0], &b, &steps))
            n += b.rows;
        cr_assert(i ? n == ROWS * 2 / 3 : n > USERS / 2 && n < count_users(), "%lu", n);
        close_whole(&w);
    }
}

/* A set that does not fit is given up for passes over the rows. */
Test(scan_groups, what_does_not_fit_does_not_lie_there)
{
    struct program p = grouped(by_user, 1, 512 << 10);
    struct scan *x = open_scan(&p, 0, SLOTS);
    struct batch b;
    unsigned steps = 0;
    uint64_t n = 0;

    scan_allow_whole(x);
    while (next_batch(x, &b, &steps))
        n += b.rows;
    cr_assert_eq(n, count_users());
    scan_free(x);
}
