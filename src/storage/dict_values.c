/* Values of a dictionary: lines in pages, bytes in chunks, none of which is ever moved but lines of the first page. */
#include "storage/dict_values.h"

#include <errno.h>

#include "storage/key_table.h"
#include "storage/slot_memory.h"

enum {
    PAGE_LINES = 1 << DICT_PAGE_BITS,
    PAGES_MIN = SLOT_MEMORY_ALIGN / sizeof(union dict_line *),
    CHUNK_MIN = 1024,
    CHUNK_MAX = 256 * 1024,
    ITEMS_MAX = 63, /* in place */
};

/* Heap chunk header; bytes follow. Owner: the heap. */
struct dict_chunk {
    struct dict_chunk *next;
    size_t size; /* bytes with this header */
};

void dict_values_init(struct dict_values *v, struct budget *budget)
{
    *v = (struct dict_values){.budget = budget};
}

static void heap_fini(struct dict_values *v, struct dict_heap *h)
{
    while (h->chunks) {
        struct dict_chunk *c = h->chunks;

        h->chunks = c->next;
        slot_memory_free(v->budget, c, c->size);
    }
}

void dict_values_fini(struct dict_values *v)
{
    for (uint32_t done = 0, page = 0; done < v->lines; page++) {
        uint32_t n = v->lines - done < PAGE_LINES ? v->lines - done : PAGE_LINES;

        slot_memory_free(v->budget, v->pages[page], n * sizeof(union dict_line));
        done += n;
    }
    slot_memory_free(v->budget, v->pages, v->pages_cap * sizeof *v->pages);
    heap_fini(v, &v->heap);
    heap_fini(v, &v->elsewhere);
    dict_values_init(v, v->budget);
}

/* ---- lines ---- */

static int first_page_grow(struct dict_values *v)
{
    uint32_t lines = v->lines ? v->lines * 2 : 1;
    union dict_line *page = slot_memory_grow(v->budget, v->lines ? v->pages[0] : NULL,
                                             v->lines * sizeof *page, lines * sizeof *page);

    if (!page)
        return -ENOMEM;
    v->memory += (lines - v->lines) * sizeof *page;
    v->pages[0] = page;
    v->lines = lines;
    return 0;
}

static int pages_reserve(struct dict_values *v, uint32_t page)
{
    uint32_t cap = page ? page * 2 : PAGES_MIN;
    union dict_line **pages;

    if (page < v->pages_cap)
        return 0;
    pages = slot_memory_grow(v->budget, v->pages, page * sizeof *pages, cap * sizeof *pages);
    if (!pages)
        return -ENOMEM;
    v->memory += (cap - page) * sizeof *pages;
    v->pages = pages;
    v->pages_cap = cap;
    return 0;
}

/* Room for the value of a code, of which a line holds so many. */
static int line_reserve(struct dict_values *v, uint32_t code, uint32_t per_line)
{
    uint32_t line = code / per_line, page = line >> DICT_PAGE_BITS;

    if (code >= KEY_TABLE_EMPTY - 1)
        return -ENOSPC;
    if (line < v->lines)
        return 0;
    if (pages_reserve(v, page) != 0)
        return -ENOMEM;
    if (v->lines < PAGE_LINES)
        return first_page_grow(v);
    v->pages[page] = slot_memory_new(v->budget, PAGE_LINES * sizeof(union dict_line));
    if (!v->pages[page])
        return -ENOMEM;
    v->memory += PAGE_LINES * sizeof(union dict_line);
    v->lines += PAGE_LINES;
    return 0;
}

/* ---- bytes ---- */

