/*
 * check.h - the compiler extensions that the tree allows itself, and the assert that stays on.
 *
 * BB_ASSERT states what only our own bug could break. It is never applied to bytes from the wire
 * or from the disk: those are checked and give BB_EINVAL or BB_ECORRUPT.
 */
#ifndef BB_COMMON_CHECK_H
#define BB_COMMON_CHECK_H

#define BB_MUST_CHECK __attribute__((warn_unused_result))
#define BB_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#define BB_LIKELY(x) __builtin_expect(!!(x), 1)
#define BB_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define BB_COLD __attribute__((cold, noinline))
/* Where a measurement asks for it, and the comment there says which. */
#define BB_ALWAYS_INLINE inline __attribute__((always_inline))

#define BB_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : bb_assert_failed(#condition, __FILE__, __LINE__))

#define BB_ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Writes what failed and where to stderr, and aborts. */
BB_COLD __attribute__((noreturn)) void bb_assert_failed(const char *condition, const char *file,
                                                        int line);

#endif /* BB_COMMON_CHECK_H */
