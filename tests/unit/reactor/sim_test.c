/* The simulator itself: order by seed, disk that loses and tears, network that is cut. */
#include "cores.h"

#include <fcntl.h>
#include <stdlib.h>

#include "reactor/io_sim.h"
#include "reactor/leg.h"
#include "reactor/list.h"
#include "reactor/stream.h"

enum { SECTOR = 512, SECTORS = 16 };

static struct sim *world;
static struct sim_disk *disk;

static struct reactor_group *node_start(unsigned host, unsigned cores)
{
    struct reactor_config config = {
        .cores = cores, .io = REACTOR_IO_SIM, .sim = world, .sim_disk = disk, .sim_host = host};
    struct reactor_group *g = cores_new(&config);

    cr_assert(reactor_group_start(g, cores_start_nothing, NULL) == 0);
    return g;
}

/* ---- determinism ------------------------------------------------------------------------------ */

static struct gate gate = GATE_INIT;
static struct leg legs[8];
static struct io_op writes[8];
static uint8_t bytes[8][700];

static void leg_run(struct leg *l)
{
    leg_reply(reactor_self(), l);
}

static void leg_done(struct leg *l)
{
    (void)l;
    gate_add(&gate, 1);
}

static void write_done(struct io_op *op)
{
    (void)op;
    gate_add(&gate, 1);
}

static void mixed_work(struct reactor *r, void *ctx)
{
    int fd = file_open(r, "file", O_RDWR | O_CREAT, 0);

    (void)ctx;
    for (unsigned i = 0; i < 8; i++) {
        legs[i] = (struct leg){.run = leg_run, .done = leg_done};
        leg_send(r, &legs[i], i % reactor_count(r), LEG_REQUEST);
        writes[i] = (struct io_op){.done = write_done};
        io_write(r, &writes[i], fd, bytes[i], sizeof bytes[i], i * 100);
    }
}

static uint64_t mixed_hash(uint64_t seed)
{
    struct reactor_config config = {.cores = 3, .io = REACTOR_IO_SIM, .sim_seed = seed};
    struct reactor_group *g = cores_new(&config);
    uint64_t hash;

    gate.count = 0;
    cr_assert(reactor_group_start(g, cores_start_nothing, NULL) == 0);
    reactor_post(reactor_group_get(g, 0), mixed_work, NULL);
    gate_wait(g, &gate, 16);
    hash = sim_trace_hash(sim_of_group(g)) ^ reactor_random(reactor_group_get(g, 1));
    cores_stop(g);
    return hash;
}

Test(sim, the_seed_decides_everything)
{
    uint64_t first = mixed_hash(1);

    for (uint64_t seed = 1; seed < 20; seed++) {
        uint64_t hash = mixed_hash(seed);

        cr_assert(hash == mixed_hash(seed));
        cr_assert(seed == 1 || hash != first);
    }
}

static bool never(void *ctx)
{
    (void)ctx;
    return false;
}

static void spin_for_ever(struct task *t)
{
    reactor_task(reactor_self(), t, TASK_BULK);
}

static struct task spinner = {.run = spin_for_ever};

static void start_spinner(struct reactor *r, void *ctx)
{
    (void)ctx;
    reactor_task(r, &spinner, TASK_IO);
}

Test(sim, ends_when_nothing_can_happen)
{
    struct reactor_group *g;

    world = sim_new(5);
    g = node_start(0, 2);
    cr_assert(reactor_sim_run(g, never, NULL, 1000) == -ETIME);
    reactor_post(reactor_group_get(g, 0), start_spinner, NULL);
    cr_assert(reactor_sim_run(g, never, NULL, 1000) == -ELOOP);
    cores_stop(g);
    sim_free(world);
}

/* ---- disk --------------------------------------------------------------------------------------- */

static int fd;
static struct io_op op;
static uint8_t image[SECTOR * SECTORS];
static int32_t last_res;

static void op_done(struct io_op *o)
{
    last_res = o->res;
    gate_add(&gate, 1);
}

static void open_log(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(file_mkdir(r, "data") == 0);
    fd = file_open(r, "data/log", O_RDWR | O_CREAT, 0644);
    cr_assert(fd >= 0 && file_sync_dir(r, "") == 0 && file_sync_dir(r, "data") == 0);
    gate_add(&gate, 1);
}

