#include "store/store_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "store/store.h"

#define FORMAT_PREFIX "bobbin store format "
#define NFTW_FDS 16
#define DIR_MODE 0750
#define FILE_MODE 0640

static enum bb_err errno_err(struct bb_err_detail *detail, const char *what, const char *path)
{
    int number = errno;
    char words[128];
    enum bb_err err = number == ENOSPC || number == EDQUOT ? BB_EFULL : BB_EIO;

    return bb_err_set(detail, err, "can't %s %s: %s", what, path,
                      strerror_r(number, words, sizeof words));
}

static void join(const char *data_dir, const char *folder, const char *name,
                 char out[BB_STORE_PATH_SIZE])
{
    int size = name == NULL ? snprintf(out, BB_STORE_PATH_SIZE, "%s/%s", data_dir, folder)
                            : snprintf(out, BB_STORE_PATH_SIZE, "%s/%s/%s", data_dir, folder, name);

    BB_ASSERT(size > 0 && size < BB_STORE_PATH_SIZE); /* open has checked data_dir's length */
}

static enum bb_err make_dir(const char *path, struct bb_err_detail *detail)
{
    if (mkdir(path, DIR_MODE) == 0 || errno == EEXIST) {
        return BB_OK;
    }
    return errno_err(detail, "make", path);
}

/* data_dir and what is missing above it. */
static enum bb_err make_dirs(const char *path, struct bb_err_detail *detail)
{
    char parent[BB_STORE_PATH_SIZE];

    snprintf(parent, sizeof parent, "%s", path);
    for (char *at = parent + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            enum bb_err err = make_dir(parent, detail);
            if (err != BB_OK) {
                return err;
            }
            *at = '/';
        }
    }
    return make_dir(path, detail);
}

static enum bb_err sync_path(const char *path, int flags, struct bb_err_detail *detail)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0) {
        return errno_err(detail, "open", path);
    }
    enum bb_err err = fsync(fd) == 0 ? BB_OK : errno_err(detail, "sync", path);
    close(fd);
    return err;
}

/* Writes `text` to dir/name as a whole or not at all. */
static enum bb_err write_file(const char *dir, const char *name, const char *text,
                              struct bb_err_detail *detail)
{
    char path[BB_STORE_PATH_SIZE];
    char temporary[BB_STORE_PATH_SIZE + 8];
    size_t size = strlen(text);

    join(dir, name, NULL, path);
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return errno_err(detail, "make", temporary);
    }
    bool is_written = write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    enum bb_err err = is_written ? BB_OK : errno_err(detail, "write", temporary);
    close(fd);
    if (err == BB_OK && rename(temporary, path) != 0) {
        err = errno_err(detail, "rename", temporary);
    }
    if (err == BB_OK) {
        err = sync_path(dir, O_RDONLY | O_DIRECTORY, detail);
    }
    return err;
}

