#include "tests/support/raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

/* Only reached when the server hangs: makes the test fail instead of the run. */
#define RECEIVE_S_MAX 30
#define ANSWER_BYTES_MAX ((size_t)64 << 20)

static int connect_to(uint16_t port, int *out_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct timeval timeout = {.tv_sec = RECEIVE_S_MAX};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)), 0);
    *out_fd = fd;
    return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

int raw_connect(uint16_t port)
{
    int fd;

    assert_int_equal(connect_to(port, &fd), 0);
    return fd;
}

bool raw_is_refused(uint16_t port)
{
    int fd;
    bool is_refused = connect_to(port, &fd) != 0;

    close(fd);
    return is_refused;
}

void raw_send(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        at += sent;
        size -= (size_t)sent;
    }
}

void raw_send_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

/* The value of a header, as it stands in the head; NULL when it isn't there. */
static const char *find_header(const struct raw_answer *answer, const char *name, size_t *out_size)
{
    size_t name_size = strlen(name);
    const char *line = strstr((const char *)answer->head.data, "\r\n");

    for (; line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, name_size) == 0 && line[name_size] == ':') {
            const char *value = line + name_size + 1;
            value += strspn(value, " ");
            *out_size = strcspn(value, "\r");
            return value;
        }
    }
    return NULL;
}

void raw_read_answer(int fd, bool has_body, struct raw_answer *out_answer)
{
    struct raw_answer answer = {0};
    size_t size;
    char byte;

    bb_buf_init(&answer.head, ANSWER_BYTES_MAX);
    bb_buf_init(&answer.body, ANSWER_BYTES_MAX);
    while (answer.head.size < 4 ||
           memcmp(answer.head.data + answer.head.size - 4, "\r\n\r\n", 4) != 0) {
        assert_int_equal(recv(fd, &byte, 1, 0), 1);
        bb_buf_append_byte(&answer.head, (uint8_t)byte);
    }
    bb_buf_append_byte(&answer.head, '\0');
    assert_int_equal(bb_buf_err(&answer.head), BB_OK);
    assert_memory_equal(answer.head.data, "HTTP/1.1 ", 9);
    answer.status = (unsigned)strtoul((const char *)answer.head.data + 9, NULL, 10);

    const char *length = find_header(&answer, "Content-Length", &size);
    size_t left = has_body && length != NULL ? strtoul(length, NULL, 10) : 0;
    while (left > 0) {
        uint8_t *room = bb_buf_reserve(&answer.body, left);
        assert_non_null(room);
        ssize_t got = recv(fd, room, left, 0);
        assert_true(got > 0);
        bb_buf_advance(&answer.body, (size_t)got);
        left -= (size_t)got;
    }
    *out_answer = answer;
}

void raw_answer_dispose(struct raw_answer *answer)
{
    bb_buf_dispose(&answer->head);
    bb_buf_dispose(&answer->body);
}

bool raw_has_header(const struct raw_answer *answer, const char *name, const char *value)
{
    size_t size = 0;
    const char *found = find_header(answer, name, &size);

    return found != NULL && size == strlen(value) && memcmp(found, value, size) == 0;
}

bool raw_is_closed(int fd)
{
    char byte;

    return recv(fd, &byte, 1, 0) == 0;
}
