/*
 * otlp_http.h - sends spans by OTLP over HTTP (protobuf). In a library of its own, as it needs
 * libcurl: link libbobbin-otlp-http (CMake: bobbin::otlp-http, pkg-config: bobbin-otlp-http).
 */
#ifndef BOBBIN_OTLP_HTTP_H
#define BOBBIN_OTLP_HTTP_H

#include "exporter.h"

#ifdef __cplusplus
extern "C" {
#endif

struct bobbin_otlp_http_opts {
    const char *url;         /* the whole address, such as "http://localhost:4318/v1/traces" */
    const char *headers;     /* "name=value,name=value", percent-encoded; NULL: none */
    uint32_t timeout_ms;     /* of one attempt: 10000 */
    const char *certificate; /* a file of trusted certificates; NULL: the system's */
    const char *client_key;  /* files of a client's key and certificate; NULL: none */
    const char *client_certificate;
};

/*
 * Sets the defaults and then what the environment says: OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS,
 * _TIMEOUT, _CERTIFICATE, _CLIENT_KEY, _CLIENT_CERTIFICATE, and the same with OTLP_TRACES_, which
 * win. `url_room` holds the address where it has to be put together; it must live as long as opts.
 */
BOBBIN_API void bobbin_otlp_http_opts_init(struct bobbin_otlp_http_opts *opts, char *url_room,
                                           size_t url_room_size);

/*
 * Makes an exporter that sends to `opts` (NULL: what the environment says), for
 * bobbin_opts.exporter.
 * A 200 is a success, of which the receiver may have rejected some; 429, 502, 503, 504 and a failed
 * connection are tried again, after Retry-After where it is said; any other answer is final.
 *
 * BOBBIN_EINVAL  the address or a header is malformed
 * BOBBIN_ENOMEM  out of memory
 */
BOBBIN_API enum bobbin_err bobbin_otlp_http_exporter_open(const struct bobbin_otlp_http_opts *opts,
                                                          struct bobbin_exporter *out);

#ifdef __cplusplus
}
#endif

#endif /* BOBBIN_OTLP_HTTP_H */
