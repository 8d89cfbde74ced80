#include "common/err.h"

#include <stdio.h>

const char *bb_err_text(enum bb_err err)
{
    static const char *const texts[] = {
#define BB_ERR_TEXT(name, text) [name] = text,
        BB_ERR_LIST(BB_ERR_TEXT)
#undef BB_ERR_TEXT
    };

    BB_ASSERT((unsigned)err < BB_ERR_COUNT);
    return texts[err];
}

enum bb_err bb_err_set(struct bb_err_detail *detail, enum bb_err err, const char *format, ...)
{
    if (detail != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(detail->text, sizeof detail->text, format, args);
        va_end(args);
    }
    return err;
}
