/*
 * shop_model.h - the made-up web shop whose traffic `bobbin generate` sends: its services, what
 * each can do, and what that calls in turn. Tables only; traffic_generator.c plays them.
 */
#ifndef BB_QUERY_CLI_SHOP_MODEL_H
#define BB_QUERY_CLI_SHOP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

struct bb_shop_service {
    const char *name;
    const char *language; /* telemetry.sdk.language */
    const char *version;
    const char *scope; /* name of the instrumentation library */
};

/* What an operation is, and so which spans and attributes it has. */
enum bb_shop_style {
    BB_SHOP_PAGE,     /* HTTP request from outside: one SERVER span */
    BB_SHOP_RPC,      /* gRPC call: a CLIENT span at the caller, a SERVER span at the service */
    BB_SHOP_DATABASE, /* CLIENT span at the caller */
    BB_SHOP_CACHE,    /* CLIENT span at the caller */
    BB_SHOP_OUTSIDE,  /* HTTP call to somebody else's service: CLIENT span at the caller */
    BB_SHOP_SEND,     /* PRODUCER span at the caller; its consumers begin traces that link to it */
    BB_SHOP_CONSUME,  /* CONSUMER span, root of a trace */
    BB_SHOP_WORK,     /* INTERNAL span at the caller */
    BB_SHOP_JOB,      /* INTERNAL span, root of a trace */
};

#define BB_SHOP_CALLS_MAX 6

struct bb_shop_call {
    uint8_t operation;      /* index into the operations */
    uint8_t chance_percent; /* 0 ends the list */
    uint8_t count_min;
    uint8_t count_max;
};

struct bb_shop_operation {
    const char *name; /* of the span */
    enum bb_shop_style style;
    uint8_t service;
    bool is_parallel;      /* its calls run side by side */
    uint32_t own_us;       /* typical time without its calls */
    const char *target;    /* route, rpc service, table, key, URL or topic */
    const char *statement; /* DATABASE: the query; PAGE: the method */
    const char *failure;   /* status message when it fails; NULL: it doesn't fail by itself */
    struct bb_shop_call calls[BB_SHOP_CALLS_MAX];
};

/* What begins a trace from outside, and how often. */
struct bb_shop_entry {
    uint8_t operation;
    uint8_t weight;
};

#define BB_SHOP_SERVICE_COUNT 12

extern const struct bb_shop_service bb_shop_services[BB_SHOP_SERVICE_COUNT];
extern const struct bb_shop_operation bb_shop_operations[];
extern const struct bb_shop_entry bb_shop_entries[];
extern const uint32_t bb_shop_operation_count;
extern const uint32_t bb_shop_entry_count;

/* The operations that take from the topic which the SEND operation `index` writes to; returns how
 * many. */
#define BB_SHOP_CONSUMERS_MAX 4
uint32_t bb_shop_consumers(uint32_t index, uint8_t out_operations[BB_SHOP_CONSUMERS_MAX]);

#endif /* BB_QUERY_CLI_SHOP_MODEL_H */
