#!/usr/bin/env bash
# test_install.sh BUILD_DIR: installs libbobbin into an empty prefix, moves it elsewhere, and builds
# and runs programs of another project against it: by CMake's package and by pkg-config, in C and
# C++, with the shared and the static library.
set -euo pipefail
build=$1
consumer=$(cd "$(dirname "$0")" && pwd)/consumer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --component client --prefix "$work/first" >"$work/log"
mv "$work/first" "$work/prefix"
prefix=$work/prefix

cmake -S "$consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" >>"$work/log"
cmake --build "$work/build" >>"$work/log"
for program in shared_c static_c shared_cxx; do
  "$work/build/$program" | grep -q '"name":"from outside"'
done
if ldd "$work/build/static_c" | grep -q bobbin; then
  echo "static_c needs the shared library" >&2
  exit 1
fi

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name bobbin.pc)")
export PKG_CONFIG_PATH
read -ra flags <<<"$(pkg-config --cflags --libs bobbin)"
cc -std=c11 -o "$work/by_pkg_config" "$consumer/uses_bobbin.c" "${flags[@]}"
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH") "$work/by_pkg_config" |
  grep -q '"name":"from outside"'
pkg-config --exists bobbin-otlp-http

# Nothing but bobbin_ is visible, and the core needs libc alone.
library=$(find "$prefix" -name 'libbobbin.so')
if nm -D --defined-only "$library" | grep -v ' bobbin_'; then
  echo "symbols that are not ours to define" >&2
  exit 1
fi
if ldd "$library" | grep -v -E 'linux-vdso|libc\.so|ld-linux'; then
  echo "the core needs more than libc" >&2
  exit 1
fi
readelf -d "$library" | grep -q 'SONAME.*libbobbin\.so\.0'
