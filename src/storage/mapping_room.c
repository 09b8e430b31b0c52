/*
 * Texts that a conversion makes. They must last until the row they belong to is put, which may have as many of them
 * as a table has columns: a ring of bytes per thread, freed with it.
 */
#include <pthread.h>
#include <stdlib.h>

#include "reactor/assert.h"
#include "storage/mapping_value.h"

enum { RING_BYTES = (SCHEMA_MAX_COLUMNS + 1) * 1008 };

_Static_assert(RING_BYTES / (SCHEMA_MAX_COLUMNS + 1) > MAPPING_ROOM, "a text for every column");

/* Owner and lifetime: the thread. */
struct room {
    size_t at;
    char bytes[RING_BYTES];
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void make_key(void)
{
    has_key = pthread_key_create(&key, free) == 0;
}

static struct room *room_of_thread(void)
{
    static _Thread_local struct room *mine;

    if (mine)
        return mine;
    pthread_once(&once, make_key);
    if (!has_key)
        return NULL;
    mine = malloc(sizeof *mine);
    if (mine && pthread_setspecific(key, mine) != 0) {
        free(mine);
        mine = NULL;
    }
    if (mine)
        mine->at = 0;
    return mine;
}

char *mapping_text_room(size_t bytes)
{
    struct room *r = room_of_thread();
    char *text;

    ASSERT(bytes <= MAPPING_ROOM);
    if (!r)
        return NULL;
    if (RING_BYTES - r->at < bytes)
        r->at = 0;
    text = r->bytes + r->at;
    r->at += bytes;
    return text;
}
