/* Shard programs from outside, as a query request carries them: decoded, checked against a table, encoded again. */
#include <stdlib.h>
#include <string.h>

#include "reactor/assert.h"
#include "rpc/grpc_proto.h"
#include "rpc/program_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct schema *table(void)
{
    struct schema *s = schema_new("t");
    struct error_info err;

    schema_add_column(s, "id", COLUMN_INT, MAPPING_INT_BSI);
    schema_add_column(s, "kind", COLUMN_STRING, MAPPING_STRING_ENUM);
    schema_add_column(s, "text", COLUMN_STRING, MAPPING_STRING_HASH_BSI)->searchable = true;
    schema_add_column(s, "flag", COLUMN_BOOL, MAPPING_BOOL_DIRECT);
    struct column *tags = schema_add_column(s, "tags", COLUMN_STRING, MAPPING_STRING_ENUM);
    tags->multi_valued = true;
    s->primary_key = strdup("id");
    ASSERT(!schema_finish(s, &err));
    return s;
}

/* What an executor does first: every kind of output column. */
static void use(const struct program *p, const struct schema *s)
{
    unsigned n = p->n_columns + (p->output == OUTPUT_GROUPS ? p->n_aggregates : 0U), sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += program_output_kind(p, s, i);
    ASSERT(sum <= n * BATCH_LIST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct schema *s;
    struct program p, again;
    struct error_info err;
    struct arena a;

    if (!s)
        s = table();
    arena_init(&a, (1 << 20) + size * 64, NULL);
    Quanta__QueryRequest *m =
        grpc_proto_unpack_arena(&quanta__query_request__descriptor, data, size, &a);
    if (m && m->program && !program_decode(m->program, s, &a, &p, &err)) {
        Quanta__ShardProgram out;
        use(&p, s);
        if (!program_encode(&p, &a, &out)) {
            err.text[0] = 0;
            int rc = program_decode(&out, s, &a, &again, &err);
            ASSERT(!rc || rc == -12 /* ENOMEM: the arena is spent */);
        }
    }
    arena_fini(&a);
    return 0;
}
