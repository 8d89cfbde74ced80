/* utf8.h - is it UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates)? */
#ifndef BB_COMMON_UTF8_H
#define BB_COMMON_UTF8_H

#include <stdbool.h>

#include "common/slice.h"

bool bb_utf8_is_valid(struct bb_slice text);

/* The size, 1 to 4, of the well-formed sequence at the start of `text`; 0 when there is none. */
unsigned bb_utf8_sequence_size(struct bb_slice text);

#endif /* BB_COMMON_UTF8_H */
