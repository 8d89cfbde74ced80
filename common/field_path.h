/*
 * field_path.h - the path of a field that is wrong, "events[3].attributes[0].key", put together on
 * the way back from where it was found: the good way pays nothing for it.
 */
#ifndef BB_COMMON_FIELD_PATH_H
#define BB_COMMON_FIELD_PATH_H

#include <stddef.h>
#include <stdint.h>

/* Longer paths lose their inner end: the outer part tells which span it is. Short enough that what
 * is wrong with the field still fits into a status message behind it. */
#define BB_FIELD_PATH_SIZE 256

struct bb_field_path {
    char text[BB_FIELD_PATH_SIZE]; /* filled from the end; ends with a NUL */
    size_t start;
};

/* Makes it the empty path; also before the first use. */
void bb_field_path_clear(struct bb_field_path *path);

/* Puts "name" in front, or "name[index]" where index isn't negative. */
void bb_field_path_prepend(struct bb_field_path *path, const char *name, int64_t index);

/* The path; borrowed until the next call. */
static inline const char *bb_field_path_text(const struct bb_field_path *path)
{
    return path->text + path->start;
}

#endif /* BB_COMMON_FIELD_PATH_H */