static void write_image(struct reactor *r, void *ctx)
{
    memset(image, *(uint8_t *)ctx, sizeof image);
    op = (struct io_op){.done = op_done};
    io_write(r, &op, fd, image, sizeof image, 0);
}

static void sync_log(struct reactor *r, void *ctx)
{
    (void)ctx;
    op = (struct io_op){.done = op_done};
    io_fdatasync(r, &op, fd);
}

static void on_core(struct reactor_group *g, void (*fn)(struct reactor *r, void *ctx), void *ctx)
{
    reactor_post(reactor_group_get(g, 0), fn, ctx);
    gate_wait(g, &gate, gate.count + 1);
}

static int old_sectors, new_sectors, torn_files;

static void check_image(struct reactor *r, void *ctx)
{
    uint8_t in[SECTOR * SECTORS];
    int old_here = 0, new_here = 0;

    (void)ctx;
    fd = file_open(r, "data/log", O_RDWR, 0);
    cr_assert(fd >= 0 && file_read_at(r, fd, in, sizeof in, 0) == sizeof in);
    for (int s = 0; s < SECTORS; s++) {
        for (int i = 1; i < SECTOR; i++)
            cr_assert(in[s * SECTOR + i] == in[s * SECTOR]);
        cr_assert(in[s * SECTOR] == 1 || in[s * SECTOR] == 2);
        old_here += in[s * SECTOR] == 1;
        new_here += in[s * SECTOR] == 2;
    }
    old_sectors += old_here;
    new_sectors += new_here;
    torn_files += old_here > 0 && new_here > 0;
    gate_add(&gate, 1);
}

static void check_synced(struct reactor *r, void *ctx)
{
    uint8_t in[SECTOR * SECTORS];

    fd = file_open(r, "data/log", O_RDWR, 0);
    cr_assert(fd >= 0 && file_size(r, fd) == sizeof in);
    cr_assert(file_read_at(r, fd, in, sizeof in, 0) == sizeof in);
    for (size_t i = 0; i < sizeof in; i++)
        cr_assert(in[i] == *(uint8_t *)ctx);
    gate_add(&gate, 1);
}

/* Synced bytes survive every crash; unsynced sectors survive singly or not. */
Test(sim, power_loss_tears_the_unsynced_tail)
{
    uint8_t one = 1, two = 2;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct reactor_group *g;

        gate.count = 0;
        world = sim_new(seed);
        disk = sim_disk_new(world, 0);
        g = node_start(0, 1);
        on_core(g, open_log, NULL);
        on_core(g, write_image, &one);
        on_core(g, sync_log, NULL);
        cr_assert(last_res == 0);
        on_core(g, write_image, &two);
        cr_assert(last_res == sizeof image);
        sim_crash(g);
        reactor_group_free(g);
        g = node_start(0, 1);
        on_core(g, check_image, NULL);
        cores_stop(g);
        sim_disk_free(disk);
        sim_free(world);
    }
    cr_assert(old_sectors > 100 && new_sectors > 100 && torn_files > 20, "%d %d %d", old_sectors,
              new_sectors, torn_files);
    disk = NULL;
}

Test(sim, synced_bytes_survive)
{
    uint8_t two = 2;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct reactor_group *g;

        gate.count = 0;
        world = sim_new(seed);
        disk = sim_disk_new(world, 0);
        g = node_start(0, 1);
        on_core(g, open_log, NULL);
        on_core(g, write_image, &two);
        on_core(g, sync_log, NULL);
        if (seed % 2)
            sim_crash(g);
        else
            sim_kill(g);
        reactor_group_free(g);
        g = node_start(0, 1);
        on_core(g, check_synced, &two);
        cores_stop(g);
        sim_disk_free(disk);
        sim_free(world);
    }
    disk = NULL;
}

static int before, after;

static void rename_unsynced(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(file_rename(r, "data/log", "data/log.old") == 0);
    cr_assert(file_open(r, "data/log", O_RDWR, 0) == -ENOENT);
    gate_add(&gate, 1);
}

