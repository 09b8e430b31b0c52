/* quanta: node, gateway and wire in one process, without Consul. */
#include "server.h"

int main(int argc, char **argv)
{
    struct server s = {.program = "quanta",
                       .login_failures = LOGIN_THROTTLE_FREE_DEFAULT,
                       .name = "quanta",
                       .startup.bind = "127.0.0.1",
                       .security = SECURITY_DEFAULTS,
                       .data_dir = "./data",
                       .serves_mysql = true,
                       .serves_grpc = true,
                       .splits_slots = true,
                       .mysql_port = 4000,
                       .token_port = 4001,
                       .grpc_port = 4010,
                       .http_port = 2112,
                       .page_wish = "auto"};
    const struct option_spec specs[] = {
        {"data-dir", OPTION_STRING, &s.data_dir, "DIR", "where the data lives", "DATA_DIR"},
        {"schema-dir", OPTION_STRING, &s.schema_dir, "DIR",
         "creates the tables found there, and alters them as the rules permit", "SCHEMA_DIR"},
        {"mysql-port", OPTION_PORT, &s.mysql_port, "PORT",
         "MySQL clients; 0 = a free port, as for all ports", NULL},
        {"token-port", OPTION_PORT, &s.token_port, "PORT",
         "token service; not served while authentication is off", NULL},
        {"grpc-port", OPTION_PORT, &s.grpc_port, "PORT", "quanta-loader and other gRPC clients",
         NULL},
        {"http-port", OPTION_PORT, &s.http_port, "PORT",
         "a page for people, /metrics, /healthz, /readyz, /status", NULL},
        {"slots", OPTION_UINT, &s.slots, "N",
         "slots per table (default: cores, as a power of two, at creation); "
         "more than there are split them",
         NULL},
        {"log-iops", OPTION_UINT, &s.log_iops, "N",
         "at most so many device writes a second; 0 = no cap", NULL},
        {"checkpoint-log", OPTION_BYTES, &s.checkpoint_log, "BYTES",
         "a checkpoint begins after so much log; 0 = 256M", NULL},
        {"statement-memory", OPTION_BYTES, &s.statement_memory, "BYTES",
         "of a statement (default: 1/4 of a core's share, at least 256M)", NULL},
        {"spill-limit", OPTION_BYTES, &s.spill_limit, "BYTES",
         "temporary files of statements; 0 = while the file system has room", NULL},
        PAGE_OPTIONS(&s),
        CONNECTION_OPTIONS(&s),
        SECURITY_OPTIONS(&s.security),
        EXPORT_OPTIONS(&s.exports),
        FUNCTION_OPTIONS(&s),
        STARTUP_OPTIONS(&s.startup),
    };
    const struct option_set set = {
        .program = s.program,
        .synopsis = "[OPTIONS]",
        .description = "Bitmap database with a MySQL port: node and gateway in one process.",
        .specs = specs,
        .count = sizeof(specs) / sizeof(specs[0])};
    size_t n;
    int status;

    if (options_parse(&set, argc, argv, &n, &status))
        return status;
    return server_main(&s);
}
