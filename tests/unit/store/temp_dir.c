#include "temp_dir.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"

void temp_dir_make(char out[TEMP_DIR_SIZE])
{
    snprintf(out, TEMP_DIR_SIZE, "/tmp/bobbin-part-XXXXXX");
    BB_ASSERT(mkdtemp(out) != NULL);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void temp_dir_remove(const char *path)
{
    BB_ASSERT(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0);
}
