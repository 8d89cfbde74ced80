/*
 * version.h - which bobbind this is. version.c is compiled with what cmake/version.cmake finds out
 * at build time; everything else is handed a struct, so that it needn't be built again.
 */
#ifndef BB_COLLECTOR_VERSION_H
#define BB_COLLECTOR_VERSION_H

struct bb_version {
    const char *version;    /* "0.1.0" */
    const char *git_commit; /* 40 hex digits, "-dirty" behind them when files had been changed;
                               "unknown" when it was built outside of a checkout */
    const char *build_time; /* RFC 3339, UTC */
    int store_format;       /* of the data directory: BB_STORE_FORMAT */
};

extern const struct bb_version bb_version_of_build;

#endif /* BB_COLLECTOR_VERSION_H */
