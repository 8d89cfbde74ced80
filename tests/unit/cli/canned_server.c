#include "tests/unit/cli/canned_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"

#define BODY_BYTES_MAX (64u << 20)

/* One byte at a time: simple, and fast enough for a head. False when the peer has hung up. */
static bool read_head(int fd, struct bb_buf *head)
{
    char byte;

    while (head->size < 4 || memcmp(head->data + head->size - 4, "\r\n\r\n", 4) != 0) {
        if (recv(fd, &byte, 1, 0) != 1) {
            return false;
        }
        bb_buf_append_byte(head, (uint8_t)byte);
    }
    bb_buf_append_byte(head, '\0');
    return bb_buf_err(head) == BB_OK;
}

static void read_body(int fd, const struct bb_buf *head, struct bb_buf *body)
{
    const char *header = strcasestr((const char *)head->data, "content-length:");
    size_t left = header != NULL ? (size_t)strtoull(header + 15, NULL, 10) : 0;

    while (left > 0) {
        uint8_t *room = bb_buf_reserve(body, left);
        BB_ASSERT(room != NULL);
        ssize_t size = recv(fd, room, left, 0);
        BB_ASSERT(size > 0);
        bb_buf_advance(body, (size_t)size);
        left -= (size_t)size;
    }
}

static void send_all(int fd, struct bb_slice bytes)
{
    while (bytes.size > 0) {
        ssize_t size = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (size <= 0) {
            return; /* the client has hung up: its business */
        }
        bytes = bb_slice_of(bytes.data + size, bytes.size - (size_t)size);
    }
}

/* Answers the requests of one connection until it or the list of answers ends. */
static void serve(struct canned_server *server, int fd)
{
    while (server->request_count < server->answer_count) {
        uint32_t index = server->request_count;
        bb_buf_clear(&server->heads[index]);
        if (!read_head(fd, &server->heads[index])) {
            return;
        }
        read_body(fd, &server->heads[index], &server->bodies[index]);
        server->request_count++;
        if (server->answers[index].size == 0) {
            return;
        }
        send_all(fd, server->answers[index]);
    }
}

static void *run(void *arg)
{
    struct canned_server *server = arg;

    while (server->request_count < server->answer_count) {
        int fd = accept(server->listener, NULL, NULL);
        BB_ASSERT(fd >= 0);
        serve(server, fd);
        (void)close(fd);
    }
    return NULL;
}

void canned_server_start(struct canned_server *server, const char *const *answers)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof(address);

    *server = (struct canned_server){0};
    while (answers[server->answer_count] != NULL) {
        uint32_t index = server->answer_count++;
        BB_ASSERT(index < CANNED_ANSWERS_MAX);
        server->answers[index] = bb_slice_from_cstr(answers[index]);
        bb_buf_init(&server->heads[index], 1u << 16);
        bb_buf_init(&server->bodies[index], BODY_BYTES_MAX);
    }
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BB_ASSERT(server->listener >= 0);
    BB_ASSERT(bind(server->listener, (struct sockaddr *)&address, size) == 0);
    BB_ASSERT(listen(server->listener, 4) == 0);
    BB_ASSERT(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0);
    (void)snprintf(server->base, sizeof(server->base), "http://127.0.0.1:%u",
                   ntohs(address.sin_port));
    BB_ASSERT(pthread_create(&server->thread, NULL, run, server) == 0);
}

void canned_server_stop(struct canned_server *server)
{
    BB_ASSERT(pthread_join(server->thread, NULL) == 0);
    (void)close(server->listener);
}

void canned_server_dispose(struct canned_server *server)
{
    for (uint32_t i = 0; i < server->answer_count; i++) {
        bb_buf_dispose(&server->heads[i]);
        bb_buf_dispose(&server->bodies[i]);
    }
}

bool canned_server_has_header(const struct canned_server *server, uint32_t index, const char *line)
{
    char framed[256];

    BB_ASSERT(index < server->request_count);
    (void)snprintf(framed, sizeof(framed), "\r\n%s\r\n", line);
    return strstr((const char *)server->heads[index].data, framed) != NULL;
}
