#pragma once
/* Helper threads of the process: they never handle signals, which belong to the control thread. */
#include <pthread.h>

/* pthread_create with every asynchronous signal blocked: 0 or -errno. */
int thread_create_quiet(pthread_t *thread, void *(*main)(void *arg), void *arg);
