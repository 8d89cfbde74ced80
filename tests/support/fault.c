#include "tests/support/fault.h"

#include <stdatomic.h>
#include <stddef.h>

/* The names that the linker's --wrap=malloc asks for. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *piece, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *piece, size_t size);

static atomic_uint calls_left; /* 0: not armed, or reached */
static atomic_bool has_fired;

void fault_arm(uint32_t nth)
{
    atomic_store(&has_fired, false);
    atomic_store(&calls_left, nth);
}

bool fault_disarm(void)
{
    atomic_store(&calls_left, 0);
    return atomic_load(&has_fired);
}

static bool is_to_fail(void)
{
    unsigned left = atomic_load(&calls_left);

    while (left > 0 && !atomic_compare_exchange_weak(&calls_left, &left, left - 1)) {
    }
    if (left == 1) {
        atomic_store(&has_fired, true);
    }
    return left == 1;
}

void *__wrap_malloc(size_t size)
{
    return is_to_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_to_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *piece, size_t size)
{
    return is_to_fail() ? NULL : __real_realloc(piece, size);
}
