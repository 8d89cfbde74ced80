#!/usr/bin/env bash
# test_bobbind.sh FIRST_TRACE BOBBIND: the example sends its trace to a bobbind, whose query API
# then has it, with both spans in one trace.
set -euo pipefail
first_trace=$1
bobbind=$2
work=$(mktemp -d)
daemon=
trap 'if [ -n "$daemon" ]; then kill "$daemon"; wait "$daemon" || true; fi; rm -rf "$work"' EXIT

read -ra ports <<<"$(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
print(*(one.getsockname()[1] for one in held))')"

"$bobbind" --data-dir "$work/data" --otlp-grpc-listen "127.0.0.1:${ports[0]}" \
  --otlp-http-listen "127.0.0.1:${ports[1]}" --jaeger-grpc-listen "127.0.0.1:${ports[2]}" \
  --http-listen "127.0.0.1:${ports[3]}" --grpc-query-listen "127.0.0.1:${ports[4]}" \
  --admin-listen "127.0.0.1:${ports[5]}" 2>"$work/log" &
daemon=$!
until curl -fs "http://127.0.0.1:${ports[5]}/readyz" >/dev/null; do
  kill -0 "$daemon" || { cat "$work/log" >&2; exit 1; }
done

"$first_trace" "http://127.0.0.1:${ports[1]}/v1/traces"
curl -fs "http://127.0.0.1:${ports[3]}/api/traces?service=first-trace" | python3 -c '
import json, sys
traces = json.load(sys.stdin)["data"]
assert len(traces) == 1, traces
spans = {span["operationName"]: span for span in traces[0]["spans"]}
assert sorted(spans) == ["load", "main"], spans
assert spans["load"]["references"][0]["spanID"] == spans["main"]["spanID"], spans
assert {"key": "rows", "type": "int64", "value": 3} in spans["load"]["tags"], spans
'
