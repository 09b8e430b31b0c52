#include "page/page_files.h"

/* The assembler reads the files; paths are those from the top of the tree, where make runs. */
#define FILE_BYTES(name, path)                                           \
    __asm__(".section .rodata\n"                                         \
            ".global page_bytes_" #name "\n.global page_end_" #name "\n" \
            "page_bytes_" #name ":\n.incbin \"src/page/" path "\"\n"     \
            "page_end_" #name ":\n.byte 0\n.previous\n");                \
    extern const unsigned char page_bytes_##name[], page_end_##name[]

FILE_BYTES(html, "page.html");
FILE_BYTES(css, "page.css");
FILE_BYTES(icon, "icon.svg");
FILE_BYTES(main, "main.js");
FILE_BYTES(api, "api.js");
FILE_BYTES(dom, "dom.js");
FILE_BYTES(format, "format.js");
FILE_BYTES(result, "result.js");
FILE_BYTES(chart, "chart.js");
FILE_BYTES(tables, "tables.js");
FILE_BYTES(figures, "figures.js");
FILE_BYTES(statements, "statements.js");
FILE_BYTES(query, "query.js");

#define SCRIPT "text/javascript; charset=utf-8"

static const struct {
    const char *path, *type;
    const unsigned char *start, *end;
} files[] = {
    {"/", "text/html; charset=utf-8", page_bytes_html, page_end_html},
    {"/page.css", "text/css; charset=utf-8", page_bytes_css, page_end_css},
    {"/icon.svg", "image/svg+xml", page_bytes_icon, page_end_icon},
    {"/main.js", SCRIPT, page_bytes_main, page_end_main},
    {"/api.js", SCRIPT, page_bytes_api, page_end_api},
    {"/dom.js", SCRIPT, page_bytes_dom, page_end_dom},
    {"/format.js", SCRIPT, page_bytes_format, page_end_format},
    {"/result.js", SCRIPT, page_bytes_result, page_end_result},
    {"/chart.js", SCRIPT, page_bytes_chart, page_end_chart},
    {"/tables.js", SCRIPT, page_bytes_tables, page_end_tables},
    {"/figures.js", SCRIPT, page_bytes_figures, page_end_figures},
    {"/statements.js", SCRIPT, page_bytes_statements, page_end_statements},
    {"/query.js", SCRIPT, page_bytes_query, page_end_query},
};

bool page_file_find(struct http_text path, struct page_file *out)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (http_text_is(path, files[i].path)) {
            *out = (struct page_file){files[i].type, files[i].start,
                                      (size_t)(files[i].end - files[i].start)};
            return true;
        }
    return false;
}
