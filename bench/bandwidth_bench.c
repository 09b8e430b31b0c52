/*
 * Bytes a second that this machine reads from memory in order: `bandwidth_bench [BYTES[:OF]...]`, sums over each number
 * of bytes with one thread and with one on every processor, each with a share of them. They are read over and over, or
 * are the next ones each time out of OF bytes, as a query with other constants reads other columns. What fits the caches
 * comes from there. A thread's time is what it had of its processor, so that other programs there do not count. One JSON
 * line per case, best of some runs.
 */
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define STEP 512      /* bytes of a turn of the loops */
#define AHEAD 4096    /* bytes that the prefetch is ahead */
#define RUN_BYTES 1e9 /* of one thread; enough to forget how it began */
#define HUGE_PAGE (2 << 20)
enum { RUNS = 5, THREADS_MAX = 256 };

struct reader { /* its own thread's; the results are main's after the join */
    pthread_t thread;
    unsigned cpu, passes;
    size_t bytes, of; /* read in a pass, out of so many: whole passes */
    uint8_t *data;
    uint64_t sum;
    double seconds;
};

static pthread_barrier_t ready;

static double processor_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static uint64_t read_avx512(const uint8_t *p, size_t bytes)
{
    __m512i sums[8] = {0};

    for (size_t at = 0; at < bytes; at += STEP) {
        for (unsigned i = 0; i < 8; i++) {
            _mm_prefetch((const char *)p + at + 64 * i + AHEAD, _MM_HINT_T0);
            sums[i] = _mm512_xor_si512(sums[i], _mm512_load_si512(p + at + 64 * i));
        }
    }
    for (unsigned i = 1; i < 8; i++)
        sums[0] = _mm512_xor_si512(sums[0], sums[i]);
    return (uint64_t)_mm512_reduce_add_epi64(sums[0]);
}

__attribute__((target("avx2"))) static uint64_t read_avx2(const uint8_t *p, size_t bytes)
{
    __m256i sums[8] = {0};

    for (size_t at = 0; at < bytes; at += STEP) {
        for (unsigned i = 0; i < 16; i++) {
            if (i % 2 == 0)
                _mm_prefetch((const char *)p + at + 32 * i + AHEAD, _MM_HINT_T0);
            sums[i % 8] = _mm256_xor_si256(sums[i % 8],
                                           _mm256_load_si256((const __m256i *)(p + at + 32 * i)));
        }
    }
    for (unsigned i = 1; i < 8; i++)
        sums[0] = _mm256_xor_si256(sums[0], sums[i]);
    return (uint64_t)_mm256_extract_epi64(sums[0], 0) + (uint64_t)_mm256_extract_epi64(sums[0], 3);
}

#endif

static uint64_t read_words(const uint8_t *p, size_t bytes)
{
    uint64_t sums[8] = {0}, word;

    for (size_t at = 0; at < bytes; at += 64) {
        for (unsigned i = 0; i < 8; i++) {
            memcpy(&word, p + at + 8 * i, 8);
            sums[i] ^= word;
        }
    }
    return sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
}

static uint64_t read_all(const uint8_t *p, size_t bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return read_avx512(p, bytes);
    if (__builtin_cpu_supports("avx2"))
        return read_avx2(p, bytes);
#endif
    return read_words(p, bytes);
}

static const char *width(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return "avx512";
    if (__builtin_cpu_supports("avx2"))
        return "avx2";
#endif
    return "words";
}

static void *run_reader(void *argument)
{
    struct reader *r = argument;
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(r->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
    memset(r->data, 1, r->of); /* its own pages, in its own caches */
    r->sum += read_all(r->data, r->of);
    pthread_barrier_wait(&ready);
    double start = processor_seconds();
    for (size_t i = 0, at = 0; i < r->passes; i++, at = (at + r->bytes) % r->of)
        r->sum += read_all(r->data + at, r->bytes);
    r->seconds = processor_seconds() - start;
    return NULL;
}

/* GB a second of all threads together. */
static double measure(struct reader *readers, unsigned n)
{
    double rate = 0;

    pthread_barrier_init(&ready, NULL, n);
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]))
            exit(1);
    for (unsigned i = 0; i < n; i++) {
        pthread_join(readers[i].thread, NULL);
        rate += (double)readers[i].bytes * readers[i].passes / readers[i].seconds / 1e9;
    }
    pthread_barrier_destroy(&ready);
    return rate;
}

static void run_case(size_t total, size_t of, const unsigned *cpus, unsigned n)
{
    struct reader *readers = calloc(n, sizeof(*readers));
    double best = 0;

    for (unsigned i = 0; readers && i < n; i++) {
        readers[i].cpu = cpus[i];
        readers[i].bytes = (total / n + STEP) / STEP * STEP;
        readers[i].passes = (unsigned)(RUN_BYTES / (double)readers[i].bytes) + 1;
        readers[i].of = (of / total ? of / total : 1) * readers[i].bytes;
        size_t room = (readers[i].of + AHEAD + HUGE_PAGE) / HUGE_PAGE * HUGE_PAGE;
        readers[i].data = aligned_alloc(HUGE_PAGE, room);
        if (!readers[i].data)
            exit(1);
        madvise(readers[i].data, room, MADV_HUGEPAGE);
    }
    for (unsigned run = 0; readers && run < RUNS; run++) {
        double found = measure(readers, n);
        best = found > best ? found : best;
    }
    uint64_t sum = 0;
    for (unsigned i = 0; readers && i < n; i++) {
        sum += readers[i].sum;
        free(readers[i].data);
    }
    free(readers);
    /* The sum is used, so that nothing of its making can be left out. */
    printf("{\"bench\": \"bandwidth\", \"loads\": \"%s\", \"bytes\": %zu, \"of\": %zu, "
           "\"threads\": %u, \"gb_per_s\": %.1f}%s\n",
           width(), total, of, n, best, sum == 1 ? " " : "");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static char usual[] = "400000000", *usual_arguments[] = {NULL, usual};
    unsigned cpus[THREADS_MAX], n = 0;
    cpu_set_t set;

    if (argc < 2) {
        argc = 2;
        argv = usual_arguments;
    }
    if (sched_getaffinity(0, sizeof(set), &set))
        return 1;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE && n < THREADS_MAX; cpu++)
        if (CPU_ISSET(cpu, &set))
            cpus[n++] = cpu;
    for (int i = 1; i < argc; i++) {
        char *end;
        size_t bytes = strtoull(argv[i], &end, 10);
        size_t of = *end == ':' ? strtoull(end + 1, &end, 10) : bytes;
        if (!bytes || of < bytes || *end)
            return 2;
        run_case(bytes, of, cpus, 1);
        if (n > 1)
            run_case(bytes, of, cpus, n);
    }
    return 0;
}
