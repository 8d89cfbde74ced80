#!/usr/bin/env bash
# format.sh - lays out every C file of the tree by .clang-format.
#
#   cmake/format.sh          changes what differs
#   cmake/format.sh --check  changes nothing; names what differs, and fails when anything does
#
# With one version of clang-format, from PyPI into the cache of the user: versions differ in what
# they do, and the one of Debian 12 knows no InsertBraces.
set -euo pipefail
cd "$(dirname "$0")/.."

version=23.1.3
venv="${XDG_CACHE_HOME:-$HOME/.cache}/bobbin/clang-format-$version"
if [ ! -e "$venv/complete" ]; then
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "clang-format==$version"
  touch "$venv/complete"
fi

mapfile -t files < <(git ls-files '*.c' '*.h')
case "${1:-}" in
  --check) "$venv/bin/clang-format" --dry-run -Werror "${files[@]}" ;;
  '') "$venv/bin/clang-format" -i "${files[@]}" ;;
  *)
    echo "usage: cmake/format.sh [--check]" >&2
    exit 2
    ;;
esac
