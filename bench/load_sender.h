/*
 * load_sender.h - one connection of the load: sends a request and waits for its answer. Two kinds:
 * gRPC (load_grpc.c, which sees grpc core) and HTTP (load_http.c, which sees libcurl).
 */
#ifndef BB_BENCH_LOAD_SENDER_H
#define BB_BENCH_LOAD_SENDER_H

#include "common/err.h"
#include "common/slice.h"

struct bb_load_sender {
    /* BB_OK; BB_EBUSY when the server asks to retry; BB_EIO for any other answer. */
    enum bb_err (*send)(struct bb_load_sender *sender, struct bb_slice request,
                        struct bb_err_detail *detail);
    void (*close)(struct bb_load_sender *sender); /* frees it */
};

/* `target` is host:port. NULL when there is no memory. */
struct bb_load_sender *bb_load_grpc_open(const char *target);

/* `target` is a URL such as http://127.0.0.1:4318/v1/traces. */
struct bb_load_sender *bb_load_http_open(const char *target);

#endif /* BB_BENCH_LOAD_SENDER_H */
