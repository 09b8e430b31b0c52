#pragma once
/*
 * Intrusive doubly linked list: the links are part of the element, so membership costs no memory and
 * removal no search. Owner: one core (or whoever locks it).
 */
#include <stdbool.h>
#include <stddef.h>

/* The structure of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct list {
    struct list *prev, *next; /* of the head: last and first */
};

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *head)
{
    return head->next == head;
}

/* Inserts `item` before `at`; before the head = at the end. */
static inline void list_insert_before(struct list *at, struct list *item)
{
    item->prev = at->prev;
    item->next = at;
    at->prev->next = item;
    at->prev = item;
}

static inline void list_push_back(struct list *head, struct list *item)
{
    list_insert_before(head, item);
}

static inline void list_push_front(struct list *head, struct list *item)
{
    list_insert_before(head->next, item);
}

/* Takes the item out; it is a list of its own then, so a second removal does no harm. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

static inline struct list *list_first(struct list *head)
{
    return list_is_empty(head) ? NULL : head->next;
}

static inline struct list *list_pop_front(struct list *head)
{
    struct list *item = list_first(head);

    if (item)
        list_remove(item);
    return item;
}

#define list_for_each(at, head) for (struct list *at = (head)->next; at != (head); at = at->next)

/* The current item may be removed. */
#define list_for_each_safe(at, head)                                          \
    for (struct list *at = (head)->next, *at##_next = at->next; at != (head); \
         at = at##_next, at##_next = at->next)
