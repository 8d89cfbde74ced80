"""The stop that doesn't wait: a second signal. The one that does is in test_lifecycle.py."""
import signal

from harness import client, daemon, otlp


def test_a_second_signal_ends_it_at_once_and_loses_nothing(new_daemon):
    bobbind = new_daemon()
    api = client.Api(bobbind)
    trace_id = otlp.new_trace_id()
    request = otlp.request([otlp.span(trace_id)])
    api.send(request)

    # Both wait while it is stopped, so the second comes before the drain can be over.
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        bobbind.process.send_signal(number)
    assert bobbind.process.wait(daemon.STOP_TIMEOUT_S) == 1
    bobbind.process = None
    assert "second signal, ending at once" in bobbind.log()
    assert 'msg="stopped"' not in bobbind.log()

    bobbind.start()
    assert api.trace_v3_protobuf(trace_id) == otlp.flatten(request)
    bobbind.stop_cleanly()
