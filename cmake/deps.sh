#!/usr/bin/env bash
# deps.sh - the Debian packages that Bobbin needs, in one list, and their installation.
#
#   cmake/deps.sh build         installs what is missing to build and run it
#   cmake/deps.sh build test    the same, and what the tests need
#   cmake/deps.sh build test ci the same, and what the sanitizer and fuzz builds need
#   cmake/deps.sh --list        prints the list as the README's table
#
# Nothing is asked and nothing is installed twice. Uses sudo when not run by root. On a system
# without apt it names the packages and goes on: CMake says what is missing.
set -euo pipefail

# group | package | what it is for
packages='
build | build-essential        | gcc 12 and the C library headers
build | cmake                  | the build (3.25 or later)
build | ninja-build            | runs what CMake plans
build | pkg-config             | finds the libraries below
build | protobuf-c-compiler    | makes C of proto/
build | libprotobuf-c-dev      | protobuf messages of another make, which tests hold ours against
build | librocksdb-dev         | the key-value engine under the store
build | libgrpc-dev            | gRPC core: OTLP and Jaeger over gRPC
build | libmicrohttpd-dev      | HTTP: OTLP, the query API, the viewer, admin
build | zlib1g-dev             | gzip bodies
build | libzstd-dev            | zstd: stored blocks, bodies, captured traffic
build | liblz4-dev             | LZ4: the log of the store
build | libcurl4-openssl-dev   | the HTTP client of the bobbin command
test  | python3                | integration tests, the tidy script, the count of tests
build | curl                   | ./run asks whether the daemon is ready
build | git                    | the commit that /version tells
test  | libcmocka-dev          | unit tests
test  | python3-venv           | the OpenTelemetry Python SDK of the integration tests (from PyPI)
test  | nodejs                 | tests of the viewer, playwright-core
test  | npm                    | installs playwright-core
test  | chromium               | the viewer in a real browser
ci    | ccache                 | compiles nothing twice
ci    | clang                  | libFuzzer builds
ci    | libclang-rt-14-dev     | the sanitizer and libFuzzer runtimes of clang
'

list() {
  printf '%s\n' '| package | needed to | for |' '|---|---|---|'
  while IFS='|' read -r group package reason; do
    [ -n "${package// /}" ] || continue
    printf '| `%s` | %s | %s |\n' "${package// /}" "${group// /}" "$(echo $reason)"
  done <<<"$packages"
}

# The packages of the groups given that aren't installed, one a line.
missing() {
  local group package reason
  while IFS='|' read -r group package reason; do
    package=${package// /}
    [ -n "$package" ] || continue
    case " $* " in *" ${group// /} "*) ;; *) continue ;; esac
    # npm is part of some nodejs packages, which then conflict with Debian's.
    if [ "$package" = npm ] && command -v npm >/dev/null; then continue; fi
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      echo "$package"
    fi
  done <<<"$packages"
}

if [ "${1:-}" = --list ]; then
  list
  exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "deps: no apt here; see the README for what has to be installed" >&2
  exit 0
fi
mapfile -t wanted < <(missing "$@")
if [ "${#wanted[@]}" -eq 0 ]; then
  exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: not root and no sudo. As root, run: apt-get install ${wanted[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "deps: installing ${wanted[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends "${wanted[@]}" </dev/null >/dev/null
