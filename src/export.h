#pragma once
/* What SELECT ... INTO may write to, for the gateways of a program. Main thread; the port is for any core. */
#include "sql/export.h"

/* Members set by options. */
struct exports {
    const char *folder; /* for OUTFILE and DUMPFILE; NULL: none */
    struct export_port port;
};

/* Rows for the option table of a program with a MySQL port. */
#define EXPORT_OPTIONS(x)                                                                      \
    {                                                                                          \
        "export-dir", OPTION_STRING, &(x)->folder, "DIR",                                      \
            "SELECT ... INTO OUTFILE and DUMPFILE write new files there (default: none)", NULL \
    }

/* 0, or -errno with the error: the folder is not there. */
int exports_init(struct exports *x, struct error_info *err);
