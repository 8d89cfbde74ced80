/* timed_wait.h - condition variables that wait by the clock that never jumps. */
#ifndef BB_COLLECTOR_TIMED_WAIT_H
#define BB_COLLECTOR_TIMED_WAIT_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* A condition variable whose pthread_cond_timedwait() goes by CLOCK_MONOTONIC. */
void bb_cond_init_monotonic(pthread_cond_t *cond);

/* That clock's time in `ms` milliseconds. */
struct timespec bb_monotonic_in_ms(uint64_t ms);

#endif /* BB_COLLECTOR_TIMED_WAIT_H */
