/* quanta-node: data node. Serves gateways and loaders over gRPC. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

enum { POSITIONAL_MAX = 4 };

/* Last element of the path: "/data/node-a/" -> "node-a". */
static const char *last_element(const char *path, char *out, size_t cap)
{
    size_t end = strlen(path);

    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t from = end;
    while (from > 0 && path[from - 1] != '/')
        from--;
    snprintf(out, cap, "%.*s", (int)(end - from), path + from);
    return *out ? out : "node";
}

/* The original's form: HASH_KEY [DATA_DIR] [BIND] [PORT]. False with a message for a bad port. */
static bool take_positional(struct server *s, const char *const *words, size_t n)
{
    char *end;

    if (n > 0)
        s->name = words[0];
    if (n > 1)
        s->data_dir = words[1];
    if (n > 2)
        s->startup.bind = words[2];
    if (n < 4)
        return true;
    unsigned long port = strtoul(words[3], &end, 10);
    if (*end || end == words[3] || port > 65535) {
        fprintf(stderr, "quanta-node: PORT is \"%s\"; allowed are 0 to 65535\n", words[3]);
        return false;
    }
    s->grpc_port = (uint16_t)port;
    return true;
}

int main(int argc, char **argv)
{
    struct server s = {.program = "quanta-node",
                       .startup.bind = "127.0.0.1",
                       .data_dir = "./data",
                       .serves_grpc = true,
                       .grpc_port = 4000,
                       .http_port = 2112};
    const char *hash_key = NULL, *consul = "none", *peers = NULL, *words[POSITIONAL_MAX];
    const struct option_spec specs[] = {
        {"hash-key", OPTION_STRING, &hash_key, "NAME",
         "name of this node (default: last element of the data directory)", NULL},
        {"data-dir", OPTION_STRING, &s.data_dir, "DIR", "where the data lives", "DATA_DIR"},
        {"grpc-port", OPTION_PORT, &s.grpc_port, "PORT", "gateways and loaders; 0 = a free port",
         "PORT"},
        {"http-port", OPTION_PORT, &s.http_port, "PORT", "/metrics, /healthz, /readyz, /status",
         NULL},
        {"consul-endpoint", OPTION_STRING, &consul, "none",
         "only none: nodes are named by --node and --peers", NULL},
        {"peers", OPTION_STRING, &peers, "HOST:PORT,...",
         "the other nodes; gateways and loaders split by node", NULL},
        {"slots", OPTION_UINT, &s.slots, "N",
         "slots per table, fixed at creation (default: cores, as a power of two)", NULL},
        {"log-iops", OPTION_UINT, &s.log_iops, "N",
         "at most so many device writes a second; 0 = no cap", NULL},
        {"checkpoint-log", OPTION_BYTES, &s.checkpoint_log, "BYTES",
         "a checkpoint begins after so much log; 0 = 256M", NULL},
        STARTUP_OPTIONS(&s.startup),
    };
    const struct option_set set = {
        .program = s.program,
        .synopsis = "[OPTIONS] [HASH_KEY [DATA_DIR [BIND [PORT]]]]",
        .description = "Data node: keeps slots of every table, serves gateways and loaders.",
        .specs = specs,
        .count = sizeof(specs) / sizeof(specs[0]),
        .positional = words,
        .positional_max = POSITIONAL_MAX};
    char name[256];
    size_t n;
    int status;

    if (options_parse(&set, argc, argv, &n, &status))
        return status;
    if (strcmp(consul, "none")) {
        fprintf(stderr, "quanta-node: --consul-endpoint is \"%s\"; allowed is none\n", consul);
        return 2;
    }
    s.name = hash_key;
    if (!take_positional(&s, words, n))
        return 2;
    if (!s.name)
        s.name = last_element(s.data_dir, name, sizeof(name));
    return server_main(&s);
}
