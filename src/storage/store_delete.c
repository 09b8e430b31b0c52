/* Files that nobody has any more and no root names: they are deleted one after the other, when others had their turn. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reactor/log.h"
#include "storage/device_pace.h"
#include "storage/store_impl.h"

void store_free_file(struct store_file *f)
{
    f->store->files--;
    free(f->header);
    free(f);
}

static int delete_file(struct store_file *f)
{
    int rc = file_unlink(f->store->reactor, f->name);

    list_remove(&f->idle);
    if (rc != 0 && !(rc == -ENOENT && f->id.archived)) /* moved away, as archives may be */
        log_warn("storage: deleting %s: %s", f->name, strerror(-rc));
    store_free_file(f);
    return rc;
}

static void delete_soon(struct store *s)
{
    if (!list_is_empty(&s->dropped) && !s->ending && !s->delete_turn.armed)
        reactor_task(s->reactor, &s->delete, TASK_BULK);
}

void store_delete(struct store_file *f)
{
    struct store *s = f->store;

    list_push_back(&s->dropped, &f->idle);
    if (reactor_self() == s->reactor) /* else the threads have ended */
        delete_soon(s);
}

/* One a turn: a root may let thousands go at once, and a large one takes the file system a moment. A deletion that a
 * power loss undoes is repeated at the next start. */
void store_delete_run(struct task *t)
{
    struct store *s = container_of(t, struct store, delete);
    uint64_t wait;

    if (s->abandoned || s->ending || list_is_empty(&s->dropped))
        return;
    wait =
        device_pace_take(s->pace, DEVICE_PACE_DATA, reactor_now_ns(s->reactor), DEVICE_PACE_UNLINK);
    if (wait) {
        timer_arm(s->reactor, &s->delete_turn, wait);
        return;
    }
    (void)delete_file(container_of(s->dropped.next, struct store_file, idle));
    delete_soon(s);
}

void store_delete_turn(struct timer *t)
{
    delete_soon(container_of(t, struct store, delete_turn));
}

int store_delete_now(struct store *s, const struct datafile_id *id)
{
    list_for_each(at, &s->dropped)
    {
        struct store_file *f = container_of(at, struct store_file, idle);

        if (store_is_same_file(&f->id, id))
            return delete_file(f);
    }
    return -ENOENT;
}

void store_stop(struct store *s)
{
    s->ending = true;
    if (s->delete_turn.armed)
        timer_cancel(s->reactor, &s->delete_turn);
}

void store_delete_all(struct store *s)
{
    while (!list_is_empty(&s->dropped)) {
        struct store_file *f = container_of(s->dropped.next, struct store_file, idle);

        if (!s->abandoned) {
            (void)delete_file(f);
            continue;
        }
        list_remove(&f->idle);
        store_free_file(f);
    }
}
