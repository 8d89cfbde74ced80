#include "collector/listen_address.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that the kernel holds until we accept them; it caps this at net.core.somaxconn. */
#define BACKLOG 1024
#define ERRNO_TEXT_SIZE 128
#define PORT_TEXT_SIZE 8

static enum bb_err parse_port(const char *text, const char *digits, struct bb_err_detail *detail,
                              uint16_t *out_port)
{
    uint32_t port = 0;

    if (*digits == '\0') {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" has no port", text);
    }
    for (const char *digit = digits; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9') {
            return bb_err_set(detail, BB_EINVAL, "\"%s\": the port must be a number", text);
        }
        port = port * 10 + (uint32_t)(*digit - '0');
        if (port > UINT16_MAX) {
            return bb_err_set(detail, BB_EINVAL, "\"%s\": the port is over 65535", text);
        }
    }
    *out_port = (uint16_t)port;
    return BB_OK;
}

enum bb_err bb_listen_address_parse(const char *text, struct bb_err_detail *detail,
                                    struct bb_listen_address *out_address)
{
    struct bb_listen_address address = {0};
    const char *host = text;
    const char *colon = strrchr(text, ':');
    size_t host_size;

    if (colon == NULL) {
        return bb_err_set(detail, BB_EINVAL, "\"%s\" has no port: host:port is wanted", text);
    }
    if (*host == '[') {
        host++;
        if (colon == text || colon[-1] != ']') {
            return bb_err_set(detail, BB_EINVAL, "\"%s\": [address]:port is wanted", text);
        }
        host_size = (size_t)(colon - 1 - host);
        if (host_size == 0) {
            return bb_err_set(detail, BB_EINVAL, "\"%s\": no address in the brackets", text);
        }
    } else {
        host_size = (size_t)(colon - host);
        if (memchr(host, ':', host_size) != NULL) {
            return bb_err_set(detail, BB_EINVAL,
                              "\"%s\": an IPv6 address goes into brackets: [::1]:4317", text);
        }
    }
    if (host_size >= BB_HOST_SIZE) {
        return bb_err_set(detail, BB_EINVAL, "the host is longer than %d characters",
                          BB_HOST_SIZE - 1);
    }
    for (size_t i = 0; i < host_size; i++) {
        if (host[i] <= ' ' || host[i] == '/' || host[i] == '[' || host[i] == ']') {
            return bb_err_set(detail, BB_EINVAL, "\"%s\": no host name has a '%c'", text, host[i]);
        }
    }
    enum bb_err err = parse_port(text, colon + 1, detail, &address.port);
    if (err != BB_OK) {
        return err;
    }
    memcpy(address.host, host, host_size);
    *out_address = address;
    return BB_OK;
}

void bb_listen_address_format(const struct bb_listen_address *address, char out[BB_ENDPOINT_SIZE])
{
    const char *host = address->host[0] == '\0' ? "::" : address->host;

    if (strchr(host, ':') != NULL) {
        snprintf(out, BB_ENDPOINT_SIZE, "[%s]:%u", host, address->port);
    } else {
        snprintf(out, BB_ENDPOINT_SIZE, "%s:%u", host, address->port);
    }
}

static uint16_t bound_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof(bound);

    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        return 0;
    }
    if (bound.ss_family == AF_INET6) {
        return ntohs(((const struct sockaddr_in6 *)&bound)->sin6_port);
    }
    return ntohs(((const struct sockaddr_in *)&bound)->sin_port);
}

/* The socket, or a negative errno. */
static int open_at(const struct addrinfo *info, bool is_every_address)
{
    int on = 1;
    int off = 0;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    /* Lets a restarted daemon bind while old connections are in TIME_WAIT; unlike SO_REUSEPORT it
     * doesn't let two daemons share a port. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        (info->ai_family == AF_INET6 && is_every_address &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) != 0) ||
        bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

enum bb_err bb_listen_socket_open(const struct bb_listen_address *address,
                                  struct bb_err_detail *detail, int *out_fd, uint16_t *out_port)
{
    bool is_every_address = address->host[0] == '\0';
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[PORT_TEXT_SIZE];

    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    snprintf(port, sizeof(port), "%u", address->port);
    int result = getaddrinfo(is_every_address ? "::" : address->host, port, &hints, &found);
    if (result != 0) {
        return bb_err_set(detail, BB_EIO, "can't look up \"%s\": %s", address->host,
                          gai_strerror(result));
    }
    int fd = open_at(found, is_every_address);
    freeaddrinfo(found);
    if (is_every_address && (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)) {
        /* A machine without IPv6. */
        struct bb_listen_address any = {.host = "0.0.0.0", .port = address->port};
        return bb_listen_socket_open(&any, detail, out_fd, out_port);
    }
    if (fd < 0) {
        char endpoint[BB_ENDPOINT_SIZE];
        char text[ERRNO_TEXT_SIZE];
        bb_listen_address_format(address, endpoint);
        return bb_err_set(detail, BB_EIO, "can't listen on %s: %s", endpoint,
                          strerror_r(-fd, text, sizeof(text)));
    }
    *out_fd = fd;
    *out_port = bound_port(fd);
    return BB_OK;
}
