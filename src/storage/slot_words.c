#include "storage/slot_words.h"

#include "reactor/budget.h"
#include "storage/slot_impl.h"
#include "storage/slot_memory.h"
#include "storage/word_index.h"

enum { ROOM_STEP = 1 << 20 }; /* bytes that a step may need, roughly */

/* Index of a column, known by its dictionary, which keeps its place when columns get others. Owner: the slot. */
struct slot_words {
    struct slot_words *next;
    struct word_index *index;
    uint64_t used, serial; /* ticks; of all indexes of the slot */
};

static struct slot_words *find(const struct slot *t, unsigned column)
{
    for (struct slot_words *w = t->words; w; w = w->next)
        if (word_index_texts(w->index) == t->dicts[column])
            return w;
    return NULL;
}

static struct slot_words *add(struct slot *t, unsigned column)
{
    struct slot_words *w = slot_memory_zeroed(t->budget, sizeof *w);

    if (!w)
        return NULL;
    w->index = word_index_new(t->dicts[column], t->seed, t->budget);
    if (!w->index) {
        slot_memory_free(t->budget, w, sizeof *w);
        return NULL;
    }
    w->serial = ++t->words_serial;
    w->next = t->words;
    t->words = w;
    return w;
}

struct word_index *slot_words(struct slot *t, unsigned column, uint64_t *serial)
{
    struct slot_words *w = find(t, column);

    if (!w)
        w = add(t, column);
    if (!w)
        return NULL;
    w->used = t->tick;
    *serial = w->serial;
    return w->index;
}

struct word_index *slot_words_peek(const struct slot *t, unsigned column)
{
    struct slot_words *w = find(t, column);

    return w ? w->index : NULL;
}

bool slot_words_room(struct slot *t)
{
    size_t keep = ROOM_STEP + (t->room ? t->room->reserve : 0);

    if (!t->budget || budget_room(t->budget) >= keep)
        return true;
    if (t->room)
        t->room->make(t->room->ctx, keep);
    return budget_room(t->budget) >= keep;
}

static void drop(struct slot *t, struct slot_words **at)
{
    struct slot_words *w = *at;

    *at = w->next;
    word_index_free(w->index);
    slot_memory_free(t->budget, w, sizeof *w);
}

size_t slot_words_evict(struct slot *t, size_t bytes, uint64_t tick, uint64_t idle)
{
    size_t freed = 0;

    for (struct slot_words **at = &t->words; *at && freed < bytes;) {
        if ((*at)->used + idle > tick) {
            at = &(*at)->next;
            continue;
        }
        freed += word_index_memory((*at)->index);
        drop(t, at);
    }
    return freed;
}

void slot_words_free(struct slot *t)
{
    while (t->words)
        drop(t, &t->words);
}

size_t slot_words_memory(const struct slot *t)
{
    size_t bytes = 0;

    for (const struct slot_words *w = t->words; w; w = w->next)
        bytes += sizeof *w + word_index_memory(w->index);
    return bytes;
}
