#include "common/check.h"

#include <stdio.h>
#include <stdlib.h>

void bb_assert_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr,
            "level=error module=assert msg=\"assertion failed\" condition=\"%s\" at=%s:%d\n",
            condition, file, line);
    fflush(stderr);
    abort();
}
