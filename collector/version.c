#include "collector/version.h"

#include "generated/version_info.h"
#include "store/store.h"

const struct bb_version bb_version_of_build = {
    .version = BB_BUILD_VERSION,
    .git_commit = BB_BUILD_GIT_COMMIT,
    .build_time = BB_BUILD_TIME,
    .store_format = BB_STORE_FORMAT,
};
