"""Requests that no decent client would send: raw HTTP/1.1 bytes, and gRPC frames by hand."""

import socket
import struct
import urllib.parse

import h2.config
import h2.connection
import h2.events

from harness import daemon

TIMEOUT_S = 60 if daemon.SANITIZER else 15
QUIET_S = 2 if daemon.SANITIZER else 0.3


def exchange(port, data, quiet_s=QUIET_S):
    """Sends bytes and returns what came until the peer closed or was quiet: a peer that waits for
    the rest of a request says nothing, and may wait."""
    received = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        try:
            connection.sendall(data)
            connection.settimeout(quiet_s)
            while chunk := connection.recv(1 << 16):
                received += chunk
        except (ConnectionError, TimeoutError):
            pass
    return bytes(received)


def statuses(received):
    """Status codes of the HTTP/1.1 answers in `received`; [] when the peer only closed."""
    return [
        int(line.split()[1]) for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")
    ]


def frame(message, compressed_flag=0, claimed=None):
    """One gRPC length-prefixed message; `claimed` lies about its length."""
    return (
        struct.pack(">BI", compressed_flag, len(message) if claimed is None else claimed) + message
    )


def grpc_call(port, path, data, *more_headers, content_type="application/grpc", method="POST"):
    """One gRPC call with `data` as the bytes of its DATA frames.

    Returns (grpc-status as int or None, grpc-message): None when the peer reset the stream or
    answered as plain HTTP; the message is then what it said instead.
    """
    connection = h2.connection.H2Connection(
        h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False
        )
    )
    connection.initiate_connection()
    headers = [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", f"127.0.0.1:{port}"),
        ("content-type", content_type),
        ("te", "trailers"),
        *more_headers,
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as sock:
        connection.send_headers(1, headers)
        sock.sendall(connection.data_to_send())
        return _run(connection, sock, data)


def _run(connection, sock, data):
    answer = {}
    offset = 0
    while True:
        while offset < len(data):
            room = min(connection.local_flow_control_window(1), connection.max_outbound_frame_size)
            if room == 0:
                break
            connection.send_data(1, data[offset : offset + room])
            offset += room
        if offset >= len(data) and not answer.get("is_sent"):
            connection.end_stream(1)
            answer["is_sent"] = True
        try:
            sock.sendall(connection.data_to_send())
            received = sock.recv(1 << 16)
        except ConnectionError:
            received = b""
        if not received:
            return None, "connection closed"
        for event in connection.receive_data(received):
            if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                answer.update(event.headers)
                if "grpc-status" in answer:
                    return (
                        int(answer["grpc-status"]),
                        urllib.parse.unquote(answer.get("grpc-message", "")),
                    )
            elif isinstance(event, h2.events.StreamReset):
                return None, f"stream reset, code {event.error_code}"
            elif isinstance(event, h2.events.ConnectionTerminated):
                return None, f"connection terminated, code {event.error_code}"
            elif isinstance(event, h2.events.StreamEnded):
                return None, f"HTTP {answer.get(':status')}"