static void look_for_names(struct reactor *r, void *ctx)
{
    int a = file_open(r, "data/log", O_RDWR, 0), b = file_open(r, "data/log.old", O_RDWR, 0);

    (void)ctx;
    cr_assert((a >= 0) != (b >= 0)); /* a rename is atomic */
    before += a >= 0;
    after += b >= 0;
    gate_add(&gate, 1);
}

Test(sim, renames_need_a_synced_directory)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct reactor_group *g;

        gate.count = 0;
        world = sim_new(seed);
        disk = sim_disk_new(world, 0);
        g = node_start(0, 1);
        on_core(g, open_log, NULL);
        on_core(g, rename_unsynced, NULL);
        sim_crash(g);
        reactor_group_free(g);
        g = node_start(0, 1);
        on_core(g, look_for_names, NULL);
        cores_stop(g);
        sim_disk_free(disk);
        sim_free(world);
    }
    cr_assert(before > 5 && after > 5);
    disk = NULL;
}

Test(sim, faults_happen_as_often_as_asked)
{
    static const struct sim_faults faults = {.write_eio = 200000,
                                             .short_write = 200000,
                                             .enospc = 200000,
                                             .sync_eio = 500000};
    struct reactor_group *g;
    int eio = 0, shortened = 0, enospc = 0, whole = 0, sync_eio = 0;
    uint8_t one = 1;

    world = sim_new(9);
    g = node_start(0, 1);
    on_core(g, open_log, NULL);
    sim_set_faults(world, &faults);
    for (int i = 0; i < 300; i++) {
        on_core(g, write_image, &one);
        eio += last_res == -EIO;
        enospc += last_res == -ENOSPC;
        whole += last_res == sizeof image;
        shortened += last_res > 0 && last_res < (int32_t)sizeof image;
        on_core(g, sync_log, NULL);
        sync_eio += last_res == -EIO;
    }
    cr_assert(eio > 30 && shortened > 30 && whole > 100 && enospc >= 0 &&
              eio + enospc + shortened + whole == 300);
    cr_assert(sync_eio > 100 && sync_eio < 200);
    const struct sim_disk_counts *c = sim_disk_counts(world);
    cr_assert(c->write_eio == (uint64_t)eio && c->enospc == (uint64_t)enospc &&
              c->sync_eio == (uint64_t)sync_eio && c->writes == 300);
    cores_stop(g);
    sim_free(world);
}

static int wrong_bits;

static void read_image(struct reactor *r, void *ctx)
{
    uint8_t in[sizeof image];

    (void)ctx;
    wrong_bits = 0;
    cr_assert(file_read_at(r, fd, in, sizeof in, 0) == sizeof in);
    for (size_t i = 0; i < sizeof in; i++)
        wrong_bits += __builtin_popcount(in[i] ^ image[i]);
    gate_add(&gate, 1);
}

Test(sim, a_read_gets_a_bit_wrong)
{
    struct reactor_group *g;
    uint8_t one = 1;

    world = sim_new(4);
    g = node_start(0, 1);
    on_core(g, open_log, NULL);
    on_core(g, write_image, &one);
    sim_set_faults(world, &(struct sim_faults){.rot = 1000000});
    on_core(g, read_image, NULL);
    cr_assert_eq(wrong_bits, sizeof image / 256);
    sim_set_faults(world, &(struct sim_faults){.rot = 1000000, .rot_spares = "a/lo"});
    on_core(g, read_image, NULL);
    cr_assert_eq(wrong_bits, 0);
    sim_set_faults(world, &(struct sim_faults){0}); /* the medium is as it was */
    on_core(g, read_image, NULL);
    cr_assert(wrong_bits == 0 && sim_disk_counts(world)->rotten_reads == 1);
    cores_stop(g);
    sim_free(world);
}

static void fill_disk(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(file_allocate(r, fd, 0, 90000) == 0);
    cr_assert(file_allocate(r, fd, 0, 110000) == -ENOSPC);
    gate_add(&gate, 1);
}

