/*
 * standalone_driver.c - stands in for libFuzzer's main: runs a fuzz target over the files, and the
 * files of the folders, that are named on the command line. So every compiler and sanitizer can
 * replay a corpus. Fails when there was nothing to run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz_target.h"

static bool run_file(const char *path, size_t size)
{
    /* tidy: allow malloc: exactly the size of the input, so that a sanitizer sees a read behind it
     */
    uint8_t *data = malloc(size > 0 ? size : 1);
    FILE *file = fopen(path, "rb");
    bool is_read = data != NULL && file != NULL && fread(data, 1, size, file) == size;

    if (is_read) {
        LLVMFuzzerTestOneInput(data, size);
    } else {
        perror(path);
    }
    if (file != NULL) {
        fclose(file);
    }
    free(data); /* tidy: allow malloc: see above */
    return is_read;
}

static bool run_path(const char *path, unsigned *count);

static bool run_folder(const char *path, unsigned *count)
{
    DIR *folder = opendir(path);
    bool is_good = folder != NULL;
    const struct dirent *entry;
    char child[4096];

    while (is_good && (entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] != '.') {
            int size = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
            is_good = size > 0 && (size_t)size < sizeof child && run_path(child, count);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return is_good;
}

static bool run_path(const char *path, unsigned *count)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        perror(path);
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        return run_folder(path, count);
    }
    (*count)++;
    return run_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
    unsigned count = 0;

    for (int i = 1; i < argc; i++) {
        if (!run_path(argv[i], &count)) {
            return EXIT_FAILURE;
        }
    }
    printf("%u inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