/* `size` bytes in a row, 4-byte aligned when all are; what does not fit into the chunk begins another. */
static int heap_reserve(struct dict_values *v, struct dict_heap *h, size_t size)
{
    size_t chunk = h->chunks ? h->chunks->size * 2 : CHUNK_MIN;
    struct dict_chunk *c;

    if (size <= (size_t)(h->end - h->at))
        return 0;
    if (chunk > CHUNK_MAX)
        chunk = CHUNK_MAX;
    if (chunk < size + sizeof *c)
        chunk = (size + sizeof *c + SLOT_MEMORY_ALIGN - 1) & ~(size_t)(SLOT_MEMORY_ALIGN - 1);
    c = slot_memory_new(v->budget, chunk);
    if (!c)
        return -ENOMEM;
    *c = (struct dict_chunk){h->chunks, chunk};
    h->chunks = c;
    h->at = (uint8_t *)(c + 1);
    h->end = (uint8_t *)c + chunk;
    v->memory += chunk;
    return 0;
}

/* Room for `size` bytes of a code's value: those of a line stay together, what was there before is still there. */
static int value_reserve(struct dict_values *v, uint32_t code, size_t size)
{
    union dict_line *line;
    uint32_t in_line = code % DICT_LINE_VALUES;
    size_t have;
    int rc = line_reserve(v, code, DICT_LINE_VALUES);

    if (rc != 0)
        return rc;
    line = dict_values_line(v, code / DICT_LINE_VALUES);
    have = in_line ? (size_t)(v->heap.at - line->base) : 0;
    if (size > (size_t)(v->heap.end - v->heap.at)) {
        rc = heap_reserve(v, &v->heap, have + size);
        if (rc != 0)
            return rc;
        if (have)
            memcpy(v->heap.at, line->base, have);
        line->base = v->heap.at;
        v->heap.at += have;
    } else if (!in_line) {
        line->base = v->heap.at;
    }
    line->at[in_line] = (uint16_t)have;
    v->size = size;
    v->size_elsewhere = 0;
    return 0;
}

/* A long value elsewhere, its number of bytes or items before it; the value itself is `mark` and the address. */
static int write_elsewhere(struct dict_values *v, uint32_t code, const void *mark, size_t mark_len,
                           const void *bytes, uint32_t n, size_t item)
{
    uint8_t *at;
    int rc = heap_reserve(v, &v->elsewhere, sizeof n + n * item);

    if (rc == 0)
        rc = value_reserve(v, code, mark_len + sizeof at);
    if (rc != 0)
        return rc;
    at = v->elsewhere.at;
    memcpy(at, &n, sizeof n);
    memcpy(at + sizeof n, bytes, n * item);
    memcpy(v->heap.at, mark, mark_len);
    memcpy(v->heap.at + mark_len, &at, sizeof at);
    v->size_elsewhere = sizeof n + n * item;
    return 0;
}

int dict_values_write_number(struct dict_values *v, uint32_t code, int64_t number)
{
    int rc = line_reserve(v, code, DICT_LINE_NUMBERS);

    if (rc == 0)
        *dict_values_number(v, code) = number;
    return rc;
}

int dict_values_write_bytes(struct dict_values *v, uint32_t code, const void *bytes, uint32_t len)
{
    uint8_t head = len < DICT_LEN_LONG ? (uint8_t)len : DICT_LEN_LONG;
    int rc;

    if (head == DICT_LEN_LONG)
        return write_elsewhere(v, code, &head, sizeof head, bytes, len, 1);
    rc = value_reserve(v, code, sizeof head + len);
    if (rc != 0)
        return rc;
    *v->heap.at = head;
    if (len)
        memcpy(v->heap.at + sizeof head, bytes, len);
    return 0;
}

int dict_values_write_items(struct dict_values *v, uint32_t code, const uint32_t *items, uint32_t n)
{
    uint32_t mark = DICT_ITEMS_LONG;
    int rc;

    if (n > ITEMS_MAX)
        return write_elsewhere(v, code, &mark, sizeof mark, items, n, sizeof *items);
    rc = value_reserve(v, code, sizeof n + n * sizeof *items);
    if (rc != 0)
        return rc;
    memcpy(v->heap.at, &n, sizeof n);
    if (n)
        memcpy(v->heap.at + sizeof n, items, n * sizeof *items);
    return 0;
}

void dict_values_commit(struct dict_values *v)
{
    if (v->size) /* numbers have no bytes */
        v->heap.at += v->size;
    if (v->size_elsewhere)
        v->elsewhere.at += v->size_elsewhere;
}
