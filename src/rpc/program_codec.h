#pragma once
/*
 * Shard programs as protobuf messages and back (proto/quanta.proto). Memory of both directions: the operation's arena.
 * Stateless; any core.
 */
#include "proto/quanta.pb-c.h"
#include "reactor/arena.h"
#include "storage/program.h"

enum { PROGRAM_CODEC_MAX_PREDICATES = 65536, PROGRAM_CODEC_MAX_DEPTH = 64 };

/* Fills a message that views the program's own strings. 0 or -ENOMEM; -E2BIG over the limits above. */
int program_encode(const struct program *p, struct arena *a, Quanta__ShardProgram *out);

/*
 * A decoded message as a program, checked against the schema (which may differ from the sender's): everything is
 * copied or viewed from the message, which must live as long. 0, -EINVAL or -ENOMEM with a text.
 */
int program_decode(const Quanta__ShardProgram *m, const struct schema *s, struct arena *a,
                   struct program *out, struct error_info *err);
