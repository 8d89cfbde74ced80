/*
 * listen_address.h - "host:port" as an operator writes it, and the socket that listens there.
 *
 *   127.0.0.1:4317   one IPv4 address        [::1]:4317      one IPv6 address
 *   localhost:4317   a name (its first address)
 *   :4317            every address, IPv6 and IPv4
 *   host:0           a free port
 */
#ifndef BB_COLLECTOR_LISTEN_ADDRESS_H
#define BB_COLLECTOR_LISTEN_ADDRESS_H

#include <stdint.h>

#include "common/err.h"

#define BB_HOST_SIZE 256 /* DNS names have up to 253 characters */
#define BB_ENDPOINT_SIZE (BB_HOST_SIZE + 10)

struct bb_listen_address {
    char host[BB_HOST_SIZE]; /* without brackets; empty: every address */
    uint16_t port;
};

/* BB_EINVAL, and `detail` says what is wrong, when `text` is no address. Looks no name up. */
BB_MUST_CHECK enum bb_err bb_listen_address_parse(const char *text, struct bb_err_detail *detail,
                                                  struct bb_listen_address *out_address);

/* "host:port", with brackets around an IPv6 address; "[::]:port" for every address. */
void bb_listen_address_format(const struct bb_listen_address *address, char out[BB_ENDPOINT_SIZE]);

/*
 * A listening TCP socket at that address; no other process can share the port.
 *
 * BB_OK   *out_fd is the caller's; close(2) it. *out_port is the port that it got
 * BB_EIO  can't look it up or bind it; detail has the reason
 */
BB_MUST_CHECK enum bb_err bb_listen_socket_open(const struct bb_listen_address *address,
                                                struct bb_err_detail *detail, int *out_fd,
                                                uint16_t *out_port);

#endif /* BB_COLLECTOR_LISTEN_ADDRESS_H */
