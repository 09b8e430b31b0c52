/* quanta-proxy: MySQL gateway to data nodes. Holds no data. */
#include "server.h"

int main(int argc, char **argv)
{
    struct server s = {.program = "quanta-proxy",
                       .login_failures = LOGIN_THROTTLE_FREE_DEFAULT,
                       .startup.bind = "127.0.0.1",
                       .security = SECURITY_DEFAULTS,
                       .nodes = "127.0.0.1:4010",
                       .serves_mysql = true,
                       .mysql_port = 4000,
                       .token_port = 4001,
                       .http_port = 2112,
                       .page_wish = "auto"};
    const char *metadata_dir = NULL;
    const struct option_spec specs[] = {
        {"node", OPTION_STRING, &s.nodes, "HOST:PORT,...", "the data nodes", NULL},
        {"schema-dir", OPTION_STRING, &s.schema_dir, "DIR",
         "creates the tables found there, and alters them as the rules permit", "SCHEMA_DIR"},
        {"metadata-dir", OPTION_STRING, &metadata_dir, "DIR", "accepted for old scripts, not used",
         "METADATA_DIR"},
        {"mysql-port", OPTION_PORT, &s.mysql_port, "PORT",
         "MySQL clients; 0 = a free port, as for all ports", NULL},
        {"token-port", OPTION_PORT, &s.token_port, "PORT",
         "token service; not served while authentication is off", NULL},
        {"http-port", OPTION_PORT, &s.http_port, "PORT",
         "a page for people, /metrics, /healthz, /readyz, /status", NULL},
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
        .description = "MySQL gateway: SQL over the tables of one or more data nodes.",
        .specs = specs,
        .count = sizeof(specs) / sizeof(specs[0])};
    size_t n;
    int status;

    if (options_parse(&set, argc, argv, &n, &status))
        return status;
    return server_main(&s);
}
