#pragma once
/* Inside of the simulator: world (sim.c), disk (sim_disk.c), network (sim_net.c), back end (io_sim.c). */
#include "reactor/core.h"
#include "reactor/io_sim.h"
#include "reactor/list.h"

enum {
    SIM_FD_FIRST = 1 << 20, /* far from real descriptors, so a mix-up fails at once */
    SIM_SECTOR = 512,
    SIM_HOSTS = 255,
};

enum sim_event_kind {
    SIM_OP,      /* a disk operation ends */
    SIM_ARRIVAL, /* bytes, end or reset arrive at a socket */
    SIM_RETRY,   /* a connection attempt is made */
};

struct sim_packet;

/* In the heap of the world, by (at_ns, order). Owner: the world. */
struct sim_event {
    uint64_t at_ns, order;
    enum sim_event_kind kind;
    struct io_op *op;
    struct reactor *owner; /* of op; op itself may be gone when the group is freed */
    struct sim_packet *packet;
};

struct sim_inode;
struct sim_socket;

/* What a descriptor stands for; one of both. */
struct sim_file {
    struct sim_inode *inode; /* of a folder: an empty one of its own */
    bool is_folder;
    char *path; /* as it was opened: malloc'ed */
    struct sim_disk *disk;
    struct sim_socket *socket;
    bool writable, append, dsync; /* dsync: a completed write is durable */
    bool direct;                  /* O_DIRECT: whole sectors only */
};

/* Owner: the thread that runs it. */
struct sim {
    uint64_t now_ns, steps, hash, order;
    uint64_t random[2];
    struct sim_faults faults;
    struct sim_disk_counts counts;
    struct sim_event *heap;
    unsigned heap_len, heap_cap;
    struct sim_file *files;
    unsigned files_len, files_cap;
    struct reactor_group **groups;
    unsigned group_count;
    struct list sockets;
    uint16_t next_port;
    bool cut[SIM_HOSTS][SIM_HOSTS];
};

/* Per group: reactor_group.shared. */
struct sim_node {
    struct sim *world;
    struct sim_disk *disk;
    bool own_world, own_disk;
};

/* Per core: reactor.io. */
struct sim_core {
    struct io_queue submitted;
    uint8_t received[IO_RECV_BYTES];
};

static inline struct sim_node *sim_node_of(const struct reactor *r)
{
    return r->group->shared;
}

static inline struct sim *sim_of(const struct reactor *r)
{
    return sim_node_of(r)->world;
}

/* Random number below n (n > 0); true with a probability in parts per million. */
uint64_t sim_below(struct sim *w, uint64_t n);
bool sim_chance(struct sim *w, uint32_t ppm);
void sim_note(struct sim *w, uint64_t value); /* into the trace hash */

/* Queues an event; memory running out ends the process: a simulation has no use for that case. */
void sim_schedule(struct sim *w, uint64_t at_ns, struct sim_event event);
/* Drops the event of op; false when it has none. */
bool sim_unschedule(struct sim *w, const struct io_op *op);
/* Drops events for which `match` is true, telling each. */
void sim_drop_events(struct sim *w, bool (*match)(void *ctx, struct sim_event *e), void *ctx);
void *sim_alloc(size_t size); /* zeroed */

/* The cores of a group never turn again. keep_ops: operations in flight may take effect (their memory
 * is looked at), else they are forgotten. power: the disk loses what was not synced. */
void sim_stop_node(struct reactor_group *g, bool keep_ops, bool power);

void sim_add_group(struct sim *w, struct reactor_group *g);
void sim_remove_group(struct sim *w, struct reactor_group *g);

/* Descriptors. */
int sim_fd_new(struct sim *w, struct sim_file file);
struct sim_file *sim_fd_get(struct sim *w, int fd); /* NULL = not open */
void sim_fd_free(struct sim *w, int fd);

/* Disk: operations of io.h, and what happens to those in flight when power fails. */
void sim_disk_start(struct reactor *r, struct io_op *op);
void sim_disk_finish(struct sim *w, struct io_op *op);
void sim_disk_cancel(struct sim *w, struct io_op *op);
void sim_disk_lose_op(struct sim *w, struct io_op *op);
void sim_disk_power_loss(struct sim_disk *d);
void sim_disk_close_file(struct sim *w, struct sim_file *f);

/* Network. */
void sim_net_start(struct reactor *r, struct io_op *op);
void sim_net_cancel(struct sim *w, struct io_op *op);
void sim_net_arrive(struct sim *w, struct sim_packet *p);
void sim_net_retry(struct sim *w, struct io_op *op);
bool sim_net_receive(struct reactor *r, struct io_op *op);
void sim_net_close_group(struct sim *w, struct reactor_group *g);
void sim_packet_free(struct sim_packet *p);

extern const struct file_backend file_backend_sim;
extern const struct socket_backend socket_backend_sim;
