#include "storage/piece_pool.h"

#include <string.h>

#include "storage/slot_memory.h"

enum { CHUNK_FIRST = 4 << 10, CHUNK_MAX = 1 << 20 };

/* Before the pieces of a chunk. */
struct piece_chunk {
    _Alignas(PIECE_MIN) struct list link;
    size_t bytes;
};

void piece_pool_init(struct piece_pool *p, struct budget *budget)
{
    *p = (struct piece_pool){.budget = budget, .chunk_bytes = CHUNK_FIRST};
    list_init(&p->chunks);
}

static void chunk_free(struct piece_pool *p, struct piece_chunk *c)
{
    list_remove(&c->link);
    p->memory -= c->bytes;
    slot_memory_free(p->budget, c, c->bytes);
}

void piece_pool_fini(struct piece_pool *p)
{
    while (!list_is_empty(&p->chunks))
        chunk_free(p, container_of(p->chunks.next, struct piece_chunk, link));
    piece_pool_init(p, p->budget);
}

size_t piece_pool_size(size_t bytes)
{
    size_t size = PIECE_MIN;

    if (bytes > PIECE_POOLED)
        return (bytes + PIECE_MIN - 1) & ~(size_t)(PIECE_MIN - 1);
    while (size < bytes)
        size *= 2;
    return size;
}

static unsigned class_of(size_t size)
{
    return (unsigned)__builtin_ctzll(size / PIECE_MIN);
}

static uint8_t *chunk_new(struct piece_pool *p, size_t bytes)
{
    struct piece_chunk *c = slot_memory_new(p->budget, bytes);

    if (!c)
        return NULL;
    c->bytes = bytes;
    list_push_back(&p->chunks, &c->link);
    p->memory += bytes;
    return (uint8_t *)(c + 1);
}

/* What is left of a chunk that is too short for the next piece becomes pieces of its own. */
static void cut_up_rest(struct piece_pool *p)
{
    while (p->at < p->end) {
        size_t left = (size_t)(p->end - p->at), size = PIECE_POOLED;

        while (size > left)
            size /= 2;
        piece_pool_put(p, p->at, size);
        p->at += size;
    }
}

static void *cut_piece(struct piece_pool *p, size_t size)
{
    uint8_t *piece;

    if (p->at == p->end || (size_t)(p->end - p->at) < size) {
        size_t bytes = p->chunk_bytes;

        while (bytes < size + sizeof(struct piece_chunk))
            bytes *= 2;
        piece = chunk_new(p, bytes);
        if (!piece)
            return NULL;
        cut_up_rest(p);
        p->at = piece;
        p->end = piece - sizeof(struct piece_chunk) + bytes;
        if (p->chunk_bytes < CHUNK_MAX)
            p->chunk_bytes *= 2;
    }
    piece = p->at;
    p->at += size;
    return piece;
}

void *piece_pool_get(struct piece_pool *p, size_t size)
{
    void **head;
    void *piece;

    if (size > PIECE_POOLED)
        return chunk_new(p, sizeof(struct piece_chunk) + size);
    head = &p->free[class_of(size)];
    if (!*head)
        return cut_piece(p, size);
    piece = *head;
    memcpy(head, piece, sizeof(void *));
    return piece;
}

void piece_pool_put(struct piece_pool *p, void *piece, size_t size)
{
    void **head;

    if (!piece)
        return;
    if (size > PIECE_POOLED) {
        chunk_free(p, (struct piece_chunk *)piece - 1);
        return;
    }
    head = &p->free[class_of(size)];
    memcpy(piece, head, sizeof(void *));
    *head = piece;
}