Test(sim, disk_has_a_size)
{
    struct reactor_group *g;

    world = sim_new(3);
    disk = sim_disk_new(world, 100000);
    g = node_start(0, 1);
    on_core(g, open_log, NULL);
    on_core(g, fill_disk, NULL);
    cr_assert(sim_disk_used(disk) == 90000);
    cr_assert(sim_disk_flip(disk, "data/log", 89999, 1) == 0);
    cr_assert(sim_disk_flip(disk, "data/log", 90000, 1) == -EINVAL);
    cr_assert(sim_disk_flip(disk, "data/nothing", 0, 1) == -ENOENT);
    cores_stop(g);
    sim_disk_free(disk);
    sim_free(world);
    disk = NULL;
}

/* ---- network ------------------------------------------------------------------------------------ */

static int answers, connect_err, closed_err;

static void server_data(struct stream *s, const uint8_t *data, size_t n)
{
    buffer_append(stream_out(s), data, n);
    stream_flush(s);
}

static void server_closed(struct stream *s, int err)
{
    (void)err;
    listener_connection_closed(stream_ctx(s));
}

static const struct stream_handler server_handler = {server_data, NULL, server_closed};

static void server_accept(struct listener *l, int socket)
{
    struct stream *s;

    cr_assert(stream_new(listener_reactor(l), socket, 10000, &server_handler, l, &s) == 0);
    cr_assert(strncmp(stream_peer(s), "10.0.0.2:", 9) == 0, "%s", stream_peer(s));
}

static void serve(struct reactor *r, void *ctx)
{
    struct listener *l;
    char err[100];

    (void)ctx;
    cr_assert(listener_new(r, "0.0.0.0", 4000, 0, server_accept, NULL, &l, err, sizeof err) == 0);
    gate_add(&gate, 1);
}

static void client_data(struct stream *s, const uint8_t *data, size_t n)
{
    (void)s;
    (void)data;
    answers += (int)n;
    gate_add(&gate, 1);
}

static void client_closed(struct stream *s, int err)
{
    (void)s;
    closed_err = err;
    gate_add(&gate, 1);
}

static const struct stream_handler client_handler = {client_data, NULL, client_closed};
static struct stream *client;

static void client_connected(struct stream *s, int err)
{
    (void)s;
    connect_err = err;
    gate_add(&gate, 1);
}

static void dial(struct reactor *r, void *ctx)
{
    (void)ctx;
    cr_assert(stream_connect(r, "10.0.0.1", 4000, 1000000000, 10000, &client_handler,
                             client_connected, NULL, &client) == 0);
}

static void say(struct reactor *r, void *ctx)
{
    (void)r;
    (void)ctx;
    buffer_append(stream_out(client), "x", 1);
    stream_flush(client);
}

Test(sim, two_nodes_over_a_network_that_is_cut)
{
    struct reactor_group *server, *other;

    gate.count = 0;
    world = sim_new(11);
    server = node_start(1, 2);
    other = node_start(2, 1);
    on_core(server, serve, NULL);
    on_core(other, dial, NULL);
    cr_assert(connect_err == 0);
    on_core(other, say, NULL);
    cr_assert(answers == 1);

    /* Cut: nothing arrives, for as long as one likes; healed: everything does. */
    sim_net_cut(world, 1, 2, true);
    reactor_post(reactor_group_get(other, 0), say, NULL);
    cr_assert(reactor_sim_run(other, never, NULL, 100000) == -ETIME && answers == 1);
    sim_net_cut(world, 1, 2, false);
    gate_wait(other, &gate, gate.count + 1);
    cr_assert(answers == 2);

    /* The other node loses power: the connection breaks. */
    sim_crash(server);
    gate_wait(other, &gate, gate.count + 1);
    cr_assert(closed_err == -ECONNRESET);
    reactor_group_free(server);

    /* Nobody there; then a cut during the attempt: the limit of the attempt ends it. */
    reactor_post(reactor_group_get(other, 0), dial, NULL);
    gate_wait(other, &gate, gate.count + 2);
    cr_assert(connect_err == -ECONNREFUSED && closed_err == -ECONNREFUSED);
    sim_net_cut(world, 1, 2, true);
    reactor_post(reactor_group_get(other, 0), dial, NULL);
    gate_wait(other, &gate, gate.count + 2);
    cr_assert(connect_err == -ETIMEDOUT && closed_err == -ETIMEDOUT);
    cores_stop(other);
    sim_free(world);
}
