/*
 * grpc_health.h - grpc.health.v1.Health/Check, part of every gRPC server: SERVING for the server
 * ("") and for each service that it has a method of, NOT_FOUND for another (gRPC's "Health Checking
 * Protocol"). Watch is not there and answers UNIMPLEMENTED, which that protocol allows.
 */
#ifndef BB_COLLECTOR_GRPC_HEALTH_H
#define BB_COLLECTOR_GRPC_HEALTH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/rpc_api.h"

#define BB_GRPC_HEALTH_CHECK_PATH "/grpc.health.v1.Health/Check"

/* The caller's storage. */
struct bb_grpc_health {
    const struct bb_rpc_method *methods; /* borrowed */
    uint32_t method_count;
    atomic_bool is_stopping; /* NOT_SERVING from then on */
};

/* The method; `health` is a struct bb_grpc_health. */
void bb_grpc_health_check(void *health, struct bb_rpc_call *call);

#endif /* BB_COLLECTOR_GRPC_HEALTH_H */
