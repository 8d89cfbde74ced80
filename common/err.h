/*
 * err.h - every error of the tree, in one list.
 *
 * A function that can fail returns enum bb_err and is BB_MUST_CHECK; BB_OK is zero. The words come
 * from the boundary that has them (engine, socket, parser) through an optional bb_err_detail.
 */
#ifndef BB_COMMON_ERR_H
#define BB_COMMON_ERR_H

#include <stdarg.h>

#include "common/check.h"

/*      name          text */
#define BB_ERR_LIST(X)                                                                             \
    X(BB_OK, "ok")                                                                                 \
    X(BB_ENOMEM, "out of memory")                                                                  \
    X(BB_EINVAL, "invalid input")                                                                  \
    X(BB_ETOOBIG, "over a limit")                                                                  \
    X(BB_ENOTFOUND, "not found")                                                                   \
    X(BB_ECORRUPT, "stored data is damaged")                                                       \
    X(BB_EIO, "input/output error")                                                                \
    X(BB_EFULL, "no space left")                                                                   \
    X(BB_EBUSY, "busy, retry later")                                                               \
    X(BB_ECANCELLED, "cancelled")                                                                  \
    X(BB_ECLOSED, "closed")                                                                        \
    X(BB_EVERSION, "written by another version")                                                   \
    X(BB_EUNSUPPORTED, "not supported")

#define BB_ERR_ENUM(name, text) name,
enum bb_err { BB_ERR_LIST(BB_ERR_ENUM) BB_ERR_COUNT };
#undef BB_ERR_ENUM

#define BB_ERR_DETAIL_SIZE 512

/* The words of an error; always NUL-terminated, cut at its size. Zero it before use. */
struct bb_err_detail {
    char text[BB_ERR_DETAIL_SIZE];
};

/* The text of `err`, for a person; static storage. */
const char *bb_err_text(enum bb_err err);

/* Fills `detail`, which may be NULL. Returns `err`, so that it can end a function. */
enum bb_err bb_err_set(struct bb_err_detail *detail, enum bb_err err, const char *format, ...)
    BB_PRINTF(3, 4);

#endif /* BB_COMMON_ERR_H */