/* Reads a small text file; false when it isn't there or can't be read. */
static bool read_file(const char *dir, const char *name, char *out, size_t out_size)
{
    char path[BB_STORE_PATH_SIZE];

    join(dir, name, NULL, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t size = read(fd, out, out_size - 1);
    close(fd);
    out[size < 0 ? 0 : size] = '\0';
    return size >= 0;
}

static enum bb_err check_format(const char *data_dir, struct bb_err_detail *detail)
{
    char text[64];
    char *end = NULL;

    if (!read_file(data_dir, "FORMAT", text, sizeof text)) {
        snprintf(text, sizeof text, FORMAT_PREFIX "%d\n", BB_STORE_FORMAT);
        return write_file(data_dir, "FORMAT", text, detail);
    }
    size_t prefix_size = strlen(FORMAT_PREFIX);
    if (strncmp(text, FORMAT_PREFIX, prefix_size) != 0) {
        return bb_err_set(detail, BB_EVERSION, "%s/FORMAT isn't a Bobbin store's", data_dir);
    }
    long version = strtol(text + prefix_size, &end, 10);
    if (version != BB_STORE_FORMAT || strcmp(end, "\n") != 0) {
        return bb_err_set(detail, BB_EVERSION,
                          "%s has store format %ld, and this program reads format %d", data_dir,
                          version, BB_STORE_FORMAT);
    }
    return BB_OK;
}

static enum bb_err take_lock(const char *data_dir, struct bb_err_detail *detail, int *out_lock_fd)
{
    char path[BB_STORE_PATH_SIZE];

    join(data_dir, "LOCK", NULL, path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        return errno_err(detail, "open", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return bb_err_set(detail, BB_EBUSY, "%s is in use by another process", data_dir);
    }
    *out_lock_fd = fd;
    return BB_OK;
}

enum bb_err bb_store_dir_open(const char *data_dir, struct bb_err_detail *detail, int *out_lock_fd)
{
    static const char *const folders[] = {"partitions", "trash", "quarantine"};
    char path[BB_STORE_PATH_SIZE];
    int lock_fd = -1;

    if (data_dir[0] == '\0' || strlen(data_dir) > BB_STORE_PATH_SIZE - 64) {
        return bb_err_set(detail, BB_EINVAL, "data directory is empty or too long");
    }
    enum bb_err err = make_dirs(data_dir, detail);
    if (err == BB_OK) {
        err = take_lock(data_dir, detail, &lock_fd);
    }
    if (err == BB_OK) {
        err = check_format(data_dir, detail);
    }
    for (size_t i = 0; i < BB_ARRAY_COUNT(folders) && err == BB_OK; i++) {
        join(data_dir, folders[i], NULL, path);
        err = make_dir(path, detail);
    }
    if (err != BB_OK) {
        if (lock_fd >= 0) {
            close(lock_fd);
        }
        return err;
    }
    *out_lock_fd = lock_fd;
    return BB_OK;
}

void bb_partition_name_format(uint64_t unix_ns, char out[BB_PARTITION_NAME_SIZE])
{
    time_t seconds = (time_t)(unix_ns / BB_NS_PER_S);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(out, BB_PARTITION_NAME_SIZE, "%Y%m%dT%H%M%SZ", &utc);
}

enum bb_err bb_partition_name_parse(const char *name, uint64_t *out_unix_ns)
{
    char again[BB_PARTITION_NAME_SIZE];
    struct tm utc = {0};

    if (strlen(name) != BB_PARTITION_NAME_SIZE - 1 ||
        sscanf(name, "%4d%2d%2dT%2d%2d%2dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour,
               &utc.tm_min, &utc.tm_sec) != 6) {
        return BB_EINVAL;
    }
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    time_t seconds = timegm(&utc);
    if (seconds < 0) {
        return BB_EINVAL;
    }
    bb_partition_name_format((uint64_t)seconds * BB_NS_PER_S, again);
    if (strcmp(name, again) != 0) {
        return BB_EINVAL;
    }
    *out_unix_ns = (uint64_t)seconds * BB_NS_PER_S;
    return BB_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum bb_err bb_store_dir_list(const char *data_dir, struct bb_arena *arena,
                              struct bb_err_detail *detail, char ***out_names, uint32_t *out_count)
{
    char path[BB_STORE_PATH_SIZE];
    uint32_t capacity = 256;
    uint32_t count = 0;
    uint64_t made_unix_ns;
    enum bb_err err = BB_OK;

    join(data_dir, "partitions", NULL, path);
    char **names = bb_arena_try_alloc(arena, capacity * sizeof *names);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return errno_err(detail, "read", path);
    }
    for (struct dirent *entry = readdir(dir); entry != NULL && names != NULL;
         entry = readdir(dir)) {
        if (bb_partition_name_parse(entry->d_name, &made_unix_ns) != BB_OK) {
            continue;
        }
        if (count == capacity) {
            char **larger = bb_arena_try_alloc(arena, 2 * capacity * sizeof *names);
            if (larger != NULL) {
                memcpy(larger, names, capacity * sizeof *names);
            }
            names = larger;
            capacity *= 2;
        }
        if (names != NULL) {
            names[count] = bb_arena_try_cstr(arena, bb_slice_from_cstr(entry->d_name));
            names = names[count] == NULL ? NULL : names;
            count++;
        }
    }
    closedir(dir);
    if (names == NULL) {
        err = BB_ENOMEM;
    } else {
        qsort(names, count, sizeof *names, compare_names);
        *out_names = names;
        *out_count = count;
    }
    return err;
}

void bb_store_dir_partition_path(const char *data_dir, const char *name,
                                 char out[BB_STORE_PATH_SIZE])
{
    join(data_dir, "partitions", name, out);
}

static enum bb_err move_to(const char *data_dir, const char *folder, const char *name,
                           struct bb_err_detail *detail)
{
    char from[BB_STORE_PATH_SIZE];
    char to[BB_STORE_PATH_SIZE];

    join(data_dir, "partitions", name, from);
    join(data_dir, folder, name, to);
    if (rename(from, to) == 0) {
        return BB_OK;
    }
    if (errno == ENOTEMPTY || errno == EEXIST) { /* one of that name is there from another time */
        char again[BB_STORE_PATH_SIZE + 32];
        snprintf(again, sizeof again, "%s.%" PRIu64, to,
                 bb_clock_unix_ns(&bb_clock_system) / BB_NS_PER_MS);
        if (rename(from, again) == 0) {
            return BB_OK;
        }
    }
    return errno_err(detail, "rename", from);
}

enum bb_err bb_store_dir_discard(const char *data_dir, const char *name,
                                 struct bb_err_detail *detail)
{
    return move_to(data_dir, "trash", name, detail);
}

enum bb_err bb_store_dir_quarantine(const char *data_dir, const char *name,
                                    struct bb_err_detail *detail)
{
    return move_to(data_dir, "quarantine", name, detail);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    if (place->level > 0) {
        (void)remove(path); /* what stays is tried again */
    }
    return 0;
}

void bb_store_dir_empty_trash(const char *data_dir)
{
    char path[BB_STORE_PATH_SIZE];

    join(data_dir, "trash", NULL, path);
    nftw(path, remove_entry, NFTW_FDS, FTW_DEPTH | FTW_PHYS);
}

/* nftw has no context of its own. */
static _Thread_local uint64_t counted_bytes;

static int count_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)path;
    (void)place;
    if (type == FTW_F || type == FTW_D) {
        counted_bytes += (uint64_t)status->st_blocks * 512;
    }
    return 0;
}

