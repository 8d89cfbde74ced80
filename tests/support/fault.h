/*
 * fault.h - fails one allocation of our own code: the N-th call of malloc, calloc or realloc after
 * it was armed. A test that links it adds --wrap of the three to its link options, which reaches
 * our static libraries and none of the system's shared ones.
 *
 * Threads: counts the calls of all threads; arm and disarm from one.
 */
#ifndef BB_TESTS_FAULT_H
#define BB_TESTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* The `nth` allocation from now on fails, counted from 1; the later ones work again. */
void fault_arm(uint32_t nth);

/* Ends it. True when that allocation was reached, and so failed. */
bool fault_disarm(void);

#endif /* BB_TESTS_FAULT_H */
