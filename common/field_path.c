#include "common/field_path.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void bb_field_path_clear(struct bb_field_path *path)
{
    path->start = BB_FIELD_PATH_SIZE - 1;
    path->text[path->start] = '\0';
}

/* Makes room for `size` bytes in front, if need be by cutting the end. */
static void make_room(struct bb_field_path *path, size_t size)
{
    if (path->start < size) {
        memmove(path->text + size, path->text + path->start, BB_FIELD_PATH_SIZE - 1 - size);
        memcpy(path->text + BB_FIELD_PATH_SIZE - 4, "...", 3);
        path->start = size;
    }
    path->start -= size;
}

void bb_field_path_prepend(struct bb_field_path *path, const char *name, int64_t index)
{
    char part[96];
    int size = index < 0 ? snprintf(part, sizeof part, "%s", name)
                         : snprintf(part, sizeof part, "%s[%" PRId64 "]", name, index);
    size_t dot_size = path->start < BB_FIELD_PATH_SIZE - 1;

    if (size <= 0 || (size_t)size >= sizeof part) {
        return;
    }
    make_room(path, (size_t)size + dot_size);
    memcpy(path->text + path->start, part, (size_t)size);
    if (dot_size > 0) {
        path->text[path->start + (size_t)size] = '.';
    }
}
