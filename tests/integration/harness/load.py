"""Load that knows what it sent: batches with ids made from (cycle, sender, number), each one trace,
and which of them were acknowledged."""

import http.client
import struct
import threading
import time

from harness import client, otlp

_TRACE_MARK = b"\xf1trace-id-mark\xf1\xf2"
_SPAN_MARK = b"\xf1span\xf1%c%c"


def trace_id(cycle, sender, number):
    return struct.pack(">IIQ", cycle, sender, number + 1)


def span_id(sender, number, index):
    return struct.pack(">HIH", sender + 1, number, index)


class Template:
    """One batch as bytes, with the places where ids go. Serialising it once makes a sender fast."""

    def __init__(self, service, span_count, value_size):
        self.span_count = span_count
        now_ns = time.time_ns()
        spans = []
        for index in range(span_count):
            span = otlp.span(
                "00" * 16,
                f"operation {index % 7}",
                start_ns=now_ns + index,
                attrs={"index": index, "text": f"{index:08d}" * (value_size // 8)},
            )
            span.trace_id = _TRACE_MARK
            span.span_id = _SPAN_MARK % (index >> 8, index & 255)
            spans.append(span)
        self._bytes = otlp.request(spans, service).SerializeToString()
        self._trace_at = [span_at - 18 for span_at in self._find_spans()]
        self._span_at = self._find_spans()
        self.size = len(self._bytes)

    def _find_spans(self):
        places, at = [], 0
        for index in range(self.span_count):
            at = self._bytes.index(_SPAN_MARK % (index >> 8, index & 255), at)
            places.append(at)
        return places

    def fill(self, cycle, sender, number):
        body = bytearray(self._bytes)
        trace = trace_id(cycle, sender, number)
        for index, (trace_at, span_at) in enumerate(zip(self._trace_at, self._span_at)):
            body[trace_at : trace_at + 16] = trace
            body[span_at : span_at + 8] = span_id(sender, number, index)
        return bytes(body)


class Sender(threading.Thread):
    """Posts batches over one kept connection until it is told to stop or the connection breaks."""

    def __init__(self, port, template, cycle, sender):
        super().__init__(daemon=True)
        self.acknowledged = []  # batch numbers
        self.refused = []  # answered "retry later": must not be stored
        self.unknown = []  # sent, and no answer came: all or nothing
        self.failure = None
        self.cycle, self.sender = cycle, sender
        self._port, self._template = port, template
        self._is_stopping = threading.Event()

    def stop(self):
        self._is_stopping.set()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        number = 0
        try:
            connection.connect()
            while not self._is_stopping.is_set():
                self._post(connection, number)
                number += 1
        except (OSError, http.client.HTTPException):
            self.unknown.append(number)
        finally:
            connection.close()

    def _post(self, connection, number):
        connection.request(
            "POST",
            "/v1/traces",
            self._template.fill(self.cycle, self.sender, number),
            {"Content-Type": client.PROTOBUF},
        )
        response = connection.getresponse()
        body = response.read()
        if response.status == 200 and not body:
            self.acknowledged.append(number)
        elif response.status in (429, 503):
            self.refused.append(number)
            self._is_stopping.wait(0.05)
        else:
            self.failure = f"batch {number}: {response.status} {body[:200]}"
            self._is_stopping.set()


class Cycle:
    """The senders of one cycle, and what must be stored afterwards."""

    def __init__(self, number, port, sender_count, span_count, value_size):
        self.number = number
        self.service = f"cycle-{number:05d}"
        self.template = Template(self.service, span_count, value_size)
        self.senders = [Sender(port, self.template, number, each) for each in range(sender_count)]

    def start(self):
        for sender in self.senders:
            sender.start()

    def stop(self):
        for sender in self.senders:
            sender.stop()

    def join(self):
        for sender in self.senders:
            sender.join(90)
            assert not sender.is_alive()
            assert sender.failure is None, sender.failure

    def batches(self, kind):
        """[(trace id, expected span ids)] of one kind: acknowledged, refused, unknown."""
        return [
            (
                trace_id(self.number, sender.sender, number).hex(),
                [
                    span_id(sender.sender, number, index)
                    for index in range(self.template.span_count)
                ],
            )
            for sender in self.senders
            for number in getattr(sender, kind)
        ]

    def sent_bytes(self):
        return sum(len(sender.acknowledged) for sender in self.senders) * self.template.size
