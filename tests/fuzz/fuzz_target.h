/* fuzz_target.h - what libFuzzer and standalone_driver.c call. Returns 0. */
#ifndef BB_TESTS_FUZZ_TARGET_H
#define BB_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* BB_TESTS_FUZZ_TARGET_H */