uint64_t bb_store_dir_bytes(const char *path)
{
    counted_bytes = 0;
    nftw(path, count_entry, NFTW_FDS, FTW_PHYS);
    return counted_bytes;
}

uint64_t bb_store_dir_free_bytes(const char *path)
{
    struct statvfs status;

    if (statvfs(path, &status) != 0) {
        return 0;
    }
    return (uint64_t)status.f_bavail * status.f_frsize;
}

#define SUMMARY_TEXT_SIZE 512

static void format_summary(const struct bb_partition_summary *summary, char out[SUMMARY_TEXT_SIZE])
{
    snprintf(out, SUMMARY_TEXT_SIZE,
             "sealed_unix_ns=%" PRIu64 "\nrow_count=%" PRIu64 "\nstart_unix_ns_min=%" PRIu64
             "\nstart_unix_ns_max=%" PRIu64 "\nduration_ns_max=%" PRIu64 "\n",
             summary->sealed_unix_ns, summary->row_count, summary->bounds.start_unix_ns_min,
             summary->bounds.start_unix_ns_max, summary->bounds.duration_ns_max);
}

enum bb_err bb_partition_summary_write(const char *partition_path,
                                       const struct bb_partition_summary *summary,
                                       struct bb_err_detail *detail)
{
    char text[SUMMARY_TEXT_SIZE];

    format_summary(summary, text);
    return write_file(partition_path, "SEALED", text, detail);
}

enum bb_err bb_partition_summary_read(const char *partition_path,
                                      struct bb_partition_summary *out_summary)
{
    struct bb_partition_summary summary;
    char text[SUMMARY_TEXT_SIZE];
    char again[SUMMARY_TEXT_SIZE];

    if (!read_file(partition_path, "SEALED", text, sizeof text)) {
        return BB_ENOTFOUND;
    }
    if (sscanf(text,
               "sealed_unix_ns=%" SCNu64 "\nrow_count=%" SCNu64 "\nstart_unix_ns_min=%" SCNu64
               "\nstart_unix_ns_max=%" SCNu64 "\nduration_ns_max=%" SCNu64 "\n",
               &summary.sealed_unix_ns, &summary.row_count, &summary.bounds.start_unix_ns_min,
               &summary.bounds.start_unix_ns_max, &summary.bounds.duration_ns_max) != 5) {
        return BB_ECORRUPT;
    }
    /* A number that was cut short is a number still: only the whole text is what was written. */
    format_summary(&summary, again);
    if (strcmp(text, again) != 0) {
        return BB_ECORRUPT;
    }
    *out_summary = summary;
    return BB_OK;
}
