/* temp_dir.h - a directory of a test's own under /tmp. Both stop the test when they fail. */
#ifndef BB_TESTS_TEMP_DIR_H
#define BB_TESTS_TEMP_DIR_H

#define TEMP_DIR_SIZE 64

void temp_dir_make(char out[TEMP_DIR_SIZE]);

/* Removes it with all that is in it. */
void temp_dir_remove(const char *path);

#endif /* BB_TESTS_TEMP_DIR_H */
